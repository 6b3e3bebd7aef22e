"""Celery's worker with beat in one process, for a node without a broker of its own."""

import logging
import os
import signal
import socket
import threading
import warnings
from typing import Any, NoReturn

from celery.beat import Service
from celery.exceptions import WorkerShutdown
from celery.platforms import SecurityWarning
from celery.signals import worker_ready
from django.conf import settings
from django.core.management.base import BaseCommand

from gatewayz.broker import declare_queues
from gatewayz.celery import app

log = logging.getLogger(__name__)
NICE = 10  # what it does can wait for requests that share its processors
LOOK_S = 1  # how often beat looks at the schedules that admins edit


class Command(BaseCommand):
    help = "Run the background worker with beat; `serve` starts one."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        os.nice(NICE)
        for folder in settings.CELERY_BROKER_TRANSPORT_OPTIONS.values():
            if isinstance(folder, str):
                settings.DATA_DIR.joinpath(folder).mkdir(parents=True, exist_ok=True)
        if not settings.REDIS_URL:
            declare_queues(app)
        warnings.filterwarnings("ignore", category=SecurityWarning)
        scheduler = settings.CELERY_BEAT_SCHEDULER
        beat = Service(app, max_interval=LOOK_S, scheduler_cls=scheduler, remote_control=False)
        threading.Thread(target=keep, args=(beat,), name="beat", daemon=True).start()
        app.Worker(
            hostname=f"gatewayz@{socket.gethostname()}",
            pool="threads",
            concurrency=4,
            loglevel="WARNING",
            without_heartbeat=True,
            without_gossip=True,
            without_mingle=True,
            quiet=True,
        ).start()
        beat.stop()
        beat.sync()  # what ran last, for the next beat; no need to wait for the thread


@worker_ready.connect
def heed(**_: Any) -> None:
    """Stop at SIGTERM without waiting for the next look at the broker, which takes seconds."""
    signal.signal(signal.SIGTERM, leave)


def leave(*_: object) -> NoReturn:
    raise WorkerShutdown(0)


def keep(beat: Service) -> None:
    """Run beat in this thread. A process of its own would outlive a worker that is killed, and a
    worker without beat is no good: it ends too, and is started again."""
    try:
        beat.start()
    except Exception:
        log.critical("beat ended, the worker with it", exc_info=True)
        os.kill(os.getpid(), signal.SIGTERM)
