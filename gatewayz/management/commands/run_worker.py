"""Celery's worker with beat in one process, for a node without a broker of its own."""

import socket
import warnings
from typing import Any

from celery.platforms import SecurityWarning
from django.conf import settings
from django.core.management.base import BaseCommand

from gatewayz.celery import app


class Command(BaseCommand):
    help = "Run the background worker with beat; `serve` starts one."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        for folder in settings.CELERY_BROKER_TRANSPORT_OPTIONS.values():
            if isinstance(folder, str):
                settings.DATA_DIR.joinpath(folder).mkdir(parents=True, exist_ok=True)
        warnings.filterwarnings("ignore", category=SecurityWarning)
        app.Worker(
            hostname=f"gatewayz@{socket.gethostname()}",
            beat=True,
            pool="threads",
            concurrency=2,
            loglevel="WARNING",
            scheduler=settings.CELERY_BEAT_SCHEDULER,
            without_heartbeat=True,
            without_gossip=True,
            without_mingle=True,
            quiet=True,
        ).start()
