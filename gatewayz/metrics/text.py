"""Prometheus's text format. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gatewayz.metrics.board import Key
from gatewayz.metrics.meter import BUCKETS

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Sample = tuple[str, Mapping[str, str], float]  # what follows the family's name, labels, value


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its samples have its name and a suffix."""

    name: str
    kind: str
    says: str
    samples: Sequence[Sample] = field(default=())


def render(families: Iterable[Family]) -> bytes:
    return "".join(line for family in families for line in lines(family)).encode()


def lines(family: Family) -> Iterator[str]:
    yield f"# HELP {family.name} {family.says}\n# TYPE {family.name} {family.kind}\n"
    for suffix, labels, value in family.samples:
        shown = ",".join(f'{name}="{escaped(text)}"' for name, text in labels.items())
        braces = f"{{{shown}}}" if shown else ""
        yield f"{family.name}{suffix}{braces} {value:.15g}\n"


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def gauge(name: str, says: str, values: Mapping[str, float], label: str) -> Family:
    samples = [("", {label: key}, value) for key, value in sorted(values.items())]
    return Family(name, "gauge", says, samples)


def number(name: str, says: str, value: float) -> Family:
    return Family(name, "gauge", says, [("", {}, value)])


def counter(
    name: str, says: str, counts: Mapping[Key, int], of: str, labels: Sequence[str]
) -> Family:
    """Return the counts whose key begins with `of`, its other parts as labels."""
    samples = [
        ("", dict(zip(labels, key[1:], strict=True)), count)
        for key, count in sorted(counts.items())
        if key[0] == of
    ]
    return Family(name, "counter", says, samples)


def histogram(name: str, says: str, counts: Mapping[Key, int], of: str, label: str) -> Family:
    samples: list[Sample] = []
    for key, total_ms in sorted(counts.items()):
        if key[0] == f"{of}_ms":
            labels, seen = {label: key[1]}, 0
            for le in BUCKETS:
                seen += counts.get((f"{of}_bucket", key[1], le), 0)
                samples.append(("_bucket", {**labels, "le": le}, seen))
            samples += [("_sum", labels, total_ms / 1000), ("_count", labels, seen)]
    return Family(name, "histogram", says, samples)
