"""How many requests are under way at a provider, in this process."""

from collections import Counter

from providers.values import Endpoint


class Slots:
    """A provider's concurrency is shared evenly by the `processes` of a node."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._taken: Counter[str] = Counter()

    def take(self, endpoint: Endpoint) -> bool:
        """Take a slot; False if none is free."""
        limit = endpoint.concurrency
        if limit is not None and self._taken[endpoint.slug] >= -(-limit // self._processes):
            return False
        self._taken[endpoint.slug] += 1
        return True

    def free(self, endpoint: Endpoint) -> None:
        self._taken[endpoint.slug] -= 1
