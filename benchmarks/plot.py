"""The results as a picture: a bar per target and measure, on a logarithmic scale, as SVG."""

from collections.abc import Mapping, Sequence
from html import escape
from math import floor, log10

from benchmarks.bars import MEASURES, Figures, Measure
from benchmarks.results import said

SHOWN = ("request_us", "chunk_us", "one_p99_ms", "token_p99_ms", "stream_kb", "loaded_mb")
COLOURS = ("#2a6f97", "#c8553d", "#8d6a9f", "#9aa5b1", "#d4a017")
WIDTH, LEFT, RIGHT, LINE, GAP = 860, 190, 110, 20, 34


def svg(found: Mapping[str, Figures]) -> str:
    """Return the picture; a target that has no figure has no bar."""
    parts: list[str] = []
    y = 20
    for measure in (one for one in MEASURES if one.key in SHOWN):
        rows = [
            (name, figures[measure.key], COLOURS[number % len(COLOURS)])
            for number, (name, figures) in enumerate(found.items())
            if figures.get(measure.key, 0) > 0
        ]
        if rows:
            parts += group(measure, rows, y)
            y += GAP + LINE * len(rows)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}"'
    style = (
        ' font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="#fff"/>'
    )
    return head + style + "\n" + "\n".join(parts) + "\n</svg>\n"


def group(measure: Measure, rows: Sequence[tuple[str, float, str]], y: int) -> list[str]:
    least = 10 ** floor(log10(min(amount for _, amount, _ in rows)))
    span = max(log10(max(amount for _, amount, _ in rows) / least), 0.1)
    parts = [text(10, y, f"{measure.title} ({measure.unit}, logarithmic)", "bold")]
    for number, (name, amount, colour) in enumerate(rows):
        top = y + 8 + number * LINE
        width = max(2.0, (WIDTH - LEFT - RIGHT) * log10(amount / least) / span)
        parts.append(text(10, top + 13, name))
        box = f'x="{LEFT}" y="{top + 2}" width="{width:.0f}" height="{LINE - 6}"'
        parts.append(f'<rect {box} fill="{colour}"/>')
        parts.append(text(LEFT + width + 6, top + 13, said(amount, measure.unit)))
    return parts


def text(x: float, y: float, words: str, weight: str = "normal") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" font-weight="{weight}">{escape(words)}</text>'
