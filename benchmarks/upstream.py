"""An upstream that costs next to nothing: nginx answering one chat completion from memory.

`python -m benchmarks.upstream [--port P] [--chunks-port Q]` serves it, and the stream of
`benchmarks.chunks`, until it is interrupted; benchmarks use `fixed()` and `streaming()`.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.processors import bind

NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
ROOT = Path(__file__).parents[1]
CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
worker_rlimit_nofile 20000;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_body_buffer_size 1m;
    client_max_body_size 0;
    {temporary}
    server {{
        listen 127.0.0.1:{port} backlog=4096 reuseport;
        default_type application/json;
        location / {{ return 200 '{body}'; }}
    }}
}}
"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def completion(size: int = 1024) -> str:
    """Return a chat completion of exactly `size` bytes."""
    message = {"role": "assistant", "content": ""}
    whole = {
        "id": "chatcmpl-benchmark",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "bench",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 150, "total_tokens": 159},
    }
    message["content"] = ("word " * size)[: size - len(json.dumps(whole))]
    return json.dumps(whole)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def fixed(port: int = 0, cpu: int | None = None) -> Iterator[str]:
    """Yield the base URL of an nginx that gives any request the same 1 KB chat completion.

    cpu: the processor that it is bound to. RuntimeError if nginx is not installed.
    """
    if NGINX is None:
        raise RuntimeError("nginx is not installed")
    port = port or free_port()
    with tempfile.TemporaryDirectory(prefix="nginx-") as folder:
        config = Path(folder, "nginx.conf")
        temporary = " ".join(f"{name}_temp_path {folder}/{name};" for name in TEMPORARY)
        config.write_text(
            CONFIG.format(folder=folder, port=port, temporary=temporary, body=completion())
        )
        with running([NGINX, "-p", folder, "-c", str(config)], port, cpu):
            yield f"http://127.0.0.1:{port}/v1"


@contextlib.contextmanager
def streaming(
    port: int = 0, chunks: int = 50, gap_ms: float = 20, cpu: int | None = None
) -> Iterator[str]:
    """Yield the base URL of an upstream that streams `chunks` events, `gap_ms` apart."""
    port = port or free_port()
    shape = ["--chunks", str(chunks), "--gap-ms", str(gap_ms)]
    command = [sys.executable, "-m", "benchmarks.chunks", "--port", str(port), *shape]
    with running(command, port, cpu):
        yield f"http://127.0.0.1:{port}/v1"


@contextlib.contextmanager
def running(command: list[str], port: int, cpu: int | None) -> Iterator[int]:
    """Run a child until the block ends; yield its process id once its port answers."""
    child = subprocess.Popen(command, cwd=ROOT)
    try:
        bind(child.pid, cpu)
        wait_for_port(port, child)
        yield child.pid
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(10)


def wait_for_port(port: int, child: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if child.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{child.args!r} does not answer on port {port}") from None
            time.sleep(0.02)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9101)
    parser.add_argument("--chunks-port", type=int, default=9102)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # its children end with it
    with fixed(given.port) as plain, streaming(given.chunks_port) as stream:
        print(f"fixed: {plain}\nstreaming: {stream}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
