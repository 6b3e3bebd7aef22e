"""One request from admission to its line in the journal."""

import time
from collections.abc import Sequence
from dataclasses import replace

from billing.admission import check_balance
from billing.estimates import Bounds, estimate, greatest_cost_nano
from billing.limits.admitting import Admission
from billing.pricing import Charge, charge, priced, told
from billing.records import REFUSED, Record, booked
from billing.values import Key
from catalog.asks import Ask
from catalog.resolver import resolve
from gatewayz.plane import plane
from providers.adapters.costs import Told
from providers.attempts import Call
from providers.dispatch import Reply
from providers.errors import GatewayError
from providers.values import Route, Usage

CLIENT_GONE = 499


class Exchange:
    """Knows who asked and what came of it; `end` records it, once."""

    def __init__(self, request_id: str, key: Key, ask: Ask, call: Call, bounds: Bounds) -> None:
        self.request_id = request_id
        self.key = key
        self.ask = ask
        self.call = replace(call, cost=self._told) if call.wants_cost else call
        self.reply = Reply()
        self.admitted: Admission | None = None
        self._bounds = bounds
        self._began, self._began_at = time.monotonic(), time.time()
        self._first_byte_ms: int | None = None
        self._ended = False
        self._hits: set[int] = set()

    async def run(self) -> Reply:
        """Admit, resolve and dispatch; raises GatewayError. What was sent anywhere is recorded."""
        plane.journal.ready()
        check_balance(self.key, plane.keys.balance_nano(self.key))
        routes = self._resolve()
        self.admitted = self._admit(routes)
        try:
            await plane.dispatcher.send(routes, self.call, self.reply)
        except GatewayError as problem:
            self.end("failed", problem.status, problem.code)
            raise
        except BaseException:
            self.end("cancelled", CLIENT_GONE)
            raise
        self._first_byte_ms = self._elapsed_ms()
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

    def _admit(self, routes: Sequence[Route]) -> Admission:
        """Count the request, once however many routes are tried; raises RateLimited and others."""
        call, key = self.call, self.key
        greatest = 0
        if key.budgets:
            greatest = greatest_cost_nano(routes, self._bounds, key.markup, key.tariff)
        return plane.limits.admit(key, routes[0].model_id, call.prompt_tokens, greatest)

    @property
    def headers(self) -> dict[str, str]:
        """What the answer says of the key's limits."""
        return self.admitted.headers if self.admitted is not None else {}

    def opened(self) -> None:
        """Record that a stream begins: if the process dies, this line is what is booked."""
        usage = estimate(self._bounds, 0)
        plane.journal.write(self._record("interrupted", 200, "", usage, opened=True))

    def end(self, outcome: str, status: int = 200, code: str = "") -> None:
        """Record how the request ended. Only the first call counts."""
        if self._ended:
            return
        self._ended = True
        record = self._record(outcome, status, code, self._used(outcome))
        plane.journal.write(record)
        self._settle(record)
        plane.meter.ended(record)
        plane.keys.charge(self.key.account_id, record.cost_nano or 0)

    def _settle(self, record: Record) -> None:
        """Put what was used where the estimates were; what went nowhere is given back."""
        usage = record.usage
        if self.admitted is not None and usage is not None:
            self.admitted.settle(usage.prompt + usage.completion, record.cost_nano or 0)
        elif self.admitted is not None:
            self.admitted.release()

    def _used(self, outcome: str) -> Usage | None:
        """Return what the provider reported, or an estimate of what passed; None if nothing did.

        Of a client that left before the answer, the prompt passed.
        """
        said = self.reply.answer or (self.reply.stream and self.reply.stream.reader)
        if said:
            return said.usage or estimate(self._bounds, said.text_bytes)
        attempts = self.reply.attempts
        if outcome == "cancelled" and attempts and attempts[-1].maybe_billed:
            return estimate(self._bounds, 0)
        return None

    def _record(
        self, outcome: str, status: int, code: str, usage: Usage | None, opened: bool = False
    ) -> Record:
        route = self.reply.route
        return Record(
            request_id=self.request_id,
            at=self._began_at,
            account_id=self.key.account_id,
            key_id=self.key.public_id,
            endpoint=self.ask.endpoint,
            asked_model=self.ask.model,
            model_id=route.model_id if route else "",
            provider=route.endpoint.slug if route else "",
            upstream_id=route.upstream_id if route else "",
            stream=self.call.stream,
            opened=opened,
            status=status,
            outcome=outcome,
            error_code=code,
            attempts=self.reply.attempts,
            usage=usage,
            duration_ms=self._elapsed_ms(),
            first_byte_ms=self._first_byte_ms,
            blocks=list(self._hits),
            **booked(self._charge(usage), usage),
        )

    def _charge(self, usage: Usage | None) -> Charge | None:
        """Return what `usage` costs; None where nothing was used, or at a price that is unknown."""
        route = self.reply.route
        if usage is None or route is None:
            return None
        return charge(route.price, usage, self.key.markup, self._began_at)

    def _told(self, route: Route, usage: Usage) -> Told:
        return told(charge(route.price, usage, self.key.markup, self._began_at))

    def _elapsed_ms(self) -> int:
        return int((time.monotonic() - self._began) * 1000)
