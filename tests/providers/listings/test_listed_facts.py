"""What else a list says: capabilities, limits, modalities, backends, deprecation."""

from datetime import date

import pytest

from tests.providers.listings.world import of, read, row, sample

TEXT = {"chat", "completions"}
CAPABILITIES = {
    ("huggingface", "openai/gpt-oss-120b"): {"chat"},
    ("huggingface/hub_models", "meta-llama/Llama-3.3-70B-Instruct"): {"chat"},
    ("huggingface/hub_models", "BAAI/bge-small-en-v1.5"): {"embeddings"},
    ("openrouter", "openai/gpt-4o-mini"): TEXT,
    ("featherless", "Qwen/Qwen2.5-72B-Instruct"): TEXT,
    ("fireworks", "accounts/fireworks/models/deepseek-v3p1"): TEXT,
    ("fireworks", "accounts/fireworks/models/flux-1-schnell-fp8"): {"images"},
    ("together", "BAAI/bge-base-en-v1.5"): {"embeddings"},
    ("deepinfra", "black-forest-labs/FLUX-1-schnell"): {"images"},
    ("deepinfra/openai_models", "black-forest-labs/FLUX-1-dev"): set(),
    ("google/native", "gemini-2.5-flash"): {"chat"},
    ("google/native", "text-embedding-004"): {"embeddings"},
    ("novita", "meta-llama/llama-3.1-8b-instruct"): {"chat"},
    ("openai", "text-embedding-3-small"): {"embeddings"},
    ("mistral", "mistral-small-latest"): {"chat"},
    ("mistral", "mistral-embed"): {"embeddings"},
    ("cohere", "embed-v4.0"): {"embeddings"},
    ("hyperbolic", "FLUX.1-dev"): set(),
    ("vercel-ai-gateway", "openai/text-embedding-3-small"): {"embeddings"},
    ("ollama", "nomic-embed-text:latest"): {"embeddings"},
    ("lmstudio", "text-embedding-nomic-embed-text-v1.5"): {"embeddings"},
    ("lmstudio/api_v0", "qwen2.5-7b-instruct"): TEXT,
}
LIMITS = {
    ("huggingface", "deepseek-ai/DeepSeek-V4-Pro"): (1048576, None),
    ("huggingface/hub_models", "meta-llama/Llama-3.3-70B-Instruct"): (131072, None),
    ("openrouter", "openai/gpt-4o-mini"): (128000, 16384),
    ("featherless", "Qwen/Qwen2.5-72B-Instruct"): (32768, 4096),
    ("fireworks/control_plane", "accounts/fireworks/models/deepseek-v3p1"): (163840, None),
    ("deepinfra", "meta-llama/Llama-3.3-70B-Instruct"): (131072, None),
    ("chutes", "deepseek-ai/DeepSeek-V3.1-TEE"): (163840, 65536),
    ("google/native", "gemini-2.5-flash"): (1048576, 65536),
    ("groq", "openai/gpt-oss-120b"): (131072, 65536),
    ("cerebras/public", "gpt-oss-120b"): (131072, 40960),
    ("novita", "deepseek/deepseek-v3.1"): (131072, 32768),
    ("mistral", "mistral-small-latest"): (131072, None),
    ("cohere", "command-a-03-2025"): (256000, None),
    ("near", "openai/gpt-oss-120b"): (131000, None),
    ("vercel-ai-gateway", "anthropic/claude-sonnet-4.5"): (200000, 64000),
    ("vllm", "my-lora"): (None, None),
    ("llamacpp", "qwen2.5-7b-instruct-q4_k_m.gguf"): (8192, None),
    ("llamacpp", "gemma-3-4b-it-q4.gguf"): (None, None),
    ("lmstudio/api_v0", "qwen2.5-7b-instruct"): (32768, None),
}


@pytest.mark.parametrize(("name", "id"), CAPABILITIES)
def test_capabilities_come_from_what_the_list_states(name: str, id: str) -> None:
    assert of(name, id).capabilities == CAPABILITIES[name, id]


@pytest.mark.parametrize(("name", "id"), LIMITS)
def test_limits_are_read_where_each_list_has_them(name: str, id: str) -> None:
    found = of(name, id)
    assert (found.context_length, found.max_output_tokens) == LIMITS[name, id]


def test_fireworks_kind_goes_before_its_flags() -> None:
    listed = {"kind": "EMBEDDING_MODEL", "supports_chat": True}
    assert row("fireworks", listed).capabilities == {"embeddings"}
    listed = {"kind": "HF_BASE_MODEL", "supports_chat": False}
    assert row("fireworks", listed).capabilities == {"completions"}


@pytest.mark.parametrize(
    ("type", "wanted"),
    [
        *(("chat", TEXT), ("language", {"completions"}), ("code", {"completions"})),
        *(
            ("image", {"images"}),
            ("rerank", {"rerank"}),
            ("transcribe", {"audio"}),
            ("video", set()),
        ),
    ],
)
def test_togethers_types(type: str, wanted: set[str]) -> None:
    (found,) = read("together", [{"id": "org/x", "type": type}]).rows
    assert found.capabilities == wanted


@pytest.mark.parametrize(
    ("modality", "wanted"),
    [
        *(("text+image->text", TEXT), ("text->image", {"images"}), ("text->text+image", TEXT)),
        *(("text->embedding", {"embeddings"}), ("text->video", set())),
    ],
)
def test_what_answers_in_text_is_called_for_text(modality: str, wanted: set[str]) -> None:
    found = row("openrouter", {"architecture": {"modality": modality}})
    assert found.capabilities == wanted
    assert found.output_modalities == tuple(modality.split("->")[1].split("+"))


@pytest.mark.parametrize(
    ("id", "wanted"),
    [
        *(("tts-1-hd", {"audio"}), ("x-transcribe", {"audio"}), ("a/rerank-embed", {"rerank"})),
        *(("omni-moderation", {"moderations"}), ("buttson", {"chat"}), ("a-b", {"chat"})),
    ],
)
def test_words_of_the_id_tell_where_nothing_else_does(id: str, wanted: set[str]) -> None:
    assert row("openai", {"id": id}).capabilities == wanted


def test_modalities_come_as_lists_flags_or_arrows() -> None:
    assert of("openrouter", "openai/gpt-4o-mini").input_modalities == ("text", "image")
    assert of("nebius", "deepseek-ai/DeepSeek-V3").output_modalities == ("text",)
    assert of("moonshot", "kimi-latest").input_modalities == ("text", "image")
    assert of("mistral", "mistral-small-latest").input_modalities == ("text", "image")


def test_backends_are_those_that_are_live() -> None:
    assert of("huggingface", "deepseek-ai/DeepSeek-V4-Pro").backends == ("novita", "featherless-ai")
    assert of("huggingface", "openai/gpt-oss-120b").backends == ("cerebras",)
    assert of("huggingface/hub_models", "BAAI/bge-small-en-v1.5").backends == ("hf-inference",)


def test_both_lists_of_hugging_face_name_a_model_alike() -> None:
    for name in ("huggingface", "huggingface/hub_models"):
        for found in sample(name).rows:
            assert found.upstream_id == found.hugging_face_id


def test_the_hubs_mapping_may_be_an_object() -> None:
    mapping = {
        "hf-inference": {"status": "live", "task": "feature-extraction", "providerId": "x"},
        "other": {"status": "staging", "task": "conversational"},
    }
    listed = {"id": "org/x", "inferenceProviderMapping": mapping}
    (found,) = read("huggingface-hub", [listed]).rows
    assert found.backends == ("hf-inference",)
    assert found.tasks == ("feature-extraction",)


def test_a_task_without_an_endpoint_of_ours_is_kept_as_a_task() -> None:
    (found,) = read("huggingface-hub", [{"id": "org/x", "pipeline_tag": "fill-mask"}]).rows
    assert (found.tasks, found.capabilities, found.active) == (("fill-mask",), set(), True)


def test_a_model_that_no_backend_serves_is_not_active() -> None:
    gone = {"providers": [{"provider": "a", "status": "error"}]}
    assert not row("huggingface-router", gone).active
    assert not row("groq", {"active": False}).active
    assert not of("novita", "meta-llama/llama-3.1-8b-instruct").active
    assert of("novita", "deepseek/deepseek-v3.1").active


def test_deprecation_in_each_list_s_words() -> None:
    (found,) = read(
        "deepinfra", [{"model_name": "x", "deprecated": 1767225600, "replaced_by": "y"}]
    ).rows
    assert (found.deprecated_at, found.replaced_by) == (date(2026, 1, 1), "y")
    found = row(
        "mistral",
        {"deprecation": "2026-11-30T12:00:00Z", "deprecation_replacement_model": "newer"},
    )
    assert (found.deprecated, found.deprecated_at) == (True, date(2026, 11, 30))
    assert found.replaced_by == "newer"
    (found,) = read("cohere", {"models": [{"name": "x", "is_deprecated": True}]}).rows
    assert (found.deprecated, found.deprecated_at) == (True, None)
    day = {"year": 2026, "month": 3, "day": 1}
    (found,) = read("fireworks-control", {"models": [{"name": "x", "deprecationDate": day}]}).rows
    assert found.deprecated_at == date(2026, 3, 1)
    assert row("openrouter", {"expiration_date": "2026-12-31"}).deprecated_at == date(2026, 12, 31)
    assert not sample("mistral").rows[0].deprecated


def test_identity_is_what_the_list_states_and_nothing_else() -> None:
    assert of("cerebras/public", "gpt-oss-120b").hugging_face_id == "openai/gpt-oss-120b"
    assert of("openrouter", "openai/gpt-4o-mini").canonical_slug == "openai/gpt-4o-mini"
    assert of("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo").hugging_face_id == ""


def test_a_moment_of_the_request_is_no_date_of_the_model() -> None:
    for name in ("vllm", "llamacpp", "hyperbolic"):
        assert {found.created for found in sample(name).rows} == {None}
    assert of("anthropic", "claude-sonnet-4-5-20250929").created == 1759104000
    assert row("deepinfra-openai", {"created": 0}).created is None


def test_google_s_ids_lose_the_list_s_prefix_and_keep_their_case() -> None:
    assert of("google", "gemini-2.5-pro").name == "Gemini 2.5 Pro"
    assert row("openai", {"id": "Org/NaMe"}).upstream_id == "Org/NaMe"


def test_other_names_of_a_model_are_told() -> None:
    assert of("mistral", "mistral-small-latest").aliases == ("mistral-small-2506",)
    assert of("xai/language_models", "grok-3").aliases == ("grok-3-latest",)


def test_an_aimo_id_names_its_seller() -> None:
    assert of("aimo", "Ab12PubKey:DeepSeek-V3-1").name == "DeepSeek V3.1"
