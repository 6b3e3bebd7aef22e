"""Providers' model lists, served over loopback as each provider does, and as each goes wrong."""

import copy
import json
import random
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.providers.listings.world import SAMPLES

# slug: parser, sample, how many models it had
FOURTEEN = {
    "huggingface": ("huggingface-hub", "huggingface/hub_models", 1377),
    "openrouter": ("openrouter", "openrouter", 200),
    "portkey": ("portkey", "portkey", 500),
    "featherless": ("featherless", "featherless", 11169),
    "deepinfra": ("deepinfra", "deepinfra", 215),
    "chutes": ("chutes", "chutes", 104),
    "together": ("together", "together", 97),
    "google": ("google", "google/native", 71),
    "fireworks": ("fireworks", "fireworks", 38),
    "xai": ("xai", "xai/language_models", 23),
    "nebius": ("nebius", "nebius", 21),
    "groq": ("groq", "groq", 19),
    "cerebras": ("cerebras", "cerebras/public", 11),
    "novita": ("novita", "novita", 5),
}
ID_KEYS = ("model_name", "id", "name")


@dataclass(frozen=True, slots=True)
class Asked:
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    host: str


@dataclass(frozen=True, slots=True)
class Page:
    """An answer. drip_s: pause between pieces of the body, for a provider that takes long."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    drip_s: float = 0.0
    drops: int = 20


Shelf = Callable[[Asked], Page]


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves in the middle is no news."""


class Lists:
    """`with Lists() as lists:` serves each path of `shelves` at `lists.url`."""

    def __init__(self) -> None:
        self.shelves: dict[str, Shelf] = {}
        self.asked: list[Asked] = []
        self._server = Server(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def add(self, path: str, shelf: Shelf) -> str:
        """Serve `shelf` at `path`; return its address."""
        self.shelves[path] = shelf
        return self.url + path

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        lists = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                named = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(parts.path, query, named, named.get("host", ""))
                lists.asked.append(asked)
                shelf = lists.shelves.get(parts.path)
                self.answer(shelf(asked) if shelf else Page(b"{}", 404))

            def answer(self, page: Page) -> None:
                self.send_response(page.status)
                for name, value in page.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(page.body)))
                self.end_headers()
                if not page.drip_s:
                    self.wfile.write(page.body)
                    return
                step = max(1, len(page.body) // page.drops)
                try:
                    for start in range(0, len(page.body), step):
                        self.wfile.write(page.body[start : start + step])
                        time.sleep(page.drip_s)
                except OSError:
                    self.close_connection = True

            def log_message(self, *args: object) -> None:
                pass

        return Handler


class Stock:
    """A provider's models in its own shape: rows made like the sample's first, ids of our choice.

    As a shelf it answers as that provider does: with its pages, its envelope, its limits.
    """

    def __init__(self, slug: str, count: int | None = None) -> None:
        self.parser, sample, usual = FOURTEEN[slug]
        self.slug = slug
        answer = json.loads(bytes(SAMPLES[sample].body))
        self.key = next((k for k in ("data", "models") if k in answer), None)
        self.template = (answer if self.key is None else answer[self.key])[0]
        self.id_key = next(key for key in ID_KEYS if key in self.template)
        self.rows = [self.row(n) for n in range(usual if count is None else count)]
        self.shuffled = False
        self.busy_every = 0
        self.etag = False
        self._served = 0

    def row(self, number: int, **changes: Any) -> dict[str, Any]:
        row = copy.deepcopy(self.template)
        stem = "models/" if str(row[self.id_key]).startswith("models/") else ""
        if self.slug in ("xai", "groq", "cerebras", "google"):
            row[self.id_key] = f"{stem}{self.slug}-{number}"
        else:
            row[self.id_key] = f"{stem}org-{number % 97}/{self.slug}-{number}"
        for known in ("canonical_slug", "hugging_face_id", "modelId"):
            if row.get(known):
                row[known] = row[self.id_key]
        return row | changes

    def find(self, id: str) -> dict[str, Any]:
        return next(row for row in self.rows if row[self.id_key] == id)

    def ids(self) -> list[str]:
        return [row[self.id_key] for row in self.rows]

    def __call__(self, asked: Asked) -> Page:
        self._served += 1
        if self.busy_every and self._served % self.busy_every == 0:
            return Page(b'{"error":"slow down"}', 429, {"Retry-After": "0.05"})
        paging = {"huggingface-hub": self.by_link, "featherless": self.by_number}
        paging["portkey"] = self.by_offset
        return paging.get(self.parser, self.whole)(asked)

    def whole(self, asked: Asked) -> Page:
        if not self.etag:
            return Page(self.envelope(self.rows))
        body = self.envelope(self.rows)
        etag = f'"{hash(body)}"'
        if asked.headers.get("if-none-match") == etag:
            return Page(status=304, headers={"etag": etag})
        return Page(body, headers={"etag": etag})

    def by_link(self, asked: Asked) -> Page:
        """As the Hub: at most 1,000, `offset` means nothing, the cursor is opaque."""
        size = min(int(asked.query.get("limit", "100")), 1000)
        cursor = asked.query.get("cursor", "")
        start = int(urlsafe_b64decode(cursor)) if cursor else 0
        rows = self.rows[start : start + size]
        headers = {}
        if start + size < len(self.rows):
            following = urlsafe_b64encode(str(start + size).encode()).decode()
            query = "&".join(f"{k}={v}" for k, v in asked.query.items() if k != "cursor")
            target = f"http://{asked.host}{asked.path}?{query}&cursor={following}"
            headers["Link"] = f'<{target}>; rel="next"'
        if self.shuffled:
            again = self.rows[:start][-20:]  # the order moved between two pages
            rows = random.sample(rows + again, len(rows) + len(again))
        return Page(self.envelope(rows), headers=headers)

    def by_number(self, asked: Asked) -> Page:
        size = min(int(asked.query.get("per_page", "100")), 1000)
        number = int(asked.query.get("page", "1"))
        pages = max(1, -(-len(self.rows) // size))
        rows = self.rows[(number - 1) * size : number * size]
        count = {"total_items": len(self.rows), "total_pages": pages, "current_page": number}
        return Page(self.envelope(rows, pagination=count, total=len(self.rows)))

    def by_offset(self, asked: Asked) -> Page:
        start, size = int(asked.query.get("offset", "0")), int(asked.query.get("limit", "100"))
        return Page(self.envelope(self.rows[start : start + size], total=len(self.rows)))

    def envelope(self, rows: list[dict[str, Any]], **more: Any) -> bytes:
        answer = rows if self.key is None else {self.key: rows, **more}
        return json.dumps(answer).encode()
