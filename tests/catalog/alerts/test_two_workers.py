"""Two workers at one delivery: what they commit is real, so the database is put back after."""

import threading

import pytest
from django.db import connection

from catalog.alerts.delivering import deliver
from catalog.alerts.telling import trial
from tests.upstreams.hooks import Hook, Said

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("database_put_back")]


def test_two_workers_send_it_once(channel) -> None:
    with Hook(Said(after_s=0.5)) as hook:
        delivery = trial(channel(hook))
        said: list[str] = []
        workers = [
            threading.Thread(target=lambda: said.append(deliver_alone(delivery.pk)))
            for _ in range(4)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert len(hook.came) == 1
    assert sorted(line.rpartition(" ")[2] for line in said) == ["sent", "sent", "sent", "sent"]
    assert sum("is not due" in line for line in said) == 3


def deliver_alone(pk: int) -> str:
    try:
        return deliver(pk)[0]
    finally:
        connection.close()
