"""One request from admission to its line in the journal."""

import time
from collections.abc import Sequence

from msgspec.structs import replace

from billing.books.records import REFUSED, Record
from billing.costs.charging import charge_answer, charge_lost, used
from billing.costs.estimates import Bounds, estimate
from billing.costs.pricing import charge, priced, told
from billing.values import Key
from catalog.asks import Ask
from catalog.resolver import resolve
from gatewayz.api.admitted import Admitted, admit
from gatewayz.plane import plane
from providers.adapters.costs import Told
from providers.attempts import Call
from providers.dispatch import Reply
from providers.errors import GatewayError, NoProviderAvailable
from providers.values import Route, Usage

CLIENT_GONE = 499
RETRY_S = 5


class Exchange:
    """Knows who asked and what came of it; `end` records it, once.

    The journal must take lines, then the request is admitted; `_settle` lets go of what that took.
    """

    def __init__(self, request_id: str, key: Key, ask: Ask, call: Call, bounds: Bounds) -> None:
        self.request_id = request_id
        self.key = key
        self.ask = ask
        self.call = replace(call, cost=self._told) if call.wants_cost else call
        self.reply = Reply()
        self.over = False
        self._bounds = bounds
        self._routes: Sequence[Route] = ()
        self._admitted: Admitted | None = None
        self._sold = True
        self._began, self._began_at = time.monotonic(), time.time()
        self._first_byte_ms: int | None = None
        self._hits: set[int] = set()

    async def run(self) -> Reply:
        """Admit, resolve and dispatch; raises GatewayError. What was sent anywhere is recorded."""
        plane.journal.ready()
        self._routes = self._resolve()
        tokens = self.call.prompt_tokens
        self._admitted = await admit(self.key, self._routes, self._bounds, tokens)
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

    def _resolve(self) -> Sequence[Route]:
        """Return the routes; a refusal that a block rule has part in is recorded for its count."""
        try:
            routes = resolve(plane.live.snapshot, self.ask, hits=self._hits)
            return priced(routes, self.key.tariff)
        except GatewayError as problem:
            if self._hits:
                self.end(REFUSED, problem.status, problem.code)
            raise

    @property
    def headers(self) -> dict[str, str]:
        return self._admitted.headers if self._admitted is not None else {}

    def _begin(self) -> None:
        """Record the answer before its first byte is sent: a whole one for good, a stream for if
        the process dies before its end. Raises NoProviderAvailable if the disk does not take it:
        what cannot be charged is not given out."""
        if (stream := self.reply.stream) is None:
            record = self._record("answered", 200, "", used(self.reply, self._bounds, "answered"))
        else:
            record = self._record("interrupted", 200, "", estimate(self._bounds, 0))
            record.opened = True
        if not plane.journal.write(record, owed=False):
            self._sold = False
            if stream is not None:
                stream.close()
            raise NoProviderAvailable("The answer cannot be recorded.", retry_after_s=RETRY_S)
        if stream is None:
            self._settle(record)

    def end(self, outcome: str, status: int = 200, code: str = "") -> None:
        """Record how the request ended. Only the first call counts."""
        if not self.over:
            record = self._record(outcome, status, code, used(self.reply, self._bounds, outcome))
            plane.journal.write(record)
            self._settle(record)

    def _settle(self, record: Record) -> None:
        self.over = True
        if self._admitted is not None:
            self._admitted.settle(record)
        plane.meter.ended(record)

    async def returned(self) -> None:
        """Wait until money that was not used can be had anywhere, where the account has little."""
        if self._admitted is not None:
            await self._admitted.returned()

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
        charge_answer(record, self.reply, usage, self.key.markup, self._sold)
        if len(record.attempts) > 1 or usage is None:
            charge_lost(record, self._routes, self._bounds)
        if self._admitted is not None:
            self._admitted.name(record)
        return record

    def _told(self, route: Route, usage: Usage) -> Told:
        return told(charge(route.price, usage, self.key.markup, self._began_at))

    def _elapsed_ms(self) -> int:
        return int((time.monotonic() - self._began) * 1000)
