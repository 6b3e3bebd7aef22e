"""The keys that a management key looks after: of its account, and of its account's organisation."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from billing.access.keylimits import ASKED, set_limit
from billing.access.reach import accounts_of
from billing.facts.keyfacts import Facts, managed_facts, standings
from billing.models import Account, ApiKey
from billing.values import Key
from providers.configuration import acting_as, one_revision
from providers.errors import BadRequest, NotFound

MOST_KEYS = 10_000  # of an account, that are not over
COLUMNS = {"test": "is_test"}  # where the API's word is not the column's
MEMBERS = {column: name for name, column in COLUMNS.items()}


class Keyring:
    """Everything here is for a thread. Another account's key is as good as none: NotFound."""

    def __init__(self, manager: Key) -> None:
        self._manager = manager

    def rows(self) -> QuerySet[ApiKey]:
        reach = accounts_of(self._manager.account_id)
        return ApiKey.objects.filter(account__in=reach).select_related("account__plan")

    def listed(self, limit: int, offset: int, with_revoked: bool) -> Facts:
        """Return a page of keys, the newest first."""
        rows = self.rows().order_by("-created_at", "-pk")
        if not with_revoked:
            rows = rows.filter(revoked_at=None)
        found = list(rows[offset : offset + limit + 1])
        known = standings(found[:limit])
        return {
            "data": [managed_facts(row, known[row.public_id]) for row in found[:limit]],
            "limit": limit,
            "offset": offset,
            "has_more": len(found) > limit,
        }

    def found(self, public_id: str) -> Facts:
        return self._told(self._row(public_id))

    def add(self, asked: Mapping[str, Any]) -> tuple[Facts, str]:
        """Make a key; return it and its secret. `account` names another of the organisation's."""
        fields, limit = parted(asked)
        account = self._account(fields.pop("account", None))
        with self._acting(), one_revision(f"issued a key to {account}"):
            Account.objects.select_for_update().get(pk=account.pk)  # so that the count holds
            if account.keys.filter(revoked_at=None).count() >= MOST_KEYS:
                raise BadRequest(f"The account has {MOST_KEYS:,} keys; revoke some first.")
            row = ApiKey(account=account, **fields)
            token = row.mint()
            check(row)
            row.save()
            set_limit(row, limit)
        return self._told(row), token

    def change(self, public_id: str, asked: Mapping[str, Any]) -> Facts:
        """Change what is named, and nothing else."""
        row, (fields, limit) = self._row(public_id), parted(asked)
        if row.revoked_at is not None:
            raise BadRequest("This key is revoked, which cannot be undone.")
        for name, value in fields.items():
            setattr(row, name, value)
        check(row, fields)
        with self._acting(), one_revision():
            if fields:
                row.save(update_fields=list(fields))
            set_limit(row, limit)
        return self._told(row)

    def revoke(self, public_id: str) -> Facts:
        with self._acting():
            rows = ApiKey.objects.filter(pk=self._row(public_id).pk, revoked_at=None)
            if rows.exists():
                rows.revoke()
        return self.found(public_id)

    def rotate(self, public_id: str, grace_s: int) -> tuple[Facts, str]:
        """Give the key a new secret; return it with what is known of the key."""
        row = self._row(public_id)
        try:
            with self._acting():
                token = row.rotate(timedelta(seconds=grace_s))
        except ValidationError as problem:
            raise BadRequest("; ".join(problem.messages)) from problem
        return self.found(public_id), token

    def _row(self, public_id: str) -> ApiKey:
        possible = public_id.isascii() and public_id.isalnum()
        row = self.rows().filter(public_id=public_id).first() if possible else None
        if row is None:
            raise NotFound(f"There is no key {public_id[:40]!r}.")
        return row

    def _account(self, name: str | None) -> Account:
        wanted = {"pk": self._manager.account_id} if name is None else {"name": name}
        reach = accounts_of(self._manager.account_id)
        account = reach.filter(**wanted).select_related("plan").first()
        if account is None:
            raise BadRequest(f"There is no account {str(name)[:80]!r} of yours.", param="account")
        return account

    def _told(self, row: ApiKey) -> Facts:
        return managed_facts(row, standings([row])[row.public_id])

    def _acting(self) -> Any:
        return acting_as(f"key {self._manager.public_id}")


def parted(asked: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is asked of the key's columns, and of its limit."""
    fields = {COLUMNS.get(name, name): value for name, value in asked.items() if name not in ASKED}
    return fields, {name: asked[name] for name in ASKED if name in asked}


def check(row: ApiKey, changed: Mapping[str, Any] | None = None) -> None:
    """Raise BadRequest with the member that is wrong; of a change, look at what it names."""
    names = {field.name for field in ApiKey._meta.fields}
    try:
        row.full_clean(exclude=names - set(changed) if changed is not None else ("account",))
        if changed and "expires_at" in changed:
            row.check_expiry()
    except ValidationError as problem:
        name, sentences = next(iter(problem.message_dict.items()))
        raise BadRequest(
            f"`{MEMBERS.get(name, name)}`: {' '.join(sentences)}", param=MEMBERS.get(name, name)
        ) from problem
