"""GET /v1/models: known lists are a 304, gzip for who takes it, all parameters."""

import gzip
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.gatewayz.conftest import ARCH, LLAMA, OSS, Town
from tests.world.config import unique

PRICES = {LLAMA: "0.9", "town/cheap": "0.1", "town/dear": "50"}


@pytest.fixture(scope="module")
def stocked(town: Town) -> Town:
    """The town with a few more models at groq: cheap, dear, embeddings."""
    offers = {
        "town/cheap": {"context_length": 1000, "capabilities": ["chat"]},
        "town/dear": {"context_length": 900_000, "capabilities": ["chat"], "name": "A dear one"},
        "town/vectors": {"capabilities": ["embeddings"], "description": "Turns poems to numbers"},
    }
    price = {"input": "0.1", "output": "0.1"}
    for model, row in offers.items():
        given = {"input": PRICES.get(model, "1"), "output": "1"} if model in PRICES else price
        row["offers"] = [{"provider": "groq", "upstream_id": model, "price": given}]
    town.gateway.apply({"version": 1, "models": offers})
    return town


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
        {"gateway": "groq"},
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
    asked = [{}, {"gateway": "groq"}, {"limit": 2}, {"limit": 3}, {"limit": 2, "offset": 1}]
    asked += [{"q": "llama"}, {"q": "town"}, {"sort": "name"}, {"capability": "chat"}]
    tags = [ask(stocked, **one).headers["etag"] for one in asked]
    assert len(set(tags)) == len(tags)


def test_an_edit_changes_the_tag_and_a_revert_brings_it_back(stocked: Town) -> None:
    tag = ask(stocked).headers["etag"]
    stocked.gateway.apply({"version": 1, "models": {"town/cheap": {"name": "Renamed"}}})
    assert ask(stocked, {"If-None-Match": tag}).status_code == 200
    stocked.gateway.apply({"version": 1, "models": {"town/cheap": {"name": ""}}})
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
    assert ids(stocked, capability="embeddings", gateway="groq") == ["town/vectors"]
    assert "town/vectors" not in ids(stocked, capability="chat")
    assert ids(stocked, capability="rerank", gateway="groq") == []


def test_orders(stocked: Town) -> None:
    by_price = ids(stocked, gateway="groq", sort="price", capability="chat")
    assert by_price.index("town/cheap") < by_price.index("town/dear")
    assert by_price == ids(stocked, gateway="groq", sort="pricing-low-to-high", capability="chat")
    assert ids(stocked, gateway="groq", sort="pricing-high-to-low")[0] == "town/dear"
    assert ids(stocked, gateway="groq", sort="context")[0] == "town/dear"
    assert ids(stocked, gateway="groq", sort="name")[0] == "town/dear"  # it is called A dear one
    assert sorted(ids(stocked, sort="created")) == ids(stocked)


def test_searching(stocked: Town) -> None:
    assert ids(stocked, q="lama 3.3 70b")[0] == LLAMA
    assert ids(stocked, q="POEMS") == ["town/vectors"]
    assert ids(stocked, q="llama", gateway="ollama") == []
    assert ids(stocked, q="town", sort="price", gateway="groq")[0] == "town/vectors"
    assert ids(stocked, q="router arch katanemo") == []
    page = ask(stocked, q="town", limit=1).json()
    assert (page["returned"], page["has_more"]) == (1, True)
    assert page["total"] == len(ids(stocked, q="town"))


@pytest.mark.parametrize(
    ("name", "value"),
    [("capability", "telepathy"), ("sort", "mood"), ("sort", ""), ("q", "x" * 251)],
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
    assert ask(stocked, gateway="hug", provider="groq").status_code == 400
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
    restrict(["town/*"], [])
    mine = ask(stocked, bearer).json()
    assert {row["id"].partition("/")[0] for row in mine["data"]} == {"town"}
    restrict([], ["huggingface"])
    rows = ask(stocked, bearer).json()["data"]
    assert [row["id"] for row in rows] == [LLAMA, OSS]
    assert {tuple(row["gateways"]) for row in rows} == {("huggingface",)}
    assert ask(stocked, {"Authorization": "Bearer nonsense"}).status_code == 401


@pytest.fixture
def brief_block(stocked: Town) -> float:
    ends = datetime.now(UTC) + timedelta(seconds=3)
    row = {"pattern": OSS, "reason": "for a moment", "expires": ends.isoformat()}
    stocked.gateway.apply({"version": 1, "blocks": [row]})
    return ends.timestamp()


def test_a_blocked_model_is_back_when_its_block_is_over(stocked: Town, brief_block: float) -> None:
    assert OSS not in ids(stocked)
    assert ARCH not in ids(stocked)
    time.sleep(max(0.0, brief_block - time.time()) + 0.1)
    assert OSS in ids(stocked)


def test_a_browser_gets_a_page_of_some(stocked: Town) -> None:
    page = ask(stocked, {"Accept": "text/html"}, gateway="groq")
    assert page.headers["content-type"].startswith("text/html")
    assert "town/dear" in page.text
    assert json.loads(ask(stocked).content)["limit"] is None
