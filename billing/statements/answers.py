"""What key holders are told of their account's statements."""

from collections.abc import Callable
from typing import Any

from billing.statements import writing
from billing.statements.models import Statement
from billing.values import Key
from providers.errors import NotFound

FORMS: dict[str, Callable[[Statement], Any]] = {
    "": writing.all_facts,
    ".csv": writing.as_csv,
    ".html": writing.as_page,
}


def listed(key: Key, limit: int, offset: int) -> dict[str, Any]:
    rows = Statement.objects.filter(account=key.account_id)
    data = [writing.facts(row) for row in rows[offset : offset + limit]]
    return {"object": "list", "data": data, "total": rows.count(), "limit": limit, "offset": offset}


def one(key: Key, number: int, form: str) -> Any:
    """Return a statement of the key's account, as FORMS writes it; raises NotFound."""
    row = Statement.objects.filter(account=key.account_id, number=number).first()
    if row is None:
        raise NotFound("This account has no statement of that number.", param="number")
    return FORMS[form](row)
