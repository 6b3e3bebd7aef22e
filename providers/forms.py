"""Admin forms that keep secrets in and name collisions out."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget

from providers import adapters, names
from providers.models import Credential, Provider, ProviderAlias


class SecretField(forms.CharField):
    """A password input that never shows what is stored; left empty, nothing changes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            required=False,
            max_length=4000,
            validators=[RegexValidator(r"^[\x21-\x7e]*$", "A key has no spaces or accents.")],
            widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
            **options,
        )

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data)


class ProviderForm(forms.ModelForm):
    adapter = forms.ChoiceField(
        choices=[(name, name) for name in adapters.NAMES],
        initial="openai",
        widget=UnfoldAdminSelectWidget(),
        help_text="The wire format it speaks. Most speak <code>openai</code>.",
    )

    class Meta:
        model = Provider
        fields = ("adapter",)  # the admin page names the rest
        labels = {
            "base_url": "Base address",
            "site_url": "Home page",
            "drop_params": "Parameters to drop",
            "passes_suffixes": "Suffixes to pass on",
            "stream_usage": "Ask for usage in streams",
            "allow_unlisted": "Allow models that are not listed",
            "resend_maybe_billed": "Resend what may have been billed",
            "auth_header": "Header",
            "key_optional": "Works without a key",
            "concurrency": "Requests at once",
            "connect_timeout_s": "To connect",
            "first_byte_timeout_s": "To the first byte",
            "idle_timeout_s": "Between two bytes",
            "total_timeout_s": "In all",
        }


class CredentialForm(forms.ModelForm):
    value = SecretField(
        label="Key",
        help_text="Or the key itself, such as <code>sk-…</code>: stored encrypted and never shown "
        "again. Empty keeps the one that is stored; naming a variable removes it.",
    )

    class Meta:
        model = Credential
        fields = ("provider", "label", "env", "value", "priority", "enabled")

    def clean_value(self) -> str:
        if typed := self.cleaned_data["value"]:
            return typed
        return "" if self.cleaned_data.get("env") else self.instance.value


class AliasForm(forms.ModelForm):
    class Meta:
        model = ProviderAlias
        fields = ("provider", "alias")

    def clean_alias(self) -> str:
        return names.fold(self.cleaned_data["alias"])


class AliasFormSet(PaginationInlineFormSet):
    """Aliases of one provider; two new ones, or one and the new slug, may collide as well."""

    def clean(self) -> None:
        taken = {names.fold(self.instance.slug): "the slug of this provider"}
        for form in self.forms:
            alias = getattr(form, "cleaned_data", {}).get("alias")
            if not alias or form in self.deleted_forms:
                continue
            if alias in taken:
                form.add_error("alias", ValidationError(f"{alias} is {taken[alias]} already."))
            taken.setdefault(alias, "another alias on this page")
        super().clean()
