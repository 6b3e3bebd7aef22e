"""Names for requests."""

import os
import time


def new_request_id() -> str:
    """Return an id that sorts by time: 48 bits of milliseconds, 80 of chance."""
    return f"gen-{time.time_ns() // 1_000_000:012x}{os.urandom(10).hex()}"
