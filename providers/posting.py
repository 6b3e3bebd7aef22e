"""Posts a message to an address that an admin gave: bounded in time, to no private address
without leave, and never led elsewhere by a redirect."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from providers.pinning import NoAddress, NotPublic, checked_address
from providers.retry_after import asked_s

AGAIN = frozenset({408, 409, 425, 429})
MOST_SAID = 120
MOST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: for the connection, for each silence, for the words of a refusal."""

    connect_s: float = 5.0
    silence_s: float = 10.0
    words_s: float = 10.0


PATIENCE = Patience()


class PostFailed(RuntimeError):
    """In words for an admin, without the address. wait_s: what the receiver asks for."""

    def __init__(self, said: str, may_pass: bool, wait_s: float | None = None) -> None:
        super().__init__(said)
        self.may_pass, self.wait_s = may_pass, wait_s


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    private_network: bool,
    patience: Patience = PATIENCE,
) -> None:
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
        named = {**headers, "host": parts.netloc.rpartition("@")[2]}
        request = httpx.Request(
            "POST", target, content=body, headers=named, extensions={"sni_hostname": host}
        )
        send(host, request, patience)
    except httpx.TimeoutException as problem:
        raise PostFailed(f"{host} was silent for too long", may_pass=True) from problem
    except httpx.HTTPError as problem:
        said = type(problem).__name__
        raise PostFailed(f"{host} could not be reached: {said}", may_pass=True) from problem


def send(host: str, request: httpx.Request, patience: Patience) -> None:
    timeout = httpx.Timeout(patience.silence_s, connect=patience.connect_s)
    request.extensions["timeout"] = timeout.as_dict()
    with httpx.Client(trust_env=False, follow_redirects=False) as client:
        response = client.send(request, stream=True)
        try:
            status = response.status_code
            if 200 <= status < 300:
                return
            said = beginning(response, patience.words_s)
        finally:
            response.close()
    words = " ".join(said[:MOST_SAID].decode(errors="replace").split())
    wait_s = asked_s({name.lower(): value for name, value in response.headers.items()})
    raise PostFailed(
        f"{host} answered {status} {words}".strip(), status in AGAIN or status >= 500, wait_s
    )


def beginning(response: httpx.Response, within_s: float) -> bytes:
    """Return what comes of a refusal's words in this time."""
    said, until = b"", time.monotonic() + within_s
    for piece in response.iter_raw(1024):
        said += piece
        if len(said) >= MOST_BYTES or time.monotonic() > until:
            break
    return said
