"""Organisations: who belongs together, owns accounts, and signs in to see keys and usage."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction

from billing.models import ApiKey
from billing.organisations.roles import CHOICES, MEMBER, OWNER, ROLES, May
from providers.configuration import one_revision


class Organisation(models.Model):
    """Owns accounts; its members see them at /account/."""

    name = models.CharField(max_length=150, unique=True, help_text="<code>Acme</code>")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """One person's role in an organisation."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(
        max_length=10,
        choices=CHOICES,
        default=MEMBER,
        help_text="owner: everything; member: own keys and usage; billing: usage and money.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["organisation", "user"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "user"], name="one_role_each")
        ]

    def __str__(self) -> str:
        return f"{self.user.get_username()}, {self.role} of {self.organisation}"

    def may(self, what: May) -> bool:
        return what in ROLES.get(self.role, frozenset())

    def change_role(self, role: str) -> None:
        """Give another role; raise ValidationError if no owner would be left."""
        with transaction.atomic():
            self._keep_an_owner(staying=role == OWNER)
            Membership.objects.filter(pk=self.pk).update(role=role)
        self.refresh_from_db()

    def end(self) -> int:
        """Remove the member and revoke the keys that they hold here; return how many those were.

        Raise ValidationError if no owner would be left.
        """
        with one_revision(f"removed {self}"):
            self._keep_an_owner(staying=False)
            held = ApiKey.objects.filter(
                account__organisation=self.organisation_id, holder=self.user_id, revoked_at=None
            )
            count = held.revoke() if held.exists() else 0
            self.delete()
        return count

    def _keep_an_owner(self, staying: bool) -> None:
        """Lock the organisation, so that two owners cannot remove each other at once."""
        Organisation.objects.select_for_update().get(pk=self.organisation_id)
        owners = Membership.objects.filter(organisation=self.organisation_id, role=OWNER)
        if not staying and list(owners.values_list("pk", flat=True)[:2]) == [self.pk]:
            raise ValidationError("An organisation keeps one owner at least.")
