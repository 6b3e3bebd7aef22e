"""Why a request goes where it goes: the resolver tells, a trace listens."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Step:
    """One decision: the rule that was asked, about what, and what came of it."""

    rule: str
    subject: str
    outcome: str


@dataclass(slots=True)
class Trace:
    steps: list[Step] = field(default_factory=list)

    def note(self, rule: str, subject: str, outcome: str) -> None:
        self.steps.append(Step(rule, subject, outcome))


class Silent(Trace):
    """Hears nothing; for requests that nobody asked about."""

    __slots__ = ()

    def note(self, rule: str, subject: str, outcome: str) -> None:
        return


SILENT = Silent()
