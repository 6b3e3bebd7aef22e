"""Rows of the brief, each quoted, on the served gateway with the lists of all fourteen gateways.

The other tests go deeper; these say that what was asked for is there.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.gatewayz.test_crash import wait_until
from tests.servers import free_port
from tests.upstreams.behaviour import Behaviour
from tests.upstreams.chat import Chat
from tests.upstreams.errors import error
from tests.upstreams.hooks import Hook
from tests.upstreams.listings import FOURTEEN, Lists, Page, Stock
from tests.upstreams.seen import Seen
from tests.upstreams.server import Upstream
from tests.world.browser import Browser
from tests.world.config import provider_row
from tests.world.gateway import Gateway

HUB = 1377
FEW = 4
CHANNEL = """
from catalog.alerts.models import Channel
Channel.objects.create(name="ops", shape="webhook", url={url!r}, private_network=True)
"""
LOOK = "from catalog.alerts.tasks import look; print(look())"
KEYS = ["sk-first-of-two-credentials", "sk-second-of-two-credentials"]

pytestmark = pytest.mark.timeout(180)


@dataclass
class Fleet:
    gateway: Gateway
    upstream: Upstream
    lists: Lists
    stocks: dict[str, Stock]

    def get(self, path: str, status: int = 200, **asked: Any) -> Any:
        answer = httpx.get(self.gateway.url + path, params=asked, trust_env=False, timeout=30)
        assert answer.status_code == status, answer.text
        return answer.json()

    def ask(self, model: str, **fields: Any) -> httpx.Response:
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}], **fields}
        return self.gateway.http.post("/v1/chat/completions", json=body)

    def callable_at(self, slug: str) -> list[str]:
        rows = self.get("/v1/models", gateway=slug, capability="chat")["data"]
        return [row["id"] for row in rows]


def row_of(upstream: Upstream, lists: Lists, stock: Stock) -> dict[str, Any]:
    url = lists.add(f"/{stock.slug}/models", stock)
    listing = [{"parser": stock.parser, "url": url, "auth": "none"}]
    row = provider_row(upstream, listing=listing, guards={}, name=stock.slug)
    return {name: value for name, value in row.items() if name != "adapter"}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, migrated) -> Iterator[Fleet]:
    stocks = {slug: Stock(slug, HUB if slug == "huggingface" else FEW) for slug in FOURTEEN}
    stocks["novita"].rows.append(stocks["novita"].row(0))
    folder = tmp_path_factory.mktemp("gateway")
    with Upstream() as up, Lists() as lists, Gateway(folder, template=migrated) as gateway:
        up.reply(Chat("Hello"))
        rows = {slug: row_of(up, lists, stock) for slug, stock in stocks.items()}
        gateway.apply({"version": 1, "providers": rows})
        gateway.manage("sync_catalog", *FOURTEEN)
        gateway.settle()
        yield Fleet(gateway, up, lists, stocks)


def test_row_3_all_of_them(fleet: Fleet) -> None:
    """'100, then 1,000 of about 1,377 Hugging Face models': 'All of them'."""
    assert fleet.get("/health/huggingface")["models_cached"] == HUB
    counts = {row["gateway"]: row for row in fleet.get("/v1/gateways/counts")["data"]}
    assert counts["huggingface"]["unique"] == HUB


def test_row_4_duplicates_are_counted_and_not_kept(fleet: Fleet) -> None:
    """'Deduplicated at sync; `Total / Unique / Duplicates / Status` per gateway as a command, an
    endpoint and an admin page'."""
    counts = {row["gateway"]: row for row in fleet.get("/v1/gateways/counts")["data"]}
    novita = counts["novita"]
    assert (novita["total"], novita["unique"], novita["duplicates"]) == (FEW + 1, FEW, 1)
    printed = fleet.gateway.manage("gateway_counts", check=False).splitlines()
    assert printed[0].split() == ["Gateway", "Total", "Unique", "Duplicates", "Status"]
    line = next(line for line in printed if line.startswith("novita"))
    assert line.split()[1:] == ["5", "4", "1", novita["status"]]
    admin = Browser(fleet.gateway)
    page = admin.http.get("/admin/syncs/syncrun/?q=novita").text
    admin.close()
    assert "novita" in page


def test_rows_6_and_7_what_cannot_be_called_says_why(fleet: Fleet) -> None:
    """'only not-found, three times in a row, marks an offer down'; '5xx, 429, timeouts and 400s
    for a bad parameter prove nothing'; 'A 404 says that the model is known but not callable there,
    why, which alternatives are, and where the list is'."""
    model = fleet.callable_at("deepinfra")[0]
    sent = next(row for row in fleet.get(f"/v1/models/{model}/endpoints")["data"]["endpoints"])
    proves_nothing: list[Behaviour] = [error("openai", status) for status in (500, 503, 400)]
    for behaviour in proves_nothing * 3:
        fleet.upstream.models[sent["upstream_id"]] = behaviour
        assert fleet.ask(model, provider="deepinfra").status_code != 404
    missing = error("openai", 404)
    fleet.upstream.models[sent["upstream_id"]] = missing
    for _ in range(3):
        assert fleet.ask(model, provider="deepinfra").status_code == 404
    wait_until(lambda: model not in fleet.callable_at("deepinfra"), 15)
    del fleet.upstream.models[sent["upstream_id"]]
    problem = fleet.ask(model, provider="deepinfra").json()["error"]
    assert problem["code"] == "model_not_available"
    assert "not found three times in a row" in problem["metadata"]["reason"]
    assert "alternatives" in problem["metadata"]
    assert "/v1/models" in json.dumps(problem)


def test_row_8_a_partial_answer_changes_nothing(fleet: Fleet) -> None:
    """'Syncs run in the background, apply atomically, keep the last good state, and quarantine a
    mass removal or a price jump'."""
    before = fleet.get("/v1/models", gateway="openrouter")["data"]
    stock = fleet.stocks["openrouter"]
    fleet.lists.shelves["/openrouter/models"] = lambda asked: Page(stock.envelope(stock.rows[:1]))
    printed = fleet.gateway.manage("sync_catalog", "openrouter", check=False)
    assert "quarantined" in printed
    fleet.gateway.settle()
    assert fleet.get("/v1/models", gateway="openrouter")["data"] == before
    fleet.lists.shelves["/openrouter/models"] = stock


def test_row_9_somebody_notices(fleet: Fleet) -> None:
    """'Success rate, latency and last success per provider and per offer; alerts on a high failure
    rate, on drift of a provider's API, on a catalogue that shrinks'."""
    model = fleet.callable_at("groq")[0]
    assert fleet.ask(model, provider="groq").status_code == 200
    wait_until(lambda: fleet.get("/health/groq")["last_success"] is not None, 20)
    with Hook() as hook:
        fleet.gateway.manage("shell", "--no-imports", "-c", CHANNEL.format(url=hook.url))
        fleet.upstream.reply(error("openai", 500))
        for _ in range(25):
            assert fleet.ask(model, provider="groq").status_code == 502
        fleet.upstream.reply(Chat("Hello"))
        booked = "SELECT count(*) AS n FROM billing_usagerow WHERE outcome = 'failed'"
        wait_until(lambda: fleet.gateway.rows(booked)[0]["n"] >= 25, 15)
        fleet.lists.shelves["/portkey/models"] = lambda asked: Page(b"<!doctype html>")
        fleet.gateway.manage("sync_catalog", "portkey", check=False)
        fleet.gateway.manage("shell", "--no-imports", "-c", LOOK)
        hook.wait_for(1, 30)
        firing = {
            (row["kind"], row["subject"])
            for row in fleet.gateway.rows("SELECT * FROM alerts_alert WHERE state = 'firing'")
        }
    assert {("provider_failing", "groq"), ("api_drift", "portkey")} <= firing


def test_row_10_several_credentials_and_retry_after(fleet: Fleet) -> None:
    """'Upstream limits per credential, `Retry-After` honoured, several credentials per provider,
    failover'."""
    with Upstream() as up:
        up.checks.append(lambda seen: limited(seen))
        values = [{"value": key} for key in KEYS]
        fleet.gateway.provider(up, ["row-10"], slug="limited", credentials=values)
        for _ in range(3):
            assert fleet.ask("row-10").status_code == 200
        assert [seen.token for seen in up.requests].count(KEYS[0]) == 1
        assert [seen.token for seen in up.requests].count(KEYS[1]) == 3


def limited(seen: Seen) -> Behaviour | None:
    busy = error("openai", 429, "rate_limit", retry_after="60")
    return busy if seen.token == KEYS[0] else None


def test_row_11_lists_are_cut_as_they_were(fleet: Fleet) -> None:
    """'Answers `data`, `total`, `returned`, `limit`, `offset`, `gateway`; `limit` up to 50,000; an
    empty provider is an empty list with 200; fields kept: `provider_slug`, `provider_site_url`,
    `source_gateway`, `architecture`, `pricing`, `context_length`'."""
    page = fleet.get("/v1/models", gateway="hug", limit=50_000, offset=1)
    assert (page["limit"], page["offset"], page["gateway"]) == (50_000, 1, "huggingface")
    assert page["returned"] == len(page["data"]) == page["total"] - 1
    kept = {"provider_slug", "provider_site_url", "source_gateway", "architecture", "pricing"}
    assert kept | {"context_length"} <= page["data"][0].keys()
    row = provider_row(f"http://127.0.0.1:{free_port()}/v1")
    fleet.gateway.apply({"version": 1, "providers": {"empty": row}})
    assert fleet.get("/v1/models", gateway="empty")["data"] == []
    one, other = (
        httpx.get(f"{fleet.gateway.url}/v1/models?gateway={name}", trust_env=False, timeout=30)
        for name in ("hug", "huggingface")
    )
    assert one.content == other.content, "`gateway=hug` and `gateway=huggingface`"
    problem = fleet.get("/v1/models", 400, gateway="hugs")["error"]
    assert set(FOURTEEN) <= set(problem["metadata"]["valid"])


def test_row_12_health_per_gateway(fleet: Fleet) -> None:
    """'Health per gateway: status, models cached, aliases, last sync, last success'."""
    health = fleet.get("/health/huggingface")
    assert (health["status"], health["models_cached"]) == ("ready", HUB)
    assert {"hug", "hf"} <= set(health["aliases"])
    assert health["last_sync"] is not None
    assert "last_success" in health


def test_row_14_all_fourteen_listed_and_dispatchable(fleet: Fleet) -> None:
    """'All fourteen, listed and dispatchable, plus any OpenAI-compatible server as one admin
    form'."""
    assert len(FOURTEEN) == 14
    for slug in FOURTEEN:
        ids = fleet.callable_at(slug)
        assert ids, slug
        if slug not in ("deepinfra", "groq"):  # which earlier rows have made fail
            answer = fleet.ask(ids[-1], provider=slug)
            assert (answer.status_code, answer.headers["x-gatewayz-provider"]) == (200, slug)


def test_row_14_any_server_is_one_form(fleet: Fleet) -> None:
    """'any OpenAI-compatible server as one admin form'."""
    admin = Browser(fleet.gateway)
    admin.save(
        "/admin/providers/provider/add/",
        slug="house",
        name="House",
        base_url=fleet.upstream.url,
        private_network="on",
        key_optional="on",
        allow_unlisted="on",
    )
    admin.close()
    fleet.gateway.settle()
    answer = fleet.ask("whatever-it-serves", provider="house")
    assert (answer.status_code, answer.headers["x-gatewayz-provider"]) == (200, "house")
