"""Forms of /account/."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from billing.models import ApiKey
from billing.organisations.models import Membership
from billing.organisations.roles import CHOICES, MEMBER, May

GRACES = [(0, "ends at once"), (1, "stays good for 1 hour"), (24, "for a day"), (168, "for a week")]


def lines(label: str, help_text: str) -> forms.CharField:
    area = forms.Textarea(attrs={"rows": 2, "spellcheck": "false"})
    return forms.CharField(label=label, help_text=help_text, required=False, widget=area)


class KeyForm(forms.Form):
    """A new key of the member's own, at an account of the organisation."""

    name = forms.CharField(max_length=100, help_text="What it is for: laptop")
    account = forms.ModelChoiceField(queryset=None, empty_label=None)
    expires_at = forms.DateTimeField(
        label="Expires",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="UTC. Empty: never.",
    )
    allowed_models = lines("Models", "Patterns, one a line: openai/*. Empty: all.")
    allowed_ips = lines("Addresses", "One a line: 203.0.113.0/24. Empty: anywhere.")
    is_test = forms.BooleanField(
        label="Test key", required=False, help_text="Costs nothing, reaches only the built-in echo."
    )
    is_management = forms.BooleanField(
        label="Management key", required=False, help_text="Manages the keys of all accounts."
    )

    def __init__(self, membership: Membership, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.membership = membership
        self.fields["account"].queryset = membership.organisation.accounts.filter(enabled=True)
        if not membership.may(May.ALL_KEYS):
            del self.fields["is_management"]

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        for name in ("allowed_models", "allowed_ips"):
            data[name] = data.get(name, "").split()
        if not self.errors:
            self.row = ApiKey(holder=self.membership.user, **data)
            self.row.mint()
            self.row.full_clean(exclude=["account", "holder"])
        return data

    def issue(self) -> str:
        """Add the key; return its secret."""
        token = self.row.mint()
        self.row.save()
        return token


class RotateForm(forms.Form):
    hours = forms.TypedChoiceField(
        choices=GRACES, coerce=int, initial=24, label="The secret of now"
    )

    def grace(self) -> timedelta:
        return timedelta(hours=self.cleaned_data["hours"])


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=CHOICES, initial=MEMBER)


class InviteForm(RoleForm):
    username = forms.CharField(
        max_length=150, help_text="A user's name, or an address for somebody new."
    )
    field_order = ["username", "role"]


class PeriodForm(forms.Form):
    """Which days of usage; the last 30 without."""

    start = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    end = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        start, end = data.get("start"), data.get("end")
        if start and end and not start <= end <= start + timedelta(days=365):
            raise ValidationError("The first day comes before the last, by a year at most.")
        return data
