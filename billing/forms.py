"""Admin forms about money and keys."""

from datetime import timedelta

from django import forms
from django.core.exceptions import ValidationError
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from billing import money


class RotateForm(BaseDialogForm):
    hours = forms.IntegerField(
        label="Hours for which the secret of now stays good",
        min_value=0,
        max_value=30 * 24,
        initial=24,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
        help_text="<code>0</code>: it ends at once.",
    )

    def grace(self) -> timedelta:
        return timedelta(hours=self.cleaned_data["hours"])


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
