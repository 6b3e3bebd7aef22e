"""/v1/keys: a management key looks after the keys of its account, and of nobody else's."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.gatewayz.refusals import error_of
from tests.world.config import unique
from tests.world.gateway import Gateway
from tests.world.keys import Holder, issue, public_id

JOIN = """
from billing.models import Account
from billing.organisations.models import Organisation
organisation = Organisation.objects.create(name={name!r})
for account in Account.objects.filter(name__in={accounts!r}):
    account.organisation = organisation
    account.save()
"""


@pytest.fixture(scope="module")
def manager(gateway: Gateway) -> Holder:
    return Holder(gateway, issue(gateway, unique("managed"), is_management=True))


@pytest.fixture(scope="module")
def stranger(gateway: Gateway) -> Holder:
    return Holder(gateway, issue(gateway, unique("stranger"), is_management=True))


def add(manager: Holder, **body: Any) -> tuple[dict[str, Any], str]:
    answer = manager.http.post("/v1/keys", json={"name": "laptop"} | body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()["data"], answer.json()["key"]


def test_a_new_key_works_at_once_and_is_shown_once(gateway: Gateway, manager: Holder) -> None:
    body = {
        "allowed_models": ["echo"],
        "denied_providers": ["hug"],
        "allowed_endpoints": ["chat", "models"],
        "expires_at": "2099-01-31T01:00:00+01:00",
    }
    facts, token = add(manager, **body)
    assert facts["hash"] == public_id(token)
    assert facts["expires_at"] == "2099-01-31T00:00:00Z"
    assert facts["denied_providers"] == ["huggingface"]
    assert facts["label"].endswith(token[-4:])
    assert Holder(gateway, token).chat().status_code == 200
    for path in ("/v1/keys", f"/v1/keys/{facts['hash']}"):
        assert token[-40:] not in manager.get(path).text
    assert manager.data(f"/v1/keys/{facts['hash']}")["allowed_models"] == ["echo"]
    [row] = gateway.rows("SELECT digest FROM billing_apikey WHERE public_id = ?", facts["hash"])
    assert row["digest"] not in manager.get("/v1/keys").text


def test_a_change_names_what_it_changes_and_leaves_the_rest(manager: Holder) -> None:
    facts, _ = add(manager, allowed_models=["echo"], allowed_ips=["127.0.0.1"])
    path = f"/v1/keys/{facts['hash']}"
    changed = manager.http.patch(path, json={"name": "desktop"}).json()["data"]
    assert changed == facts | {"name": "desktop"}
    changed = manager.http.patch(path, json={"allowed_ips": [], "disabled": True}).json()["data"]
    assert changed == facts | {"name": "desktop", "allowed_ips": [], "disabled": True}
    assert manager.http.patch(path, json={}).json()["data"] == changed
    forever = manager.http.patch(path, json={"expires_at": None})
    assert forever.json()["data"]["expires_at"] is None


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"name": "x", "limits": 5}, "limits"),
        ({"name": "x", "is_management": True}, "is_management"),
        ({"name": "x", "is_management_key": True}, "is_management_key"),
        ({"name": "x", "digest": "0" * 64}, "digest"),
        ({"name": "x", "holder": 1}, "holder"),
        ({}, "name"),
        ({"name": None}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "nul\0"}, "name"),
        ({"name": "x", "expires_at": "tomorrow"}, "expires_at"),
        ({"name": "x", "expires_at": "2099-01-31T00:00:00"}, "expires_at"),
        ({"name": "x", "expires_at": "2001-01-31T00:00:00Z"}, "expires_at"),
        ({"name": "x", "allowed_ips": ["everywhere"]}, "allowed_ips"),
        ({"name": "x", "allowed_ips": "10.0.0.1"}, "allowed_ips"),
        ({"name": "x", "allowed_providers": ["grog"]}, "allowed_providers"),
        ({"name": "x", "allowed_endpoints": ["everything"]}, "allowed_endpoints"),
        ({"name": "x", "account": "nobody's"}, "account"),
        ({"name": "x", "test": "yes"}, "test"),
    ],
)
def test_a_body_that_makes_no_sense_writes_nothing(
    gateway: Gateway, manager: Holder, body: dict[str, Any], param: str
) -> None:
    count = "SELECT count(*) AS n FROM billing_apikey"
    before = gateway.rows(count)
    error = error_of(manager.http.post("/v1/keys", json=body), 400)
    assert error["param"] == param
    assert gateway.rows(count) == before


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"{", b'"x"', b'{"name": "\xff"}'])
def test_what_is_no_object_is_refused(manager: Holder, raw: bytes) -> None:
    error_of(manager.http.post("/v1/keys", content=raw), 400)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"test": True}, "test"),
        ({"account": "x"}, "account"),
        ({"disabled": 1}, "disabled"),
        ({"expires_at": "2001-01-31T00:00:00Z"}, "expires_at"),
        ({"name": "desktop", "denied_providers": ["grog"]}, "denied_providers"),
    ],
)
def test_a_change_that_makes_no_sense_changes_nothing(
    manager: Holder, body: dict[str, Any], param: str
) -> None:
    facts, _ = add(manager)
    path = f"/v1/keys/{facts['hash']}"
    assert error_of(manager.http.patch(path, json=body), 400)["param"] == param
    assert manager.data(path) == facts


def test_rotation_keeps_the_old_secret_for_as_long_as_was_said(
    gateway: Gateway, manager: Holder
) -> None:
    facts, first = add(manager)
    old = Holder(gateway, first)
    assert old.chat().status_code == 200
    answer = manager.http.post(f"/v1/keys/{facts['hash']}/rotate", json={"grace_seconds": 2})
    ends = time.monotonic() + 2
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    second = answer.json()["key"]
    assert answer.json()["data"]["old_valid_until"]
    assert Holder(gateway, second).chat().status_code == 200
    assert old.chat().status_code == 200
    time.sleep(max(0, ends - time.monotonic()) + 0.1)
    assert error_of(old.chat(), 401)["code"] == "invalid_api_key"
    assert Holder(gateway, second).chat().status_code == 200


@pytest.mark.parametrize("grace", [-1, 10**9, "1h", 1.5, None])
def test_a_grace_that_makes_no_sense_is_refused(manager: Holder, grace: object) -> None:
    facts, _ = add(manager)
    path = f"/v1/keys/{facts['hash']}/rotate"
    answer = manager.http.post(path, json={"grace_seconds": grace})
    assert error_of(answer, 400)["param"] == "grace_seconds"


def test_a_revoked_key_is_refused_within_a_second_and_stays_so(
    gateway: Gateway, manager: Holder
) -> None:
    facts, token = add(manager)
    one = Holder(gateway, token)
    assert one.chat().status_code == 200
    path = f"/v1/keys/{facts['hash']}"
    gone = manager.http.delete(path)
    assert gone.json()["deleted"] is True
    until = time.monotonic() + 1
    while one.chat().status_code != 401:
        assert time.monotonic() < until
    again = manager.http.delete(path).json()["data"]
    assert again["revoked_at"] == gone.json()["data"]["revoked_at"]
    error_of(manager.http.patch(path, json={"disabled": False}), 400)
    error_of(manager.http.post(f"{path}/rotate"), 400)
    assert facts["hash"] not in [row["hash"] for row in manager.data("/v1/keys")]
    over = manager.data("/v1/keys", include_revoked="true")
    assert facts["hash"] in [row["hash"] for row in over]


def test_another_accounts_key_is_as_good_as_none(
    gateway: Gateway, manager: Holder, stranger: Holder
) -> None:
    facts, token = add(manager)
    path = f"/v1/keys/{facts['hash']}"
    missing = error_of(stranger.get("/v1/keys/nothingofthatname"), 404)
    for answer in (
        stranger.get(path),
        stranger.http.patch(path, json={"disabled": True}),
        stranger.http.delete(path),
        stranger.http.post(f"{path}/rotate"),
    ):
        error = error_of(answer, 404)
        assert error["code"] == missing["code"] == "not_found"
    assert facts["hash"] not in stranger.get("/v1/keys?include_revoked=true&limit=1000").text
    assert manager.data(path) == facts
    assert Holder(gateway, token).chat().status_code == 200
    account = manager.data("/v1/key")["account"]
    error = error_of(stranger.http.post("/v1/keys", json={"name": "x", "account": account}), 400)
    assert error["param"] == "account"


@pytest.mark.parametrize("odd", ["%00", "..", "a" * 500, "ключ", "'%20OR%201=1"])
def test_an_odd_id_names_no_key(manager: Holder, odd: str) -> None:
    assert manager.get(f"/v1/keys/{odd}").status_code == 404


def test_a_key_without_the_flag_manages_nothing(gateway: Gateway, manager: Holder) -> None:
    facts, token = add(manager)
    plain = Holder(gateway, token)
    path = f"/v1/keys/{facts['hash']}"
    for answer in (
        plain.get("/v1/keys"),
        plain.http.post("/v1/keys", json={"name": "x"}),
        plain.get(path),
        plain.http.patch(path, json={"allowed_models": []}),
        plain.http.delete(path),
        plain.http.post(f"{path}/rotate"),
    ):
        assert error_of(answer, 403)["code"] == "management_key_required"
    for address in ("/v1/keys", path):
        assert httpx.get(gateway.url + address, trust_env=False).status_code == 401


def test_an_organisations_management_key_looks_after_all_its_accounts(gateway: Gateway) -> None:
    accounts = [unique("lab"), unique("office")]
    manager = Holder(gateway, issue(gateway, accounts[0], is_management=True))
    theirs = public_id(issue(gateway, accounts[1]))
    assert manager.get(f"/v1/keys/{theirs}").status_code == 404
    code = JOIN.format(name=unique("Acme"), accounts=accounts)
    gateway.manage("shell", "--no-imports", "-c", code)
    assert manager.data(f"/v1/keys/{theirs}")["account"] == accounts[1]
    facts, token = add(manager, account=accounts[1], test=True)
    assert (facts["account"], facts["test"]) == (accounts[1], True)
    assert Holder(gateway, token).chat().status_code == 200


def test_lists_come_in_pages(gateway: Gateway) -> None:
    manager = Holder(gateway, issue(gateway, unique("many"), is_management=True))
    names = [add(manager, name=f"key {n}")[0]["name"] for n in range(4)]
    first = manager.get("/v1/keys", limit=3).json()
    assert [row["name"] for row in first["data"]] == names[:0:-1]
    assert first["has_more"] is True
    rest = manager.get("/v1/keys", limit=3, offset=3).json()
    assert [row["name"] for row in rest["data"]] == [names[0], ""]
    assert rest["has_more"] is False
    error_of(manager.get("/v1/keys", limit="all"), 400)
    error_of(manager.get("/v1/keys", include_revoked="maybe"), 400)


def test_revisions_say_which_key_made_the_change(gateway: Gateway, manager: Holder) -> None:
    facts, _ = add(manager)
    [last] = gateway.rows("SELECT author FROM catalog_revision ORDER BY number DESC LIMIT 1")
    assert last["author"] == f"key {public_id(manager.token)}"
    assert facts["last_used_at"] is None


def test_a_revoked_key_is_refused_by_every_worker(gateways: Callable[..., Gateway]) -> None:
    gateway = gateways(workers=2)
    token = issue(gateway, "two workers")
    manager = Holder(gateway, issue(gateway, "two workers", is_management=True))

    def statuses() -> set[int]:
        """Ask on fresh connections, so that both workers answer."""
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{gateway.url}/v1/key"
        return {httpx.get(url, headers=headers, trust_env=False).status_code for _ in range(12)}

    assert statuses() == {200}
    assert manager.http.delete(f"/v1/keys/{public_id(token)}").status_code == 200
    time.sleep(1)
    assert statuses() == {401}


def test_the_pages_show_the_account_to_a_browser(gateway: Gateway, manager: Holder) -> None:
    for path in ("/v1/key", "/v1/keys", "/v1/credits", "/v1/usage"):
        answer = manager.http.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert 'id="api-key"' in answer.text
    page = manager.http.get("/v1/keys", headers={"Accept": "text/html"}).text
    assert "&quot;name&quot;: &quot;laptop&quot;" in page
