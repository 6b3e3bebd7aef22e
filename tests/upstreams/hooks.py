"""Receivers of alerts: a webhook over HTTP and a mail server over SMTP."""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from tests.servers import free_port
from tests.upstreams.listings import Server


@dataclass(frozen=True, slots=True)
class Said:
    """How a webhook answers once. after_s: how long it takes to."""

    status: int = 200
    after_s: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"


class Hook:
    """`with Hook() as hook:` takes posts at `hook.url`; `script` answers in turn, then 200s."""

    def __init__(self, *script: Said) -> None:
        self.script: list[Said] = list(script)
        self.came: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self._arrived = threading.Condition()
        self._server = Server(("127.0.0.1", 0), handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}/services/T0/B0/{'s' * 24}cret"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, headers: dict[str, str], body: bytes) -> Said:
        with self._arrived:
            self.came.append(json.loads(body))
            self.headers.append(headers)
            self._arrived.notify_all()
            return self.script.pop(0) if self.script else Said()

    def wait_for(self, count: int, timeout_s: float = 30.0) -> list[dict[str, Any]]:
        with self._arrived:
            came = self._arrived.wait_for(lambda: len(self.came) >= count, timeout_s)
            assert came, f"{len(self.came)} of {count} messages came in {timeout_s} s"
            return list(self.came)


def handler(hook: Hook) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            said = hook.take({k.lower(): v for k, v in self.headers.items()}, body)
            time.sleep(said.after_s)
            self.send_response(said.status)
            for name, value in {"content-length": str(len(said.body)), **said.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, *args: object) -> None:
            return

    return Handler


class Mailbox:
    """`with Mailbox() as box:` is a mail server at `box.url`; `refusals` are said in turn first."""

    def __init__(self, *refusals: str) -> None:
        self.refusals: Sequence[str] = list(refusals)
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self._arrived = threading.Condition()
        self.port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.url = f"smtp://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._controller.stop()

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        if self.refusals:
            refusal, *self.refusals = self.refusals
            return refusal
        assert isinstance(envelope.content, bytes)
        with self._arrived:
            self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
            self.recipients.append(list(envelope.rcpt_tos))
            self._arrived.notify_all()
        return "250 OK"

    def wait_for(self, count: int, timeout_s: float = 30.0) -> list[EmailMessage]:
        with self._arrived:
            came = self._arrived.wait_for(lambda: len(self.mails) >= count, timeout_s)
            assert came, f"{len(self.mails)} of {count} e-mails came in {timeout_s} s"
            return list(self.mails)
