"""Posts a message to an address that an admin gave: bounded in time, to no private address
without leave, and never led elsewhere by a redirect."""

import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx

from providers.pinning import NoAddress, NotPublic, checked_address
from providers.retry_after import asked_s

AGAIN = frozenset({408, 409, 425, 429})
CONNECT_S, SILENCE_S, WHOLE_S = 5.0, 10.0, 20.0
MOST_SAID = 120
MOST_BYTES = 64 * 1024


class PostFailed(RuntimeError):
    """In words for an admin, without the address. wait_s: what the receiver asks for."""

    def __init__(self, said: str, may_pass: bool, wait_s: float | None = None) -> None:
        super().__init__(said)
        self.may_pass, self.wait_s = may_pass, wait_s


def post(url: str, body: bytes, headers: Mapping[str, str], private_network: bool) -> None:
    """Post `body`; return on any 2xx, raise PostFailed otherwise."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = checked_address(host, port, private_network)
        target = httpx.URL(url).copy_with(host=str(address))
    except NoAddress as problem:
        raise PostFailed(str(problem), may_pass=True) from problem
    except NotPublic as problem:
        said = f"{problem}, and the channel may not use a private network"
        raise PostFailed(said, may_pass=False) from problem
    except (ValueError, httpx.InvalidURL) as problem:
        raise PostFailed("its address makes no sense", may_pass=False) from problem
    try:
        answer(host, target, body, {**headers, "host": parts.netloc.rpartition("@")[2]})
    except httpx.TimeoutException as problem:
        raise PostFailed(f"{host} was silent for too long", may_pass=True) from problem
    except httpx.HTTPError as problem:
        said = type(problem).__name__
        raise PostFailed(f"{host} could not be reached: {said}", may_pass=True) from problem


def answer(host: str, target: httpx.URL, body: bytes, headers: Mapping[str, str]) -> None:
    until = time.monotonic() + WHOLE_S
    timeout = httpx.Timeout(SILENCE_S, connect=CONNECT_S)
    with (
        httpx.Client(timeout=timeout, trust_env=False, follow_redirects=False) as client,
        client.stream(
            "POST", target, content=body, headers=dict(headers), extensions={"sni_hostname": host}
        ) as response,
    ):
        status = response.status_code
        if 200 <= status < 300:
            return
        said = b""
        for piece in response.iter_raw(4096):
            said += piece
            if len(said) >= MOST_BYTES or time.monotonic() > until:
                break
    words = " ".join(said[:MOST_SAID].decode(errors="replace").split())
    wait_s = asked_s({name.lower(): value for name, value in response.headers.items()})
    raise PostFailed(
        f"{host} answered {status} {words}".strip(), status in AGAIN or status >= 500, wait_s
    )
