"""One web process on a socket that `serve` has opened."""

import socket
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

GRACE_S = 30


class Command(BaseCommand):
    help = "Run one web process on an inherited socket; `serve` starts these."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--descriptor", type=int, required=True)
        parser.add_argument("--processes", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        settings.WEB_PROCESSES = options["processes"]
        listener = socket.socket(fileno=options["descriptor"])
        config = uvicorn.Config(
            "gatewayz.asgi:application",
            interface="asgi3",
            loop="uvloop",
            http="gatewayz.protocol:Protocol",
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=GRACE_S,
            backlog=2048,
        )
        server = uvicorn.Server(config)
        server.run(sockets=[listener])
        if not server.started:
            raise SystemExit(3)
