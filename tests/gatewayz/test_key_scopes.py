"""What a key may be used for, from where and until when, shown on the served gateway."""

import time
from collections.abc import Callable, Iterator

import openai
import pytest

from tests.gatewayz.refusals import error_of
from tests.upstreams.server import Upstream
from tests.world.browser import Browser
from tests.world.config import unique
from tests.world.gateway import Gateway
from tests.world.keys import Holder, issue, public_id


@pytest.fixture(scope="module")
def shop(gateway: Gateway) -> Iterator[tuple[Gateway, Upstream, str]]:
    """A gateway with one model at a provider that costs money."""
    with Upstream() as upstream:
        model = unique("acme/chat")
        gateway.provider(upstream, [model])
        yield gateway, upstream, model


def holder(gateway: Gateway, **fields: object) -> Holder:
    return Holder(gateway, issue(gateway, unique("scoped"), **fields))


def test_a_test_key_is_answered_by_echo_without_money_and_reaches_nobody_else(shop) -> None:
    gateway, upstream, model = shop
    token = gateway.manage("issue_key", "--account", unique("poor"), "--test").strip()
    assert token.startswith("gwz_test_")
    tester = Holder(gateway, token)
    answer = tester.chat()
    assert answer.status_code == 200, answer.text
    error = error_of(tester.chat(model), 403)
    assert error["code"] == "model_not_allowed"
    assert "Test keys reach only the built-in echo" in error["message"]
    assert tester.chat("echo", models=[model], provider={"ignore": ["echo"]}).status_code == 404
    assert upstream.requests == []
    assert [row["id"] for row in tester.data("/v1/models")] == ["echo"]
    assert [row["provider_slug"] for row in tester.data("/v1/gateways")] == ["echo"]
    assert receipt(tester, answer.headers["x-request-id"])["total_cost"] == 0
    assert tester.data("/v1/credits")["balance"] == "0.000000000"


def receipt(one: Holder, request_id: str) -> dict:
    until = time.monotonic() + 5
    while (answer := one.get("/v1/generation", id=request_id)).status_code != 200:
        assert time.monotonic() < until, answer.text
        time.sleep(0.05)
    return answer.json()["data"]


def test_endpoints_that_a_key_is_not_for_are_refused(shop) -> None:
    gateway, _, model = shop
    lists = holder(gateway, allowed_endpoints=["models"])
    assert lists.get("/v1/models").status_code == 200
    assert lists.get("/v1/key").status_code == 200, "a key may always ask what it is"
    error = error_of(lists.chat(model), 403)
    assert error["code"] == "endpoint_not_allowed"
    assert "models" in error["message"]
    for path in ("/v1/credits", "/v1/usage", "/v1/generation"):
        assert error_of(lists.get(path), 403)["code"] == "endpoint_not_allowed"
    chats = holder(gateway, allowed_endpoints=["chat"])
    assert chats.chat(model).status_code == 200
    assert error_of(chats.get("/v1/models"), 403)["code"] == "endpoint_not_allowed"


def test_denied_models_are_refused_and_not_listed(shop) -> None:
    gateway, upstream, model = shop
    upstream.forget()
    denied = holder(gateway, denied_models=[model.upper()])
    client = gateway.openai(api_key=denied.token)
    with pytest.raises(openai.PermissionDeniedError) as caught:
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": "hi"}])
    assert caught.value.code == "model_not_allowed"
    assert upstream.requests == []
    ids = {one.id for one in client.models.list()}
    assert "echo" in ids
    assert model not in ids


def test_what_the_plan_denies_no_key_of_it_may(shop) -> None:
    gateway, _, model = shop
    plan = unique("plan")
    open_handed = Holder(
        gateway, issue(gateway, unique("planned"), plan=plan, allowed_models=["*"])
    )
    assert open_handed.chat(model).status_code == 200
    gateway.apply({"version": 1, "plans": {plan: {"denied_models": [model]}}})
    assert error_of(open_handed.chat(model), 403)["code"] == "model_not_allowed"
    gateway.apply({"version": 1, "plans": {plan: {"denied_models": []}}})
    assert open_handed.chat(model).status_code == 200


def test_a_key_works_only_from_its_addresses(shop) -> None:
    gateway, _, _ = shop
    here = holder(gateway, allowed_ips=["203.0.113.0/24", "127.0.0.1"])
    assert here.chat().status_code == 200
    elsewhere = holder(gateway, allowed_ips=["203.0.113.0/24"])
    for path in ("/v1/key", "/v1/models", "/v1/credits"):
        assert error_of(elsewhere.get(path), 403)["code"] == "ip_not_allowed"
    error = error_of(elsewhere.chat(), 403)
    assert (error["code"], error["type"]) == ("ip_not_allowed", "permission_error")
    elsewhere.http.headers["X-Forwarded-For"] = "203.0.113.7"
    assert error_of(elsewhere.chat(), 403)["code"] == "ip_not_allowed", "anyone can say that"


def test_a_trusted_proxy_says_who_asks(gateways: Callable[..., Gateway]) -> None:
    gateway = gateways(env={"GATEWAYZ_TRUSTED_PROXIES": "127.0.0.0/8, ::1"})
    one = Holder(gateway, issue(gateway, "proxied", allowed_ips=["203.0.113.0/24"]))
    expected = {
        "203.0.113.7": 200,
        "198.51.100.1, 203.0.113.7": 200,
        "203.0.113.7, 198.51.100.1": 403,
        "203.0.113.7, 127.0.0.1": 200,
        "nonsense": 403,
    }
    for forwarded, status in expected.items():
        one.http.headers["X-Forwarded-For"] = forwarded
        assert one.chat().status_code == status, forwarded
    del one.http.headers["X-Forwarded-For"]
    assert one.chat().status_code == 403


def test_proxies_that_are_no_addresses_stop_the_start(gateway: Gateway) -> None:
    env = gateway.env | {"GATEWAYZ_TRUSTED_PROXIES": "my-proxy"}
    elsewhere = Gateway(gateway.folder, env=env)
    done = elsewhere.run("check", check=False)
    assert done.returncode != 0
    assert "GATEWAYZ_TRUSTED_PROXIES" in done.stderr


def test_an_admin_rotates_a_key_and_both_secrets_work(shop) -> None:
    gateway, _, _ = shop
    one = holder(gateway)
    assert one.chat().status_code == 200
    admin = Browser(gateway)
    [row] = gateway.rows("SELECT id FROM billing_apikey WHERE public_id = ?", public_id(one.token))
    path = f"/admin/billing/apikey/{row['id']}"
    csrf = admin.http.cookies["csrftoken"]
    answer = admin.http.post(
        f"{path}/rotate/", data={"hours": "1", "_form_submitted": "1", "csrfmiddlewaretoken": csrf}
    )
    assert answer.headers.get("hx-redirect"), answer.text[:2000]
    page = admin.http.get(f"{path}/change/").text
    [fresh] = [word for word in page.replace("<", ">").split(">") if word.startswith("gwz_live_")]
    assert public_id(fresh) == public_id(one.token)
    assert Holder(gateway, fresh).chat().status_code == 200
    assert one.chat().status_code == 200
    assert fresh not in admin.http.get(f"{path}/change/").text


def test_a_disabled_key_is_refused_until_it_is_enabled(shop) -> None:
    gateway, _, _ = shop
    one = holder(gateway)
    assert one.chat().status_code == 200
    [row] = gateway.rows("SELECT id FROM billing_apikey WHERE public_id = ?", public_id(one.token))
    admin = Browser(gateway)
    admin.save(f"/admin/billing/apikey/{row['id']}/change/", disabled="on")
    gateway.settle()
    assert error_of(one.chat(), 401)["code"] == "invalid_api_key"
    admin.save(f"/admin/billing/apikey/{row['id']}/change/", disabled=None)
    gateway.settle()
    assert one.chat().status_code == 200
