"""Which counters a key's request meets, kept ready by key and model."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from billing.limits.counters import Allowance, Counter
from billing.limits.values import REQUESTS, TOKENS
from billing.values import Key

MOST_KEYS = 20_000
MOST_MODELS = 200  # of one key


@dataclass(frozen=True, slots=True)
class Applying:
    """What applies to a key's requests for one model. header: its windows, as RateLimit-Policy."""

    counters: tuple[Counter, ...]
    allowances: tuple[Allowance, ...]
    header: str


@dataclass(slots=True)
class Policy:
    """A key's limits, as counters. It is made anew when the key was read anew."""

    key: Key
    counters: tuple[Counter, ...]
    allowances: tuple[Allowance, ...]
    by_model: dict[str, Applying] = field(default_factory=dict)

    def applying(self, model: str) -> Applying:
        found = self.by_model.get(model)
        if found is None:
            if len(self.by_model) >= MOST_MODELS:
                self.by_model.clear()
            found = self.by_model[model] = self._choose(model)
        return found

    def _choose(self, model: str) -> Applying:
        counters = tuple(c for c in self.counters if counts(c.limit.models, model))
        windows = [c.limit.policy for c in counters if c.step_ms]
        return Applying(counters, self.allowances, ", ".join(windows))


def counts(pattern: str, model: str) -> bool:
    return not pattern or fnmatchcase(model, pattern)


class Policies:
    def __init__(self) -> None:
        self._policies: dict[str, Policy] = {}

    def of(self, key: Key) -> Policy:
        policy = self._policies.get(key.public_id)
        if policy is None or policy.key is not key:
            if len(self._policies) >= MOST_KEYS:
                self._policies.clear()
            policy = self._policies[key.public_id] = Policy(
                key,
                tuple(Counter(limit) for limit in sorted(key.limits, key=order)),
                tuple(Allowance(budget) for budget in key.budgets),
            )
        return policy


ORDER = {REQUESTS: 0, TOKENS: 1}


def order(limit: object) -> tuple[int, int]:
    """What waits longest is said first: a refused client should not come back to be refused."""
    unit, window_s = getattr(limit, "unit", ""), getattr(limit, "window_s", 0)
    return -window_s, ORDER.get(unit, 2)
