"""How people come in: somebody who is there becomes a member; somebody new gets a link, once."""

from dataclasses import dataclass, field

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from billing.organisations.models import Membership, Organisation


@dataclass(frozen=True, slots=True)
class Invited:
    """A new member. path: of the page where they choose a password; empty if they have one."""

    membership: Membership
    path: str = field(default="", repr=False)


def invite(organisation: Organisation, username: str, role: str) -> Invited:
    """Make somebody a member, and a user first if nobody is called so; raises ValidationError."""
    people = get_user_model()
    with transaction.atomic():
        user = people.objects.filter(username__iexact=username.strip()).first()
        if user is None:
            user = people(username=username.strip(), email=username if "@" in username else "")
            user.set_unusable_password()
            user.full_clean(exclude=["password"])
            user.save()
        elif Membership.objects.filter(organisation=organisation, user=user).exists():
            raise ValidationError(f"{user.get_username()} is a member already.")
        membership = Membership(organisation=organisation, user=user, role=role)
        membership.full_clean()
        membership.save()
    return Invited(membership, password_path(membership) if may_get_link(membership) else "")


def may_get_link(membership: Membership) -> bool:
    """Whether whoever invites may hold a link to this person's password.

    Only for somebody who never had a password and belongs nowhere else: a link to another's
    password would be a way into their other organisations, or into the admin.
    """
    user = membership.user
    alone = not user.memberships.exclude(pk=membership.pk).exists()
    return alone and user.is_active and not user.is_staff and not user.has_usable_password()


def password_path(membership: Membership) -> str:
    """Return the page where the person sets their password; it works once, and not for ever."""
    user: AbstractUser = membership.user
    where = [urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)]
    return reverse("account:password-set", args=where)
