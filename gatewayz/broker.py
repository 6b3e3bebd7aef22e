"""Celery's broker in folders, for a node that has no other: kombu's, made safe for several at once.

kombu makes a file and then fills it. Whoever reads it in between finds it empty: the message is
lost, and the worker ends. Here a file has its name when it is whole, and tables are read and
written by one at a time.
"""

import fcntl
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from celery import Celery
from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    def _put(  # type: ignore[override]  # kombu's two bases do not agree on a name
        self, queue: str, payload: Any, **kwargs: Any
    ) -> None:
        name = f"{int(monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        folder = Path(self.data_folder_out)
        trial = folder / f".{name}"  # which nobody takes for a message
        try:
            trial.write_text(dumps(payload))
            trial.rename(folder / name)
        except OSError as problem:
            trial.unlink(missing_ok=True)
            raise ChannelError(f"Cannot add {name} to {folder}: {problem}") from problem

    def _queue_bind(self, exchange: str, *binding: str) -> None:
        with alone(self.control_folder):
            super()._queue_bind(exchange, *binding)

    def _delete(self, *binding: Any, **kwargs: Any) -> None:
        with alone(self.control_folder):
            super()._delete(*binding, **kwargs)

    def get_table(self, exchange: str) -> Any:
        with alone(self.control_folder):
            return super().get_table(exchange)


class Transport(filesystem.Transport):
    Channel = Channel


def declare_queues(app: Celery) -> None:
    """Make the queues of `app`, before several threads use them.

    kombu notes a queue as there before it is: what another thread sends meanwhile is lost.
    """
    with app.connection_for_write() as connection:
        for queue in app.amqp.queues.values():
            queue(connection.default_channel).declare()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep everybody else on this node away from the folder's tables."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("wb") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        yield
