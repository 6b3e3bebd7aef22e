"""One request from admission to its line in the journal."""

import time

from billing.charging import charge, charge_lost, used
from billing.estimates import Bounds, estimate, greatest_cost_nano
from billing.leases.pockets import Hold
from billing.records import REFUSED, Record
from billing.values import Key
from catalog.asks import Ask
from catalog.resolver import resolve
from gatewayz.plane import plane
from providers.attempts import Call
from providers.dispatch import Reply
from providers.errors import GatewayError, NoProviderAvailable
from providers.values import Route, Usage

CLIENT_GONE = 499
RETRY_S = 5


class Exchange:
    """Knows who asked and what came of it; `end` records it, once.

    The journal must take lines, then `_admit` takes what the request needs: what limits allow, and
    money for the most that it can cost. It is let go of in `_settle`.
    """

    def __init__(self, request_id: str, key: Key, ask: Ask, call: Call, bounds: Bounds) -> None:
        self.request_id = request_id
        self.key = key
        self.ask = ask
        self.call = call
        self.reply = Reply()
        self.over = False
        self._bounds = bounds
        self._routes: tuple[Route, ...] = ()
        self._hold: Hold | None = None
        self._sold = True
        self._began, self._began_at = time.monotonic(), time.time()
        self._first_byte_ms: int | None = None
        self._hits: set[int] = set()

    async def run(self) -> Reply:
        """Admit, resolve and dispatch; raises GatewayError. What was sent anywhere is recorded."""
        plane.journal.ready()
        self._routes = self._resolve()
        await self._admit()
        try:
            await plane.dispatcher.send(self._routes, self.call, self.reply)
            self._first_byte_ms = self._elapsed_ms()
            self._begin()
        except GatewayError as problem:
            self.end("failed", problem.status, problem.code)
            await self.returned()
            raise
        except BaseException:
            self.end("cancelled", CLIENT_GONE)
            raise
        return self.reply

    async def _admit(self) -> None:
        """Take what the request needs; `_settle` lets go of it. Raises what refuses it."""
        most = greatest_cost_nano(self._routes, self._bounds, self.key.markup)
        self._hold = await plane.purse.hold(self.key.account_id, most)

    def _resolve(self) -> tuple[Route, ...]:
        """Return the routes; a refusal that a block rule has part in is recorded for its count."""
        try:
            return resolve(plane.live.snapshot, self.ask, hits=self._hits)
        except GatewayError as problem:
            if self._hits:
                self.end(REFUSED, problem.status, problem.code)
            raise

    def _begin(self) -> None:
        """Record the answer before its first byte is sent: a whole one for good, a stream for if
        the process dies before its end. Raises NoProviderAvailable if the disk does not take it:
        what cannot be charged is not given out."""
        if self.reply.stream is not None:
            record = self._record("interrupted", 200, "", estimate(self._bounds, 0))
            record.opened = True
        else:
            record = self._record("answered", 200, "", used(self.reply, self._bounds, "answered"))
        if not plane.journal.write(record, owed=False):
            self._sold = False
            if self.reply.stream is not None:
                self.reply.stream.close()
            raise NoProviderAvailable("The answer cannot be recorded.", retry_after_s=RETRY_S)
        if not record.opened:
            self._settle(record)

    def end(self, outcome: str, status: int = 200, code: str = "") -> None:
        """Record how the request ended. Only the first call counts."""
        if not self.over:
            usage = used(self.reply, self._bounds, outcome)
            record = self._record(outcome, status, code, usage)
            plane.journal.write(record)
            self._settle(record)

    def _settle(self, record: Record) -> None:
        """Let go of what the request held, but for what it cost."""
        self.over = True
        if self._hold is not None:
            self._hold.free(record.cost_nano or 0)

    async def returned(self) -> None:
        """Wait until money that was not used can be had anywhere, where the account has little."""
        if self._hold is not None:
            await self._hold.returned()

    def _record(self, outcome: str, status: int, code: str, usage: Usage | None) -> Record:
        record = Record(
            request_id=self.request_id,
            at=self._began_at,
            account_id=self.key.account_id,
            key_id=self.key.public_id,
            endpoint=self.ask.endpoint,
            asked_model=self.ask.model,
            stream=self.call.stream,
            status=status,
            outcome=outcome,
            error_code=code,
            duration_ms=self._elapsed_ms(),
            first_byte_ms=self._first_byte_ms,
            blocks=list(self._hits),
        )
        charge(record, self.reply, usage, self.key.markup if self._sold else None)
        if len(record.attempts) > 1 or usage is None:
            charge_lost(record, self._routes, self._bounds)
        if self._hold is not None:
            record.hold_nano = self._hold.cover(record.cost_nano or 0)
            record.lease = plane.journal.process
        return record

    def _elapsed_ms(self) -> int:
        return int((time.monotonic() - self._began) * 1000)
