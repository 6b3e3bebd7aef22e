"""One command that serves: web processes, the bookkeeper, and Celery's worker with beat."""

import socket
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from gatewayz.metrics.board import clear
from gatewayz.startup import problems
from gatewayz.supervisor import Child, Hopeless, Supervisor

UNSENT_BYTES = 512 * 1024


class Command(BaseCommand):
    help = "Serve the gateway: web processes, the bookkeeper and the background worker."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=1, help="Web processes.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["workers"] < 1:
            raise CommandError("--workers is at least 1")
        for problem in problems():
            raise CommandError(problem)
        listener = listen(options["host"], options["port"])
        clear(settings.METRICS_DIR)
        self.stdout.write(f"Gatewayz serves http://{options['host']}:{options['port']}")
        self.stdout.flush()
        try:
            Supervisor(children(options["workers"], listener.fileno())).run()
        except Hopeless as problem:
            raise CommandError(str(problem)) from problem


def children(web_processes: int, descriptor: int) -> list[Child]:
    """Return what this node runs, by its role."""
    web = ["run_web", "--descriptor", str(descriptor), "--processes", str(web_processes)]
    found = [Child("web", web, (descriptor,)) for _ in range(web_processes)]
    found.append(Child("bookkeeper", ["book_usage"], last=True))
    if settings.ROLE != "api":
        found.append(Child("worker", ["run_worker"]))
    return found


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
    listener.set_inheritable(True)
    return listener
