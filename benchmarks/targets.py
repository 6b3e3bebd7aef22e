"""What is measured: the served gateway, nginx in its place as the floor, and nothing in between."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processors import bind
from benchmarks.upstream import NGINX, TEMPORARY, free_port, running
from tests.world.gateway import Gateway

PROXY = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
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

PARTS = ("providers", "models")
LONG = {"connect": 5, "first_byte": 120, "idle": 60, "total": 600}


@dataclass(frozen=True)
class Target:
    """Where to send both kinds of request, and which process then works."""

    name: str
    fixed_url: str
    streaming_url: str
    key: str
    pid: int


@contextlib.contextmanager
def gateway(fixed: str, streaming: str, cpu: int | None, others: int | None) -> Iterator[Target]:
    """Serve a gateway, one worker, everything on, from an empty folder of its own."""
    bind(os.getpid(), others)  # what is started from here on inherits it
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as folder,
        Gateway(Path(folder)) as served,
    ):
        plain = served.declared.provider("fixed", fixed, ["acme/fixed"], timeouts=LONG)
        stream = served.declared.provider("stream", streaming, ["acme/stream"], timeouts=LONG)
        served.apply({"version": 1, **{part: plain[part] | stream[part] for part in PARTS}})
        [pid] = served.worker_pids()
        bind(pid, cpu)
        url = f"{served.url}/v1/chat/completions"
        yield Target("gateway", url, url, served.key, pid)


@contextlib.contextmanager
def nginx(fixed: str, streaming: str, cpu: int | None) -> Iterator[Target]:
    """Run nginx as a reverse proxy, without any buffering."""
    assert NGINX is not None
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="nginx-") as folder:
        places = {"fixed": host(fixed), "streaming": host(streaming)}
        temporary = " ".join(f"{name}_temp_path {folder}/{name};" for name in TEMPORARY)
        config = Path(folder, "nginx.conf")
        config.write_text(PROXY.format(folder=folder, port=port, temporary=temporary, **places))
        with running([NGINX, "-p", folder, "-c", str(config)], port, cpu) as pid:
            url = f"http://127.0.0.1:{port}"
            yield Target("nginx", f"{url}/fixed/v1", f"{url}/streaming/v1", "none", pid)


def host(url: str) -> str:
    return url.removeprefix("http://").partition("/")[0]
