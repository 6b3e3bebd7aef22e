"""What was measured, as a table for people and as a line for the history."""

import csv
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.streams import Relayed

HISTORY = Path(__file__).with_name("history.csv")
BARS_US = {"request": 450.0, "chunk": 90.0}

COLUMNS = (
    *("CPU per request", "of the bar", "requests/s"),
    *("CPU per chunk", "of the bar", "chunk late by, median", "p99"),
)


@dataclass(frozen=True)
class Result:
    """One target's figures; None where it has none."""

    request_us: float | None = None
    requests_per_s: float | None = None
    relayed: Relayed | None = None


def table(results: Mapping[str, Result]) -> str:
    """Return the table, in Markdown; ratios are against the bars."""
    lines = [f"| | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
    bars = [f"{BARS_US['request']:.0f} us", "1.00", "", f"{BARS_US['chunk']:.0f} us", "1.00"]
    lines.append(f"| the bar | {' | '.join([*bars, '5 ms', ''])} |")
    lines += [f"| {name} | {' | '.join(cells(result))} |" for name, result in results.items()]
    return "\n".join(lines)


def cells(result: Result) -> list[str]:
    """Return a row's cells, the empty ones too."""
    request, relayed = ["", "", ""], ["", "", "", ""]
    if result.request_us is not None:
        ratio = result.request_us / BARS_US["request"]
        request = [f"{result.request_us:.0f} us", f"{ratio:.2f}", f"{result.requests_per_s:.0f}"]
    if (came := result.relayed) is not None:
        cpu = ["", ""]
        if came.cpu_us is not None:
            cpu = [f"{came.cpu_us:.0f} us", f"{came.cpu_us / BARS_US['chunk']:.2f}"]
        relayed = [
            *cpu,
            f"{came.median_ms:.2f} ms",
            f"{came.p99_ms:.2f} ms",
        ]
    return request + relayed


def record(results: Mapping[str, Result]) -> None:
    """Append the gateway's figures, and the floor's, to the history."""
    fresh = not HISTORY.exists()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with HISTORY.open("a", newline="") as file:
        writer = csv.writer(file)
        if fresh:
            names = ["request_us", "requests_per_s", "chunk_us", "late_median_ms", "late_p99_ms"]
            writer.writerow(["at", "python", "target", *names])
        for name, result in results.items():
            came = result.relayed
            figures = [result.request_us, result.requests_per_s]
            figures += [came.cpu_us, came.median_ms, came.p99_ms] if came else [None] * 3
            rounded = ["" if figure is None else f"{figure:.2f}" for figure in figures]
            writer.writerow([now, platform.python_version(), name, *rounded])
