"""Lists are made once, cut without encoding, taken over, kept in bounded memory, and never late."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from catalog.asks import EVERYTHING, Permissions
from catalog.building import Pieces, assemble
from catalog.listing import View
from catalog.sheets import SORTS, Sheet, sheet_of
from catalog.shelf import Shelf
from catalog.values import HALF_OPEN_S, Block, Model, Snapshot
from providers.values import Price
from tests.catalog.crowd import crowded
from tests.catalog.town import LLAMA, NOW, OSS, TOWN, cents, offer

ALL = View(TOWN, EVERYTHING, None, NOW)
MANY = crowded(13_850)


def listed(sheet: Sheet) -> list[dict[str, Any]]:
    return json.loads(sheet.body)["data"]


def ids(view: View) -> list[str]:
    return [row["id"] for row in listed(sheet_of(view))]


def test_a_row_has_openais_shape_openrouters_and_ours() -> None:
    row = next(row for row in listed(sheet_of(ALL)) if row["id"] == LLAMA)
    assert {name: row[name] for name in ("id", "object", "owned_by", "canonical_slug")} == {
        "id": LLAMA,
        "object": "model",
        "owned_by": "meta-llama",
        "canonical_slug": LLAMA,
    }
    assert row["gateways"] == ["groq", "huggingface"]
    assert row["source_gateway"] == row["provider_slug"] == "groq"
    assert row["pricing"] == {"prompt": "0.00000059", "completion": "0.00000079"}
    assert row["top_provider"].keys() == {
        "context_length",
        "max_completion_tokens",
        "is_moderated",
    }
    assert row["architecture"]["modality"] == "text->text"
    assert row["per_request_limits"] is None


def test_the_price_is_the_gateways_own() -> None:
    for slug, prompt in (("groq", "0.00000059"), ("huggingface", "0.0000007")):
        row = next(row for row in listed(sheet_of(replace(ALL, slug=slug))) if row["id"] == LLAMA)
        assert (row["pricing"]["prompt"], row["source_gateway"]) == (prompt, slug)
        assert row["gateways"] == [slug]


def test_an_unknown_price_is_null_and_a_free_one_zero() -> None:
    rows = {row["id"]: row["pricing"] for row in listed(sheet_of(replace(ALL, slug="huggingface")))}
    assert rows[OSS] == {"prompt": None, "completion": None}
    free = assemble(TOWN, Pieces(offers={"groq": (offer(OSS, "groq", price=cents(0, 0)),)}), 2)
    rows = {
        row["id"]: row["pricing"] for row in listed(sheet_of(View(free, EVERYTHING, None, NOW)))
    }
    assert rows[OSS] == {"prompt": "0", "completion": "0"}


def test_what_was_said_of_a_model_is_told() -> None:
    told = Model(
        "acme/eye",
        "Eye",
        context_length=1000,
        input_modalities=("text", "image"),
        output_modalities=("text",),
        hugging_face_id="acme/Eye",
    )
    facts = offer(
        "acme/eye",
        "groq",
        price=Price(1, 2, 3),
        max_output_tokens=99,
        supported_parameters=("tools",),
        deprecated_at="2027-01-01",
    )
    pieces = Pieces(models={**TOWN.models, "acme/eye": told}, offers={"groq": (facts,)})
    sheet = sheet_of(View(assemble(TOWN, pieces, 2), EVERYTHING, "groq", NOW))
    (row,) = listed(sheet)
    assert row["architecture"]["modality"] == "text+image->text"
    assert row["hugging_face_id"] == "acme/Eye"
    assert row["top_provider"]["max_completion_tokens"] == 99
    assert row["supported_parameters"] == ["tools"]
    assert row["expiration_date"] == "2027-01-01"
    assert row["pricing"]["input_cache_read"] == "0.000000000003"


def test_what_cannot_be_called_is_not_listed() -> None:
    found = ids(ALL)
    assert found == sorted(found)
    assert not {"katanemo/Arch-Router-1.5B", "gone/away", "locked/up", "gpt-4o-secret"} & set(found)
    assert ids(replace(ALL, permissions=Permissions(models=("meta-llama/*",)))) == [LLAMA]
    assert ids(replace(ALL, permissions=Permissions(providers=frozenset({"ollama"})))) == [
        "qwen3:14b"
    ]


@pytest.mark.parametrize("sort", sorted(SORTS))
def test_each_order_is_whole_and_its_places_are_the_other_way_round(sort: str) -> None:
    sheet = sheet_of(ALL)
    order = sheet.order(sort)
    assert sorted(order.numbers) == list(range(len(sheet)))
    assert [order.numbers[place] for place in order.places] == list(range(len(sheet)))


def test_unknown_prices_come_last_either_way() -> None:
    sheet = sheet_of(replace(ALL, slug="huggingface"))
    for sort in ("price", "pricing-high-to-low"):
        last = listed(sheet)[sheet.order(sort).numbers[-1]]
        assert last["pricing"]["prompt"] is None
    dear = [
        listed(sheet_of(ALL))[n]["id"] for n in sheet_of(ALL).order("pricing-high-to-low").numbers
    ]
    assert dear[0] == "gpt-4o"


def test_a_cut_is_the_same_rows() -> None:
    sheet = sheet_of(ALL)
    page = json.loads(sheet.page(range(len(sheet)), 2, 1))
    assert page["data"] == listed(sheet)[1:3]
    assert (page["total"], page["returned"], page["has_more"]) == (len(sheet), 2, True)
    backwards = json.loads(sheet.page(list(reversed(range(len(sheet)))), None, 0))
    assert backwards["data"] == listed(sheet)[::-1]
    for limit, offset in ((0, 0), (5, 10**6), (None, 10**6)):
        assert json.loads(sheet.page(range(len(sheet)), limit, offset))["data"] == []


def with_block(until: float | None) -> Snapshot:
    return replace(TOWN, blocks=(Block(9, "openai/*", None, "broken today", until),))


def test_a_model_leaves_and_returns_when_its_block_does() -> None:
    shelf, snapshot = Shelf(), with_block(NOW + 60)
    before = View(snapshot, EVERYTHING, None, NOW)
    assert OSS not in [row["id"] for row in listed(shelf.made(before))]
    assert shelf.ready(replace(before, now=NOW + 59)) is not None
    half_open = replace(before, now=NOW + 60)
    assert shelf.ready(half_open) is None
    assert OSS not in [row["id"] for row in listed(shelf.made(half_open))]
    after = replace(before, now=NOW + 60 + HALF_OPEN_S)
    assert shelf.ready(after) is None
    assert OSS in [row["id"] for row in listed(shelf.made(after))]


def test_a_list_is_made_again_only_for_what_concerns_it() -> None:
    shelf = Shelf()
    first = shelf.made(ALL)
    aliased = assemble(TOWN, Pieces(aliases={"a": "b"}), 2)
    assert shelf.ready(replace(ALL, snapshot=aliased)) is first
    blocked = replace(ALL, snapshot=with_block(None))
    assert shelf.ready(blocked) is None
    assert shelf.made(blocked).etag != first.etag


def test_the_same_list_has_the_same_tag_in_every_process() -> None:
    assert sheet_of(ALL).etag == sheet_of(replace(ALL, now=NOW + 1)).etag


def test_renewing_keeps_what_is_asked_for_and_lets_the_rest_go() -> None:
    shelf = Shelf()
    groq, ollama = replace(ALL, slug="groq"), replace(ALL, slug="ollama")
    shelf.made(groq).compressed()
    shelf.made(ollama)
    shelf.renew(with_block(None), NOW)
    shelf.ready(replace(groq, snapshot=with_block(None)))
    now = with_block(NOW + 5)
    again = shelf.made(replace(groq, snapshot=now))
    shelf.renew(now, NOW)
    assert shelf.ready(replace(ALL, snapshot=now)) is not None
    assert shelf.ready(replace(groq, snapshot=now)) is again
    assert shelf.ready(replace(ollama, snapshot=now)) is None


def test_lists_are_bounded_by_number_and_by_bytes() -> None:
    shelf = Shelf(most=3)
    views = [replace(ALL, permissions=Permissions(models=(f"{one}*",))) for one in "abcde"]
    for view in views:
        shelf.made(view)
    assert [shelf.ready(view) is not None for view in views] == [False, False, True, True, True]
    tight = Shelf(most_bytes=1)
    tight.made(ALL)
    tight.made(views[0])
    assert tight.ready(ALL) is None
    assert tight.ready(views[0]) is not None


def spent(work: Any) -> tuple[float, Any]:
    began = time.thread_time()
    result = work()
    return time.thread_time() - began, result


def test_rows_that_did_not_change_are_taken_over() -> None:
    view = View(MANY, EVERYTHING, None, NOW)
    sheet = sheet_of(view)
    few = assemble(MANY, Pieces(offers={"provider-1": ()}), 2)
    again = sheet_of(replace(view, snapshot=few), [sheet])
    assert len(again) < len(sheet)
    kept = [entry for entry in again.entries if sheet.known(entry) is not None]
    assert len(kept) == len(again)
    assert listed(again) == [row for row in listed(sheet) if row["source_gateway"] != "provider-1"]


def edits() -> Iterator[Snapshot]:
    """Yield the town as it becomes, edit by edit."""
    now = TOWN
    hidden = replace(TOWN.models[LLAMA], hidden=True)
    for number, pieces in enumerate(
        (
            Pieces(some_models={LLAMA: hidden}),
            Pieces(some_models={LLAMA: replace(hidden, hidden=False, name="Renamed")}),
            Pieces(some_models={LLAMA: None}),
            Pieces(some_models={LLAMA: Model(LLAMA), "new/one": Model("new/one")}),
            Pieces(offers={"groq": (offer("new/one", "groq"),)}),
            Pieces(blocks=(Block(1, "new/*", None, "no", NOW + 1),)),
            Pieces(offers={"groq": ()}),
        ),
        2,
    ):
        now = assemble(now, pieces, number)
        yield now


@pytest.mark.parametrize("slug", [None, "groq"])
def test_a_list_made_of_an_older_one_is_the_one_made_anew(slug: str | None) -> None:
    older, bodies = sheet_of(replace(ALL, slug=slug)), set()
    for snapshot in edits():
        for now in (NOW, NOW + 2 + HALF_OPEN_S):
            view = View(snapshot, EVERYTHING, slug, now)
            again, anew = sheet_of(view, [older]), sheet_of(view)
            assert (again.body, again.able, again.counts) == (anew.body, anew.able, anew.counts)
            bodies.add(again.body)
            older = again
    assert len(bodies) > 4


def test_entries_that_did_not_change_are_the_same_objects() -> None:
    """An old list leaves little to free when it goes: all of 50,000 took 12 ms at once."""
    sheet = sheet_of(ALL)
    for changed in (
        assemble(TOWN, Pieces(some_models={LLAMA: Model(LLAMA, "New")}), 2),
        replace(TOWN, endpoints=dict(TOWN.endpoints)),
    ):
        again = sheet_of(replace(ALL, snapshot=changed), [sheet])
        others = [entry for entry in again.entries if entry.model.id != LLAMA]
        assert others
        assert all(sheet.entry(entry.model.id) is entry for entry in others)


@pytest.mark.timeout(60)
def test_making_a_list_lets_others_work() -> None:
    """The longest that an event loop waits beside it, at the 99th percentile."""
    waits: list[float] = []

    async def beside() -> None:
        loop = asyncio.get_running_loop()
        made = loop.run_in_executor(None, sheet_of, View(MANY, EVERYTHING, None, NOW))
        while not made.done():
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            waits.append(time.perf_counter() - began - 0.001)

    for _ in range(3):
        asyncio.run(beside())
    waits.sort()
    assert waits[int(len(waits) * 0.9)] < 0.010, waits[-10:]
    assert waits[int(len(waits) * 0.99)] < 0.030, waits[-10:]


def test_a_list_that_is_there_costs_nothing() -> None:
    shelf, view = Shelf(), View(MANY, EVERYTHING, None, NOW)
    shelf.made(view)
    once, _ = spent(lambda: [shelf.ready(view) for _ in range(100)])
    assert once / 100 < 0.001
    sheet = shelf.made(view)
    page, _ = spent(lambda: [sheet.page(range(len(sheet)), 100, 5000) for _ in range(10)])
    assert page / 10 < 0.005
