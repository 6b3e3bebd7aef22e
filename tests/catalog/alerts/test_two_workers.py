"""Several workers at one delivery, over a database as it is served."""

from pathlib import Path

from tests.upstreams.hooks import Hook, Said
from tests.world.gateway import Gateway

DELIVER = """
from concurrent.futures import ThreadPoolExecutor
from django.db import connection
from catalog.alerts.delivering import deliver
from catalog.alerts.models import Channel
from catalog.alerts.telling import trial

row = Channel(name="ops", shape="webhook", url={url!r}, private_network=True)
row.full_clean()
row.save()
delivery = trial(row)

def alone(number):
    try:
        return deliver(delivery.pk)[0]
    finally:
        connection.close()

with ThreadPoolExecutor(4) as workers:
    print(*workers.map(alone, range(4)), sep="\\n")
"""


def test_workers_at_once_send_it_once(tmp_path: Path, migrated: Path) -> None:
    place = Gateway(tmp_path, template=migrated)
    place.migrate()
    with Hook(Said(after_s=0.5)) as hook:
        try:
            said = place.manage("shell", "--no-imports", "-c", DELIVER.format(url=hook.url))
        finally:
            place.stop()
        assert len(hook.came) == 1
    lines = said.splitlines()
    assert sorted(line.rpartition(" ")[2] for line in lines) == ["sent"] * 4
    assert sum("is not due" in line for line in lines) == 3
