"""What members of an organisation may do, by their role. Pure."""

from enum import StrEnum


class May(StrEnum):
    OWN_KEYS = "make and manage keys of their own"
    ALL_KEYS = "see and revoke every key"
    ALL_USAGE = "see everybody's usage"
    MONEY = "see balances and statements"
    MEMBERS = "add and remove members"


OWNER, MEMBER, BILLING = "owner", "member", "billing"
ROLES: dict[str, frozenset[May]] = {
    OWNER: frozenset(May),
    MEMBER: frozenset({May.OWN_KEYS}),
    BILLING: frozenset({May.ALL_USAGE, May.MONEY}),
}
CHOICES = [(role, role) for role in ROLES]
