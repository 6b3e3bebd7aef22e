"""What an upstream's error answer means, and what of it may be shown."""

import json
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.envelopes import read_failure
from providers.failures import KINDS

BODIES = json.loads((Path(__file__).parent / "error_bodies.json").read_text())
OWN = ("secret_refused", "out_of_credit")


def read(status, body, headers=None, secrets=()):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_failure(status, headers or {}, body, secrets)


@pytest.mark.parametrize(
    "row", BODIES, ids=[f"{i}-{row['provider']}-{row['status']}" for i, row in enumerate(BODIES)]
)
def test_every_known_body_is_understood(row):
    failure = read(row["status"], row["body"])
    assert failure.kind.name == row["kind"]
    assert failure.status == row["status"]
    assert failure.message
    assert "http" not in failure.message.lower().replace("(http ", "").replace("with http ", "")


@pytest.mark.parametrize("row", [row for row in BODIES if row["kind"] in OWN])
def test_the_operators_trouble_is_not_told_in_the_providers_words(row):
    failure = read(row["status"], row["body"])
    assert failure.message.startswith("The operator's ")
    assert failure.param is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "Too hot"}}, "Too hot"),
        ({"error": "Too hot"}, "Too hot"),
        ([{"error": {"message": "Too hot"}}], "Too hot"),
        ({"message": "Too hot", "type": "x", "param": None, "code": None}, "Too hot"),
        ({"code": "some sentence", "error": "Too hot"}, "Too hot"),
        ({"code": 400, "reason": "R", "message": "Too hot", "metadata": {}}, "Too hot"),
        ({"detail": "Too hot"}, "Too hot"),
        ({"detail": [{"loc": ["body", "n"], "msg": "Too hot"}]}, "n: Too hot"),
        ({"message": {"detail": [{"loc": ["body", "n"], "msg": "Too hot"}]}}, "n: Too hot"),
        ({"message": "Too hot", "id": "7"}, "Too hot"),
        ({"fault": {"faultstring": "Too hot", "detail": {"errorcode": "e"}}}, "Too hot"),
        ({"type": "error", "error": {"type": "x", "message": "Too hot"}}, "Too hot"),
        ({"error": {"message": '{"error": {"message": "Too hot"}}'}}, "Too hot"),
        (b"Too hot", "Too hot"),
        (b'{"error": {"message": "Too hot", "ty', "Too hot"),
        (b'\xef\xbb\xbf{"error": "Too hot"}', "Too hot"),
    ],
)
def test_the_message_is_found_in_every_envelope(body, message):
    failure = read(400, body)
    assert (failure.kind.name, failure.message) == ("bad_request", message)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((301, "foreign"), (400, "bad_request"), (401, "secret_refused"), (402, "out_of_credit")),
        *((403, "secret_refused"), (404, "model_missing"), (405, "bad_request"), (408, "timeout")),
        *(
            (410, "model_missing"),
            (413, "too_large"),
            (422, "unprocessable"),
            (429, "rate_limited"),
        ),
        *((500, "overloaded"), (502, "overloaded"), (503, "unavailable"), (504, "timeout")),
        *((524, "timeout"), (529, "overloaded"), (200, "broken"), (204, "broken"), (0, "broken")),
    ],
)
@pytest.mark.parametrize(
    "body", [b"", b"{", b"\x1f\x8b\x00"], ids=["nothing", "cut short", "garbage"]
)
def test_a_body_without_words_is_judged_by_its_status(status, kind, body):
    assert read(status, body).kind.name == kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((200, "foreign"), (204, "foreign"), (302, "foreign"), (403, "foreign"), (404, "foreign")),
        *((401, "secret_refused"), (413, "too_large"), (429, "rate_limited")),
        *((500, "overloaded"), (502, "overloaded"), (503, "unavailable"), (504, "timeout")),
    ],
)
def test_a_web_page_is_nobodys_answer_where_its_status_says_no_more(status, kind):
    failure = read(status, b"<!DOCTYPE html><p>Bad gateway at 10.0.0.1</p>")
    assert failure.kind.name == kind
    assert "html" not in failure.message.lower()
    assert "10.0.0.1" not in failure.message


def test_plain_text_in_a_200_is_nobodys_answer_and_is_not_quoted():
    failure = read(200, b"upstream connect error or disconnect/reset before headers")
    assert (failure.kind.name, failure.message) == (
        "foreign",
        "The provider's answer could not be read.",
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"message": "Something odd"}}, "overloaded"),
        ({"error": {"code": 1234}}, "overloaded"),
        ({"error": "Something odd"}, "overloaded"),
        ({"error": {}}, "overloaded"),
        ({"error": None}, "broken"),
        ({"choices": None}, "broken"),
    ],
)
def test_an_error_without_a_reason_in_a_200_is_an_overload(body, kind):
    assert read(200, body).kind.name == kind


def test_a_successful_answer_that_is_no_error_is_broken_and_not_quoted():
    failure = read(200, {"message": "a private text", "choices": []})
    assert (failure.kind.name, failure.message) == (
        "broken",
        "The provider's answer could not be read.",
    )


def test_the_parameter_is_named():
    assert read(400, {"error": {"message": "no", "param": "messages.0.content"}}).param == (
        "messages.0.content"
    )
    body = {"detail": [{"loc": ["body", "stream_options", "include_usage"], "msg": "no"}]}
    assert read(422, body).param == "stream_options.include_usage"
    assert read(400, {"error": {"message": "no", "param": "https://x.example/y"}}).param is None


RETRY_INFO = [{"error": {"code": 429, "details": [{"retryDelay": "30s"}]}}]


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"retry-after": "7"}, {}, 7),
        ({"retry-after": "0.5"}, {}, 0.5),
        ({"retry-after": "-7"}, {}, 0),
        ({"retry-after": "nan"}, {}, None),
        ({"retry-after": "inf"}, {}, 3600),
        ({"retry-after": "99999999999"}, {}, 3600),
        ({"retry-after": "soon"}, {}, None),
        (
            {
                "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT",
                "date": "Wed, 21 Oct 2026 07:28:00 GMT",
            },
            {},
            30,
        ),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT"}, {}, 0),
        ({"retry-after-ms": "1500", "retry-after": "2"}, {}, 1.5),
        ({"x-ms-retry-after-ms": "250"}, {}, 0.25),
        ({"ratelimit": '"api";r=0;t=42'}, {}, 42),
        ({}, RETRY_INFO, 30),
        ({"retry-after": "3"}, RETRY_INFO, 3),
        ({"x-ratelimit-reset-tokens": "6m0s"}, {}, 360),
        ({"x-ratelimit-reset-requests": "1h2m3.5s", "x-ratelimit-reset-tokens": "120ms"}, {}, 0.12),
        (
            {
                "x-ratelimit-reset-requests": "2m59.5s",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-tokens": "7.66s",
                "x-ratelimit-remaining-tokens": "90",
            },
            {},
            179.5,
        ),
        ({"x-ratelimit-reset-tokens": "6m0s", "retry-after": "2"}, {}, 2),
        ({}, {}, None),
    ],
)
def test_how_long_to_wait_is_read_wherever_it_is_said(headers, body, seconds):
    assert read(429, body, headers).retry_after_s == pytest.approx(seconds)


def test_the_state_of_a_limit_is_no_wait_when_the_limit_is_not_the_trouble():
    assert read(500, {}, {"ratelimit": '"api";r=9;t=42'}).retry_after_s is None


@pytest.mark.parametrize(("estimated", "seconds"), [(20.0, 20), (0, 1), (1e9, 600), ("nan", None)])
def test_a_loading_model_says_when_it_will_be_there(estimated, seconds):
    for status in (200, 503):
        failure = read(
            status, {"error": "Model X is currently loading", "estimated_time": estimated}
        )
        assert (failure.kind.name, failure.retry_after_s) == ("unavailable", seconds)


KEYS = st.sampled_from(
    [
        *("error", "message", "type", "code", "param", "detail", "fault", "faultstring", "msg"),
        *("loc", "metadata", "details", "retryDelay", "estimated_time", "status", "reason", "raw"),
    ]
)
TEXTS = st.text(max_size=30) | st.sampled_from(
    ["Insufficient Balance", "api_error", "nan", "9" * 99]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "retry-after-ms", "ratelimit", "date", "x-ratelimit-reset-a"]),
    st.text(max_size=40)
    | st.sampled_from(["1h", "t=5", "1e999", "-1", "Wed, 99 Foo 2026 07:28:30"]),
)


@settings(max_examples=150)
@given(st.integers(-1, 1100), HEADERS, JSON.map(json.dumps).map(str.encode) | st.binary())
def test_nothing_is_raised_by_any_answer(status, headers, body):
    failure = read_failure(status, headers, body)
    assert failure.kind in KINDS.values()
    assert 0 < len(failure.message) <= 500
    assert failure.retry_after_s is None or 0 <= failure.retry_after_s <= 3600


@pytest.mark.parametrize(
    "junk", [b"[" * 200_000, b'{"error":' * 50_000, b"9" * 10_000, b'"' * 10_000]
)
def test_deep_and_huge_junk_is_only_junk(junk):
    assert read(500, junk).kind.name == "overloaded"


ALNUM = string.ascii_letters + string.digits
TOKENS = st.text(ALNUM, min_size=20, max_size=48).filter(
    lambda text: any(c.isdigit() for c in text) and any(c.isalpha() for c in text)
)
PLANTED = st.one_of(
    *(TOKENS.map(lambda token, start=start: start + token) for start in ("sk-", "sk-proj-", "hf_")),
    *(TOKENS.map(lambda token, start=start: start + token) for start in ("gsk_", "AIza", "xai-")),
    *(TOKENS.map(lambda token, start=start: start + token) for start in ("org-", "proj_", "acct_")),
    TOKENS.map(lambda token: f"user-{token}"),
    TOKENS.map(lambda token: f"https://{token}.example.com/v1"),
    TOKENS.map(lambda token: f"{token}.internal:8080"),
    TOKENS.map(lambda token: f"{token}@corp.example.com"),
    st.integers(24, 64).flatmap(
        lambda size: st.text("0123456789abcdef", min_size=size, max_size=size)
    ),
    st.uuids().map(str),
    st.ip_addresses().map(str).filter(lambda address: len(address) > 6),
)


def plant(value, found):
    """Put the planted text behind some word in every string of `value`."""
    if isinstance(value, dict):
        return {key: plant(inner, found) for key, inner in value.items()}
    if isinstance(value, list):
        return [plant(inner, found) for inner in value]
    return f"{value} {found}" if isinstance(value, str) else value


@settings(max_examples=300)
@given(st.sampled_from(BODIES), st.sampled_from(range(200, 600)), PLANTED, JSON)
def test_nothing_planted_leaks(row, status, found, extra):
    body = plant({"error": row["body"], "detail": extra, "param": found}, found)
    for answer in (json.dumps(body).encode(), f"It failed: {found}, sorry".encode()):
        failure = read_failure(status, {}, answer)
        assert found not in failure.message
        assert failure.param is None or found not in failure.param


@settings(max_examples=200)
@given(
    st.sampled_from(BODIES),
    st.text(ALNUM + "-_.", min_size=12, max_size=60),
    st.sampled_from(["{0}", "({0})", "key={0}", "{0}.", "x{0}y", "'{0}'"]),
)
def test_our_own_secret_leaks_neither_whole_nor_in_part(row, secret, frame):
    for part in (secret, secret[:8], secret[-8:], secret[2:11], secret.upper()):
        body = plant(row["body"], frame.format(part))
        if part in read(400, row["body"]).message:
            continue  # a word that the provider says anyway
        assert part not in read_failure(400, {}, json.dumps(body).encode(), [secret]).message
