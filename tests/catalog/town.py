"""A small configuration in memory, said briefly."""

from collections.abc import Mapping, Sequence
from typing import Any

from catalog.asks import Ask, Permissions, Preferences
from catalog.building import Pieces, assemble
from catalog.resolver import resolve
from catalog.values import HALF_OPEN_S, Block, Model, Offer, Snapshot, Variant
from providers.rewriting import Rewrite
from providers.values import Endpoint, Price, Route, Secret

NOW = 1_800_000_000.0
LLAMA = "meta-llama/Llama-3.3-70B-Instruct"
OSS = "openai/gpt-oss-120b"
HF_SUFFIXES = frozenset({"fastest", "cheapest", "preferred", "hf-inference", "groq", "novita"})
HF_RULE = Rewrite("append_suffix", ":hf-inference", "", True, "hf-inference")
SECRET = Secret(1, "main", "sk-main")


def endpoint(slug: str, **config: Any) -> Endpoint:
    defaults = {"base_url": f"https://{slug}.example/v1", "secrets": (SECRET,)}
    return Endpoint(slug, slug.title(), "openai", **(defaults | config))


def offer(model: str, slug: str, upstream_id: str = "", **config: Any) -> Offer:
    number = sum(f"{model} at {slug}".encode())
    return Offer(number, model, slug, upstream_id or model, **config)


def snapshot(
    providers: Mapping[Endpoint, Sequence[str]],
    offers: Sequence[Offer] = (),
    models: Sequence[Model] = (),
    aliases: Mapping[str, str] | None = None,
    variants: Sequence[Variant] = (),
    blocks: Sequence[Block] = (),
) -> Snapshot:
    """Return the snapshot of these rows; `providers` have their aliases beside them.

    Models that are offered need not be named.
    """
    known = {row.model_id: Model(row.model_id) for row in offers} | {m.id: m for m in models}
    pieces = Pieces(
        endpoints={end.slug: (end, tuple(names)) for end, names in providers.items()},
        offers={end.slug: tuple(o for o in offers if o.slug == end.slug) for end in providers},
        models=known,
        aliases=dict(aliases or {}),
        variants={variant.name: variant for variant in variants},
        blocks=tuple(blocks),
    )
    return assemble(Snapshot(), pieces, 1)


def cents(input_: int | None, output: int | None) -> Price:
    """Return a price in cents per million tokens."""
    return Price(*(None if side is None else side * 10_000 for side in (input_, output)))


TOWN = snapshot(
    {
        endpoint(
            "huggingface", passes_suffixes=HF_SUFFIXES, rewrites=(HF_RULE,), allow_unlisted=True
        ): ("hug", "hf", "hugging-face"),
        endpoint("groq", rewrites=(Rewrite("strip_prefix", "groq/"),)): (),
        endpoint("openai"): (),
        endpoint("ollama", allow_unlisted=True, secrets=(Secret(0, "none", ""),)): (),
        endpoint("asleep", enabled=False): (),
        endpoint("keyless", secrets=()): (),
    },
    [
        offer(LLAMA, "huggingface", backends=("hf-inference",), price=cents(70, 80)),
        offer(LLAMA, "groq", "llama-3.3-70b-versatile", price=cents(59, 79), throughput_tps=280.0),
        offer(OSS, "groq", price=cents(15, 60), throughput_tps=500.0),
        offer(OSS, "huggingface", price=cents(None, None)),
        offer("gpt-4o", "openai", price=cents(250, 1000)),
        offer("katanemo/Arch-Router-1.5B", "huggingface", backends=("hf-inference",)),
        offer("qwen3:14b", "ollama"),
        offer("Org/Model", "groq"),
        offer("org/model", "groq", "org/model-small"),
        offer("gone/away", "asleep"),
        offer("locked/up", "keyless"),
        offer("embedder", "openai"),
    ],
    [
        Model("embedder", capabilities=frozenset({"embeddings"})),
        Model("gpt-4o-secret", hidden=True),
    ],
    {
        "llama": LLAMA,
        "hf-llama": f"hf/{LLAMA}",
        "cheap-llama": f"{LLAMA}:floor",
        "GPT-4O": "gpt-4o",
        "ping": "pong",
        "pong": "ping",
    },
    [Variant("floor", "price"), Variant("nitro", "throughput")],
    [
        Block(1, "katanemo/*", "huggingface", "router model, not chat"),
        Block(2, "gpt-4o", None, "was broken", NOW - HALF_OPEN_S - 1),
    ],
)


def ask(model: str, provider: str = "", may: Permissions | None = None, **config: Any) -> Ask:
    wanted = Preferences(only=(provider,)) if provider else config.pop("wanted", Preferences())
    return Ask(model, preferences=wanted, permissions=may or Permissions(), **config)


def routes(model: str, provider: str = "", **config: Any) -> list[Route]:
    return list(resolve(TOWN, ask(model, provider, **config), now=NOW))


def sent(model: str, provider: str = "", **config: Any) -> list[str]:
    """Return where a request for `model` goes, in order, as `id at provider`."""
    found = routes(model, provider, **config)
    return [f"{route.upstream_id} at {route.endpoint.slug}" for route in found]
