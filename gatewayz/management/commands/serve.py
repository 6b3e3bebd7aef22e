"""One command that serves: web processes, the bookkeeper, and Celery's worker with beat."""

import socket
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from gatewayz import startup
from gatewayz.members import answer, load_program, work_beside
from gatewayz.metrics.board import clear
from gatewayz.supervisor import Child, Hopeless, Supervisor

UNSENT_BYTES = 512 * 1024


class Command(BaseCommand):
    help = "Serve the gateway: web processes, the bookkeeper and the background worker."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=1, help="Web processes.")
        parser.add_argument(
            "--prepare",
            action="store_true",
            help="First bring the database up to date, and make the first admin and key.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["workers"] < 1:
            raise CommandError("--workers is at least 1")
        host, port = options["host"], options["port"]
        for problem in startup.problems(migrate=options["prepare"]):
            raise CommandError(problem)
        listener = listen(host, port)
        if options["prepare"]:
            call_command("bootstrap", host=host, port=port, stdout=self.stdout)
            startup.close_database()
        clear(settings.METRICS_DIR)
        self.stdout.write(f"Gatewayz serves http://{host}:{port}")
        self.stdout.flush()
        load_program()
        try:
            Supervisor(list(children(options["workers"], listener))).run()
        except Hopeless as problem:
            raise CommandError(str(problem)) from problem


def children(web_processes: int, listener: socket.socket) -> Iterator[Child]:
    """Yield what this node runs, by its role."""
    for _ in range(web_processes):
        yield Child("run_web", answer, (listener,))
    yield Child("book_usage", work_beside, (listener, "book_usage"), last=True)
    if settings.ROLE != "api":
        yield Child("run_worker", work_beside, (listener, "run_worker"))


def listen(host: str, port: int) -> socket.socket:
    """Return the socket that all web processes accept from; raises CommandError."""
    if not 0 < port < 2**16:
        raise CommandError(f"cannot listen on {host}:{port}: ports are from 1 to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Each connection inherits it: the kernel keeps little for a client that reads slowly.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        listener.bind(address)
        listener.listen(2048)
    except (OSError, OverflowError) as problem:
        raise CommandError(f"cannot listen on {host}:{port}: {problem}") from problem
    return listener
