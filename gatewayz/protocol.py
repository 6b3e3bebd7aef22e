"""HTTP/1.1 as a web process speaks it: uvicorn's connection, with a cheaper cycle on it.

uvicorn keeps the socket's life: reading, pipelining, flow control, stopping. Ours is what happens
for each request.
"""

import math
from collections import deque
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gatewayz.cycle import Cycle
from gatewayz.messages import ON_LEAVE

ASGI = {"version": "3.0", "spec_version": "2.3"}
CLOCK_STEP_S = 0.001  # uvloop's clock counts whole milliseconds


class Protocol(HttpToolsProtocol):
    """A client's connection. One timer serves all idle times: it rings and looks what is due."""

    cycle: Cycle  # type: ignore[assignment]  # a subclass would carry all of uvicorn's
    pipeline: deque[tuple[Cycle, dict[str, Any]]]  # type: ignore[assignment]
    idle_until = math.inf

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        parser = self.parser
        version = parser.get_http_version()
        method: str = parser.get_method().decode("ascii")
        before, cycle = self.cycle, Cycle(self, method, version)
        cycle.keep_alive = version != "1.0" and parser.should_keep_alive()
        cycle.expects_continue = self.expect_100_continue
        self.cycle = cycle
        scope = self.scope_of(method, version, cycle)
        if before is None or before.response_complete:
            self.start(cycle, scope)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, scope))

    def scope_of(self, method: str, version: str, cycle: Cycle) -> dict[str, Any]:
        """Return the request in ASGI's words."""
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        return {
            "type": "http",
            "asgi": ASGI,
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "method": method,
            "root_path": "",
            "path": unquote(path) if "%" in path else path,
            "raw_path": url.path,
            "query_string": url.query or b"",
            "headers": self.headers,
            "state": self.app_state.copy(),
            "extensions": {ON_LEAVE: cycle.on_leave},
        }

    def start(self, cycle: Cycle, scope: dict[str, Any]) -> None:
        cycle.task = self.loop.create_task(cycle.run(self.app, scope))
        self.tasks.add(cycle.task)

    def on_body(self, body: bytes) -> None:
        if self.cycle.take(body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()

    def on_message_complete(self) -> None:
        self.cycle.has_all()

    def on_response_complete(self) -> None:
        """Begin with what waits in the pipeline, or with waiting."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self.start(*self.pipeline.pop())
            return
        self.idle_until = self.loop.time() + self.timeout_keep_alive
        if self.timeout_keep_alive_task is None:
            self.ring_later(self.timeout_keep_alive)

    def ring_later(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        left_s = self.idle_until - self.loop.time()
        if left_s <= CLOCK_STEP_S:
            self.transport.close()
        elif left_s < math.inf:
            self.ring_later(left_s)

    def _unset_keepalive_if_required(self) -> None:
        """Something came: this is no idle time. The timer may go on, to find that out."""
        self.idle_until = math.inf

    def connection_lost(self, exc: Exception | None) -> None:
        self.connections.discard(self)
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        self.flow.resume_writing()
        if self.cycle is not None:
            self.cycle.leave()
        self.parser = self.cycle = None  # type: ignore[assignment]  # they point at each other
