"""nginx as a reverse proxy without buffering: the floor."""

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.peers import Aim, Bench, Missing, Target
from benchmarks.upstream import NGINX, TEMPORARY, free_port, running

CONFIG = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr error;
worker_rlimit_nofile 20000;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_buffer_size 1m;
    {temporary}
    upstream fixed {{ server {fixed}; keepalive 256; keepalive_requests 1000000000; }}
    upstream streaming {{ server {streaming}; keepalive 256; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096 reuseport;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_buffering off;
        location /fixed/ {{ proxy_pass http://fixed/; }}
        location /streaming/ {{ proxy_pass http://streaming/; }}
    }}
}}
"""
NAME = "nginx, reverse proxy"


@contextlib.contextmanager
def serving(bench: Bench) -> Iterator[Target]:
    if NGINX is None:
        raise Missing("nginx is not installed")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="nginx-") as folder:
        places = {"fixed": host(bench.fixed), "streaming": host(bench.streaming)}
        temporary = " ".join(f"{name}_temp_path {folder}/{name};" for name in TEMPORARY)
        config = Path(folder, "nginx.conf")
        config.write_text(CONFIG.format(folder=folder, port=port, temporary=temporary, **places))
        command = [NGINX, "-p", folder, "-c", str(config)]
        began = time.monotonic()
        with running(command, port, bench.cpu) as pid:
            yield Target(
                NAME,
                Aim(f"http://127.0.0.1:{port}/fixed/v1/chat/completions"),
                Aim(f"http://127.0.0.1:{port}/streaming/v1/chat/completions"),
                pid,
                version=version(),
                command="nginx, proxy_buffering off",
                started_s=time.monotonic() - began,
            )


def host(url: str) -> str:
    return url.removeprefix("http://").partition("/")[0]


def version() -> str:
    assert NGINX is not None
    told = subprocess.run([NGINX, "-v"], capture_output=True, text=True, check=False).stderr
    return told.strip().rpartition("/")[2]
