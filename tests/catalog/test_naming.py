"""What a name means, in the order in which it is read."""

from pathlib import Path

import pytest

from catalog.naming import READINGS, Reader, Target
from catalog.trace import SILENT, Trace
from catalog.values import Variant
from providers.errors import ModelNotFound
from tests.catalog.town import LLAMA, OSS, TOWN, offer, sent, snapshot

HF_LLAMA = f"{LLAMA}:hf-inference at huggingface"
GROQ_LLAMA = "llama-3.3-70b-versatile at groq"


def read(name: str, pin: str | None = None) -> Target | None:
    return Reader(TOWN, SILENT).find(name, pin)


@pytest.mark.parametrize(
    "name", [f"{head}/{LLAMA}" for head in ("hug", "hf", "huggingface", "HUGGINGFACE", "Hug")]
)
def test_every_name_of_a_provider_pins_it(name: str) -> None:
    assert sent(name) == [HF_LLAMA]


@pytest.mark.parametrize("provider", ["hug", "HF", "hugging_face", " huggingface "])
def test_every_name_of_a_provider_pins_it_beside_the_model(provider: str) -> None:
    assert sent(LLAMA, provider) == sent(f"hf/{LLAMA}", provider) == [HF_LLAMA]


def test_an_alias_is_followed() -> None:
    assert sent("llama") == sent(LLAMA) == [GROQ_LLAMA, HF_LLAMA]


def test_an_alias_may_name_a_provider() -> None:
    assert sent("hf-llama") == [HF_LLAMA]


def test_an_alias_may_name_a_variant() -> None:
    assert read("cheap-llama") == Target(LLAMA, variant=Variant("floor", "price"))


def test_aliases_that_point_at_each_other_mean_nothing() -> None:
    for name in ("ping", "pong", "PING", "groq/ping", "hf/ping", "ping:floor"):
        with pytest.raises(ModelNotFound):
            sent(name)


def test_a_chain_of_aliases_is_followed_to_its_end() -> None:
    chain = {f"a{n}": f"a{n + 1}" for n in range(5)} | {"a5": "m"}
    town = snapshot({}, [offer("m", "groq")], aliases=chain)
    assert Reader(town, SILENT).find("a0") == Target("m")


def test_a_name_is_read_from_the_outside_in() -> None:
    assert read("HF/Hf-Llama:Nitro") == Target(
        LLAMA, "huggingface", "", Variant("nitro", "throughput")
    )


@pytest.mark.parametrize("length", [20, 80])
def test_a_name_made_to_be_read_a_thousand_ways_is_read_once(length: int) -> None:
    trace = Trace()
    name = "groq/" * length + "nobody" + ":floor:groq" * (length // 4)
    assert Reader(TOWN, trace).find(name[:250]) is None
    assert len(trace.steps) < 600


def test_a_variant_is_only_one_that_is_defined() -> None:
    assert read("qwen3:14b") == Target("qwen3:14b")
    with pytest.raises(ModelNotFound):
        sent(f"{LLAMA}:14b")


def test_a_model_id_wins_over_a_variant_of_that_name() -> None:
    town = snapshot(
        {}, [offer("qwen3", "groq"), offer("qwen3:14b", "groq")], variants=[Variant("14b", "price")]
    )
    assert Reader(town, SILENT).find("qwen3:14b") == Target("qwen3:14b")
    assert Reader(town, SILENT).find("qwen3:14B") == Target(
        "qwen3", variant=Variant("14b", "price")
    )


def test_ids_that_differ_in_case_are_two_models() -> None:
    assert sent("Org/Model") == ["Org/Model at groq"]
    assert sent("org/model") == ["org/model-small at groq"]


def test_another_case_of_two_spellings_is_not_guessed() -> None:
    with pytest.raises(ModelNotFound) as refused:
        sent("ORG/MODEL")
    assert sorted(refused.value.metadata["suggestions"]) == ["Org/Model", "org/model"]


def test_another_case_of_one_spelling_is_found() -> None:
    assert sent(LLAMA.upper()) == sent(LLAMA)
    assert sent(f"Hug/{LLAMA.lower()}") == [HF_LLAMA]


def test_another_case_of_an_id_and_its_alias_is_found() -> None:
    assert read("Gpt-4o") == Target("gpt-4o")


def test_a_slug_may_be_an_organisations_name() -> None:
    assert sent(OSS) == [f"{OSS} at groq", f"{OSS} at huggingface"]
    assert sent(f"groq/{OSS}") == [f"{OSS} at groq"]
    assert sent("openai/gpt-4o") == ["gpt-4o at openai"]


def test_a_pinned_provider_knows_its_own_ids() -> None:
    assert sent("llama-3.3-70b-versatile", "groq") == [GROQ_LLAMA]
    assert sent("groq/llama-3.3-70b-versatile") == [GROQ_LLAMA]
    with pytest.raises(ModelNotFound):
        sent("llama-3.3-70b-versatile")


def test_an_id_that_is_not_listed_goes_where_the_provider_takes_it() -> None:
    assert sent("ollama/phi4:latest") == ["phi4:latest at ollama"]
    assert sent("new/model", "hug") == ["new/model at huggingface"]
    with pytest.raises(ModelNotFound):
        sent("groq/new-model")


def test_a_known_suffix_of_an_unlisted_id_is_read() -> None:
    assert read("hf/new/model:groq") == Target("new/model", "huggingface", ":groq", unlisted=True)
    assert sent("hf/new/model:groq") == ["new/model:groq at huggingface"]


def test_the_trace_tells_every_reading_up_to_the_one_that_fits() -> None:
    trace = Trace()
    Reader(TOWN, trace).find("hf/gpt-4o-mini")
    rules = [step.rule for step in trace.steps if step.subject == "hf/gpt-4o-mini"]
    assert rules[:2] == ["model id", "model alias"]
    assert rules[-1] == "provider prefix"
    assert trace.steps[-1].outcome == "gpt-4o-mini at huggingface, not listed"


def test_the_readings_are_documented_in_their_order() -> None:
    page = (Path(__file__).parents[2] / "docs/routing.md").read_text()
    places = [page.index(f"\n| {title} |") for title, _ in READINGS]
    assert places == sorted(places)
