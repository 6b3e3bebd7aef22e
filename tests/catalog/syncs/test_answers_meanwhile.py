"""While all fourteen gateways are synced, the gateway answers requests as before.

The process that answers and who asks it have a processor of their own: a sync takes the other one,
with the servers of the lists, which are elsewhere in production. What is measured is what the
gateway itself does: its locks, its threads, what it reads anew.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from benchmarks.processors import bind, let_on, two
from tests.catalog.syncs.test_processes import configure, listing, offers
from tests.gatewayz.test_crash import wait_until
from tests.servers import new_database
from tests.upstreams.listings import FOURTEEN, Lists
from tests.world.gateway import ROOT, Gateway
from tests.world.processes import descendants

ON = {"enabled": True}
UNLIMITED = {"requests_per_minute": 10**6, "tokens_per_minute": 10**9}
SYNC_ALL = "from catalog.syncs.tasks import sync_all; sync_all.delay()"
DONE = "SELECT count(*) AS n FROM syncs_syncrun WHERE state = 'applied'"
PER_SECOND, IDLE_S = 60, 12
TIMES = 2
FLOOR_MS = 20.0  # below it, what else the machine does is measured


@pytest.fixture(params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest, tmp_path: Path, migrated: Path) -> Iterator[Gateway]:
    url = ""
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgres_url"))
    with Gateway(tmp_path, template=migrated, database_url=url) as gateway:
        yield gateway


@contextmanager
def seated(served: Gateway, asking: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Give who answers and who asks one processor, and everything else of this test the other."""
    everywhere, (first, other) = os.sched_getaffinity(0), two()
    ours = {*served.worker_pids(), asking.pid}
    for pid in family():
        with suppress(PermissionError):  # PostgreSQL runs as another user
            bind(pid, first if pid in ours else other)
    try:
        yield
    finally:
        for pid in family():
            with suppress(PermissionError):
                let_on(pid, everywhere)


def family() -> list[int]:
    return [os.getpid(), *descendants(os.getpid())]


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[int(share * (len(times) - 1))]


@pytest.mark.alone
@pytest.mark.timeout(240)
def test_requests_are_answered_during_a_sync_of_all_fourteen(served: Gateway) -> None:
    with Lists() as lists:
        others = served.rows("SELECT slug FROM providers_provider WHERE slug <> 'echo'")
        off = {row["slug"]: {"enabled": False} for row in others}
        configure(served, off | {slug: listing(lists, slug) | ON for slug in FOURTEEN})
        served.apply({"version": 1, "plans": {"default": UNLIMITED}})
        command = [sys.executable, "-m", "tests.gatewayz.pace", served.url, served.key, "echo"]
        asking = subprocess.Popen(
            [*command, str(PER_SECOND)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert asking.stdin is not None
        assert asking.stdout is not None
        try:
            assert asking.stdout.readline() == b"ready\n"
            with seated(served, asking):
                time.sleep(IDLE_S)
                phase(asking)
                served.manage("shell", "--no-imports", "-c", SYNC_ALL)
                wait_until(lambda: served.rows(DONE)[0]["n"] == len(FOURTEEN), 150)
                served.settle()
                time.sleep(2)  # lists and the search are made anew
                phase(asking)
                time.sleep(IDLE_S)
                phase(asking)
            before, during, after = json.loads(asking.stdout.readline())
        finally:
            asking.kill()
            asking.communicate()
    assert offers(served) == [{"n": 13_850}]
    idle = [percentile(times, 0.99) for times in (before, after)]
    busy = percentile(during, 0.99)
    said = f"p99 {idle[0]:.1f} ms before, {busy:.1f} during, {idle[1]:.1f} after"
    print(said)
    assert busy <= max(TIMES * max(idle), FLOOR_MS), said


def phase(asking: "subprocess.Popen[bytes]") -> None:
    assert asking.stdin is not None
    asking.stdin.write(b"\n")
    asking.stdin.flush()
