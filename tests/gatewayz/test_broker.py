"""The broker in folders: several put and take at once, nothing is lost and nobody fails."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from celery import Celery
from django.conf import settings
from kombu import Connection, Exchange, Queue

from gatewayz.broker import declare_queues

SENDERS, EACH = 4, 100
QUEUE = Queue("work", Exchange("work", type="direct"), routing_key="work")


def options(folder: Path) -> dict[str, object]:
    (folder / "queue").mkdir(parents=True, exist_ok=True)
    places = {
        "data_folder_in": str(folder / "queue"),
        "data_folder_out": str(folder / "queue"),
        "control_folder": str(folder / "control"),
        "processed_folder": str(folder / "processed"),
    }
    return {**places, "store_processed": False}


def connection(folder: Path) -> Connection:
    assert settings.CELERY_BROKER_TRANSPORT == "gatewayz.broker:Transport"
    transport = settings.CELERY_BROKER_TRANSPORT
    return Connection(transport=transport, transport_options=options(folder))


def declared(folder: Path) -> None:
    """Make the queue as the worker does, before anybody uses it."""
    app = Celery("tests", broker="filesystem://localhost", set_as_current=False)
    app.conf.update(
        broker_transport=settings.CELERY_BROKER_TRANSPORT,
        broker_transport_options=options(folder),
        task_queues=[QUEUE],
    )
    declare_queues(app)


def sent(folder: Path, sender: int) -> None:
    with connection(folder) as here:
        producer = here.Producer(serializer="json")
        for number in range(EACH):
            body = {"from": sender, "number": number}
            producer.publish(body, exchange=QUEUE.exchange, routing_key="work", declare=[QUEUE])


def taken(folder: Path) -> list[tuple[int, int]]:
    found = []
    with connection(folder) as here, here.SimpleQueue(QUEUE) as queue:
        while len(found) < SENDERS * EACH:
            message = queue.get(timeout=30)
            found.append((message.payload["from"], message.payload["number"]))
            message.ack()
    return found


def test_what_several_send_while_one_takes_arrives_once_each(tmp_path: Path) -> None:
    declared(tmp_path)
    with ThreadPoolExecutor(SENDERS + 1) as threads:
        taking = threads.submit(taken, tmp_path)
        sending = [threads.submit(sent, tmp_path, sender) for sender in range(SENDERS)]
        for one in sending:
            one.result()
        found = taking.result()
    assert sorted(found) == [(s, n) for s in range(SENDERS) for n in range(EACH)]
