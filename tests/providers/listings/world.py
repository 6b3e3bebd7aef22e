"""Lists as providers send them, from samples of their shapes, and the parsers that read them."""

import json
from pathlib import Path
from typing import Any

import msgspec

from providers.listings.entries import entry
from providers.listings.values import Listed, Page, PageAsk, Parser

HERE = Path(__file__).parent
URL = "https://api.example.com/v1/models"


class Sample(msgspec.Struct, frozen=True):
    """A provider's answer, byte for byte as it is in the file."""

    parser: str
    url: str
    origin: str
    body: msgspec.Raw
    headers: dict[str, str] = {}


SAMPLES = msgspec.json.decode((HERE / "samples.json").read_bytes(), type=dict[str, Sample])


def parser(name: str, **options: object) -> Parser:
    return entry({"parser": name, "url": URL, "auth": "none", **options}).parser


def sample(name: str, **options: object) -> Page:
    """Read a provider's sample with the parser that its shape belongs to."""
    given = SAMPLES[name]
    reader = parser(given.parser, **options)
    return reader.read(reader.first(given.url), given.headers, bytes(given.body))


def of(name: str, id: str, **options: object) -> Listed:
    return next(row for row in sample(name, **options).rows if row.upstream_id == id)


def read(name: str, answer: Any, url: str = URL, headers: Any = None, **options: object) -> Page:
    """Read an answer of our own making."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return parser(name, **options).read(PageAsk(url), headers or {}, body)


def row(name: str, values: dict[str, Any], **options: object) -> Listed:
    """Read one row in OpenAI's envelope."""
    (found,) = read(name, {"data": [{"id": "org/x", **values}]}, **options).rows
    return found
