"""A process that counts, for tests that kill it: `python -m tests.billing.limits.worker FOLDER …`.

`tries N LIMIT`: ask N times, print how often it was admitted. `slots N LIMIT`: take N slots, say
so, wait. `lock`: take the lock, say so, wait.
"""

import sys
import time
from pathlib import Path

from billing.limits.counters import Counter
from billing.limits.counting import Counting, Taken
from tests.billing.limits.bench import limit, opened

REQUESTS, SLOTS = "shared:requests", "shared:slots"


def main(folder: str, what: str, *numbers: str) -> None:
    file = opened(Path(folder))
    counting = Counting(file)
    if what == "lock":
        file.lock()
    elif what == "slots":
        slots = Counter(limit("concurrency", int(numbers[1]), name=SLOTS))
        for _ in range(int(numbers[0])):
            assert isinstance(counting.take([slots], (), (1, 0, 1, 0), now_ms()), Taken)
    else:
        requests = Counter(limit("requests", int(numbers[1]), "hour", name=REQUESTS))
        results = [
            isinstance(counting.take([requests], (), (1, 0, 1, 0), now_ms()), Taken)
            for _ in range(int(numbers[0]))
        ]
        print(sum(results), flush=True)
        return
    print("ready", flush=True)
    time.sleep(60)


def now_ms() -> int:
    return int(time.time() * 1000)


if __name__ == "__main__":
    main(*sys.argv[1:])
