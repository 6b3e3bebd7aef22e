"""A provider's text keeps its words and loses addresses, secrets and accounts."""

import time

import pytest

from providers.cleaning import clean

SECRET = "sk-proj-AbCdEf1234567890QwErTyUiOp"


@pytest.mark.parametrize(
    "text",
    [
        "The model meta-llama/Llama-3.3-70B-Instruct-Turbo does not exist.",
        "accounts/fireworks/models/llama4-maverick-instruct-basic is not deployed",
        "NousResearch/Hermes-3-Llama-3.1-405B-FP8-Dynamic-W8A8-GPTQ-Int4 is loading",
        "qwen3:14b, @cf/meta/llama-3.1-8b-instruct, claude-sonnet-4@20250514, x:hf-inference",
        "mistral.mistral-large-2402-v1:0 and black-forest-labs/FLUX.1-schnell",
        "Kimi-K2.5, GLM-4.6V, Qwen2.5-VL-72B-Instruct: no",
        "messages.0.content: field required; tools[0].function.name; response_format.json_schema",
        "This model's maximum context length is 8192 tokens (8000 in the messages, 192 asked).",
        "Limit 6000, Used 5000, Requested 2000. Please try again in 9.2s. max_tokens:4096",
        "A user-defined and/or account-level rule: your account balance, e.g. user_id at 12:30:45",
        "ServiceUnavailableErrorException",
        "Das Modell lädt gerade … 模型正在加载",
    ],
)
def test_words_and_model_names_stay(text):
    assert clean(text, [SECRET]) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("see https://console.x.ai/team/42?a=b for more", "see … for more"),
        ("at 10.0.0.3:8000 now", "at … now"),
        ("at [fe80::1]:80 or ::1 now", "at … or … now"),
        ("backend:8080 is down", "… is down"),
        ("no vllm.prod.svc.cluster.local:8000/v1 here", "no … here"),
        ("localhost:11434/api refused", "… refused"),
        ("reading /srv/models/foo.gguf failed", "reading … failed"),
        ("write to joe.doe+x@corp.example.com please", "write to … please"),
        ("Bearer abc.def-1 was sent", "Bearer … was sent"),
        ("x-api-key: whatever", "x-api-key: …"),
        ("key AIzaSyA1234567890, gsk_abc123, xai-999aaaa", "key …, …, …"),
        ("provided: xa***ey given", "provided: … given"),
        ("hash deadbeefdeadbeefdeadbeef12", "hash …"),
        ("in organization `org_01hxyz8rtyz2b3c4d5` on", "in organization `…` on"),
        ("account 123456789 is closed", "account … is closed"),
        ("project 'my proj' and projects/foo-bar/locations", "project … and projects/…/locations"),
        ("(request id: 20251101abc)", "(request id: …)"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "…"),
        ("key sk-pr...iOp, ending in UiOp, or 1234567890Q", "key …, ending in …, or …"),
        ("two\r\n\tlines\x00and\u200b more", "two lines and more"),
    ],
)
def test_what_tells_of_the_operator_goes(text, left):
    assert clean(text, [SECRET]) == left


def test_a_long_text_is_cut():
    text = clean("word " * 1000)
    assert len(text) <= 500
    assert text.endswith("word…")


def test_a_text_that_no_encoding_takes_is_mended():
    assert clean("a \ud800 b") == "a ? b"


@pytest.mark.parametrize(
    "unit", ["a", "a.", "a-", ":", "1.", "/a", "*", "a@", "=", "…", "0", "A1b"]
)
def test_hostile_repetition_costs_little(unit):
    began = time.process_time()
    clean(unit * 100_000, [SECRET])
    assert time.process_time() - began < 0.2
