"""Suffix rules and the suffixes that providers read themselves."""

import pytest

from providers.errors import ModelNotFound
from providers.rewriting import Rewrite, rewrite
from tests.catalog.town import HF_RULE, LLAMA, OSS, sent


def at_hf(model: str) -> list[str]:
    return [where for where in sent(model) if where.endswith(" at huggingface")]


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
        (f"{OSS}:groq", f"{OSS}:groq"),
        (f"hug/{LLAMA}:groq:floor", f"{LLAMA}:groq"),
    ],
)
def test_the_suffix_rule_appends_where_it_should(asked: str, goes: str) -> None:
    assert at_hf(asked) == [f"{goes} at huggingface"]


def test_a_suffix_of_one_provider_keeps_the_others_out() -> None:
    assert sent(f"{LLAMA}:groq") == [f"{LLAMA}:groq at huggingface"]


@pytest.mark.parametrize("suffix", ["pro", "enterprise", "groq:fastest", ""])
@pytest.mark.parametrize("head", ["", "hf/"])
def test_a_suffix_that_nobody_reads_is_refused_with_the_id_it_hangs_on(
    head: str, suffix: str
) -> None:
    with pytest.raises(ModelNotFound) as refused:
        sent(f"{head}{LLAMA}:{suffix}")
    assert refused.value.code == "model_not_found"
    assert refused.value.metadata["suggestions"][0] == LLAMA


def test_a_rule_applied_twice_changes_nothing_more() -> None:
    always = Rewrite("append_suffix", ":hf-inference")
    for rules in ([HF_RULE], [HF_RULE, HF_RULE], [always, always]):
        once = rewrite(rules, "x", backends=("hf-inference",))
        assert once == "x:hf-inference"
        assert rewrite(rules, once, backends=("hf-inference",)) == once
