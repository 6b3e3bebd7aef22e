"""Budgets as people type them: dollars in, nano-USD stored."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from billing import money
from billing.limits.models import Budget

EDGES = ("soft", "hard")


def dollars(help_text: str) -> forms.DecimalField:
    return forms.DecimalField(
        min_value=0,
        max_value=money.MOST_USD,
        decimal_places=9,
        required=False,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text=help_text,
    )


class BudgetForm(forms.ModelForm):
    soft = dollars("In USD: somebody is told when this much is spent. Empty: nobody.")
    hard = dollars("In USD: no more than this is spent. Empty: no such limit; 0: nothing may be.")

    class Meta:
        model = Budget
        fields = ("account", "member", "key", "period", "enabled")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for edge in EDGES:
            nano = getattr(self.instance, f"{edge}_nano")
            self.fields[edge].initial = None if nano is None else money.usd(nano).normalize()

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        soft, hard = (data.get(edge) for edge in EDGES)
        if not self.errors and soft is None and hard is None:
            raise ValidationError("Give a soft edge, a hard edge or both.")
        for edge in EDGES:
            if edge not in self.errors:
                amount = data.get(edge)
                nano = None if amount is None else money.nano(amount)
                setattr(self.instance, f"{edge}_nano", nano)
        if soft is not None and hard is not None and soft > hard:
            self.add_error("soft", "Nobody would be told: this is above the hard edge.")
        return data
