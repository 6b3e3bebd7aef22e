"""Providers, their other names, our credentials there, and how ids are rewritten for them."""

import logging
import re
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models

from providers import adapters, names, rewriting, values
from providers.configuration import ConfigurationRow
from providers.encryption import EncryptedTextField, Sealed, Undecryptable

AUTH_HEADER = re.compile(r"[A-Za-z0-9-]+: ?[ -~]*\{key\}[ -~]*")
log = logging.getLogger(__name__)


def strings(value: object) -> None:
    """Accept a list of non-empty strings."""
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ValidationError('Enter a list of strings, such as ["logit_bias"].')


def string_map(value: object) -> None:
    """Accept an object whose values are strings."""
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ValidationError('Enter an object of strings, such as {"X-HF-Bill-To": "my-org"}.')
    for name, item in value.items():
        if any(char in f"{name}{item}" for char in "\r\n\0"):
            raise ValidationError("A header holds no line breaks.")


def known_adapter(value: str) -> None:
    if value not in adapters.NAMES:
        raise ValidationError(
            f"No adapter is called {value}; there are {', '.join(adapters.NAMES)}."
        )


def objects(value: object) -> None:
    """Accept a list of objects."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValidationError(
            'Enter a list of objects: [{"parser": "openai", "url": "https://…"}].'
        )


def numbers(value: object) -> None:
    """Accept an object whose values are numbers."""
    wrong = not isinstance(value, dict) or any(
        isinstance(item, bool) or not isinstance(item, int | float) for item in value.values()
    )
    if wrong:
        raise ValidationError('Enter an object of numbers, such as {"max_drop_percent": 50}.')


def address(value: str) -> None:
    """Accept http(s) addresses without a user, query or fragment, and `echo:` for the built-in."""
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        raise ValidationError("Enter an address such as https://api.example.com/v1.") from None
    if parts.scheme == "echo":
        return
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValidationError("Enter an address such as https://api.example.com/v1.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValidationError("The address holds no user, password, query or fragment.")


def seconds(default: float, help_text: str) -> models.FloatField:
    return models.FloatField(
        default=default, validators=[MinValueValidator(0.05)], help_text=help_text
    )


def limit(help_text: str) -> models.PositiveIntegerField:
    return models.PositiveIntegerField(null=True, blank=True, help_text=help_text)


class Provider(ConfigurationRow):
    """An upstream service that we can call."""

    part = ("provider", "slug")

    slug = models.CharField(
        max_length=63,
        unique=True,
        validators=[RegexValidator(rf"^{names.SLUG.pattern}$", "Use a-z, 0-9, dot and dash.")],
        help_text="Its one name in requests and reports, for example <code>huggingface</code>.",
    )
    name = models.CharField(max_length=100, help_text="For people: <code>Hugging Face</code>.")
    adapter = models.CharField(
        max_length=30,
        default="openai",
        validators=[known_adapter],
        help_text="The wire format it speaks. Most speak <code>openai</code>.",
    )
    base_url = models.CharField(
        max_length=300,
        validators=[address],
        help_text="Up to and with the version: <code>https://router.huggingface.co/v1</code>.",
    )
    site_url = models.URLField(
        max_length=300, blank=True, help_text="Its home page, shown in listings."
    )
    enabled = models.BooleanField(default=True, help_text="Off: no request goes there.")
    priority = models.PositiveSmallIntegerField(
        default=50, help_text="Lower is tried first when several providers serve a model."
    )
    private_network = models.BooleanField(
        default=False,
        help_text="Allow loopback and private addresses. Only for servers of your own.",
    )
    auth_header = models.CharField(
        max_length=200,
        default="Authorization: Bearer {key}",
        help_text="Where the credential goes: <code>x-portkey-api-key: {key}</code>.",
    )
    key_optional = models.BooleanField(
        default=False, help_text="It answers without a credential too, as a local server does."
    )
    headers = models.JSONField(
        default=dict,
        blank=True,
        validators=[string_map],
        help_text='Sent with every request: <code>{"X-HF-Bill-To": "my-org"}</code>.',
    )
    drop_params = models.JSONField(
        default=list,
        blank=True,
        validators=[strings],
        help_text='Parameters that it rejects: <code>["logit_bias"]</code>.',
    )
    passes_suffixes = models.JSONField(
        default=list,
        blank=True,
        validators=[strings],
        help_text='Suffixes of its own that clients may add to an id: <code>["fastest", "groq"]'
        '</code>; <code>["*"]</code> for any.',
    )
    stream_usage = models.BooleanField(
        default=True,
        help_text="Ask for usage in streams (<code>stream_options.include_usage</code>).",
    )
    allow_unlisted = models.BooleanField(
        default=False,
        help_text="Send ids that the catalogue does not list when a request names this provider. "
        "Their price is unknown.",
    )
    resend_maybe_billed = models.BooleanField(
        default=False,
        help_text="Try the next provider even when this one may have billed the failed attempt.",
    )
    concurrency = limit("Most requests under way at once. Empty: no limit.")
    connect_timeout_s = seconds(5, "Seconds for the connection, TLS included.")
    first_byte_timeout_s = seconds(120, "Seconds from the request to the answer's first byte.")
    idle_timeout_s = seconds(60, "Longest silence, in seconds, inside an answer.")
    total_timeout_s = seconds(600, "Seconds for the whole request.")
    listing = models.JSONField(
        default=list,
        blank=True,
        validators=[objects],
        help_text='Where its models are listed, read by syncs: <code>[{"parser": "openai", '
        '"url": "https://api.example.com/v1/models", "auth": "required"}]</code>.',
    )
    guards = models.JSONField(
        default=dict,
        blank=True,
        validators=[numbers],
        help_text="What a sync may change without being held back: "
        '<code>{"min_models": 100, "max_drop_percent": 50}</code>.',
    )

    class Meta:
        ordering = ["priority", "slug"]

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        refuse_taken_name(self.slug, provider=self, field="slug")
        if self.adapter != "echo" and self.base_url.startswith("echo:"):
            raise ValidationError({"base_url": "Only the echo adapter has an echo: address."})
        if not AUTH_HEADER.fullmatch(self.auth_header):
            raise ValidationError({"auth_header": "Write it as `Header-Name: … {key}`."})

    def endpoint(self) -> values.Endpoint:
        """Make the data plane's value of this row, with its rules and usable credentials."""
        return values.Endpoint(
            slug=self.slug,
            name=self.name,
            adapter=self.adapter,
            base_url=self.base_url.rstrip("/"),
            site_url=self.site_url,
            auth_header=self.auth_header,
            headers=tuple(sorted(self.headers.items())),
            drop_params=frozenset(self.drop_params),
            passes_suffixes=frozenset(self.passes_suffixes),
            stream_usage=self.stream_usage,
            private_network=self.private_network,
            resend_maybe_billed=self.resend_maybe_billed,
            allow_unlisted=self.allow_unlisted,
            enabled=self.enabled,
            priority=self.priority,
            concurrency=self.concurrency,
            timeouts=values.Timeouts(
                self.connect_timeout_s,
                self.first_byte_timeout_s,
                self.idle_timeout_s,
                self.total_timeout_s,
            ),
            rewrites=tuple(rule.value_of() for rule in self.rewrites.all() if rule.enabled),
            secrets=self.secrets(),
        )

    def secrets(self) -> tuple[values.Secret, ...]:
        """Return the credentials that can be used now; one empty one where none is needed."""
        rows = [row for row in self.credentials.all() if row.enabled]
        usable = tuple(secret for row in rows if (secret := row.secret()) is not None)
        anonymous = self.key_optional or not rows
        return usable or ((values.Secret(0, "none", ""),) if anonymous else ())

    def callable_now(self) -> bool:
        """Tell whether this process has a credential for it, or needs none."""
        rows = [row for row in self.credentials.all() if row.enabled]
        return self.key_optional or not rows or any(row.available() for row in rows)


class ProviderAlias(ConfigurationRow):
    """Another name of a provider."""

    part = ("provider", "provider__slug")

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="aliases")
    alias = models.CharField(
        max_length=63,
        unique=True,
        help_text="For example <code>hug</code>; <code>_</code> and <code>-</code> are the same.",
    )

    class Meta:
        ordering = ["alias"]
        verbose_name_plural = "provider aliases"

    def __str__(self) -> str:
        return f"{self.alias} → {self.provider_id and self.provider.slug}"

    def clean(self) -> None:
        self.alias = names.fold(self.alias)
        if not names.SLUG.fullmatch(self.alias):
            raise ValidationError({"alias": "Use letters, digits, dot and dash."})
        refuse_taken_name(self.alias, alias=self, field="alias")


def refuse_taken_name(
    name: str,
    field: str,
    provider: Provider | None = None,
    alias: ProviderAlias | None = None,
) -> None:
    """Raise a ValidationError that names the row which has `name` already."""
    folded = names.fold(name)
    for row in Provider.objects.filter(slug=folded).exclude(pk=provider and provider.pk):
        raise ValidationError({field: f"{name} is the slug of the provider {row.name}."})
    for other in ProviderAlias.objects.filter(alias=folded).exclude(pk=alias and alias.pk):
        raise ValidationError({field: f"{name} is an alias of {other.provider.name} already."})


class Credential(ConfigurationRow):
    """An operator's key at a provider: named by an environment variable, or stored encrypted."""

    part = ("provider", "provider__slug")

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="credentials")
    label = models.CharField(
        max_length=100, blank=True, help_text="To tell several apart: <code>team budget</code>."
    )
    env = models.CharField(
        "environment variable",
        max_length=100,
        blank=True,
        validators=[RegexValidator(r"^[A-Za-z_][A-Za-z0-9_]*$", "That is no variable's name.")],
        help_text="Name of the variable that holds the key: <code>HF_TOKEN</code>.",
    )
    value = EncryptedTextField(
        blank=True, help_text="Or the key itself: stored encrypted and never shown again."
    )
    last4 = models.CharField(max_length=4, blank=True, editable=False)
    enabled = models.BooleanField(default=True)
    priority = models.PositiveSmallIntegerField(default=50, help_text="Lower is used first.")
    requests_per_minute = limit("What the provider allows this key. Empty: not known.")
    tokens_per_minute = limit("Tokens of prompts and answers. Empty: not known.")
    concurrency = limit("Most requests under way at once with this key. Empty: no limit.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["priority", "id"]

    def __str__(self) -> str:
        return self.label or self.env or f"…{self.last4}"

    def clean(self) -> None:
        if bool(self.env) == bool(self.value):
            raise ValidationError("Give either an environment variable or the key itself.")

    def save(self, *args: object, **options: object) -> None:
        if not isinstance(self.value, Sealed):
            self.last4 = self.value[-4:] if len(self.value) >= 12 else ""
        super().save(*args, **options)

    def available(self) -> bool:
        """Tell whether this process has the key, without decrypting it."""
        return bool(self.value or settings.ENVIRONMENT.get(self.env, "").strip())

    def secret(self) -> values.Secret | None:
        """Return the key to send; None while its variable is not set, or nothing opens it."""
        try:
            token = self.token()
        except Undecryptable:
            log.error("no encryption key opens the credential %s of %s", self, self.provider)
            return None
        if not token:
            return None
        limits = self.requests_per_minute, self.tokens_per_minute, self.concurrency
        return values.Secret(self.pk, str(self), token, *limits)

    def token(self) -> str:
        """Return the key itself, empty while its variable is not set; raises Undecryptable."""
        if self.env:
            return str(settings.ENVIRONMENT.get(self.env, "")).strip()
        return self.value.open() if isinstance(self.value, Sealed) else self.value


class RewriteRule(ConfigurationRow):
    """One step from a catalogue id to the id that the provider wants."""

    part = ("provider", "provider__slug")

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="rewrites")
    position = models.PositiveSmallIntegerField(default=10, help_text="Rules run in this order.")
    action = models.CharField(
        max_length=20, choices=[(name, name.replace("_", " ")) for name in rewriting.ACTIONS]
    )
    value = models.CharField(
        max_length=200,
        help_text="What is appended, added, stripped or replaced: <code>:hf-inference</code>.",
    )
    replacement = models.CharField(
        max_length=200, blank=True, help_text="For <em>replace</em>: what comes in its place."
    )
    unless_suffixed = models.BooleanField(
        default=False, help_text="Leave ids alone that carry a <code>:suffix</code> already."
    )
    when_backend = models.CharField(
        max_length=100,
        blank=True,
        help_text="Only for offers with this backend: <code>hf-inference</code>.",
    )
    keep = models.JSONField(
        default=list,
        blank=True,
        validators=[strings],
        help_text='Patterns of ids to leave alone: <code>["groq/compound*"]</code>.',
    )
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["provider", "position", "id"]

    def __str__(self) -> str:
        return f"{self.provider.slug}: {self.value_of()}"

    def value_of(self) -> rewriting.Rewrite:
        return rewriting.Rewrite(
            self.action,
            self.value,
            self.replacement,
            self.unless_suffixed,
            self.when_backend,
            tuple(self.keep),
        )


class SeedRecord(models.Model):
    """A row that was seeded once, so that no later seed adds or changes it again.

    planted: False where an admin had the row, or its name, before.
    """

    key = models.CharField(max_length=600, unique=True)
    planted = models.BooleanField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.key
