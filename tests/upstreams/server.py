"""An upstream: a socket server with its own thread and loop, told by each test how to behave."""

import asyncio
import ssl
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Self, cast

from tests.upstreams.behaviour import Behaviour, Check, InTurn
from tests.upstreams.chat import Chat
from tests.upstreams.errors import error
from tests.upstreams.seen import Seen
from tests.upstreams.wire import Wire, read_request


class Line(asyncio.StreamReaderProtocol):
    """A connection that knows when its client has gone, also while nobody reads from it."""

    def __init__(self, up: "Upstream") -> None:
        loop = asyncio.get_running_loop()
        super().__init__(asyncio.StreamReader(2**20, loop), up.accept, loop)
        self.gone = asyncio.Event()

    def eof_received(self) -> bool | None:
        self.gone.set()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()
        super().connection_lost(exc)


class Upstream:
    """`with Upstream() as up:` serves at `up.url` until the block ends.

    Who answers, first match: `checks` (a refusal, or None), `paths[path]`, `models[model]`, and
    what `reply` or `script` gave; a wrong credential meets `unauthorized` when `token` is set.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.token: str | None = None
        self.unauthorized: Behaviour = error("openai", 401)
        self.checks: list[Check] = []
        self.paths: dict[str, Behaviour] = {}
        self.models: dict[str, Behaviour] = {}
        self.otherwise: Behaviour = Chat("Hello there")
        self.connections = 0
        self.open_connections = 0
        self._tls = tls
        self._seen: list[Seen] = []
        self._arrived = threading.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="upstream", daemon=True)
        self._listening = threading.Event()
        self._stopping = asyncio.Event()
        self.port = 0

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/v1"

    @property
    def requests(self) -> list[Seen]:
        with self._arrived:
            return list(self._seen)

    def reply(self, behaviour: Behaviour) -> None:
        self.otherwise = behaviour

    def script(self, behaviours: Sequence[Behaviour]) -> None:
        self.otherwise = InTurn(behaviours)

    def wait_for(self, count: int, timeout_s: float = 5.0) -> list[Seen]:
        """Wait until `count` requests have come, and return them; AssertionError if they do not."""
        with self._arrived:
            came = self._arrived.wait_for(lambda: len(self._seen) >= count, timeout_s)
            assert came, f"{len(self._seen)} of {count} requests came in {timeout_s} s"
            return list(self._seen)

    def forget(self) -> None:
        """Empty `requests`."""
        with self._arrived:
            self._seen.clear()

    def __enter__(self) -> Self:
        self._thread.start()
        self._listening.wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self.stop()
        if self._failures and kind is None:
            raise self._failures[0]

    def stop(self) -> None:
        """Close the port and every connection. Safe to repeat."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._listen())

    async def _listen(self) -> None:
        server = await self._loop.create_server(lambda: Line(self), "127.0.0.1", 0, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._stopping.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._converse(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while seen := await read_request(reader):
                    if not await self._serve(seen, writer):
                        break
        finally:
            self.open_connections -= 1
            writer.close()

    async def _serve(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        """Answer until the end or until the client goes; say whether another request may come."""
        with self._arrived:
            self._seen.append(seen)
            self._arrived.notify_all()
        wire = Wire(writer, seen)
        work = self._loop.create_task(self._behave(seen, wire))
        line = cast(Line, writer.transport.get_protocol())
        leaving = self._loop.create_task(line.gone.wait())
        try:
            await asyncio.wait({work, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            work.cancel()
            leaving.cancel()
        await self._settle(work, wire)
        return wire.over and wire.keep_alive

    async def _behave(self, seen: Seen, wire: Wire) -> None:
        await self._choose(seen).answer(seen, wire)

    async def _settle(self, work: asyncio.Task[None], wire: Wire) -> None:
        """Note how the request ended; a behaviour's own mistake fails the test at its end."""
        try:
            await work
        except (asyncio.CancelledError, ConnectionError):
            pass
        except Exception as exc:  # noqa: BLE001
            self._failures.append(exc)
        wire.seen.answered() if wire.over else wire.seen.left()

    def _choose(self, seen: Seen) -> Behaviour:
        if self.token is not None and seen.token != self.token:
            return self.unauthorized
        for check in self.checks:
            if refusal := check(seen):
                return refusal
        path = seen.path.partition("?")[0]
        return self.paths.get(path) or self.models.get(seen.model) or self.otherwise
