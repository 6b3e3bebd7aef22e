"""Between budgets' counters and the database, in a thread."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import Error, close_old_connections

from billing.limits import spends
from billing.limits.admitting import Limits
from billing.limits.counters import Allowance
from billing.limits.counting import Counting
from billing.limits.notices import notice
from billing.limits.periods import moment
from billing.limits.values import Budget
from billing.values import Key
from providers.errors import NoProviderAvailable

OVERLAP_S = 10.0  # clocks differ, and a transaction is seen after its time
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Clerk:
    """`work` never raises for a database that is away: counters go on with what they know."""

    limits: Limits
    _told: set[tuple[int, int]] = field(default_factory=set)
    _news: object = None

    def work(self, leading: bool) -> None:
        """Do it over a connection that stays open for the next time."""
        try:
            self._tell_refusals()
            self._learn_unknown()
            if leading:
                self.follow(time.time())
        except Error as problem:
            close_old_connections()
            log.warning("budgets do not follow the database now: %s", problem)

    def follow(self, now_s: float) -> None:
        """Take over what was booked lately, by any node, if there is anything new."""
        since = spends.at(now_s - OVERLAP_S)
        news = spends.news(since)
        if news == self._news:
            return
        for budget, begin, spent in spends.changed_since(since):
            allowance = Allowance(budget.value_of())
            self.limits.counting.know_spent(allowance, begin, spent, int(now_s * 1000))
        self._news = news

    def _tell_refusals(self) -> None:
        """Write down that a hard edge was reached, once for each period."""
        refused = self.limits.refused
        while refused:
            budget_id, begin = refused[0]
            if (budget_id, begin) not in self._told:
                reached = {id: spent for id, _, spent in spends.spent_of([budget_id], begin)}
                if budget_id in reached:
                    notice(budget_id, moment(begin), "hard", reached[budget_id])
                self._told.add((budget_id, begin))
            refused.popleft()
        if len(self._told) > 10_000:
            self._told.clear()

    def _learn_unknown(self) -> None:
        """Look up the budgets that requests met before anybody knew what was spent of them."""
        unknown = self.limits.unknown
        while unknown:
            learn(self.limits.counting, tuple(unknown.values()), time.time())
            unknown.clear()


@contextmanager
def given_back() -> Iterator[None]:
    """Give the thread's connection back, so that one that broke is not met again."""
    try:
        yield
    finally:
        close_old_connections()


def learn(counting: Counting, budgets: tuple[Budget, ...], now_s: float) -> None:
    """Put what was spent of `budgets` into their counters."""
    known = {budget.id: budget for budget in budgets}
    for budget_id, begin, spent in spends.spent_of(known, now_s):
        allowance = Allowance(known[budget_id])
        counting.know_spent(allowance, begin, spent, int(now_s * 1000))


def learn_key(counting: Counting, key: Key | None) -> None:
    """Learn a key's budgets before its first request; raises NoProviderAvailable."""
    if key is None or not key.budgets:
        return
    try:
        with given_back():
            learn(counting, key.budgets, time.time())
    except Error as problem:
        log.warning("a budget could not be looked up: %s", problem)
        raise NoProviderAvailable("Budgets cannot be checked now.", retry_after_s=2) from problem
