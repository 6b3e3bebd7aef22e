"""One contract per provider: from its own shape to USD per token, exact."""

from dataclasses import asdict
from decimal import Decimal

import pytest

from providers.listings.values import UNKNOWN, ListedPrice, ListedTier
from tests.providers.listings.world import SAMPLES, of, read, row, sample

LLAMA = "meta-llama/Llama-3.3-70B-Instruct"
CONTRACTS = {
    ("huggingface", "deepseek-ai/DeepSeek-V4-Pro"): {"input": "0.00000169", "output": "0.00000338"},
    ("huggingface/hub_models", LLAMA): {"input": "8.8E-7", "output": "8.8E-7"},
    ("openrouter", "openai/gpt-4o-mini"): {
        **{"input": "0.00000015", "output": "0.0000006", "cached_input": "0.000000075"},
        **{"image": "0.000217", "request": "0", "web_search": "0"},
    },
    ("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo"): {
        "input": "8.8E-7",
        "output": "8.8E-7",
    },
    ("together", "BAAI/bge-base-en-v1.5"): {"input": "8E-9", "output": "0"},
    ("deepinfra", LLAMA): {"input": "2.3E-7", "output": "4E-7"},
    ("deepinfra", "black-forest-labs/FLUX-1-schnell"): {"image": "0.0005"},
    ("deepinfra/openai_models", "deepseek-ai/DeepSeek-V3.1"): {
        **{"input": "2.5E-7", "output": "9.5E-7", "cached_input": "1.3E-7"},
    },
    ("chutes", "deepseek-ai/DeepSeek-V3.1-TEE"): {
        **{"input": "2E-7", "output": "8E-7", "cached_input": "1E-7"},
    },
    ("xai/language_models", "grok-3"): {
        **{"input": "0.000003", "output": "0.000015", "cached_input": "7.5E-7"},
        **{"web_search": "0.025"},
    },
    ("nebius", "deepseek-ai/DeepSeek-V3"): {
        **{"input": "5E-7", "output": "0.0000015", "image": "0", "request": "0"},
    },
    ("cerebras/public", "gpt-oss-120b"): {"input": "3.5E-7", "output": "7.5E-7"},
    ("novita", "deepseek/deepseek-v3.1"): {"input": "2.7E-7", "output": "0.000001"},
    ("sambanova", "DeepSeek-V3.1"): {"input": "0.000003", "output": "0.0000045"},
    ("hyperbolic", LLAMA): {"input": "4E-7", "output": "4E-7"},
    ("near", "deepseek-ai/DeepSeek-V3.1"): {"input": "0.000001", "output": "0.0000025"},
    ("near", "openai/gpt-oss-120b"): {"input": "1.5E-7", "output": "5.5E-7"},
    ("vercel-ai-gateway", "anthropic/claude-sonnet-4.5"): {
        "input": "0.000003",
        "output": "0.000015",
    },
    ("vercel-ai-gateway", "openai/text-embedding-3-small"): {"input": "2E-8"},
}
UNPRICED = (
    *("portkey", "featherless", "fireworks", "fireworks/control_plane", "google", "google/native"),
    *(
        "xai",
        "groq",
        "cerebras",
        "openai",
        "anthropic",
        "mistral",
        "deepseek",
        "cohere",
        "moonshot",
    ),
    *("perplexity", "helicone", "aihubmix", "anannas", "alibaba", "zai", "minimax", "aimo"),
    *("vllm", "ollama", "ollama/tags", "llamacpp", "lmstudio", "lmstudio/api_v0"),
)


def known(price: ListedPrice) -> dict[str, Decimal]:
    return {name: value for name, value in asdict(price).items() if value not in (None, ())}


@pytest.mark.parametrize(("name", "id"), CONTRACTS)
def test_a_price_is_usd_per_token(name: str, id: str) -> None:
    wanted = {key: Decimal(value) for key, value in CONTRACTS[name, id].items()}
    assert known(of(name, id).price) == wanted


@pytest.mark.parametrize("name", UNPRICED)
def test_a_list_without_prices_leaves_them_unknown(name: str) -> None:
    assert {row.price for row in sample(name).rows} == {UNKNOWN}


def test_every_provider_has_a_contract() -> None:
    assert {name for name, _ in CONTRACTS} | set(UNPRICED) == set(SAMPLES)


@pytest.mark.parametrize(
    ("parser", "listed"),
    [
        ("chutes", {"pricing": {"prompt": 0.2, "completion": 0.8}}),
        ("openrouter", {"pricing": {"prompt": "0.0000002", "completion": "0.0000008"}}),
        ("vercel", {"pricing": {"input": "0.0000002", "output": "0.0000008"}}),
        ("featherless", {"pricing": {"input": 0.2, "output": 0.8}}),
        ("featherless", {"pricing": {"prompt": "2e-7", "completion": "8E-7"}}),
        ("novita", {"input_token_price_per_m": 2000, "output_token_price_per_m": 8000}),
        (
            "novita",
            {
                "input_token_price_per_m": 1,
                "pricing": {
                    "prompt": {"price_per_m": 2000, "price_per_m_decimal": "0.2"},
                    "completion": {"price_per_m_decimal": "0.8"},
                },
            },
        ),
    ],
)
def test_the_same_price_in_every_unit_is_the_same(parser: str, listed: dict[str, object]) -> None:
    price = row(parser, listed).price
    assert (price.input, price.output) == (Decimal("2E-7"), Decimal("8E-7"))


@pytest.mark.parametrize("scale", [9, -9])
def test_nears_scale_is_read_whatever_its_sign(scale: int) -> None:
    cost = {"amount": 150, "scale": scale, "currency": "USD"}
    (found,) = read("near", {"models": [{"modelId": "x", "inputCostPerToken": cost}]}).rows
    assert found.price.input == Decimal("0.00000015")


def test_nears_price_in_another_currency_is_refused() -> None:
    cost = {"amount": 150, "scale": 9, "currency": "EUR"}
    page = read("near", {"models": [{"modelId": "x", "inputCostPerToken": cost}]})
    assert page.rows[0].price == UNKNOWN
    assert page.refused[0].upstream_id == "x"


def test_digits_beyond_a_floats_are_kept() -> None:
    body = b'{"data": [{"id": "x", "pricing": {"prompt": 0.30000000000000000000000000000004}}]}'
    (found,) = read("chutes", body).rows
    assert found.price.input == Decimal("3.0000000000000000000000000000004E-7")


def test_minus_one_is_unknown_and_nothing_to_report() -> None:
    page = sample("openrouter")
    assert page.rows[1].price == UNKNOWN
    assert not page.refused
    assert row("openrouter", {"pricing": {"prompt": -1, "completion": "-1.0"}}).price == UNKNOWN


def test_zero_is_free() -> None:
    price = row("openrouter", {"pricing": {"prompt": "0", "completion": 0}}).price
    assert (price.input, price.output) == (0, 0)


@pytest.mark.parametrize(
    "listed",
    [
        {"type": "image", "pricing": {"hourly": 0, "input": 0, "output": 0}},
        {"type": "audio", "pricing": {"hourly": 0, "input": 0, "output": 0}},
        {"type": "chat", "pricing": {"hourly": 1.5, "input": 0, "output": 0}},
    ],
)
def test_zeros_of_what_is_not_sold_by_the_token_are_not_free(listed: dict[str, object]) -> None:
    (found,) = read("together", [{"id": "org/x", **listed}]).rows
    assert found.price == UNKNOWN


def test_a_zero_for_cached_tokens_beside_a_price_is_not_free() -> None:
    pricing = {"prompt": "0.000001", "input_cache_read": "0", "internal_reasoning": "0"}
    price = row("openrouter", {"pricing": pricing}).price
    assert (price.input, price.cached_input, price.reasoning) == (Decimal("0.000001"), None, None)


def test_deepinfras_cached_prices_are_parts_of_the_input_price() -> None:
    pricing = {
        **{"type": "tokens", "cents_per_input_token": 1.4e-05, "cents_per_output_token": 5.8e-05},
        **{"rate_per_input_token_cached": 0.25, "rate_per_input_token_cache_write": None},
    }
    (found,) = read("deepinfra", [{"model_name": "x", "pricing": pricing}]).rows
    assert found.price.cached_input == Decimal("3.5E-8")
    assert found.price.cache_write is None


def test_deepinfras_price_by_time_is_per_second() -> None:
    pricing = {"type": "time", "cents_per_sec": 0.0005}
    listed = {"model_name": "x", "type": "automatic-speech-recognition", "pricing": pricing}
    (found,) = read("deepinfra", [listed]).rows
    assert known(found.price) == {"second": Decimal("0.000005")}


@pytest.mark.parametrize("wrong", ["0.2", "0.0000000001", "-0.5", "1e300"])
def test_a_price_outside_the_band_is_reported_and_not_stored(wrong: str) -> None:
    pricing = {"prompt": wrong, "completion": "0.000001"}
    answer = {"data": [{"id": "org/x", "context_length": 8192, "pricing": pricing}]}
    page = read("openrouter", answer)
    assert (page.rows[0].price, page.rows[0].context_length) == (UNKNOWN, 8192)
    (refused,) = page.refused
    assert refused.upstream_id == "org/x"
    assert refused.reason.startswith("price input: ")
    assert refused.landed


def test_a_wrong_price_of_something_extra_leaves_the_others() -> None:
    pricing = {"prompt": "0.000001", "completion": "0.000002", "image": "5000"}
    page = read("openrouter", {"data": [{"id": "org/x", "pricing": pricing}]})
    assert known(page.rows[0].price) == {"input": Decimal("1E-6"), "output": Decimal("2E-6")}
    assert page.refused[0].reason == "price image: 5000 USD each is outside 0 to 1000"


@pytest.mark.parametrize("edge", ["0.001", "1000"])
def test_the_edges_of_the_band_are_prices(edge: str) -> None:
    price = row("chutes", {"pricing": {"prompt": edge, "completion": edge}}).price
    assert price.input == Decimal(edge) / 1_000_000


@pytest.mark.parametrize("wrong", ["free", "$1", "1_000", "NaN", "Infinity", True, [1], {}, "١"])
def test_what_is_no_number_is_no_price(wrong: object) -> None:
    page = read("chutes", {"data": [{"id": "x", "pricing": {"prompt": wrong, "completion": 1}}]})
    assert page.rows[0].price.input is None
    assert "is no price" in page.refused[0].reason


def test_a_list_whose_unit_is_not_stated_has_no_prices() -> None:
    listed = {"pricing": {"prompt": 0.2, "completion": 0.8}}
    assert row("openai", listed).price == UNKNOWN
    price = row("openai", listed, price_unit="usd_per_million_tokens").price
    assert (price.input, price.output) == (Decimal("2E-7"), Decimal("8E-7"))


def test_nears_other_list_is_read_with_its_unit_stated() -> None:
    listed = {"pricing": {"input": 0.15, "output": "0.55"}}
    price = row("openai", listed, price_unit="usd_per_million_tokens").price
    assert (price.input, price.output) == (Decimal("1.5E-7"), Decimal("5.5E-7"))


def test_aimos_unit_must_be_stated() -> None:
    seller = {"id": "Key", "pricing": {"prompt": "0.000002", "completion": "0.000004"}}
    answer = {"data": [{"name": "x", "providers": [seller]}]}
    assert read("aimo", answer).rows[0].price == UNKNOWN
    price = read("aimo", answer, price_unit="usd_per_token").rows[0].price
    assert price.input == Decimal("0.000002")


def routed(*providers: dict[str, object]) -> ListedPrice:
    return row("huggingface-router", {"providers": list(providers)}).price


def test_the_price_over_several_backends_is_the_dearest_live_one() -> None:
    price = routed(
        {"provider": "a", "status": "live", "pricing": {"input": 1, "output": 4}},
        {"provider": "b", "status": "live", "pricing": {"input": 2, "output": 3}},
        {"provider": "c", "status": "error", "pricing": {"input": 9, "output": 9}},
        {"provider": "d", "status": "live"},
    )
    assert (price.input, price.output) == (Decimal("2E-6"), Decimal("4E-6"))


def test_an_outage_of_all_backends_is_no_change_of_price() -> None:
    assert routed({"provider": "a", "status": "error", "pricing": {"input": 1}}).input == Decimal(
        "1E-6"
    )


def test_a_backend_that_is_free_is_free_when_it_is_the_only_one() -> None:
    assert routed({"provider": "a", "status": "live", "is_free": True}).input == 0
    priced = {"provider": "b", "status": "live", "pricing": {"input": 1, "output": 1}}
    free = {"provider": "a", "status": "live", "is_free": True}
    assert routed(free, priced).input == Decimal("1E-6")


CLAUDE = {
    **{"prompt": "0.000003", "completion": "0.000015", "input_cache_read": "0.0000003"},
    **{"input_cache_write": "0.00000375", "input_cache_write_1h": "0.000006"},
    **{"audio": "0.00004", "audio_output": "0.00008", "image_token": "0.000003"},
    **{"image_output": "0.00003", "request": "0.001", "web_search": "0.01"},
}


def test_openrouters_other_prices_are_read() -> None:
    found = known(row("openrouter", {"pricing": CLAUDE}).price)
    assert found["cache_write"] == Decimal("0.00000375")
    assert found["cache_write_1h"] == Decimal("0.000006")
    assert (found["audio_input"], found["audio_output"]) == (Decimal("4E-5"), Decimal("8E-5"))
    assert (found["image_input"], found["image_output"]) == (Decimal("3E-6"), Decimal("3E-5"))
    assert (found["request"], found["web_search"]) == (Decimal("0.001"), Decimal("0.01"))


def overridden(*overrides: object) -> tuple[ListedPrice, list[str]]:
    pricing = {**CLAUDE, "overrides": list(overrides)}
    page = read("openrouter", {"data": [{"id": "org/x", "pricing": pricing}]})
    return page.rows[0].price, [refused.reason for refused in page.refused]


def test_openrouters_overrides_are_tiers() -> None:
    size = {"min_prompt_tokens": 200000, "prompt": "0.000006", "completion": "0.0000225"}
    night = {"utc_start": "1630", "utc_end": "0030", "prompt": "0.0000015", "request": "0.002"}
    price, refused = overridden(size, {**night, "input_cache_read": "0"})
    assert refused == []
    assert price.tiers == (
        ListedTier((("input", Decimal("6E-6")), ("output", Decimal("2.25E-5"))), 200_000),
        ListedTier((("input", Decimal("1.5E-6")), ("request", Decimal("0.002"))), None, 990, 30),
    )


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        (7, "7 is no tier"),
        ({"prompt": "0.000006"}, "no condition"),
        ({"weekday": 1, "prompt": "0.000006"}, "'weekday' is no price or condition that we know"),
        ({"min_prompt_tokens": "many", "prompt": "0.000006"}, "'many' is no number of tokens"),
        ({"min_prompt_tokens": -1, "prompt": "0.000006"}, "-1 is no number of tokens"),
        ({"utc_start": "1630", "prompt": "0.000006"}, "a window of time without beginning or end"),
        ({"utc_start": "2500", "utc_end": "0000"}, "'2500' is no time of day"),
        ({"min_prompt_tokens": 1, "prompt": "-1"}, "prompt is not known"),
        ({"min_prompt_tokens": 1, "prompt": "6"}, "price input: 6E+6 USD per million tokens"),
    ],
)
def test_a_tier_that_is_not_understood_is_reported_and_the_price_stays(
    override: object, reason: str
) -> None:
    price, refused = overridden(override, {"min_prompt_tokens": 9, "prompt": "0.000004"})
    assert refused[0].startswith(f"pricing.overrides[0]: {reason}")
    assert [tier.min_prompt_tokens for tier in price.tiers] == [9]
    assert price.input == Decimal("3E-6")


def test_without_a_price_there_are_no_tiers() -> None:
    listed = {"pricing": {"overrides": [{"min_prompt_tokens": 9, "prompt": "0.000004"}]}}
    assert row("openrouter", listed).price == UNKNOWN
