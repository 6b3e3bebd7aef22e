"""Syncs as operators run them: processes of their own, killed, at the same time, and by the whole
catalogue at once."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.servers import new_database
from tests.upstreams.listings import FOURTEEN, Asked, Lists, Page, Stock
from tests.world import writes
from tests.world.gateway import ROOT, Gateway

FIRST_CPU_S, SECOND_CPU_S, MOST_MB = 25, 5, 300
SLACK = 2  # for a machine that is slow, and busy with other things


@pytest.fixture
def lists() -> Iterator[Lists]:
    with Lists() as running:
        yield running


@pytest.fixture
def idle(tmp_path: Path, migrated: Path) -> Iterator[Gateway]:
    """A gateway that is set up and does not serve."""
    gateway = Gateway(tmp_path, template=migrated)
    gateway.migrate()
    yield gateway
    gateway.stop()


def listing(lists: Lists, slug: str, shelf: Callable[[Asked], Page] | None = None) -> dict:
    stock = Stock(slug)
    url = lists.add(f"/{slug}/models", shelf or stock)
    entry = {"parser": stock.parser, "url": url, "auth": "none"}
    return {"private_network": True, "listing": [entry], "guards": {}}


def configure(gateway: Gateway, providers: dict[str, Any]) -> None:
    path = gateway.folder / "lists.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "providers": providers}))
    gateway.manage("apply", str(path))


def start(gateway: Gateway, *slugs: str, out: Any = subprocess.PIPE) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "manage.py", "sync_catalog", *slugs]
    return subprocess.Popen(
        command, env=gateway.env, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT
    )


def measured(gateway: Gateway, *slugs: str) -> tuple[float, float, str]:
    """Sync; return seconds of CPU, megabytes, and what was printed."""
    printed, peak = gateway.folder / "sync.log", 0.0
    with printed.open("wb") as out:
        running = start(gateway, *slugs, out=out)
        while True:
            pid, code, usage = os.wait4(running.pid, os.WNOHANG)
            if pid:
                break
            peak = max(peak, high_water_mb(running.pid))
            time.sleep(0.05)
    running.returncode = os.waitstatus_to_exitcode(code)
    assert running.returncode == 0, printed.read_text()
    return usage.ru_utime + usage.ru_stime, peak, printed.read_text()


def high_water_mb(pid: int) -> float:
    """Read the most memory that it held so far; rusage would count what its parent holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def offers(gateway: Gateway) -> list[dict[str, Any]]:
    return gateway.rows("SELECT count(*) AS n FROM catalog_offer WHERE source = 'listing'")


def test_a_killed_sync_leaves_nothing_half_done_and_its_place_to_the_next(
    idle: Gateway, lists: Lists
) -> None:
    stock = Stock("groq")
    configure(
        idle, {"groq": listing(lists, "groq", lambda a: Page(stock(a).body, drip_s=0.1, drops=600))}
    )
    first = start(idle, "groq")
    try:
        until = time.monotonic() + 30
        while not lists.asked and time.monotonic() < until:
            time.sleep(0.05)
        second = idle.run("sync_catalog", "groq", check=False)
        assert second.returncode == 1
        assert "another sync of groq is under way" in second.stdout
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.communicate()
    lists.shelves["/groq/models"] = stock
    assert offers(idle) == [{"n": 0}]
    printed = idle.run("sync_catalog", "groq").stdout
    assert "groq: page 1, 19 rows, 19 models" in printed
    states = idle.rows("SELECT state, message FROM syncs_syncrun ORDER BY id")
    assert [row["state"] for row in states] == ["failed", "applied"]
    assert "without a word" in states[0]["message"]


@pytest.fixture(params=["sqlite", "postgresql"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path, migrated: Path) -> Iterator[Gateway]:
    url = ""
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgres_url"))
    gateway = Gateway(tmp_path, template=migrated, database_url=url)
    gateway.migrate()
    yield gateway
    gateway.stop()


@pytest.mark.timeout(240)
def test_all_fourteen_gateways_land_quickly_and_in_little_memory(
    anywhere: Gateway, lists: Lists
) -> None:
    configure(anywhere, {slug: listing(lists, slug) for slug in FOURTEEN})
    cpu_s, megabytes, printed = measured(anywhere, *FOURTEEN)
    assert offers(anywhere) == [{"n": 13_850}]
    assert "featherless: page 12, 11,169 rows, 11,169 models" in printed
    assert cpu_s < FIRST_CPU_S * SLACK, cpu_s
    assert megabytes < MOST_MB, megabytes
    revision = anywhere.rows("SELECT number FROM catalog_state")
    writes.note(anywhere.database_url)
    again_s, _, printed = measured(anywhere, *FOURTEEN)
    assert printed.count("unchanged") == 14
    written = writes.noted(anywhere.database_url)
    assert set(written) == {"syncs_syncrun"}, written  # the record of each reading, nothing else
    assert again_s < SECOND_CPU_S * SLACK, again_s
    assert anywhere.rows("SELECT number FROM catalog_state") == revision
    counts = anywhere.manage("gateway_counts", check=False)
    row = next(line for line in counts.splitlines() if line.startswith("huggingface"))
    assert row.split() == ["huggingface", "1,377", "1,377", "0", "unchanged"]
    print(f"first {cpu_s:.1f} s, {megabytes:.0f} MB; second {again_s:.1f} s")


@pytest.mark.timeout(240)
def test_featherless_with_16_546_models(idle: Gateway, lists: Lists) -> None:
    configure(idle, {"featherless": listing(lists, "featherless", Stock("featherless", 16_546))})
    _, megabytes, _ = measured(idle, "featherless")
    assert offers(idle) == [{"n": 16_546}]
    assert megabytes < MOST_MB
