"""Admin forms about codes."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextInputWidget,
)

from billing import money
from billing.payments.codes import MOST_AT_ONCE, Batch


class RedeemForm(BaseDialogForm):
    code = forms.CharField(
        max_length=100,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="<code>GWZ-7K2M-…</code>",
    )


class BatchForm(forms.Form):
    name = forms.CharField(
        label="What they are for",
        max_length=100,
        widget=UnfoldAdminTextInputWidget(),
        help_text="<code>conference 2031</code>",
    )
    count = forms.IntegerField(
        label="How many",
        min_value=1,
        max_value=MOST_AT_ONCE,
        initial=1,
        widget=UnfoldAdminIntegerFieldWidget(),
    )
    amount = forms.CharField(
        label="Amount of each, in USD",
        max_length=30,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
        help_text="<code>5.00</code>",
    )
    most_uses = forms.IntegerField(
        label="Most uses of each",
        min_value=1,
        max_value=1_000_000,
        initial=1,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="By as many accounts: each redeems a code once.",
    )
    expires_at = forms.SplitDateTimeField(
        label="Expires",
        required=False,
        widget=UnfoldAdminSplitDateTimeWidget(),
        help_text="In UTC. Empty: never.",
    )

    def clean_amount(self) -> int:
        """Return nano-USD."""
        try:
            amount = money.nano(self.cleaned_data["amount"].strip())
        except money.BadAmount as problem:
            raise ValidationError(str(problem)) from problem
        if amount <= 0:
            raise ValidationError("Give more than nothing.")
        return amount

    def clean_expires_at(self) -> object:
        moment = self.cleaned_data["expires_at"]
        if moment and moment <= timezone.now():
            raise ValidationError("That moment has passed.")
        return moment

    def batch(self) -> Batch:
        data = self.cleaned_data
        return Batch(
            data["name"], data["count"], data["amount"], data["most_uses"], data["expires_at"]
        )
