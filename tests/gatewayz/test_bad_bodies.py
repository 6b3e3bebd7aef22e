"""A body that is no chat request gets a 400 that says what is wrong; what we do not know passes."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.gatewayz.refusals import error_of
from tests.upstreams.server import Upstream
from tests.world.config import unique
from tests.world.gateway import Gateway

MESSAGES = [{"role": "user", "content": "hi"}]
DEEP = 100_000
NUMBERS = (
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "n",
    "seed",
    "max_tokens",
    "max_completion_tokens",
    "top_logprobs",
)
WRONG_TYPES: list[tuple[str, Any]] = [
    *((name, "much") for name in NUMBERS),
    *((name, [1]) for name in NUMBERS),
    ("n", 1.5),
    ("max_tokens", 10.5),
    ("model", 7),
    ("model", None),
    ("model", ["a"]),
    ("messages", "hi"),
    ("messages", None),
    ("messages", {"role": "user", "content": "hi"}),
    ("messages", []),
    ("stream", "yes"),
    ("stream_options", True),
    ("stream_options.include_usage", "yes"),
    ("models", "a"),
    ("models[1]", 7),
    ("provider", 7),
    ("provider.order", "groq"),
    ("provider.sort", "best"),
    ("provider.allow_fallbacks", "no"),
    ("provider.max_price.prompt", "cheap"),
    ("logprobs", "yes"),
    ("parallel_tool_calls", "yes"),
    ("stop", 7),
    ("stop[0]", 7),
    ("user", 7),
    ("tools", {}),
    ("tools[0]", "f"),
    ("tool_choice", 7),
    ("response_format", "json"),
    ("logit_bias", [1]),
    ("metadata", "x"),
    ("messages[0]", "hi"),
    ("messages[0].role", 7),
    ("messages[0].content", 7),
    ("messages[0].content", {"text": "hi"}),
]


class World:
    """A model `chat` at an upstream of its own, and a client that posts bodies for it."""

    def __init__(self, gateway: Gateway, up: Upstream) -> None:
        self.gateway, self.up, self.model = gateway, up, unique("chat")
        gateway.provider(up, [self.model])

    def valid(self, **extra: Any) -> dict[str, Any]:
        return {"model": self.model, "messages": MESSAGES} | extra

    def post(self, body: Any, **headers: str) -> httpx.Response:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        kinds = {"content-type": "application/json"} | headers
        return self.gateway.http.post("/v1/chat/completions", content=data, headers=kinds)

    def raw(self, members: bytes) -> httpx.Response:
        """Post a valid body with `members` before its end."""
        return self.post(json.dumps(self.valid()).encode()[:-1] + b"," + members + b"}")


@pytest.fixture(scope="module")
def world(gateway: Gateway) -> Iterator[World]:
    with Upstream() as up:
        yield World(gateway, up)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   \n",
        b"{",
        b"model=chat",
        b"[]",
        b'["a"]',
        b'"text"',
        b"7",
        b"null",
        b"true",
        b'{"model": "a"} {"model": "b"}',
        b"{'model': 'a'}",
        b'{"model": "a", // comment\n "messages": []}',
        b"\xef\xbb\xbf{}",
        '{"model": "a"}'.encode("utf-16"),
        b"\x00" * 100,
        b"\xff" * 100,
    ],
)
def test_what_is_no_json_object_is_a_400(world: World, body: bytes) -> None:
    error = error_of(world.post(body), 400)
    assert error["code"] == "invalid_request"
    assert "body" in error["message"]


@pytest.mark.parametrize("wrap", ["messages", "content", "unknown", "metadata", "tools", "object"])
def test_deep_nesting_is_a_400(world: World, wrap: str) -> None:
    deep = b"[" * DEEP + b"]" * DEEP
    bodies = {
        "messages": b'{"model":"m","messages":' + deep + b"}",
        "content": b'{"model":"m","messages":[{"role":"user","content":' + deep + b"}]}",
        "unknown": b'{"model":"m","x":' + deep + b"}",
        "metadata": b'{"model":"m","metadata":{"a":' + deep + b"}}",
        "tools": b'{"model":"m","tools":[{"a":' + deep + b"}]}",
        "object": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    }
    assert "nested" in error_of(world.post(bodies[wrap]), 400)["message"]


def test_half_deep_nesting_is_answered_or_refused(world: World) -> None:
    """Around the depth where readers give up, at each of them and at the built-in provider."""
    for depth in range(700, 1000, 20):
        deep = b"[" * depth + b"]" * depth
        for model in (world.model, "echo"):
            body = b'{"model":"%b","messages":[{"role":"user","content":%b}]}'
            answer = world.post(body % (model.encode(), deep))
            assert answer.status_code in (200, 400), (depth, answer.text)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "must name a model"),
        (" ", "must name a model"),
        ("x" * 10_000, "longer than 250"),
        ("a\nb", "no name has"),
        ("a\x00b", "no name has"),
        ("a\x1b[31mb", "no name has"),
        ("a\u202eb", "no name has"),
        ("a\u2028b", "no name has"),
        ("a\r\nX-Evil: 1", "no name has"),
    ],
)
@pytest.mark.parametrize("param", ["model", "models"])
def test_what_cannot_be_a_models_name_is_named(
    world: World, param: str, name: str, says: str
) -> None:
    body = world.valid(model=name) if param == "model" else world.valid(models=[name])
    error = error_of(world.post(body), 400)
    assert error["param"] == param
    assert says in error["message"]


def test_a_missing_model_is_named(world: World) -> None:
    error = error_of(world.post({"messages": MESSAGES}), 400)
    assert (error["param"], error["message"]) == ("model", "`model` is required.")


def test_missing_messages_are_named(world: World) -> None:
    error = error_of(world.post({"model": world.model}), 400)
    assert (error["param"], error["message"]) == ("messages", "`messages` is required.")


def test_a_message_without_a_role_is_named(world: World) -> None:
    error = error_of(world.post(world.valid(messages=[{"content": "x"}])), 400)
    assert error["param"] == "messages[0].role"


def test_lone_surrogates_are_a_400(world: World) -> None:
    error_of(world.post(b'{"model":"\\ud800","messages":[]}'), 400)
    error_of(world.raw(b'"user":"\\udfff"'), 400)


def test_a_name_in_any_script_is_only_unknown(world: World) -> None:
    error = error_of(world.post(world.valid(model="модель/模型-🤖")), 404)
    assert error["code"] == "model_not_found"


@pytest.mark.parametrize(("param", "value"), WRONG_TYPES, ids=lambda value: str(value)[:30])
def test_a_wrong_type_names_its_parameter(world: World, param: str, value: Any) -> None:
    name, *path = param.replace("[", ".").replace("]", "").split(".")
    rest = {"role": "user"} if name == "messages" else {}
    for step in reversed(path):
        value = [value] if step == "0" else ["a", value] if step == "1" else {**rest, step: value}
    error = error_of(world.post(world.valid(**{name: value})), 400)
    assert error["param"] == param
    assert f"`{param}`" in error["message"]


@pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"+1", b"01"])
def test_numbers_that_are_not_jsons_are_a_400(world: World, value: bytes) -> None:
    for name in (b"temperature", b"max_tokens", b"top_p"):
        error_of(world.raw(b'"%b":%b' % (name, value)), 400)


def test_bytes_that_are_not_utf8_are_a_400(world: World) -> None:
    body = b'{"model":"%b","messages":[{"role":"user","content":"%b"}]}'
    for content in (b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"):
        error = error_of(world.post(body % (world.model.encode(), content)), 400)
        assert "UTF-8" in error["message"]


def test_of_a_key_that_comes_twice_the_last_counts_and_one_is_sent(world: World) -> None:
    world.up.forget()
    body = b'{"model":"no-such","temperature":2,%b,"temperature":1}'
    valid = json.dumps(world.valid()).encode()[1:-1]
    assert world.post(body % valid).status_code == 200
    (seen,) = world.up.requests
    assert seen.body.count(b'"model"') == 1
    assert seen.body.count(b'"temperature"') == 1
    assert seen.fields["temperature"] == 1


def test_what_we_do_not_know_passes_untouched(world: World) -> None:
    world.up.forget()
    members = {
        b'"top_k"': b"40",
        b'"big"': b"123456789012345678901234567890",
        b'"exact"': b"0.1000000000000000000001",
        b'"tiny"': b"1E-400",
        b'"spaced"': b'{ "a" : [ 1 , 2 ] }',
        b'"\\u0061\xc3\xa9"': b'"\\u00e9 \\/ \xf0\x9f\x98\x80"',
        b'"nothing"': b"null",
        b'""': b"false",
    }
    assert world.raw(b",".join(b"%b:%b" % item for item in members.items())).status_code == 200
    (seen,) = world.up.requests
    for value in members.values():
        assert value in seen.body
    assert seen.fields["aé"] == "é / 😀"
    assert seen.fields[""] is False
    assert seen.fields["messages"] == MESSAGES


def test_a_huge_number_in_a_field_of_ours_is_no_500(world: World) -> None:
    for name in (b"seed", b"max_tokens", b"n"):
        assert world.raw(b'"%b":%b' % (name, b"9" * 5000)).status_code == 400
        assert world.raw(b'"%b":%b' % (name, b"9" * 19)).status_code in (200, 400, 402)


def test_the_body_is_json_whatever_its_content_type(world: World) -> None:
    """curl -d says that it sends a form."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "", "application/json; a=b"):
        assert world.post(world.valid(), **{"content-type": kind}).status_code == 200


def test_a_form_is_a_400(world: World) -> None:
    files = {"model": (None, world.model), "file": ("a.txt", b"hi")}
    error_of(world.gateway.http.post("/v1/chat/completions", files=files), 400)


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "deflate, gzip", "nonsense"])
def test_a_compressed_body_is_a_415(world: World, encoding: str) -> None:
    body = gzip.compress(json.dumps(world.valid()).encode())
    error = error_of(world.post(body, **{"content-encoding": encoding}), 415)
    assert error["code"] == "unsupported_media_type"
    assert world.post(world.valid(), **{"content-encoding": "identity"}).status_code == 200
