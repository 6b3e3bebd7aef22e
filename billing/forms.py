"""Admin forms about money and keys."""

from django import forms
from django.core.exceptions import ValidationError
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from billing import money
from billing.models import ApiKey
from providers import names
from providers.models import Provider


class TopUpForm(BaseDialogForm):
    amount = forms.CharField(
        label="Amount in USD",
        max_length=30,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
        help_text="<code>12.50</code>; negative takes away.",
    )
    reason = forms.CharField(
        max_length=300,
        widget=UnfoldAdminTextInputWidget(),
        help_text="<code>invoice 2031 paid</code>",
    )

    def clean_amount(self) -> int:
        """Return nano-USD."""
        try:
            amount = money.nano(self.cleaned_data["amount"].strip())
        except money.BadAmount as problem:
            raise ValidationError(str(problem)) from problem
        if not amount:
            raise ValidationError("Give more than nothing.")
        return amount


class ApiKeyForm(forms.ModelForm):
    class Meta:
        model = ApiKey
        fields = ("account", "name", "expires_at", "allowed_models", "allowed_providers")

    def clean_allowed_providers(self) -> list[str]:
        """Turn aliases into slugs: a name that nobody has would refuse every request."""
        slugs = {row.slug: row.slug for row in Provider.objects.all()}
        known = {
            **dict(Provider.objects.values_list("aliases__alias", "slug")),
            **slugs,
        }
        asked = self.cleaned_data["allowed_providers"] or []
        unknown = [name for name in asked if names.fold(str(name)) not in known]
        if unknown:
            raise ValidationError(
                f"No provider is called {unknown[0]}. There are: {', '.join(slugs)}."
            )
        return [known[names.fold(str(name))] for name in asked]
