"""Entries as admins write them, and those that a new database begins with."""

import re
from pathlib import Path

import pytest

from catalog.models import CAPABILITIES
from providers import seeding
from providers.listings.capabilities import KNOWN
from providers.listings.entries import OPTIONS, EntryError, entry
from providers.listings.registry import SHAPES
from tests.providers.listings.world import SAMPLES, URL, row

SEEDED = {
    (slug, stored["parser"]): stored
    for slug, seed in seeding.read().items()
    for stored in seed.get("listing", ())
}
WELL = {"parser": "openai", "url": URL, "auth": "required"}


def test_every_seeded_provider_but_the_built_in_has_a_listing() -> None:
    listed = {slug for slug, _ in SEEDED}
    assert set(seeding.read()) - listed == {"echo"}
    assert {parser for slug, parser in SEEDED if slug == "huggingface"} == {
        "huggingface-hub",
        "huggingface-router",
    }


@pytest.mark.parametrize("key", SEEDED)
def test_every_seeded_entry_can_be_used(key: tuple[str, str]) -> None:
    made = entry(SEEDED[key])
    assert made.parser.first(made.url).url.startswith(made.url)


def test_the_words_for_capabilities_are_the_catalogues() -> None:
    assert set(KNOWN) == set(CAPABILITIES)


def test_the_page_about_listings_names_every_parser_and_option() -> None:
    page = (Path(__file__).parents[3] / "docs" / "listings.md").read_text()
    assert set(re.findall(r"`([a-z-]+)`", page.split("| parser |")[1])) >= set(SHAPES)
    assert [option for option in OPTIONS if f"{option}:" not in page] == []


def test_every_shape_has_a_sample() -> None:
    assert {given.parser for given in SAMPLES.values()} == set(SHAPES)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"parser": "unheard-of"}, "There is no parser unheard-of; there are aimo, anthropic"),
        ({"parser": None}, "There is no parser None"),
        ({"auth": "maybe"}, "auth is one of none, optional, required."),
        ({"auth": None}, "auth is one of"),
        ({"url": "ftp://x"}, "url is an address that cannot be fetched."),
        ({"url": None}, "url is"),
        ({"unit": "usd"}, "There is no option unit; there are auth, "),
        ({"price_unit": "usd"}, "price_unit is one of usd_per_token, usd_per_million_tokens"),
        ({"price_unit": ["usd"]}, "price_unit is one of"),
        ({"parser": "chutes", "price_unit": "usd_per_token"}, "This parser takes no price_unit"),
        ({"page_size": 10}, "This parser takes no page_size"),
        ({"parser": "portkey", "page_size": 0}, "page_size is a whole number from 1"),
        ({"parser": "portkey", "page_size": True}, "page_size is a whole number from 1"),
        ({"kinds": "chat"}, "kinds is a list"),
        ({"kinds": [["*", "chat"]]}, "Write a kind as"),
        ({"kinds": [["*", ["talk"]]]}, "Write a kind as"),
        ({"kinds": [7]}, "Write a kind as"),
    ],
)
def test_an_entry_that_cannot_be_used_says_why(change: dict[str, object], said: str) -> None:
    with pytest.raises(EntryError, match=re.escape(said)):
        entry({**WELL, **change})


def test_an_entry_tells_where_the_credential_goes() -> None:
    google = entry(SEEDED["google", "google"])
    assert (google.auth, google.auth_header) == ("required", "x-goog-api-key: {key}")
    assert entry(WELL).auth_header == ""


@pytest.mark.parametrize(
    ("slug", "id", "wanted"),
    [
        ("groq", "whisper-large-v3", {"audio"}),
        ("groq", "playai-tts", {"audio"}),
        ("groq", "meta-llama/llama-guard-4-12b", {"chat"}),
        ("groq", "openai/gpt-oss-120b", {"chat"}),
        ("openai", "gpt-5", {"chat"}),
        ("openai", "gpt-4o-mini-tts", {"audio"}),
        ("openai", "gpt-4o-transcribe", {"audio"}),
        ("openai", "whisper-1", {"audio"}),
        ("openai", "dall-e-3", {"images"}),
        ("openai", "omni-moderation-latest", {"moderations"}),
        ("openai", "gpt-3.5-turbo-instruct", {"completions"}),
        ("openai", "gpt-4o-realtime-preview", set()),
        ("fireworks", "accounts/fireworks/models/whisper-v3", {"audio"}),
        ("ollama", "bge-m3:latest", {"embeddings"}),
        ("vllm", "BAAI/bge-reranker-v2-m3", {"rerank"}),
        ("vllm", "BAAI/bge-m3", {"embeddings"}),
    ],
)
def test_the_seeds_know_families_by_their_ids(slug: str, id: str, wanted: set[str]) -> None:
    stored = SEEDED[slug, slug]
    options = {name: value for name, value in stored.items() if name == "kinds"}
    assert row(slug, {"id": id}, **options).capabilities == wanted


def test_a_kind_goes_before_what_the_list_says() -> None:
    kinds = [["*odd*", []], ["org/*", ["rerank"]]]
    listed = {"architecture": {"modality": "text->text"}}
    assert row("openrouter", listed, kinds=kinds).capabilities == {"rerank"}
    assert row("openrouter", {**listed, "id": "ODD-1"}, kinds=kinds).capabilities == set()
