"""Keys of the served gateway, made as an operator makes them, and requests that bear one."""

from typing import Any

import httpx

from tests.world.gateway import Gateway

ISSUE = """
from billing.models import Account, ApiKey, Plan
plan = Plan.objects.get_or_create(name={plan!r})[0]
account, new = Account.objects.get_or_create(name={account!r}, defaults={{"plan": plan}})
if new:
    from billing.ledger.credits import credit
    credit(account, {nano}, "test", "test")
print(ApiKey.issue(account, **{fields!r})[1])
"""


def issue(
    gateway: Gateway, account: str, nano: int = 10**9, plan: str = "default", **fields: Any
) -> str:
    """Return a new key with `fields` of its row, of an account that is made when it is missing."""
    code = ISSUE.format(account=account, nano=nano, plan=plan, fields=fields)
    token: str = gateway.manage("shell", "--no-imports", "-c", code).split()[-1]
    return token


def public_id(token: str) -> str:
    return token.split("_")[2]


class Holder:
    """Somebody with a key, at the gateway over HTTP."""

    def __init__(self, gateway: Gateway, token: str) -> None:
        self.token = token
        self.http = httpx.Client(
            base_url=gateway.url,
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=30,
        )

    def chat(self, model: str = "echo", **fields: Any) -> httpx.Response:
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}]} | fields
        return self.http.post("/v1/chat/completions", json=body)

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.http.get(path, params=params)

    def data(self, path: str, **params: Any) -> Any:
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]
