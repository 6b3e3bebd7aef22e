"""Who looks for which kind of alert. Layers above register their own."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from catalog.alerts.kinds import KINDS, Finding

if TYPE_CHECKING:
    from catalog.alerts.models import AlertRule

Evaluator = Callable[["AlertRule", datetime], Iterable[Finding]]
EVALUATORS: dict[str, Evaluator] = {}


def evaluates(kind: str) -> Callable[[Evaluator], Evaluator]:
    """Register the function that returns all that is wrong of this kind now."""
    if kind not in KINDS:
        raise LookupError(f"no kind of alert is called {kind}")

    def register(evaluator: Evaluator) -> Evaluator:
        EVALUATORS[kind] = evaluator
        return evaluator

    return register
