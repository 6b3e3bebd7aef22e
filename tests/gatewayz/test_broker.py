"""The broker in folders: several put and take at once, nothing is lost and nobody fails."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from django.conf import settings
from kombu import Connection, Exchange, Queue

SENDERS, EACH = 4, 100
QUEUE = Queue("work", Exchange("work", type="direct"), routing_key="work")


def connection(folder: Path) -> Connection:
    places = {
        "data_folder_in": str(folder / "queue"),
        "data_folder_out": str(folder / "queue"),
        "control_folder": str(folder / "control"),
        "processed_folder": str(folder / "processed"),
    }
    assert settings.CELERY_BROKER_TRANSPORT == "gatewayz.broker:Transport"
    (folder / "queue").mkdir(parents=True, exist_ok=True)
    options = {**places, "store_processed": False}
    return Connection(transport=settings.CELERY_BROKER_TRANSPORT, transport_options=options)


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
    with ThreadPoolExecutor(SENDERS + 1) as threads:
        taking = threads.submit(taken, tmp_path)
        sending = [threads.submit(sent, tmp_path, sender) for sender in range(SENDERS)]
        for one in sending:
            one.result()
        found = taking.result()
    assert sorted(found) == [(s, n) for s in range(SENDERS) for n in range(EACH)]
