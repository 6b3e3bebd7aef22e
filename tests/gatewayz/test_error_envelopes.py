"""Every error body that a provider is known to send, through the served gateway."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import openai
import pytest

from tests.upstreams.chat import event
from tests.upstreams.errors import Status, error, shapes
from tests.upstreams.server import Upstream
from tests.upstreams.stream import Sse, Stream
from tests.world.config import unique
from tests.world.gateway import Gateway

TOKEN = "sk-or-v1-0a9b8c7d6e5f4a3b2c1d"
ACCOUNT = "org-Zk29aQw81LmN"
PROJECT = "proj_7Hs82kLq01aB"
WORDS = ("message", "msg", "error", "detail", "faultstring")

BAD_REQUEST = (400, "invalid_request")
TOO_LONG = (400, "context_length_exceeded")
MODERATED = (403, "content_refused")
MISSING = (404, "model_not_available")
UNPROCESSABLE = (422, "unprocessable")
LIMITED = (429, "upstream_rate_limited")
FAILED = (502, "upstream_error")
OURS = (503, "no_provider_available")
OWN_KEY = (*OURS, "The operator's credential at this provider was refused.")
OWN_CREDIT = (*OURS, "The operator's account at this provider is out of credit.")

# Provider, status, name: what the client sees, and words of the provider's that it is told.
EXPECTED: dict[tuple[str, int | str, str], tuple[int, str, str]] = {
    ("huggingface", 400, "model_not_supported"): (*MISSING, "any provider you have enabled"),
    ("huggingface", 400, "provider_not_supported"): (*MISSING, "not supported by provider"),
    ("huggingface", 401, ""): OWN_KEY,
    ("huggingface", 402, ""): OWN_CREDIT,
    ("huggingface", 403, ""): (*MISSING, "unless you accept its license"),
    ("huggingface", 404, ""): (*MISSING, "Model X not found"),
    ("huggingface", 410, ""): (*MISSING, "no longer supported"),
    ("huggingface", 503, ""): (*OURS, "Model X is currently loading"),
    ("openrouter", 402, ""): OWN_CREDIT,
    ("openrouter", "in-stream", ""): (*FAILED, "Provider returned error"),
    ("openrouter", 401, ""): OWN_KEY,
    ("openrouter", 403, ""): (*MODERATED, "Input was flagged by moderation"),
    ("openrouter", 429, ""): (*LIMITED, "Provider returned error"),
    ("fireworks", "4xx", "error"): (*MISSING, "not deployed"),
    ("fireworks", "4xx/5xx", "fault"): (*LIMITED, "Rate limit quota violation"),
    ("together", "4xx", "object"): (*BAD_REQUEST, "Unable to access model"),
    ("together", "4xx", "string"): OWN_KEY,
    ("deepinfra", 422, ""): (*UNPROCESSABLE, "messages: field required"),
    ("deepinfra", "4xx", ""): (*MISSING, "The model is not available"),
    ("google", 400, ""): OWN_KEY,
    ("google", 429, ""): (*LIMITED, "Resource has been exhausted"),
    ("xai", 400, "phrase"): OWN_KEY,
    ("xai", 400, "code"): OWN_KEY,
    ("groq", 429, ""): (*LIMITED, "Please try again in 7s"),
    ("groq", 401, ""): OWN_KEY,
    ("groq", 400, ""): (*BAD_REQUEST, "'logprobs' is unsupported"),
    ("cerebras", 401, ""): OWN_KEY,
    ("novita", 400, ""): (*BAD_REQUEST, "tools is not supported by this model"),
    ("novita", 404, ""): (*MISSING, "Model not found"),
    ("openai", 401, ""): OWN_KEY,
    ("openai", 400, "context_length"): (*TOO_LONG, "maximum context length is 8192 tokens"),
    ("openai", 400, "parameter"): (*BAD_REQUEST, "'temperature' does not support 3"),
    ("openai", 404, ""): (*MISSING, "does not exist"),
    ("openai", 429, "rate_limit"): (*LIMITED, "Rate limit reached for requests"),
    ("openai", 429, "quota"): OWN_CREDIT,
    ("openai", "5xx", ""): (*FAILED, "The server had an error"),
    ("anthropic", 401, ""): OWN_KEY,
    ("anthropic", 529, ""): (*FAILED, "Overloaded"),
    ("anthropic", 400, ""): (*BAD_REQUEST, "max_tokens: Field required"),
    ("anthropic", 429, ""): (*LIMITED, "would exceed your organization's rate limit"),
    ("mistral", 422, ""): (*UNPROCESSABLE, "Extra inputs are not permitted"),
    ("mistral", 401, ""): OWN_KEY,
    ("deepseek", 402, ""): OWN_CREDIT,
    ("cohere", "4xx", ""): OWN_KEY,
    ("perplexity", "4xx", ""): (*MISSING, "Invalid model 'x'"),
    ("moonshot", 401, ""): OWN_KEY,
    ("vllm", 404, "flat"): (*MISSING, "The model `x` does not exist"),
    ("vllm", 404, "nested"): (*MISSING, "The model `x` does not exist"),
    ("llamacpp", 503, ""): (*OURS, "Loading model"),
}
RAISED = {
    400: openai.BadRequestError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
    502: openai.InternalServerError,
    503: openai.InternalServerError,
}


@dataclass
class Case:
    """A body as the provider sends it, or with what must not be told `planted` into its words."""

    provider: str
    status: int | str
    name: str
    body: Any
    planted: bool
    answer: httpx.Response | None = None

    @property
    def key(self) -> tuple[str, int | str, str]:
        return self.provider, self.status, self.name

    @property
    def model(self) -> str:
        way = "planted" if self.planted else "plain"
        words = f"{self.provider} {self.status} {self.name} {way}"
        return "envelope-" + "-".join(words.replace("/", " ").replace("_", " ").split())

    @property
    def response(self) -> httpx.Response:
        assert self.answer is not None
        return self.answer

    def behaviour(self) -> Any:
        if self.status == "in-stream":
            return Sse([event(self.body)])
        return Status(int(str(self.status)[:3].replace("x", "0")), self.body)


def cases() -> list[Case]:
    return [
        Case(provider, row["status"], row.get("name", ""), row["body"], planted)
        for provider, rows in shapes().items()
        for row in rows
        for planted in (False, True)
    ]


def plant(value: Any, text: str, key: str = "") -> Any:
    """Put `text` behind every sentence of a body."""
    if isinstance(value, dict):
        return {name: plant(inner, text, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [plant(inner, text, key) for inner in value]
    return f"{value} {text}" if isinstance(value, str) and key in WORDS else value


@pytest.fixture(scope="module")
def asked(gateway: Gateway) -> Iterator[tuple[Upstream, dict[str, Case]]]:
    """Every body was answered to a request of its own, at a provider of its own."""
    with Upstream() as up:
        every = cases()
        secrets = (
            f"(key {TOKEN} of {ACCOUNT} in {PROJECT}, at {up.url}/chat/completions, "
            f"host 127.0.0.1:{up.port})"
        )
        providers: dict[str, Any] = {}
        models: dict[str, Any] = {}
        for case in every:
            if case.planted:
                case.body = plant(case.body, secrets)
            up.models[case.model] = case.behaviour()
            config = gateway.declared.provider(
                case.model,
                up,
                [case.model],
                name="Acme",
                adapter="anthropic" if case.provider == "anthropic" else "openai",
                credentials=[{"value": TOKEN}],
                headers={"X-Account": ACCOUNT},
            )
            providers |= config["providers"]
            models |= config["models"]
        gateway.apply({"version": 1, "providers": providers, "models": models})
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda case: ask(gateway, case), every))
        yield up, {case.model: case for case in every}


def ask(gateway: Gateway, case: Case) -> None:
    body = {
        "model": case.model,
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": case.status == "in-stream",
    }
    case.answer = gateway.http.post("/v1/chat/completions", json=body)


def test_the_table_has_every_body() -> None:
    assert {case.key for case in cases()} == set(EXPECTED)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.model)
def test_a_providers_error_becomes_ours(asked, case: Case) -> None:
    """Its status, code and words are the same when it also gave away what is not to be told."""
    response = asked[1][case.model].response
    status, code, words = EXPECTED[case.key]
    problem = response.json()["error"]
    assert (response.status_code, problem["code"]) == (status, code)
    assert words in problem["message"]
    assert problem["message"].startswith("Acme: ")
    assert set(problem) == {"message", "type", "param", "code", "request_id", "metadata"}
    assert problem["request_id"] == response.headers["x-request-id"]
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.model)
def test_a_providers_error_tells_no_secret_no_address_and_no_account(asked, case: Case) -> None:
    upstream, answers = asked
    response = answers[case.model].response
    everything = f"{response.headers} {response.text}".lower()
    hidden = [TOKEN, TOKEN[:12], TOKEN[-8:], ACCOUNT, PROJECT, f":{upstream.port}", "127.0.0.1"]
    hidden += ["http://", "https://", "chat/completions", "huggingface.co", "x.ai", "org_01habc"]
    assert [text for text in hidden if text.lower() in everything] == []


@pytest.mark.parametrize("status", sorted(RAISED))
def test_the_openai_client_raises_the_exception_of_the_status(
    asked, gateway: Gateway, status: int
) -> None:
    key = next(key for key, told in EXPECTED.items() if told[0] == status)
    case = next(case for case in cases() if case.key == key)
    with pytest.raises(RAISED[status]) as caught:
        gateway.openai().chat.completions.create(
            model=case.model,
            messages=[{"role": "user", "content": "Hello"}],
            stream=case.status == "in-stream",
        )
    assert caught.value.status_code == status
    assert caught.value.code == EXPECTED[key][1]
    assert caught.value.request_id is not None


def test_a_key_of_ours_that_is_wrong_is_the_only_401(gateway: Gateway) -> None:
    with pytest.raises(openai.AuthenticationError):
        gateway.openai(api_key="gwz_live_wrong").models.with_raw_response.list()
    assert all(told[0] != 401 for told in EXPECTED.values())


def test_the_openai_client_raises_when_a_stream_breaks_off(
    gateway: Gateway, upstream: Upstream
) -> None:
    failed = {"error": {"code": 502, "message": f"The key {TOKEN} is in trouble"}}
    upstream.reply(Stream(stop_after=2, error=failed, gap_s=0.1))
    model = unique("envelope-stream")
    gateway.provider(upstream, [model], credentials=[{"value": "correct-horse-battery"}])
    got: list[str] = []

    def listen() -> None:
        stream = gateway.openai().chat.completions.create(
            model=model, messages=[{"role": "user", "content": "Hello"}], stream=True
        )
        got.extend(chunk.choices[0].delta.content or "" for chunk in stream)

    with pytest.raises(openai.APIError, match="is in trouble") as caught:
        listen()
    assert "".join(got).startswith("Hello")
    assert caught.value.code == "upstream_error"
    assert TOKEN not in json.dumps(caught.value.body)


@pytest.mark.parametrize("adapter", ["openai", "anthropic"])
def test_a_credential_that_looks_like_words_is_not_told_in_a_stream(
    gateway: Gateway, upstream: Upstream, adapter: str
) -> None:
    token = "correct-horse-battery"
    problem = {"type": "api_error", "message": f"the key {token} is in trouble"}
    upstream.reply(Sse([event({"type": "error", "error": problem})]))
    model = unique("envelope-words")
    gateway.provider(upstream, [model], adapter=adapter, credentials=[{"value": token}])
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], "stream": True}
    answer = gateway.http.post("/v1/chat/completions", json=body)
    assert "is in trouble" in answer.json()["error"]["message"]
    assert "horse" not in answer.text


@pytest.mark.parametrize(
    ("provider", "body"),
    [
        ("openai", error("openai", 400, "context_length").body),
        ("anthropic", {"type": "error", "error": {"message": "prompt is too long: 9 > 8 maximum"}}),
        ("vllm", {"object": "error", "message": "maximum context length is 4096 tokens"}),
        ("llama.cpp", {"error": {"message": "no", "type": "exceed_context_size_error"}}),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_request_that_is_too_long_is_told_as_such(
    gateway: Gateway, upstream: Upstream, provider: str, body: Any, streamed: bool
) -> None:
    upstream.reply(Status(400, body))
    model = unique("envelope-long")
    gateway.provider(upstream, [model])
    request = {"model": model, "messages": [{"role": "user", "content": "x"}], "stream": streamed}
    answer = gateway.http.post("/v1/chat/completions", json=request)
    told = (answer.status_code, answer.json()["error"]["code"])
    assert told == (400, "context_length_exceeded")
