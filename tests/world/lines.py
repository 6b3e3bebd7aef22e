"""A kept-alive connection to each worker of a gateway, so that each can be asked by itself."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.world.gateway import Gateway
from tests.world.processes import open_files


@contextmanager
def line_per_worker(
    gateway: Gateway, timeout_s: float = 20.0
) -> Iterator[Mapping[int, httpx.Client]]:
    """Yield a client for each worker's process, by its id; AssertionError if one is not reached."""
    workers, lines, spare = gateway.worker_pids(), {}, []
    until = time.monotonic() + timeout_s
    bearer = {"Authorization": f"Bearer {gateway.key}"}
    try:
        while set(lines) != set(workers) and time.monotonic() < until:
            line = httpx.Client(base_url=gateway.url, headers=bearer, trust_env=False, timeout=20)
            spare.append(line)
            lines.setdefault(holder(line, workers), line)
        assert set(lines) == set(workers), f"reached {sorted(lines)} of {workers}"
        yield lines
    finally:
        for line in spare:
            line.close()


def holder(line: httpx.Client, workers: list[int]) -> int:
    """Return which process has the other end of the client's connection."""
    answer = line.get("/livez")
    stream = answer.extensions["network_stream"]
    ends = [f":{stream.get_extra_info(end)[1]:04X}" for end in ("server_addr", "client_addr")]
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    mine = [row for row in rows if row[1].endswith(ends[0]) and row[2].endswith(ends[1])]
    (inode,) = {row[9] for row in mine if row[3] == "01"}  # a row may be told twice meanwhile
    (pid,) = [pid for pid in workers if f"socket:[{inode}]" in open_files(pid)]
    return pid
