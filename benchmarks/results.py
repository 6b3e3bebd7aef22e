"""What was measured: a table for people, lines for the history, and the page RESULTS.md."""

import csv
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.bars import MEASURES, OWN, Figures, Measure
from benchmarks.peers import Target

FOLDER = Path(__file__).parent
HISTORY, PAGE, PLOT = (FOLDER / name for name in ("history.csv", "RESULTS.md", "results.svg"))
MARKS = "begin", "end"
COLUMNS = ("at", "commit", "python", "target", "measure", "value")


def table(found: Mapping[str, Figures]) -> str:
    """Return the table, in Markdown: a row per measure, a column per target, then the bars."""
    names = list(found)
    lines = [f"| | {' | '.join(names)} | bar | of the bar | moonshot |"]
    lines.append("|---" * (len(names) + 4) + "|")
    for measure in MEASURES:
        if any(measure.key in figures for figures in found.values()):
            amounts = [said(figures.get(measure.key), measure.unit) for figures in found.values()]
            cells = [measure.title, *amounts, *verdict(measure, found)]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def verdict(measure: Measure, found: Mapping[str, Figures]) -> tuple[str, str, str]:
    """Return the bars, the gateway's ratios to them, and the moonshot."""
    own = found.get(OWN, {}).get(measure.key)
    bars, ratios = [], []
    for bar in measure.bars:
        limit = bar.limit(measure.key, found)
        of = f"1/{1 / bar.amount:.0f} of {bar.peer}" if bar.peer else ""
        if limit is None:
            bars.append(f"{of}, which is missing")
        else:
            bars.append(f"{of}: {said(limit, measure.unit)}" if of else said(limit, measure.unit))
            if own is not None and limit:
                word = "" if measure.reached(own, limit) else " **missed**"
                ratios.append(f"{own / limit:.2f}{word}")
    moonshot = said(measure.moonshot, measure.unit)
    if own is not None and measure.moonshot is not None:
        reached = measure.reached(own, measure.moonshot)
        moonshot += " reached" if reached else f" ({own / measure.moonshot:.2f})"
    return "; ".join(bars), "; ".join(ratios), moonshot


def said(amount: float | None, unit: str) -> str:
    if amount is None:
        return ""
    digits = 0 if amount >= 100 or not unit else 1 if amount >= 10 else 2
    return f"{amount:,.{digits}f} {unit}".strip()


def told(targets: Iterable[Target], missing: Mapping[str, str]) -> str:
    """Return what was measured, and what could not be, as a list in Markdown."""
    lines = [
        f"- {target.name} {target.version}: `{target.command}`"
        + (f". {target.note[:1].upper()}{target.note[1:]}." if target.note else "")
        for target in targets
    ]
    lines += [f"- MISSING {name}: {reason}" for name, reason in missing.items()]
    return "\n".join(lines)


def machine() -> str:
    load = os.getloadavg()
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {commit()}, {os.cpu_count()} processors "
        f"({model}), CPython {platform.python_version()}, load average before {load[0]:.1f}"
    )


def commit() -> str:
    command = ["git", "-C", str(FOLDER), "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def record(found: Mapping[str, Figures]) -> None:
    """Append each figure to the history."""
    fresh = not HISTORY.exists()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with HISTORY.open("a", newline="") as file:
        writer = csv.writer(file)
        if fresh:
            writer.writerow(COLUMNS)
        for name, figures in found.items():
            for key, value in figures.items():
                row = [now, commit(), platform.python_version(), name, key, f"{value:.3f}"]
                writer.writerow(row)


def write_section(name: str, text: str) -> None:
    """Put `text` in place of what an earlier run wrote under `name`; all else on the page stays."""
    begin, end = (f"<!-- {word} {name}: written by python -m benchmarks -->" for word in MARKS)
    page = PAGE.read_text() if PAGE.exists() else "# Results\n"
    before, found, rest = page.partition(begin)
    after = rest.partition(end)[2] if found else ""
    parts = [before.rstrip(), f"{begin}\n{text.strip()}\n{end}", after.strip()]
    PAGE.write_text("\n\n".join(part for part in parts if part) + "\n")
