"""Usage as key holders see it: plain values for JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.access.reach import accounts_of
from billing.facts.amounts import number
from billing.facts.keyfacts import moment
from billing.facts.reports import Question, total, usage
from billing.values import Key


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, and for what; empty strings: not asked for."""

    caller: Key
    start: datetime
    end: datetime
    groups: Sequence[str]
    model: str
    key: str
    limit: int
    offset: int

    def question(self) -> Question:
        """Return the question as far as the caller may ask it."""
        manages = self.caller.is_management
        reach = accounts_of(self.caller.account_id).values_list("pk", flat=True)
        accounts = list(reach) if manages else [self.caller.account_id]
        keys = None if manages else [self.caller.public_id]
        if self.key:
            keys = [self.key] if manages or self.key == self.caller.public_id else []
        return Question(accounts, keys, self.start, self.end, self.groups, self.model)


def answer(asked: Asked) -> dict[str, Any]:
    question = asked.question()
    rows, has_more = usage(question, asked.limit, asked.offset)
    return {
        "object": "list",
        "data": [shown(row) for row in rows],
        "total": shown(total(question)),
        "returned": len(rows),
        "limit": asked.limit,
        "offset": asked.offset,
        "has_more": has_more,
        "from": moment(asked.start),
        "to": moment(asked.end),
        "group_by": list(asked.groups),
    }


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """Return sums with OpenRouter's names; `usage` is dollars."""
    names = {"shown_model": "model", "key_id": "key"}
    facts = {names.get(name, name): value for name, value in row.items()}
    day = facts.get("date")
    if day is not None:
        facts["date"] = day.isoformat()
    return facts | {"usage": number(facts.pop("cost_nano"))}
