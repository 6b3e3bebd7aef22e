"""`explain` tells what a request does: the same routes in the same order, or the same error."""

import asyncio
import json
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from billing.values import Key
from catalog.asks import Ask, Permissions, Preferences
from catalog.explaining import explain
from catalog.resolver import resolve
from catalog.values import Block, Model, Snapshot, Variant
from gatewayz.api.chat_body import read_chat
from providers.dispatch import Dispatcher, Reply
from providers.errors import GatewayError
from providers.rewriting import Rewrite
from providers.slots import Unlimited
from providers.transport import ConnectRefused, Incoming, Outgoing
from providers.values import Secret
from tests.catalog.town import NOW, endpoint, offer, snapshot

SLUGS = ("groq", "huggingface", "openai", "ollama")
ALIASES = {
    "groq": ["grq"],
    "huggingface": ["hug", "hf", "hugging-face"],
    "openai": ["oai"],
    "ollama": [],
}
IDS = ("openai/gpt-oss", "OpenAI/GPT-oss", "hf/x", "x", "qwen3:14b", "qwen3", "acme/chat")
OTHER_NAMES = ("fast", "best", "X", "loop")
SUFFIXES = ("", "", "", "", ":floor", ":nitro", ":groq", ":fastest", ":14b", ":pro")
HEADS = (*[""] * 9, *(f"{name}/" for slug in SLUGS for name in (slug, *ALIASES[slug])), "nobody/")


@st.composite
def names(draw: st.DrawFn) -> str:
    """A name made of the pieces that configurations are made of."""
    middle = draw(st.sampled_from((*IDS, *IDS, *OTHER_NAMES, "up-1", "unknown/model")))
    name = draw(st.sampled_from(HEADS)) + middle
    name += draw(st.sampled_from(SUFFIXES)) + draw(st.sampled_from(SUFFIXES))
    return draw(st.sampled_from((str, str, str, str, str.upper, str.title)))(name)


@st.composite
def endpoints(draw: st.DrawFn, slug: str) -> Any:
    rules = st.builds(
        Rewrite,
        action=st.sampled_from(["append_suffix", "add_prefix", "strip_prefix", "replace"]),
        value=st.sampled_from([":hf-inference", "openai/", "gpt", ":groq"]),
        unless_suffixed=st.booleans(),
        when_backend=st.sampled_from(["", "hf-inference"]),
        keep=st.sampled_from([(), ("qwen*",)]),
    )
    count = draw(st.integers(1, 2))
    return endpoint(
        slug,
        enabled=draw(st.sampled_from([True] * 5 + [False])),
        priority=draw(st.sampled_from([10, 50])),
        allow_unlisted=draw(st.booleans()),
        passes_suffixes=draw(
            st.sampled_from([frozenset({"groq", "fastest"}), frozenset(), frozenset({"*"})])
        ),
        rewrites=tuple(draw(st.lists(rules, max_size=2))),
        secrets=tuple(Secret(n, f"{slug} {n}", f"sk-{slug}-{n}") for n in range(count))
        if draw(st.sampled_from([True] * 5 + [False]))
        else (),
    )


@st.composite
def configurations(draw: st.DrawFn) -> Snapshot:
    slugs = draw(st.lists(st.sampled_from(SLUGS), unique=True, min_size=4))
    pairs = draw(
        st.lists(
            st.tuples(st.sampled_from(IDS), st.sampled_from(slugs)),
            unique=True,
            min_size=6,
            max_size=14,
        )
    )
    upstream = st.sampled_from(["", "up-1", "gpt-oss"])
    backends = st.sampled_from([(), ("hf-inference",)])
    blocks = st.builds(
        Block,
        st.just(1),
        st.sampled_from(["openai/*", "x", "*qwen*", "acme/chat"]),
        st.none() | st.sampled_from(slugs),
        st.just("not here"),
        st.sampled_from([None, NOW - 1]),
    )
    return snapshot(
        {draw(endpoints(slug)): ALIASES[slug] for slug in slugs},
        [offer(m, s, draw(upstream), backends=draw(backends)) for m, s in pairs],
        [Model("acme/chat", capabilities=frozenset(draw(st.sampled_from([["chat"], ["audio"]]))))],
        draw(st.dictionaries(st.sampled_from(OTHER_NAMES), names(), max_size=3)),
        [Variant("floor", "price"), Variant("nitro", "throughput")][: draw(st.integers(0, 2))],
        draw(st.lists(blocks, max_size=1)),
    )


PERMISSIONS = st.builds(
    Permissions,
    st.sampled_from([(), (), (), ("openai/*",), ("x", "acme/*")]),
    st.sampled_from([frozenset()] * 3 + [frozenset({"groq", "huggingface"})]),
)
PINS = st.sampled_from(["", "", "", "", "", "", "", "hug", "HF", "groq", "hugging_face"])


class Refusing:
    """A transport that notes every request and reaches nobody, so that all routes are tried."""

    def __init__(self) -> None:
        self.seen: list[Outgoing] = []

    async def send(self, outgoing: Outgoing) -> Incoming:
        self.seen.append(outgoing)
        raise ConnectRefused

    def close(self) -> None: ...


def requested(town: Snapshot, name: str, pin: str, may: Permissions) -> tuple[list[Any], str]:
    """Return what a request sends where, with which credential, and the code it ends with."""
    body = {"model": name, "messages": [{"role": "user", "content": "hi"}]}
    body |= {"provider": pin} if pin else {}
    key = Key("k", "k", 1, True, 1, Decimal(1), None, revoked=False, permissions=may)
    transport = Refusing()
    dispatcher = Dispatcher({"https": transport}, Unlimited())

    async def send() -> None:
        chat = read_chat(json.dumps(body).encode(), key)
        await dispatcher.send(resolve(town, chat.ask, now=NOW), chat.call, Reply())

    try:
        asyncio.run(send())
    except GatewayError as problem:
        code = problem.code
    return [sent(outgoing) for outgoing in transport.seen], code


def sent(outgoing: Outgoing) -> tuple[str, str, str]:
    token = dict(outgoing.headers)["Authorization"].removeprefix("Bearer ")
    return outgoing.url, json.loads(outgoing.body)["model"], token


def foretold(town: Snapshot, name: str, pin: str, may: Permissions) -> tuple[list[Any], str]:
    """Return the same of what explain says."""
    wanted = Preferences(only=(pin,)) if pin else Preferences()
    story = explain(town, Ask(name, preferences=wanted, permissions=may), NOW)
    routes = [
        (
            f"{town.endpoints[route['provider']].base_url}/chat/completions",
            route["upstream_id"],
            "sk-" + route["credential"].replace(" ", "-"),
        )
        for route in story["routes"]
    ]
    return routes, story["error"]["code"] if story["error"] else "upstream_error"


@settings(max_examples=150, deadline=None)
@given(configurations(), names(), PINS, PERMISSIONS)
def test_explain_and_the_request_agree(
    town: Snapshot, name: str, pin: str, may: Permissions
) -> None:
    said, code = foretold(town, name, pin, may)
    assert requested(town, name, pin, may) == (said, code)


@settings(max_examples=150, deadline=None)
@given(configurations(), names(), PINS, PERMISSIONS)
def test_no_route_leads_where_it_must_not(
    town: Snapshot, name: str, pin: str, may: Permissions
) -> None:
    wanted = Preferences(only=(pin,)) if pin else Preferences()
    try:
        found = resolve(town, Ask(name, preferences=wanted, permissions=may), now=NOW)
    except GatewayError:
        return
    for route in found:
        slug = route.endpoint.slug
        assert route.endpoint.enabled
        assert route.secret in route.endpoint.secrets
        assert not may.providers or slug in may.providers
        assert not may.models or any(fnmatchcase(route.model_id, p) for p in may.models)
        assert not pin or slug == town.names[pin.casefold().replace("_", "-")]
        bare = offer(route.model_id, slug)
        assert not any(b.matches(bare) for b in town.blocks if b.expires_at is None)
        if not route.offer_id:
            assert route.endpoint.allow_unlisted
            assert route.model_id not in town.models
    places = [(r.endpoint.slug, r.secret.id) for r in found]
    assert len(set(places)) == len(places)


def test_without_credentials_a_story_names_none() -> None:
    twice = endpoint("groq", secrets=(Secret(1, "team A", "sk-a"), Secret(2, "team B", "sk-b")))
    town = snapshot({twice: ()}, [offer("x", "groq")])
    told = explain(town, Ask("x"), NOW, credentials=False)
    route = {"provider": "groq", "model": "x", "upstream_id": "x", "price_source": "unknown"}
    assert told["routes"] == [route]
    assert "team" not in json.dumps(told)
    assert [r["credential"] for r in explain(town, Ask("x"), NOW)["routes"]] == ["team A", "team B"]
