"""GET /v1/models: known lists are a 304, gzip for who takes it, all parameters."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.gatewayz.conftest import LLAMA, OSS, Town
from tests.world.config import provider_row, unique

PRICES = {"stall/cheap": "0.1", "stall/dear": "50", "stall/vectors": "0.01"}


@pytest.fixture(scope="module")
def stocked(town: Town) -> Iterator[Town]:
    """The town with a market, which has something cheap, something dear, and embeddings."""
    offers: dict[str, dict[str, Any]] = {
        "stall/cheap": {"context_length": 1000},
        "stall/dear": {"context_length": 900_000, "name": "A dear one"},
        "stall/vectors": {"capabilities": ["embeddings"], "description": "Turns poems to numbers"},
    }
    for model, row in offers.items():
        price = {"input": PRICES[model], "output": "1"}
        row["offers"] = [{"provider": "market", "upstream_id": model, "price": price}]
    market = provider_row("http://127.0.0.1:9/v1")
    town.gateway.apply({"version": 1, "providers": {"market": market}, "models": offers})
    yield town
    town.gateway.apply({"version": 1, "providers": {"market": {"enabled": False}}})


def ask(town: Town, headers: dict[str, str] | None = None, **asked: Any) -> httpx.Response:
    """Ask without a key."""
    url = f"{town.gateway.url}/v1/models"
    return httpx.get(url, params=asked, headers=headers or {}, trust_env=False, timeout=30)


def ids(town: Town, **asked: Any) -> list[str]:
    answer = ask(town, **asked)
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["data"]]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"gateway": "market"},
        {"limit": 2, "offset": 1},
        {"q": "llama"},
        {"sort": "price", "capability": "chat"},
    ],
)
def test_what_the_client_has_already_is_not_sent_again(stocked: Town, asked: dict) -> None:
    first = ask(stocked, **asked)
    tag = first.headers["etag"]
    assert tag.startswith('"')
    assert tag.endswith('"')
    for given in (tag, f'"other", W/{tag}'):
        again = ask(stocked, {"If-None-Match": given}, **asked)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["cache-control"] == "no-cache"
    assert ask(stocked, {"If-None-Match": '"other"'}, **asked).content == first.content


def test_two_questions_have_two_tags(stocked: Town) -> None:
    asked = [{}, {"gateway": "market"}, {"limit": 2}, {"limit": 3}, {"limit": 2, "offset": 1}]
    asked += [{"q": "llama"}, {"q": "stall"}, {"sort": "name"}, {"capability": "chat"}]
    tags = [ask(stocked, **one).headers["etag"] for one in asked]
    assert len(set(tags)) == len(tags)


def test_an_edit_changes_the_tag_and_a_revert_brings_it_back(stocked: Town) -> None:
    tag = ask(stocked).headers["etag"]
    stocked.gateway.apply({"version": 1, "models": {"stall/cheap": {"name": "Renamed"}}})
    assert ask(stocked, {"If-None-Match": tag}).status_code == 200
    stocked.gateway.apply({"version": 1, "models": {"stall/cheap": {"name": ""}}})
    assert ask(stocked, {"If-None-Match": tag}).status_code == 304


def test_an_edit_of_something_else_leaves_the_tag(stocked: Town) -> None:
    tag = ask(stocked).headers["etag"]
    stocked.gateway.apply({"version": 1, "aliases": {unique("alias"): LLAMA}})
    assert ask(stocked, {"If-None-Match": tag}).status_code == 304


def raw(town: Town, accepted: str) -> tuple[httpx.Headers, bytes]:
    url = f"{town.gateway.url}/v1/models"
    with (
        httpx.Client(trust_env=False, timeout=30) as client,
        client.stream("GET", url, headers={"Accept-Encoding": accepted}) as answer,
    ):
        return answer.headers, b"".join(answer.iter_raw())


def test_who_takes_gzip_gets_it(stocked: Town) -> None:
    plain = ask(stocked, {"Accept-Encoding": "identity"})
    headers, packed = raw(stocked, "br, gzip")
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed) == plain.content
    assert headers["etag"] != plain.headers["etag"]
    known = ask(stocked, {"Accept-Encoding": "gzip", "If-None-Match": headers["etag"]})
    assert (known.status_code, known.headers["etag"]) == (304, headers["etag"])
    assert "accept-encoding" in headers["vary"].lower()
    assert "authorization" in headers["vary"].lower()
    headers, body = raw(stocked, "gzip;q=0")
    assert "content-encoding" not in headers
    assert body == plain.content


def test_capabilities_filter(stocked: Town) -> None:
    assert ids(stocked, capability="embeddings", gateway="market") == ["stall/vectors"]
    assert "stall/vectors" not in ids(stocked, capability="chat")
    assert ids(stocked, capability="rerank", gateway="market") == []


def test_orders(stocked: Town) -> None:
    by_price = ids(stocked, gateway="market", sort="price", capability="chat")
    assert by_price.index("stall/cheap") < by_price.index("stall/dear")
    assert by_price == ids(stocked, gateway="market", sort="pricing-low-to-high", capability="chat")
    assert ids(stocked, gateway="market", sort="pricing-high-to-low")[0] == "stall/dear"
    assert ids(stocked, gateway="market", sort="context")[0] == "stall/dear"
    assert ids(stocked, gateway="market", sort="name")[0] == "stall/dear"  # it is called A dear one
    assert sorted(ids(stocked, sort="created")) == ids(stocked)


def test_searching(stocked: Town) -> None:
    assert ids(stocked, q="lama 3.3 70b")[0] == LLAMA
    assert ids(stocked, q="POEMS") == ["stall/vectors"]
    assert ids(stocked, q="llama", gateway="ollama") == []
    assert ids(stocked, q="stall", sort="price", gateway="market")[0] == "stall/vectors"
    assert ids(stocked, q="router arch katanemo") == []
    page = ask(stocked, q="stall", limit=1).json()
    assert (page["returned"], page["has_more"]) == (1, True)
    assert page["total"] == len(ids(stocked, q="stall"))


@pytest.mark.parametrize(
    ("name", "value"),
    [("capability", "telepathy"), ("sort", "mood"), ("sort", ""), ("capability", "")],
)
def test_a_value_that_means_nothing_is_refused_by_name(
    stocked: Town, name: str, value: str
) -> None:
    answer = ask(stocked, **{name: value})
    problem = answer.json()["error"]
    assert (answer.status_code, problem["code"]) == (400, "invalid_request")
    assert problem["param"] == name
    assert f"`{name}`" in problem["message"]


def test_two_gateways_at_once_are_refused_unless_they_are_one(stocked: Town) -> None:
    assert ids(stocked, gateway="hug", provider="hf") == ids(stocked, gateway="huggingface")
    assert ask(stocked, gateway="hug", provider="market").status_code == 400
    assert ask(stocked, gateway="").status_code == 400


def test_a_list_is_what_the_key_may_see(stocked: Town) -> None:
    def restrict(models: list[str], providers: list[str]) -> None:
        code = (
            "from billing.models import ApiKey\n"
            f"row = ApiKey.objects.get(name={name!r})\n"
            f"row.allowed_models, row.allowed_providers = {models!r}, {providers!r}\n"
            "row.save()"
        )
        stocked.gateway.run("shell", "-c", code)
        stocked.gateway.settle()

    name = unique("narrow")
    key = stocked.gateway.issue_key("tests", "1", "--name", name)
    bearer = {"Authorization": f"Bearer {key}"}
    everything = ask(stocked, bearer)
    assert everything.content == ask(stocked).content
    assert everything.headers["cache-control"] == "private, no-cache"
    restrict(["stall/*"], [])
    mine = ask(stocked, bearer).json()
    assert {row["id"].partition("/")[0] for row in mine["data"]} == {"stall"}
    restrict([], ["huggingface"])
    rows = ask(stocked, bearer).json()["data"]
    assert [row["id"] for row in rows] == [LLAMA, OSS]
    assert {tuple(row["gateways"]) for row in rows} == {("huggingface",)}
    assert ask(stocked, {"Authorization": "Bearer nonsense"}).status_code == 401


def test_a_browser_gets_a_page_of_some(stocked: Town) -> None:
    page = ask(stocked, {"Accept": "text/html"}, gateway="market")
    assert page.headers["content-type"].startswith("text/html")
    assert "stall/dear" in page.text
    assert json.loads(ask(stocked).content)["limit"] is None
