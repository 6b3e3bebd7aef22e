"""The form that asks for a month."""

from datetime import date

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from billing.statements.issuing import Month


class MonthForm(BaseDialogForm):
    month = forms.RegexField(
        r"^\d{4}-\d{2}$",
        widget=UnfoldAdminTextInputWidget(attrs={"type": "month"}),
        help_text="<code>2031-01</code>",
    )

    def clean_month(self) -> Month:
        try:
            month = Month(date.fromisoformat(f"{self.cleaned_data['month']}-01"))
        except ValueError as problem:
            raise ValidationError("There is no such month.") from problem
        if month.first > timezone.now().date():
            raise ValidationError("That month has not begun.")
        return month
