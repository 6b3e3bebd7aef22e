"""A snapshot grown change by change is the one made from scratch."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.building import Pieces, assemble
from catalog.values import Block, Experience, Model, Offer, Snapshot, Variant
from tests.catalog.town import endpoint

SLUGS = st.sampled_from(["groq", "hf", "openai", "vllm"])
MODELS = st.sampled_from(["a/x", "A/x", "b/y", "gpt", "gpt:free"])
OFFERS = st.dictionaries(MODELS, st.sampled_from(["up-1", "up-2", "a/x"]), max_size=4)
PROVIDERS = st.tuples(
    st.lists(st.sampled_from(["one", "two", "Three_4"]), unique=True, max_size=2), OFFERS
)
CHANGES = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "providers": st.dictionaries(SLUGS, st.none() | PROVIDERS, max_size=3),
            "models": st.sets(MODELS),
            "model": st.tuples(MODELS, st.booleans()),
            "aliases": st.dictionaries(st.sampled_from(["gpt4", "GPT4", "llama"]), MODELS),
            "variants": st.sets(st.sampled_from(["floor", "nitro"])),
            "blocks": st.lists(st.tuples(MODELS, st.none() | SLUGS), max_size=3),
        },
    ),
    max_size=6,
)


class State:
    """What the database would hold."""

    def __init__(self) -> None:
        self.providers: dict[str, tuple[list[str], dict[str, str]]] = {}
        self.rows: dict[str, object] = {"models": set(), "aliases": {}, "variants": set()}
        self.blocks: list[tuple[str, str | None]] = []

    def change(self, change: dict) -> Pieces:
        """Take the change over; return the pieces that would be read after it."""
        providers = change.get("providers", {})
        taken = {
            name for s, (names, _) in self.providers.items() if s not in providers for name in names
        }
        for slug, given_ in providers.items():
            self.providers.pop(slug, None)
            if given_ is not None:
                names = [name for name in given_[0] if name not in taken]
                taken |= set(names)
                self.providers[slug] = (names, given_[1])
        self.rows |= {name: change[name] for name in self.rows if name in change}
        if "model" in change:
            name, there = change["model"]
            others = self.rows["models"] - {name}
            self.rows["models"] = others | {name} if there else others
        self.blocks = change.get("blocks", self.blocks)
        self.blocks = [(p, s) for p, s in self.blocks if s is None or s in self.providers]
        pieces = self.pieces(set(providers), {*change, *(["blocks"] if providers else [])})
        if "model" in change and pieces.models is None:
            pieces.some_models = {name: Model(name) if there else None}
        return pieces

    def pieces(self, slugs: set[str], parts: set[str]) -> Pieces:
        return Pieces(
            {s: self.endpoint(s) for s in slugs},
            {s: self.offers(s) for s in slugs},
            {m: Model(m) for m in self.rows["models"]} if "models" in parts else None,
            dict(self.rows["aliases"]) if "aliases" in parts else None,
            {v: Variant(v, "price") for v in self.rows["variants"]}
            if "variants" in parts
            else None,
            tuple(Block(n, p, s, "no") for n, (p, s) in enumerate(self.blocks))
            if "blocks" in parts
            else None,
        )

    def endpoint(self, slug: str):
        known = self.providers.get(slug)
        return known and (endpoint(slug), tuple(known[0]))

    def offers(self, slug: str) -> tuple[Offer, ...]:
        _, offers = self.providers.get(slug, ([], {}))
        return tuple(Offer(1, model, slug, up) for model, up in offers.items())

    def whole(self, revision: int) -> Snapshot:
        parts = {"models", "aliases", "variants", "blocks"}
        return assemble(Snapshot(), self.pieces(set(self.providers), parts), revision)


def comparable(snapshot: Snapshot) -> Snapshot:
    """Forget what has no meaning: the order of spellings."""
    return replace(
        snapshot,
        folded={key: tuple(sorted(names)) for key, names in snapshot.folded.items()},
    )


@settings(max_examples=150, deadline=None)
@given(CHANGES)
def test_change_by_change_is_as_from_scratch(changes: list[dict]) -> None:
    state, grown = State(), Snapshot()
    for number, change in enumerate(changes, 1):
        grown = assemble(grown, state.change(change), number)
        assert comparable(grown) == comparable(state.whole(number))


def test_experience_changes_offers_and_nothing_else() -> None:
    state = State()
    state.change({"providers": {"groq": ([], {"a/x": "1"}), "hf": ([], {"a/x": "1", "b/y": "2"})}})
    old = state.whole(1)
    slow = Experience("down since then", 0.5, 900, 12.5)
    new = assemble(old, Pieces(experience={"hf": {1: slow}}), 2)
    assert [offer.experience for offer in new.offers["a/x"]] == [Experience(), slow]
    assert new.offers["b/y"][0].experience == slow
    assert new.offered is old.offered
    again = assemble(new, Pieces(experience={"groq": {}}), 3)
    assert again.offers["a/x"] is new.offers["a/x"]
    assert assemble(new, Pieces(experience={"hf": {}}), 4).offers == old.offers


def test_what_was_read_again_and_says_the_same_is_the_same_object() -> None:
    state = State()
    change = {
        "providers": {"groq": ([], {"a/x": "1", "gpt": "2"}), "hf": ([], {"a/x": "1"})},
        "models": {"a/x", "b/y"},
        "aliases": {"gpt4": "a/x"},
    }
    old = assemble(Snapshot(), state.change(change), 1)
    again = {"providers": {"groq": ([], {"a/x": "1", "gpt": "up-2"})}, "models": {"a/x", "b/y"}}
    new = assemble(old, state.change(again), 2)
    assert new.models["a/x"] is old.models["a/x"]
    assert new.offers["a/x"] is old.offers["a/x"]
    assert new.offers["gpt"] != old.offers["gpt"]
    assert new.folded is old.folded


def test_a_models_new_name_leaves_every_other_model_alone() -> None:
    state = State()
    old = assemble(Snapshot(), state.change({"models": {"a/x", "A/x", "b/y"}}), 1)
    new = assemble(old, Pieces(some_models={"a/x": Model("a/x", "New")}), 2)
    assert {name: model.name for name, model in new.models.items() if model.name} == {"a/x": "New"}
    assert all(new.models[name] is old.models[name] for name in ("A/x", "b/y"))
    assert old.models["a/x"].name == ""
    assert new.folded is old.folded
    gone = assemble(new, Pieces(some_models={"a/x": None}), 3)
    assert gone.folded == {"a/x": ("A/x",), "b/y": ("b/y",)}
    assert new.finder.search("new") == ["a/x"]
    assert gone.finder.search("new") == []


def test_what_did_not_change_is_the_same_object() -> None:
    state = State()
    change = {
        "providers": {"groq": ([], {"a/x": "1"}), "hf": (["hug"], {"b/y": "2"})},
        "models": {"a/x", "b/y"},
    }
    old = assemble(Snapshot(), state.change(change), 1)
    new = assemble(old, state.change({"providers": {"groq": ([], {"gpt": "3"})}}), 2)
    assert new.offers["b/y"] is old.offers["b/y"]
    assert new.endpoints["hf"] is old.endpoints["hf"]
    assert new.models is old.models
    assert "a/x" not in new.offers
    assert old.offers["a/x"], "the old snapshot is whole for those who still use it"
