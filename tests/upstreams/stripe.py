"""Stripe as far as we use it: its API's Checkout sessions, and the notices that it signs.

Shapes are those of docs.stripe.com/api (API version 2025 and later). Money is in cents.
"""

import hashlib
import hmac
import itertools
import json
import time
from typing import Any
from urllib.parse import parse_qs

from tests.upstreams.seen import Seen
from tests.upstreams.wire import Wire

SECRET_KEY = "sk_test_" + "4" * 24
WEBHOOK_SECRET = "whsec_" + "5" * 32
LEAST = 50
COUNTER = itertools.count(1)


def new_id(kind: str) -> str:
    return f"{kind}_{next(COUNTER):024}"


class Checkout:
    """Answers `POST /v1/checkout/sessions`; the same idempotency key gets the same answer."""

    def __init__(self) -> None:
        self.sessions: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, tuple[bytes, dict[str, Any]]] = {}

    async def answer(self, seen: Seen, wire: Wire) -> None:
        status, body, headers = self.decide(seen)
        headers = {"request-id": new_id("req"), **headers}
        await wire.json(body, status, headers)

    def decide(self, seen: Seen) -> tuple[int, dict[str, Any], dict[str, str]]:
        if seen.token != SECRET_KEY:
            hidden = f"{seen.token[:8]}****{seen.token[-4:]}"
            return 401, refusal(f"Invalid API Key provided: {hidden}"), {}
        if (seen.method, seen.path) != ("POST", "/v1/checkout/sessions"):
            return 404, refusal(f"Unrecognized request URL ({seen.method}: {seen.path})."), {}
        key = seen.headers.get("idempotency-key", new_id("key"))
        if key in self.answers:
            before, body = self.answers[key]
            if before != seen.body:
                return 400, refusal("Keys for idempotent requests…", "idempotency_error"), {}
            return 200, body, {"idempotent-replayed": "true"}
        given = {name: values[0] for name, values in parse_qs(seen.body.decode()).items()}
        status, body = self.open(given)
        if status == 200:
            self.answers[key] = (seen.body, body)
        return status, body, {}

    def open(self, given: dict[str, str]) -> tuple[int, dict[str, Any]]:
        for name in ("mode", "success_url", "line_items[0][price_data][currency]"):
            if name not in given:
                return 400, refusal(f"Missing required param: {name}.", param=name)
        amount = int(given["line_items[0][price_data][unit_amount]"])
        if amount < LEAST:
            return 400, refusal("The Checkout Session's total amount must convert to 50 cents.")
        number = new_id("cs_test")
        self.sessions[number] = session = {
            "id": number,
            "object": "checkout.session",
            "amount_subtotal": amount,
            "amount_total": amount,
            "client_reference_id": given.get("client_reference_id"),
            "created": int(time.time()),
            "currency": given["line_items[0][price_data][currency]"],
            "expires_at": int(time.time()) + 86_400,
            "livemode": False,
            "metadata": members(given, "metadata"),
            "mode": given["mode"],
            "payment_intent": None,
            "payment_status": "unpaid",
            "status": "open",
            "success_url": given["success_url"],
            "url": f"https://checkout.stripe.com/c/pay/{number}",
        }
        session["_of_payment"] = members(given, "payment_intent_data[metadata]")
        return 200, {name: value for name, value in session.items() if name != "_of_payment"}


def members(given: dict[str, str], name: str) -> dict[str, str]:
    """Return what was sent as `name[member]=value`."""
    start = f"{name}["
    return {
        key.removeprefix(start).rstrip("]"): value
        for key, value in given.items()
        if key.startswith(start) and key.count("[") == start.count("[")
    }


def refusal(message: str, kind: str = "invalid_request_error", param: str = "") -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, **({"param": param} if param else {})}}


def paid(session: dict[str, Any], **said: Any) -> dict[str, Any]:
    """Return the session as it is once somebody paid."""
    shown = {name: value for name, value in session.items() if not name.startswith("_")}
    payment = {"payment_intent": new_id("pi"), "payment_status": "paid", "status": "complete"}
    return shown | payment | said


def charge(session: dict[str, Any], refunded: int = 0, **said: Any) -> dict[str, Any]:
    """Return the charge of a paid session; its metadata are those of the payment."""
    return {
        "id": new_id("ch"),
        "object": "charge",
        "amount": session["amount_total"],
        "amount_refunded": refunded,
        "currency": session["currency"],
        "metadata": session["metadata"],
        "payment_intent": session["payment_intent"],
        "refunded": refunded == session["amount_total"],
        **said,
    }


def refund(session: dict[str, Any], amount: int, status: str, **said: Any) -> dict[str, Any]:
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "currency": session["currency"],
        "metadata": {},
        "payment_intent": session["payment_intent"],
        "status": status,
        **said,
    }


def dispute(session: dict[str, Any], status: str, number: str = "", **said: Any) -> dict[str, Any]:
    return {
        "id": number or new_id("dp"),
        "object": "dispute",
        "amount": session["amount_total"],
        "currency": session["currency"],
        "metadata": {},
        "payment_intent": session["payment_intent"],
        "reason": "fraudulent",
        "status": status,
        **said,
    }


def event(kind: str, about: dict[str, Any], **said: Any) -> bytes:
    """Return a notice's body."""
    body = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": "2026-01-28.clover",
        "created": int(time.time()),
        "data": {"object": about},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
        **said,
    }
    return json.dumps(body, indent=2).encode()


def signature(body: bytes, secret: str = WEBHOOK_SECRET, at: float | None = None) -> str:
    """Return the Stripe-Signature of a body, as docs.stripe.com/webhooks says it is made."""
    moment = int(time.time() if at is None else at)
    signed = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={signed}"
