"""The names that clients use, through the served gateway."""

import json

import pytest

from tests.gatewayz.conftest import ARCH, LLAMA, OSS, PROVIDERS, Town
from tests.upstreams.errors import error

HF = f"{LLAMA}:hf-inference at huggingface"
GROQ = "llama-3.3-70b-versatile at groq"


@pytest.mark.parametrize(
    ("asked", "fields", "place"),
    [
        *[(f"{head}/{LLAMA}", {}, HF) for head in ("hug", "hf", "huggingface", "HUGGINGFACE")],
        *[(LLAMA, {"provider": name}, HF) for name in ("hug", "HF", "hugging_face")],
        (f"hf/{LLAMA}", {"provider": "huggingface"}, HF),
        ("town-llama", {}, GROQ),
        ("town-llama", {"provider": "hug"}, HF),
        ("town-hf", {}, HF),
        ("Town-HF:nitro", {}, HF),
        ("town-floor", {}, HF),
        (f"{LLAMA}:floor", {}, HF),
        (f"groq/{LLAMA}:floor", {}, GROQ),
        (f"{LLAMA}:nitro", {}, GROQ),
        ("qwen3:14b", {}, "qwen3:14b at ollama"),
        ("qwen3:14b:floor", {}, "qwen3:14b at ollama"),
        ("ollama/qwen3:0.6b", {}, "qwen3:0.6b at ollama"),
        ("Town/Twin", {}, "upper at groq"),
        ("town/twin", {}, "lower at groq"),
        ("TOWN/GPT", {}, "gpt-4o at openai"),
        (OSS, {}, f"{OSS} at groq"),
        (f"groq/{OSS}", {}, f"{OSS} at groq"),
        (OSS, {"provider": "hug"}, f"{OSS} at huggingface"),
        ("openai/town/gpt", {}, "gpt-4o at openai"),
        ("gpt-4o", {"provider": "openai"}, "gpt-4o at openai"),
        ("llama-3.3-70b-versatile", {"provider": "groq"}, GROQ),
        ("new/model", {"provider": "hf"}, "new/model at huggingface"),
        ("nobody", {"models": ["nothing", "town-hf"]}, HF),
        (LLAMA, {"provider": {"order": ["hug"]}}, HF),
        (LLAMA, {"provider": {"only": ["HF", "openai"]}}, HF),
        (LLAMA, {"provider": {"ignore": ["groq"]}}, HF),
        (LLAMA, {"provider": {"sort": "price"}}, HF),
        (LLAMA, {"provider": {"max_price": {"completion": 1}}}, HF),
        (LLAMA, {"provider": {"max_price": {"prompt": "0.6"}, "order": ["hf"]}}, GROQ),
    ],
)
def test_a_name_goes_where_it_says(town: Town, asked: str, fields: dict, place: str) -> None:
    assert town.sent(asked, **fields) == place


def test_our_own_fields_stay_here(town: Town) -> None:
    town.sent("town-llama", provider={"order": ["hug"]}, models=["town/gpt"], custom=1)
    ((_, seen),) = town.seen()
    assert "provider" not in seen.fields
    assert "models" not in seen.fields
    assert seen.fields["custom"] == 1


def test_a_fallback_list_goes_on_where_the_first_fails(town: Town) -> None:
    groq = town.upstreams["groq"]
    before, groq.otherwise = groq.otherwise, error("llamacpp", 503)
    try:
        answer = town.ask("Town/Twin", models=["Town/Twin", "town/twin", "town/gpt"])
    finally:
        groq.otherwise = before
    assert answer.headers["x-gatewayz-provider"] == "openai"
    assert answer.headers["x-gatewayz-attempts"] == "3", "the first is not tried twice"
    assert answer.json()["model"] == "town/gpt"


@pytest.mark.parametrize(
    "wish", ["hugs", {"only": ["hugs"]}, {"order": ["hf", "hugs"]}, {"ignore": ["hugs"]}]
)
def test_an_unknown_provider_is_never_a_default(town: Town, wish: object) -> None:
    status, problem = town.refused(LLAMA, provider=wish)
    assert (status, problem["code"], problem["param"]) == (400, "unknown_provider", "provider")
    assert set(PROVIDERS) <= set(problem["metadata"]["valid"])
    assert "huggingface" in problem["message"]


@pytest.mark.parametrize(
    ("wish", "named"),
    [
        ({"require_parameters": True}, "require_parameters"),
        ({"quantizations": ["fp8"]}, "quantizations"),
        ({"only": "hf"}, "provider.only"),
        ({"sort": "exacto"}, "provider.sort"),
        ({"max_price": {"image": 1}}, "no 'image'"),
        ({"max_price": {"prompt": "cheap"}}, "provider.max_price.prompt"),
        (["hf"], "provider"),
        (7, "provider"),
    ],
)
def test_a_wish_that_we_do_not_keep_is_refused_by_name(
    town: Town, wish: object, named: str
) -> None:
    status, problem = town.refused(LLAMA, provider=wish)
    assert (status, problem["code"]) == (400, "invalid_request")
    assert named in problem["message"]


@pytest.mark.parametrize(
    ("asked", "suggested"),
    [
        ("TOWN/TWIN", {"Town/Twin", "town/twin"}),
        ("Llama-3.3-70B-Instruct", {LLAMA}),
        ("meta-llama/Lama-3.3-70b-instruct", {LLAMA}),
        ("qwen3", {"qwen3:14b"}),
        (f"{LLAMA}:14b", {LLAMA}),
    ],
)
def test_a_name_that_nobody_has_meets_suggestions(
    town: Town, asked: str, suggested: set[str]
) -> None:
    status, problem = town.refused(asked)
    assert (status, problem["code"], problem["param"]) == (404, "model_not_found", "model")
    assert suggested <= set(problem["metadata"]["suggestions"])
    assert "/v1/models" in problem["message"]


def test_aliases_that_point_at_each_other_are_a_name_that_nobody_has(town: Town) -> None:
    for name in ("town-ping", "town-pong:floor", "groq/town-ping"):
        status, problem = town.refused(name)
        assert (status, problem["code"]) == (404, "model_not_found")


def test_a_blocked_model_tells_why_and_what_else_there_is(town: Town) -> None:
    for name in (ARCH, f"hug/{ARCH}", f"{ARCH}:groq", ARCH.upper(), "hf/katanemo/other:fastest"):
        status, problem = town.refused(name)
        assert (status, problem["code"]) == (404, "model_not_available")
        assert problem["metadata"]["reason"] == "blocked: router model, not chat"
        assert problem["metadata"]["list"] == "/v1/models"


def test_a_model_that_is_elsewhere_names_where(town: Town) -> None:
    for name, fields in (("town/gpt", {"provider": "groq"}), ("groq/town/gpt", {})):
        status, problem = town.refused(name, **fields)
        assert (status, problem["code"]) == (404, "model_not_available")
        assert problem["metadata"]["alternatives"] == ["openai"]
        assert "groq does not serve it" in problem["message"]


def test_a_key_may_use_only_what_it_was_given(town: Town) -> None:
    key = town.gateway.issue_key("tests", "1", "--name", "narrow")
    allow(town, key, ["town/*", LLAMA], ["huggingface", "openai"])
    assert town.sent("town/gpt", key=key) == "gpt-4o at openai"
    assert town.sent(LLAMA, key=key) == HF
    for name in (OSS, "Town/Twin", f"groq/{LLAMA}", "qwen3:14b", "hf/new/model"):
        status, problem = town.refused(name, key=key)
        assert (status, problem["code"]) == (403, "model_not_allowed"), name
    headers = {"Authorization": f"Bearer {key}"}
    listed = town.gateway.http.get("/v1/models", headers=headers).json()["data"]
    assert [row["id"] for row in listed] == [LLAMA, "town/gpt"]
    assert listed[0]["gateways"] == ["huggingface"]


def allow(town: Town, key: str, models: list[str], providers: list[str]) -> None:
    """Change the key's row as an admin would; return once it is served."""
    code = (
        "from billing.models import ApiKey\n"
        f"row = ApiKey.objects.get(public_id={key.split('_')[2]!r})\n"
        f"row.allowed_models, row.allowed_providers = {models!r}, {providers!r}\n"
        "row.save()"
    )
    town.gateway.manage("shell", "-c", code)
    town.gateway.settle()


EXPLAINED = [
    (LLAMA, ""),
    (LLAMA, "hug"),
    (f"{LLAMA}:groq", ""),
    (f"{LLAMA}:floor", ""),
    (f"hf/{OSS}", ""),
    (OSS, ""),
    (f"groq/{OSS}", ""),
    ("town-hf", ""),
    ("TOWN-FLOOR", ""),
    ("qwen3:14b", ""),
    ("llama-3.3-70b-versatile", "groq"),
    ("ollama/phi4:latest", ""),
    ("echo", ""),
    (ARCH, ""),
    ("town-ping", ""),
    ("TOWN/TWIN", ""),
    (LLAMA, "nobody"),
    ("groq/town/gpt", ""),
]


@pytest.mark.parametrize(("name", "provider"), EXPLAINED)
def test_the_explain_command_tells_what_the_request_does(
    town: Town, name: str, provider: str
) -> None:
    pin = ["--provider", provider] if provider else []
    story = json.loads(town.gateway.manage("explain", name, "--json", *pin))
    answer = town.ask(name, **({"provider": provider} if provider else {}))
    if story["error"]:
        problem = answer.json()["error"]
        said = (story["error"]["status"], story["error"]["code"], story["error"]["message"])
        assert (answer.status_code, problem["code"], problem["message"]) == said
        assert not story["routes"]
    else:
        first = story["routes"][0]
        assert answer.headers["x-gatewayz-provider"] == first["provider"]
        assert answer.headers["x-gatewayz-model"] == first["upstream_id"]
