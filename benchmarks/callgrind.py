"""A process whose machine instructions valgrind counts, from one moment to another.

Only those of its first thread: what others do by the clock would count more on a slower machine.
Nothing is counted while it starts, which spares most of callgrind's slowness.
"""

import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

NEEDED = ("valgrind", "vgdb")
TOTALS = re.compile(rb"^totals: (\d+)", re.MULTILINE)
ANSWER_S = 60


def missing() -> str:
    """Return what must be installed before anything can be counted, or nothing."""
    return ", ".join(name for name in NEEDED if shutil.which(name) is None)


def version() -> str:
    return subprocess.run(
        ["valgrind", "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()


class Counted:
    """`with Counted(command, …) as process:` runs it; `lap()` gives the instructions since then.

    folder: gets the log, and a file per lap that callgrind_annotate reads.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        env: Mapping[str, str],
        cwd: Path,
        descriptors: Sequence[int] = (),
    ) -> None:
        self.out = folder / "callgrind.out"
        self.log = folder / "counted.log"
        self.laps = 0
        tool = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--separate-threads=yes"]
        tool += [f"--callgrind-out-file={self.out}"]
        with self.log.open("wb") as log:
            self.child = subprocess.Popen(
                [*tool, *command], env=env, cwd=cwd, stdout=log, stderr=log, pass_fds=descriptors
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.child.terminate()
        try:
            self.child.wait(ANSWER_S)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def begin(self) -> None:
        """Count from here on."""
        self._say("instrumentation", "on")
        self.lap()

    def lap(self) -> int:
        """Return the instructions of its first thread since the lap before."""
        self._say("dump", "lap")
        self.laps += 1
        written = Path(f"{self.out}.{self.laps}-01")
        until = time.monotonic() + ANSWER_S
        while not (found := TOTALS.search(written.read_bytes() if written.exists() else b"")):
            if time.monotonic() > until:
                raise RuntimeError(f"callgrind wrote no {written}\n{self.told()}")
            time.sleep(0.01)
        return int(found[1])

    def _say(self, *words: str) -> None:
        command = ["vgdb", f"--pid={self.child.pid}", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_S)
        if done.returncode:
            raise RuntimeError(
                f"{command} ended with {done.returncode}\n{done.stderr}{self.told()}"
            )

    def told(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]
