"""A model that costs about a dollar a request, and budgets to spend on it."""

from tests.gatewayz.limits.crowd import crowd, public_id, shell, statuses
from tests.upstreams.chat import Chat, tokens
from tests.upstreams.server import Upstream
from tests.world.config import unique
from tests.world.gateway import Gateway

PRICE = {"input": "1", "output": "1000"}  # a thousand tokens of an answer cost a dollar
DOLLAR = 10**9
MOST = 1000  # tokens of an answer, at most: what a hold is made of

BUDGET = """
from billing.limits.models import Budget; from billing.models import ApiKey
key = ApiKey.objects.get(public_id={key!r})
owner = dict(key=key) if {scope!r} == "key" else dict(account=key.account)
Budget.objects.create(period={period!r}, soft_nano={soft}, hard_nano={hard}, **owner)
"""


def budget(
    gateway: Gateway,
    key: str,
    hard: int | None,
    soft: int | None = None,
    period: str = "day",
    scope: str = "key",
) -> None:
    given = {"key": public_id(key), "scope": scope, "period": period, "soft": soft, "hard": hard}
    shell(gateway, BUDGET.format(**given))


def priced(gateway: Gateway, upstream: Upstream, delay_s: float = 0) -> str:
    """Return a model whose answers cost about nine tenths of a dollar, and a dollar at most."""
    name = unique("chat")
    upstream.reply(Chat(usage=tokens(5, 900), delay_s=delay_s))
    gateway.provider(upstream, [{"id": name, "price": PRICE}])
    return name


def asked(gateway: Gateway, key: str, model: str, requests: int = 1, stream: bool = False) -> dict:
    return dict(statuses(crowd([gateway], key, model, requests, stream=stream, max_tokens=MOST)))
