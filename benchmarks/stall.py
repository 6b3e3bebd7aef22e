"""For how long a process's event loop stands still, told by its own processor time.

`python -m benchmarks.stall` is the process: a data plane as a web worker has it, and a heart that
beats every millisecond. What passes between two beats on the clock of the process's own processor
time is what its other threads held the loop up for; neighbours on the machine do not count. Threads
that run at the same time as others count twice there, so that it is at most what a watch tells.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import uvloop

BEAT_S = 0.001
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Stalls:
    """Milliseconds that a request at a random moment waits, at p99.9, and the longest stall."""

    p999_ms: float
    most_ms: float

    @classmethod
    def of(cls, gaps_s: Sequence[float], whole_s: float) -> "Stalls":
        return cls(waits_s(gaps_s, whole_s, 0.001) * 1000, max(gaps_s, default=0) * 1000)


def waits_s(gaps_s: Sequence[float], whole_s: float, share: float) -> float:
    """Return what `share` of the requests wait longer than, if they come at any moment.

    In a gap of g those of its first g - w wait longer than w.
    """
    low, high = 0.0, max(gaps_s, default=0.0)
    for _ in range(40):
        middle = (low + high) / 2
        longer = sum(gap - middle for gap in gaps_s if gap > middle)
        low, high = (middle, high) if longer > share * whole_s else (low, middle)
    return high


class Watched:
    """`with Watched(env) as watched:` runs it; `stalls()` tells of the time since it was asked."""

    def __init__(self, env: Mapping[str, str], log: Path) -> None:
        with log.open("wb") as file:
            self.child = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.stall"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                env=dict(env),
                cwd=ROOT,
                text=True,
            )
        self.log = log

    def __enter__(self) -> Self:
        self.ask()
        return self

    def __exit__(self, *exc: object) -> None:
        self.child.communicate()

    def ask(self) -> dict[str, float]:
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.child.stdin.write("\n")
        self.child.stdin.flush()
        line = self.child.stdout.readline()
        if not line:
            raise RuntimeError(f"the watched process ended: {self.log.read_text()[-2000:]}")
        return json.loads(line)

    def stalls(self) -> Stalls:
        told = self.ask()
        return Stalls(told["p999_ms"], told["most_ms"])

    def revision(self) -> int:
        """Return what it serves; what it beat until now is forgotten."""
        return int(self.ask()["revision"])


class Heart:
    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.gaps_s: list[float] = []
        self.began = time.monotonic()
        self.last, self.last_cpu = self.began, time.process_time()
        self.loop.call_later(BEAT_S, self.beat)

    def beat(self) -> None:
        now, now_cpu = time.monotonic(), time.process_time()
        self.gaps_s.append(min(now - self.last - BEAT_S, now_cpu - self.last_cpu))
        self.last, self.last_cpu = now, now_cpu
        self.loop.call_later(BEAT_S, self.beat)

    def told(self) -> Stalls:
        """Return the stalls since the last time."""
        gaps_s, self.gaps_s = self.gaps_s, []
        began, self.began = self.began, time.monotonic()
        return Stalls.of(gaps_s, self.began - began)


async def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatewayz.settings")
    django.setup()
    from gatewayz.plane import plane

    await asyncio.to_thread(plane.start)
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    heart = Heart()
    while await lines.readline():
        found = heart.told()
        told = {"p999_ms": found.p999_ms, "most_ms": found.most_ms}
        print(json.dumps(told | {"revision": plane.live.snapshot.revision}), flush=True)
    plane.stop()


if __name__ == "__main__":
    uvloop.run(main())
