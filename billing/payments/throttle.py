"""How often one account may try something, in this process."""

import time
from collections import deque

from providers.errors import RateLimited

MOST_ACCOUNTS = 10_000


class Throttle:
    """At most `most` tries in `window_s` seconds by each account."""

    def __init__(self, most: int, window_s: float) -> None:
        self.most, self.window_s = most, window_s
        self._tries: dict[int, deque[float]] = {}

    def count(self, account_id: int) -> None:
        """Count a try; raises RateLimited, which is not counted."""
        now = time.monotonic()
        tries = self._tries.setdefault(account_id, deque())
        while tries and tries[0] <= now - self.window_s:
            tries.popleft()
        if len(tries) >= self.most:
            wait_s = tries[0] + self.window_s - now
            raise RateLimited("This was tried too often.", retry_after_s=wait_s)
        tries.append(now)
        if len(self._tries) > MOST_ACCOUNTS:
            self._forget(now)

    def _forget(self, now: float) -> None:
        over = now - self.window_s
        self._tries = {pk: tries for pk, tries in self._tries.items() if tries and tries[-1] > over}
