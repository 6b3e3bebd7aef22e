"""LiteLLM's proxy, from pip, in a virtual environment of its own.

Its keys and spend live in PostgreSQL through Prisma, whose engine is downloaded from Prisma's own
server: where that cannot be reached, it runs with its master key and without a database.
"""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.peers import Aim, Bench, Target
from benchmarks.peers.starting import installed, started
from benchmarks.upstream import free_port

VERSION = "1.106.2"
STEPS = (
    (sys.executable, "-m", "venv", "."),
    ("bin/python", "-m", "pip", "install", "--quiet", f"litellm[proxy]=={VERSION}"),
)
KEY = "sk-benchmark"
OFFLINE = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
NAME = "LiteLLM"
NOTE = "one worker, master key, no database: Prisma's engine comes from no package registry"


@contextlib.contextmanager
def serving(bench: Bench) -> Iterator[Target]:
    folder = installed("litellm", STEPS, lambda _: None)
    port = free_port()
    config = folder / "config.yaml"
    config.write_text(json.dumps(config_of(bench)))
    command = [str(folder / "bin" / "litellm"), "--config", str(config), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--num_workers", "1"]
    aim = Aim(f"http://127.0.0.1:{port}/v1/chat/completions", {"authorization": f"Bearer {KEY}"})
    with started(command, aim, bench.cpu, OFFLINE) as (pid, took_s):
        yield Target(
            NAME,
            aim,
            aim,
            pid,
            version=VERSION,
            command=said(command, folder),
            started_s=took_s,
            note=NOTE,
        )


def config_of(bench: Bench) -> dict[str, object]:
    def model(name: str, there: str, url: str) -> dict[str, object]:
        sent = {"model": there, "api_base": url, "api_key": "sk-upstream"}
        return {"model_name": name, "litellm_params": sent}

    return {
        "model_list": [
            model("acme/fixed", "openai/fixed", bench.fixed),
            model("acme/*", "openai/*", bench.streaming),
        ],
        "general_settings": {"master_key": KEY},
    }


def said(command: list[str], folder: Path) -> str:
    return " ".join(command).replace(f"{folder}/", "")
