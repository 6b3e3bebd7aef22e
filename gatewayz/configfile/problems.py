"""What is wrong with a config file, each with its line and its path in the file."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Problem:
    """One sentence for whoever wrote the file. line: from 1; 0 where there is none."""

    message: str
    path: str = ""
    line: int = 0

    def __str__(self) -> str:
        line = f"line {self.line}" if self.line else ""
        return ": ".join(part for part in (line, self.path, self.message) if part)


class Invalid(ValueError):
    """The file cannot be applied; carries every problem, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        unique = dict.fromkeys(problems)
        self.problems = sorted(unique, key=lambda problem: problem.line)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def shown(text: object, limit: int = 60) -> str:
    """Return `text` short enough for a line, and on one line."""
    line = " ".join(str(text).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def nearest(word: str, known: Collection[str]) -> str:
    """Return `; did you mean …?` for a word that is close to a known one, or nothing."""
    found = _closest(word[:80], tuple(sorted(known)))
    return f"; did you mean {found}?" if found else ""


@lru_cache(maxsize=1000)
def _closest(word: str, known: tuple[str, ...]) -> str:
    return next(iter(get_close_matches(word, known, n=1, cutoff=0.6)), "")
