"""Portkey's gateway, from npm, under Node."""

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks.peers import Aim, Bench, Missing, Target
from benchmarks.peers.starting import installed, started
from benchmarks.upstream import free_port

VERSION = "1.15.2"
# With @hono/node-server 1.14 and later, which npm would take, each stream ends in
# "TypeError: immutable".
SERVER = "1.13.7"
PACKAGE = {
    "private": True,
    "dependencies": {"@portkey-ai/gateway": VERSION},
    "overrides": {"@hono/node-server": SERVER},
}
STEPS = (("npm", "install", "--no-audit", "--no-fund", "--silent"),)
START = "node_modules/@portkey-ai/gateway/build/start-server.js"
NAME = "Portkey"


@contextlib.contextmanager
def serving(bench: Bench) -> Iterator[Target]:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        raise Missing("node and npm are not installed")
    folder = installed("portkey", STEPS, declare)
    port = free_port()
    command = [node, str(folder / START), f"--port={port}", "--headless"]
    fixed, streaming = (aim(port, url) for url in (bench.fixed, bench.streaming))
    with started(command, fixed, bench.cpu) as (pid, took_s):
        yield Target(
            NAME,
            fixed,
            streaming,
            pid,
            version=f"{VERSION}, @hono/node-server {SERVER}",
            command=f"node {START} --headless",
            started_s=took_s,
            note="it has no keys, limits or money of its own; the upstream is named by header",
        )


def declare(folder: Path) -> None:
    (folder / "package.json").write_text(json.dumps(PACKAGE))


def aim(port: int, url: str) -> Aim:
    headers = {"x-portkey-provider": "openai", "x-portkey-custom-host": url}
    headers["authorization"] = "Bearer sk-upstream"
    return Aim(f"http://127.0.0.1:{port}/v1/chat/completions", headers)
