"""`serve --prepare`, as `make run` has it: from an empty folder to an answer, in one process."""

import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.gatewayz.test_crash import running, wait_until
from tests.world.gateway import ROOT, Gateway
from tests.world.processes import Process, stat

NICE = 16  # of the fields of /proc/PID/stat, from the state on
BACK_S = 5  # at most, on a busy machine; it takes a fifth of a second


@contextmanager
def made(folder: Path) -> Iterator[Gateway]:
    """Serve from whatever is in `folder`; the log of this start is `gateway.log`."""
    gateway = Gateway(folder)
    command = [sys.executable, "manage.py", "serve", "--prepare", "--port", str(gateway.port)]
    log = folder / f"{gateway.port}.log"
    gateway.process = Process(command, log, gateway.env, ROOT)
    try:
        wait_until(gateway.ready, 60)
        yield gateway
    finally:
        gateway.stop()


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with made(tmp_path_factory.mktemp("first")) as gateway:
        yield gateway


def test_the_key_that_it_shows_is_good_for_the_request_that_it_shows(first: Gateway) -> None:
    shown = re.search(r"^API key  (gwz_live_\S+)$", first.log, re.MULTILINE)
    assert shown
    assert f"curl {first.url}/v1/chat/completions" in first.log
    first.key = shown[1]
    chat = {"model": "echo", "messages": [{"role": "user", "content": "Hello, Gatewayz!"}]}
    answer = first.http.post("/v1/chat/completions", json=chat).raise_for_status().json()
    assert "Hello, Gatewayz!" in answer["choices"][0]["message"]["content"]


def test_the_admin_that_it_shows_can_sign_in(first: Gateway) -> None:
    shown = re.search(r"user admin, password (\S+)", first.log)
    assert shown
    page = f"{first.url}/admin/login/"
    with httpx.Client(trust_env=False) as browser:
        browser.get(page)
        fields = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        fields |= {"username": "admin", "password": shown[1], "next": "/admin/"}
        answer = browser.post(page, data=fields, headers={"referer": page})
    assert answer.headers["location"] == "/admin/"


def test_a_web_process_that_is_killed_is_back_at_once(first: Gateway) -> None:
    (victim,) = running(first, "run_web")
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: running(first, "run_web") not in ([], [victim]), BACK_S)
    wait_until(first.ready, BACK_S)


def test_who_forks_has_one_thread(first: Gateway) -> None:
    """A process that is forked beside another thread may wait for ever for what that one held."""
    assert first.process is not None
    assert "Threads:\t1\n" in Path(f"/proc/{first.process.pid}/status").read_text()


def test_the_worker_gives_way_to_the_web(first: Gateway) -> None:
    wait_until(lambda: bool(running(first, "run_worker")))
    (worker,), (web,) = running(first, "run_worker"), running(first, "run_web")
    wait_until(lambda: niceness(worker) == min(19, niceness(web) + 10))


def niceness(pid: int) -> int:
    return int(stat(pid)[NICE])


def test_neither_is_shown_or_made_again(first: Gateway) -> None:
    first.stop()
    with made(first.folder) as second:
        assert "Admin    http://" in second.log
        assert "API key" not in second.log
        assert "password" not in second.log
        assert second.rows("SELECT COUNT(*) AS n FROM billing_apikey") == [{"n": 1}]
