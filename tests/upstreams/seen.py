"""What an upstream saw of one request. Times are `time.monotonic()`."""

import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class Seen:
    """One request as it arrived. Header names are lower-case.

    Times are on one clock for all processes of a machine.
    closed_at: when the client went away before the answer's end; None if it stayed.
    bytes_written: what the client's socket took of the answer so far, its head included.
    sent_at: when each piece of the body was handed to the socket.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)
    closed_at: float | None = None
    answered_at: float | None = None
    bytes_written: int = 0
    sent_at: list[float] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def fields(self) -> dict[str, Any]:
        """Return the body's members; empty if the body is not a JSON object."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def model(self) -> str:
        return str(self.fields.get("model", ""))

    @property
    def token(self) -> str:
        """Return the credential, in whichever header it came."""
        bearer = self.headers.get("authorization", "").removeprefix("Bearer ")
        names = ("x-api-key", "x-goog-api-key", "api-key")
        return next((self.headers[name] for name in names if name in self.headers), bearer)

    def wait_closed(self, timeout_s: float = 5.0) -> float:
        """Wait for the client to go away; return when it did. AssertionError if it stayed."""
        self.over.wait(timeout_s)
        assert self.closed_at is not None, f"the client of {self.method} {self.path} did not leave"
        return self.closed_at

    def wait_answered(self, timeout_s: float = 5.0) -> float:
        """Wait for the answer's end; return when it was. AssertionError if it did not come."""
        self.over.wait(timeout_s)
        assert self.answered_at is not None, f"{self.method} {self.path} was not answered"
        return self.answered_at

    def left(self) -> None:
        self.closed_at = time.monotonic()
        self.over.set()

    def answered(self) -> None:
        self.answered_at = time.monotonic()
        self.over.set()
