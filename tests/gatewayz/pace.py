"""Asks one request after another, at a steady pace, until it is told to stop; prints how long each
took, in milliseconds.

`python -m tests.gatewayz.pace URL KEY MODEL PER_SECOND` reads lines: each ends a phase.
"""

import http.client
import json
import sys
import threading
import time
from urllib.parse import urlsplit


def main(url: str, key: str, model: str, per_second: str) -> None:
    phase: list[float] = []
    phases = [phase]

    def listen() -> None:
        for _ in sys.stdin:
            phases.append([])

    threading.Thread(target=listen, daemon=True).start()
    parts = urlsplit(url)
    line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    chat = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    body, step_s, due = json.dumps(chat), 1 / float(per_second), time.monotonic()
    print("ready", flush=True)
    while len(phases) <= 3:
        due = max(due + step_s, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))
        current, began = phases[-1], time.perf_counter()
        line.request("POST", "/v1/chat/completions", body, headers)
        answer = line.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"a request was answered {answer.status}")
        current.append((time.perf_counter() - began) * 1000)
    print(json.dumps(phases[:3]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
