"""Each preset has its provider's manners."""

import httpx

from tests.upstreams import presets
from tests.upstreams.chat import ToolCall
from tests.upstreams.messages import Messages


def ask(up, path="chat/completions", headers=None, **fields):
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields}
    return httpx.post(f"{up.url}/{path}", json=body, headers=headers)


def test_hugging_face_serves_hf_inference_for_some_models_only(upstream):
    presets.hugging_face(upstream, hf_inference={"katanemo/Arch-Router-1.5B"})
    refused = ask(upstream, model="meta/Llama:hf-inference")
    assert refused.json() == {"error": "Model not supported by provider hf-inference"}
    for model in (
        "katanemo/Arch-Router-1.5B:hf-inference",
        "meta/Llama:groq",
        "meta/Llama:fastest",
    ):
        assert ask(upstream, model=model).json()["model"] == model
    assert ask(upstream, model="meta/Llama:pro").json()["error"]["code"] == "model_not_supported"


def test_groq_refuses_what_it_does_not_know(upstream):
    presets.groq(upstream)
    named = [{"role": "user", "name": "ann", "content": "hi"}]
    for fields in ({"logprobs": True}, {"logit_bias": {"1": 1}}, {"n": 2}, {"messages": named}):
        assert ask(upstream, **fields).status_code == 400
    assert ask(upstream, n=1).status_code == 200


def test_mistral_refuses_stream_options_and_sends_usage_all_the_same(upstream):
    presets.mistral(upstream)
    refused = ask(upstream, stream=True, stream_options={"include_usage": True})
    assert refused.status_code == 422
    assert refused.json()["message"]["detail"][0]["loc"] == ["body", "stream_options"]
    assert '"prompt_tokens": 9' in ask(upstream, stream=True).text


def test_openrouter_comments_between_events(upstream):
    presets.openrouter(upstream)
    text = ask(upstream, stream=True).text
    assert text.startswith(": OPENROUTER PROCESSING\n\n")
    assert '"provider": "DeepInfra"' in text


def test_perplexity_ends_without_done(upstream):
    presets.perplexity(upstream)
    text = ask(upstream, stream=True).text
    assert "[DONE]" not in text
    assert text.count("citations") == text.count("total_tokens") == 4


def test_google_and_xai_answer_a_bad_key_with_400(upstream):
    upstream.token = "right"
    presets.google(upstream)
    assert ask(upstream).json()[0]["error"]["status"] == "INVALID_ARGUMENT"
    presets.xai(upstream)
    assert isinstance(ask(upstream).json()["error"], str)


CLAUDE = {"x-api-key": "k", "anthropic-version": "2023-06-01"}


def test_anthropic_wants_its_headers_and_max_tokens(upstream):
    presets.anthropic(upstream)
    assert ask(upstream, "messages", max_tokens=5).status_code == 400
    assert ask(upstream, "messages", CLAUDE).json()["error"]["type"] == "invalid_request_error"
    answer = ask(upstream, "messages", CLAUDE, max_tokens=5).json()
    assert answer["content"] == [{"type": "text", "text": "Hello there"}]
    assert answer["usage"]["output_tokens"] == 12


def test_anthropic_streams_blocks_as_named_events(upstream):
    presets.anthropic(upstream)
    upstream.reply(Messages(thinking="hm", tool_calls=[ToolCall("weather", '{"city": "Bonn"}')]))
    text = ask(upstream, "messages", CLAUDE, max_tokens=5, stream=True).text
    names = [line[7:] for line in text.splitlines() if line.startswith("event: ")]
    assert names[0] == "message_start"
    assert names[-2:] == ["message_delta", "message_stop"]
    assert names.count("content_block_start") == names.count("content_block_stop") == 3
    assert "input_json_delta" in text
