"""GET /v1/usage."""

import time
from datetime import UTC, date, datetime, timedelta

from rest_framework.request import Request
from rest_framework.response import Response

from billing.facts.reports import GROUPS
from billing.facts.usage_answers import Asked, answer
from gatewayz.api.asking import number
from gatewayz.api.base import AsyncAPIView, caller
from gatewayz.plane import plane
from providers.errors import BadRequest

LONGEST = timedelta(days=366)
USUAL = timedelta(days=30)
DAY = timedelta(days=1)
ON_A_PAGE, MOST = 100, 1000
LONGEST_TEXT = 250


class Usage(AsyncAPIView):
    """What was used, by `group_by`: of `date`, `model` and `key`; the newest first.

    `from` until `to`: a day that `to` names is part of it, a moment is not. Without them: the last
    30 days, which are UTC's. `model` and `key` pick one. A key sees its own usage, a management
    key its account's and its organisation's.
    """

    endpoint = "account"

    async def get(self, request: Request) -> Response:
        key = await caller(request)
        end = moment(request, "to") or datetime.fromtimestamp(time.time(), UTC)
        start = moment(request, "from") or (end - USUAL).replace(hour=0, minute=0, second=0)
        if not start < end <= start + LONGEST:
            raise BadRequest("`from` lies before `to`, by a year at most.", param="from")
        asked = Asked(
            key,
            start,
            end,
            groups(request),
            text(request, "model"),
            text(request, "key"),
            limit=number(request, "limit", MOST) or ON_A_PAGE,
            offset=number(request, "offset", 10**6) or 0,
        )
        return Response(await plane.ask(answer, asked))


def moment(request: Request, name: str) -> datetime | None:
    """Return the moment that a parameter names; a day counts as its beginning, of `to` its end."""
    given = request.query_params.get(name)
    if given is None:
        return None
    try:
        if len(given) == len("2031-01-31"):
            day = date.fromisoformat(given)
            start = datetime(day.year, day.month, day.day, tzinfo=UTC)
            return start + DAY if name == "to" else start
        found = datetime.fromisoformat(given.replace(" ", "+"))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as problem:
        message = f"`{name}` is a day such as 2031-01-31, or a moment."
        raise BadRequest(message, param=name) from problem


def groups(request: Request) -> tuple[str, ...]:
    given = request.query_params.get("group_by", ",".join(GROUPS)).split(",")
    named = {"date" if name.strip() == "day" else name.strip() for name in given}
    if not named <= set(GROUPS):
        raise BadRequest(f"`group_by` is of {', '.join(GROUPS)}.", param="group_by")
    return tuple(name for name in GROUPS if name in named)


def text(request: Request, name: str) -> str:
    given: str = request.query_params.get(name, "")
    if len(given) > LONGEST_TEXT or not (given.isprintable()):
        raise BadRequest(f"`{name}` is no such name.", param=name)
    return given
