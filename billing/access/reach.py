"""What belongs to the account behind a key, and what to its organisation."""

from django.db.models import QuerySet

from billing.models import Account


def accounts_of(account_id: int) -> QuerySet[Account]:
    """Return the account and those of its organisation, if it belongs to one."""
    own = Account.objects.filter(pk=account_id)
    organisation = own.exclude(organisation=None).values("organisation")
    return own | Account.objects.filter(organisation__in=organisation)
