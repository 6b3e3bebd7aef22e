"""Hugging Face's suffix rule through the served gateway: appended where it must be, only there."""

import json
import time

import pytest

from tests.gatewayz.conftest import LLAMA, OSS, Town
from tests.world.browser import Browser

RULE = """
    SELECT rule.id FROM providers_rewriterule rule
    JOIN providers_provider provider ON provider.id = rule.provider_id
    WHERE provider.slug = 'huggingface' AND rule.action = 'append_suffix'
"""


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("asked", "goes"),
    [
        (LLAMA, f"{LLAMA}:hf-inference"),
        (f"{LLAMA}:hf-inference", f"{LLAMA}:hf-inference"),
        (f"{LLAMA}:groq", f"{LLAMA}:groq"),
        (f"{LLAMA}:fastest", f"{LLAMA}:fastest"),
        (f"{LLAMA}:cheapest", f"{LLAMA}:cheapest"),
        (f"{LLAMA}:preferred", f"{LLAMA}:preferred"),
        (OSS, OSS),
        (f"{OSS}:novita", f"{OSS}:novita"),
    ],
)
def test_the_suffix_is_appended_where_it_belongs(
    town: Town, asked: str, goes: str, stream: bool
) -> None:
    assert town.sent(asked, stream, provider="hug") == f"{goes} at huggingface"


def test_without_a_pin_a_suffix_still_finds_the_provider_that_reads_it(town: Town) -> None:
    assert town.sent(f"{LLAMA}:fastest") == f"{LLAMA}:fastest at huggingface"


@pytest.mark.parametrize("asked", [f"hf/{LLAMA}", f"hug/{LLAMA}:groq", "town-hf", f"HF/{OSS}"])
def test_the_answers_model_is_what_the_client_asked(town: Town, asked: str) -> None:
    answer = town.ask(asked)
    assert answer.json()["model"] == asked
    assert answer.headers["x-gatewayz-model"] != asked
    lines = town.ask(asked, stream=True).text.splitlines()
    chunks = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    assert len(chunks) >= 4
    assert {chunk["model"] for chunk in chunks} == {asked}
    assert lines[-2] == "data: [DONE]"


def test_the_openai_client_sees_its_own_model_too(town: Town) -> None:
    client, messages = town.gateway.openai(), [{"role": "user", "content": "hi"}]
    whole = client.chat.completions.create(model=f"hf/{LLAMA}", messages=messages)
    assert (whole.model, whole.choices[0].message.content) == (f"hf/{LLAMA}", "One two three")
    with client.chat.completions.create(
        model=f"hf/{LLAMA}", messages=messages, stream=True
    ) as stream:
        assert {chunk.model for chunk in stream} == {f"hf/{LLAMA}"}


@pytest.mark.parametrize("suffix", ["pro", "enterprise"])
@pytest.mark.parametrize("head", ["", "hug/"])
def test_a_suffix_that_nobody_reads_is_refused_before_anything_is_sent(
    town: Town, head: str, suffix: str
) -> None:
    status, error = town.refused(f"{head}{LLAMA}:{suffix}")
    assert (status, error["code"]) == (404, "model_not_found")
    assert error["metadata"]["suggestions"][0] == LLAMA
    assert f"Did you mean {LLAMA}" in error["message"]


def test_a_usage_row_tells_what_was_asked_and_what_was_sent(town: Town) -> None:
    request_id = town.ask(f"hf/{LLAMA}").headers["x-request-id"]
    query = "SELECT asked_model, upstream_id FROM billing_usagerow WHERE request_id = ?"
    until = time.monotonic() + 10
    while not (rows := town.gateway.rows(query, request_id)) and time.monotonic() < until:
        time.sleep(0.1)
    assert rows == [{"asked_model": f"hf/{LLAMA}", "upstream_id": f"{LLAMA}:hf-inference"}]


def test_the_rule_edited_in_the_admin_changes_the_next_request(town: Town) -> None:
    (rule,) = town.gateway.rows(RULE)
    page = f"/admin/providers/rewriterule/{rule['id']}/change/"
    admin = Browser(town.gateway)
    try:
        for stream, value in ((False, ":nebius"), (True, ":novita")):
            assert saved(town, admin, page, value=value)
            assert town.sent(f"hf/{LLAMA}", stream) == f"{LLAMA}{value} at huggingface"
        assert saved(town, admin, page, enabled=None)
        assert town.sent(f"hf/{LLAMA}") == f"{LLAMA} at huggingface"
    finally:
        saved(town, admin, page, value=":hf-inference", enabled="on")
        admin.close()
    assert town.sent(f"hf/{LLAMA}") == f"{LLAMA}:hf-inference at huggingface"


def saved(town: Town, admin: Browser, page: str, **changes: str | None) -> bool:
    """Save the form; whether it is served from within a second."""
    before = town.gateway.revision()
    admin.save(page, **changes)
    town.gateway.settle()
    return town.gateway.revision() != before
