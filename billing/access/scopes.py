"""What keys and plans may use: the columns that both have, and how they are checked."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from billing.access.addresses import networks_of
from catalog.asks import Permissions
from providers import names
from providers.models import Provider, strings

MOST_ENTRIES = 200
LONGEST_ENTRY = 250
MODELS = ("chat", "completions", "embeddings", "images", "audio", "rerank", "moderations")
ENDPOINTS = (*MODELS, "models", "account")  # lists; the key's own money and receipts


def short_list(value: object) -> None:
    """Accept a list of not too many strings, none of them long."""
    strings(value)
    assert isinstance(value, list)
    if len(value) > MOST_ENTRIES or any(len(item) > LONGEST_ENTRY for item in value):
        raise ValidationError(
            f"At most {MOST_ENTRIES} entries, each of at most {LONGEST_ENTRY} characters."
        )
    if not all(item.isprintable() for item in value):
        raise ValidationError("An entry holds characters that no name has.")


def endpoints(value: object) -> None:
    """Accept a list of kinds of request."""
    short_list(value)
    unknown = [item for item in value if item not in ENDPOINTS]  # type: ignore[attr-defined]
    if unknown:
        raise ValidationError(
            f"No endpoint is called {unknown[0]}. There are: {', '.join(ENDPOINTS)}."
        )


def networks(value: object) -> None:
    """Accept a list of IP addresses and networks."""
    short_list(value)
    try:
        networks_of(value)  # type: ignore[arg-type]
    except ValueError as problem:
        raise ValidationError(f"{problem}; write 203.0.113.0/24 or one address.") from problem


def slugs(asked: Any) -> list[str]:
    """Turn names of providers into slugs; raises ValidationError for one that nobody has."""
    short_list(asked)
    if not asked:
        return []
    known = {names.fold(slug): slug for slug in Provider.objects.values_list("slug", flat=True)}
    valid = ", ".join(sorted(known.values()))
    aliases = Provider.objects.exclude(aliases=None).values_list("aliases__alias", "slug")
    known = {names.fold(alias): slug for alias, slug in aliases} | known
    unknown = [name for name in asked if names.fold(name) not in known]
    if unknown:
        raise ValidationError(f"No provider is called {unknown[0]}. There are: {valid}.")
    return list(dict.fromkeys(known[names.fold(name)] for name in asked))


def listed(help_text: str, *validators: Any) -> models.JSONField:
    return models.JSONField(
        default=list, blank=True, validators=list(validators), help_text=help_text
    )


class Scoped(models.Model):
    """Which models and providers; what is denied is denied, whatever is allowed."""

    allowed_models = listed(
        'Patterns of model ids: <code>["openai/*"]</code>. Empty: all.', short_list
    )
    denied_models = listed('Patterns of model ids: <code>["*:free"]</code>.', short_list)
    allowed_providers = listed('Any names of them: <code>["groq"]</code>. Empty: all.', short_list)
    denied_providers = listed('Any names of them: <code>["groq"]</code>.', short_list)

    class Meta:
        abstract = True

    def clean(self) -> None:
        super().clean()
        wrong = {}
        for field in ("allowed_providers", "denied_providers"):
            try:
                setattr(self, field, slugs(getattr(self, field)))
            except ValidationError as problem:
                wrong[field] = problem
        if wrong:
            raise ValidationError(wrong)

    @property
    def is_scoped(self) -> bool:
        return bool(
            self.allowed_models
            or self.denied_models
            or self.allowed_providers
            or self.denied_providers
        )

    def permissions(self, plan: Permissions | None = None, test: bool = False) -> Permissions:
        return Permissions(
            tuple(self.allowed_models),
            frozenset(self.allowed_providers),
            tuple(self.denied_models),
            frozenset(self.denied_providers),
            plan,
            test,
        )
