"""Admin forms that keep secrets in and name collisions out."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminPasswordWidget

from providers import names
from providers.models import Credential, ProviderAlias


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


class CredentialForm(forms.ModelForm):
    value = SecretField(
        label="key",
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
