"""The town: a few well-known providers of the served gateway, answered by upstreams of ours."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.upstreams import presets
from tests.upstreams.chat import Chat
from tests.upstreams.seen import Seen
from tests.upstreams.server import Upstream
from tests.world.config import model_row, offer_row, provider_row
from tests.world.gateway import Gateway

LLAMA = "meta-llama/Llama-3.3-70B-Instruct"
OSS = "openai/gpt-oss-120b"
ARCH = "katanemo/Arch-Router-1.5B"
PROVIDERS = ("huggingface", "groq", "openai", "ollama")
HF = {"backends": ["hf-inference"], "price": {"input": "0.90", "output": "0.90"}}
OFFERS: dict[str, dict[str, dict[str, Any]]] = {
    LLAMA: {"huggingface": HF, "groq": {"upstream_id": "llama-3.3-70b-versatile"}},
    OSS: {"huggingface": {}, "groq": {}},
    ARCH: {"huggingface": HF},
    "town/gpt": {"openai": {"upstream_id": "gpt-4o"}},
    "qwen3:14b": {"ollama": {}},
    "Town/Twin": {"groq": {"upstream_id": "upper"}},
    "town/twin": {"groq": {"upstream_id": "lower"}},
}
ALIASES = {
    "town-llama": LLAMA,
    "town-hf": f"hf/{LLAMA}",
    "town-floor": f"{LLAMA}:floor",
    "town-ping": "town-pong",
    "town-pong": "town-ping",
}


@dataclass
class Town:
    gateway: Gateway
    upstreams: dict[str, Upstream]

    def ask(self, model: str, stream: bool = False, **fields: Any) -> httpx.Response:
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}], "stream": stream}
        key = fields.pop("key", self.gateway.key)
        bearer = {"Authorization": f"Bearer {key}"}
        return self.gateway.http.post("/v1/chat/completions", json=body | fields, headers=bearer)

    def sent(self, model: str, stream: bool = False, **fields: Any) -> str:
        """Ask, and return where the one request went, as `id at provider`."""
        for upstream in self.upstreams.values():
            upstream.forget()
        answer = self.ask(model, stream, **fields)
        assert answer.status_code == 200, answer.text
        (place,) = [f"{seen.model} at {slug}" for slug, seen in self.seen()]
        return place

    def seen(self) -> list[tuple[str, Seen]]:
        return [(slug, seen) for slug, up in self.upstreams.items() for seen in up.requests]

    def refused(self, model: str, **fields: Any) -> tuple[int, dict[str, Any]]:
        """Ask, and return the status and the error; nothing may have been sent."""
        for upstream in self.upstreams.values():
            upstream.forget()
        answer = self.ask(model, **fields)
        assert not self.seen()
        return answer.status_code, answer.json()["error"]


def offered(model: str) -> dict[str, Any]:
    row = model_row(model)
    for slug, given in OFFERS[model].items():
        row["offers"].append(offer_row(slug, {"id": model, **given}))
    return row


@pytest.fixture(scope="module")
def town(gateway: Gateway) -> Iterator[Town]:
    with ExitStack() as running:
        upstreams = {slug: running.enter_context(Upstream()) for slug in PROVIDERS}
        presets.hugging_face(upstreams["huggingface"], hf_inference={LLAMA, ARCH})
        for upstream in upstreams.values():
            upstream.reply(Chat("One two three"))
        gateway.apply(
            {
                "version": 1,
                "providers": {slug: provider_row(up) for slug, up in upstreams.items()},
                "models": {model: offered(model) for model in OFFERS},
                "aliases": ALIASES,
                "blocks": [
                    {"pattern": "katanemo/*", "provider": "hug", "reason": "router model, not chat"}
                ],
            }
        )
        yield Town(gateway, upstreams)
        off = {slug: {"enabled": False} for slug in PROVIDERS}
        gateway.apply({"version": 1, "providers": off})
