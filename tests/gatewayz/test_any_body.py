"""No body makes the gateway fail: all are answered, or refused in the contract's shape."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gatewayz.refusals import error_of
from tests.gatewayz.test_bad_bodies import WRONG_TYPES
from tests.upstreams.presets import anthropic
from tests.upstreams.server import Upstream
from tests.world.config import unique
from tests.world.gateway import Gateway

EXAMPLES = settings(
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
REFUSALS = (400, 404, 413, 415)
HEADERS = {
    "date",
    "content-type",
    "content-length",
    "cache-control",
    "x-request-id",
    "x-accel-buffering",
    "x-gatewayz-provider",
    "x-gatewayz-model",
    "x-gatewayz-attempts",
}
TEXT = st.text(max_size=12) | st.sampled_from(["", "echo", "echo/echo", "a/b", "a:b", "\x00", "é"])
SCALAR = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
NAMES = sorted({name.replace("[", ".").partition(".")[0] for name, _ in WRONG_TYPES} | {"x", ""})
MESSAGE = st.fixed_dictionaries({"role": TEXT, "content": VALUE}) | VALUE
MEMBERS = st.dictionaries(st.sampled_from(NAMES), VALUE, max_size=4)
PARTS = st.dictionaries(
    st.sampled_from(["order", "only", "ignore", "allow_fallbacks", "sort", "max_price"]),
    VALUE | st.dictionaries(st.sampled_from(["prompt", "completion", "x"]), SCALAR),
    max_size=3,
)


@pytest.fixture(scope="module")
def chat(gateway: Gateway) -> Iterator[dict[str, Any]]:
    """A valid request; the model is an OpenAI-compatible provider's."""
    with Upstream() as up:
        model = unique("chat")
        gateway.provider(up, [model])
        yield {"model": model, "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="module")
def native(gateway: Gateway) -> Iterator[str]:
    """A model whose provider speaks Anthropic's messages."""
    with Upstream() as up:
        anthropic(up)
        model = unique("native")
        gateway.provider(up, [model], adapter="anthropic")
        yield model


@pytest.fixture(scope="module")
def anything(gateway: Gateway) -> Iterator[str]:
    """A provider that takes any model's name."""
    with Upstream() as up:
        yield gateway.provider(up, allow_unlisted=True)


def post(gateway: Gateway, body: bytes) -> httpx.Response:
    headers = {"content-type": "application/json"}
    answer = gateway.http.post("/v1/chat/completions", content=body, headers=headers)
    if answer.status_code != 200:
        assert answer.status_code in REFUSALS, (body, answer.text)
        error_of(answer, answer.status_code)
    return answer


@EXAMPLES
@given(extra=MEMBERS, messages=st.lists(MESSAGE, max_size=3), wish=PARTS, data=st.data())
def test_values_around_a_valid_request(
    gateway: Gateway, chat: Any, native: str, extra: Any, messages: Any, wish: Any, data: Any
) -> None:
    changed: dict[str, Any] = {}
    if data.draw(st.booleans()):
        changed |= {"provider": wish}
    if data.draw(st.booleans()):
        changed |= {"messages": messages}
    model = data.draw(st.sampled_from([chat["model"], native, "echo"]))
    post(gateway, json.dumps(chat | {"model": model} | changed | extra).encode())


@EXAMPLES
@given(data=st.data())
def test_bytes_around_a_valid_request(gateway: Gateway, chat: dict[str, Any], data: Any) -> None:
    body = bytearray(json.dumps(chat | {"temperature": 0.5, "stop": ["a"]}).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body)))
        taken = data.draw(st.integers(0, 8))
        body[place : place + taken] = data.draw(st.binary(max_size=6))
    post(gateway, bytes(body))


@settings(EXAMPLES, max_examples=60)
@given(name=st.text(min_size=1, max_size=40) | st.text("\r\n\t :;é\u0142\u2028\x85x", max_size=12))
def test_a_name_never_breaks_out_of_a_header(
    gateway: Gateway, chat: dict[str, Any], anything: str, name: str
) -> None:
    """The upstream's id, which a provider may take from the client, stands in the answer's head."""
    answer = post(gateway, json.dumps(chat | {"model": f"{anything}/{name}"}).encode())
    for header, value in answer.headers.multi_items():
        assert header in HEADERS
        assert value.isascii()
        assert value.isprintable()
    if answer.status_code == 200:
        assert unquote(answer.headers["x-gatewayz-model"]).strip() == name.strip()
