"""Fetching lists from providers: bounded in size and time, patient with limits, never led astray.

FetchFailed is all that a fetch raises, besides what `alive` raises.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx

from providers.pinning import NoAddress, NotPublic, checked_address
from providers.retry_after import asked_s, limit_s
from providers.transport.addresses import Address

AGENT = "gatewayz (catalogue sync)"
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
MOVED = frozenset({301, 302, 303, 307, 308})
MOST_MOVES = 3
NAP_S = 1.0
SHOWN = 200


class FetchFailed(RuntimeError):
    """A page that cannot be had, in words for an admin; no secret is in them."""


class Again(FetchFailed):
    """A failure that may pass. wait_s: what the provider asks for, if it does."""

    def __init__(self, said: str, wait_s: float | None = None) -> None:
        super().__init__(said)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one fetch, in seconds and bytes. wait_s: the longest Retry-After that is obeyed."""

    page_bytes: int = 64 * 1024 * 1024
    connect_s: float = 10.0
    silence_s: float = 60.0
    page_s: float = 300.0
    tries: int = 5
    backoff_s: float = 1.0
    wait_s: float = 120.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page. Header names are lower-case; `body` is empty when nothing changed (304)."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False, default=b"")

    @property
    def unchanged(self) -> bool:
        return self.status == 304


def nothing() -> None:
    pass


class Fetcher:
    """One provider's pages, over one client. alive: called often; it raises to end the fetch."""

    def __init__(
        self,
        private_network: bool = False,
        limits: Limits = Limits(),
        alive: Callable[[], None] = nothing,
    ) -> None:
        self._private_network, self._limits, self._alive = private_network, limits, alive
        timeout = httpx.Timeout(limits.silence_s, connect=limits.connect_s)
        self._client = httpx.Client(timeout=timeout, trust_env=False, follow_redirects=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def get(self, url: str, headers: Mapping[str, str]) -> Fetched:
        """Return the page at `url`, on the third or fifth try if need be."""
        for attempt in range(1, self._limits.tries + 1):
            self._alive()
            try:
                return self._moving(url, headers)
            except Again as problem:
                if attempt == self._limits.tries:
                    raise FetchFailed(f"{problem}, {attempt} times") from problem
                self._wait(problem.wait_s, attempt)
        raise AssertionError("unreachable")

    def _wait(self, asked: float | None, attempt: int) -> None:
        """Sleep as long as the provider asks, or a little longer each time, showing life."""
        if asked is not None and asked > self._limits.wait_s:
            raise FetchFailed(f"it asks us to wait {asked:.0f} s, longer than we do")
        backoff = self._limits.backoff_s * 2 ** (attempt - 1) * random.uniform(0.75, 1.25)
        until = time.monotonic() + (backoff if asked is None else asked)
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, NAP_S))
            self._alive()

    def _moving(self, url: str, headers: Mapping[str, str]) -> Fetched:
        """Follow redirects on the same host; the credential goes nowhere else."""
        for _ in range(MOST_MOVES + 1):
            page = self._once(url, headers)
            if page.status not in MOVED:
                return page
            target = urljoin(url, page.headers.get("location", ""))
            if origin(target) != origin(url):
                raise FetchFailed(f"it redirects to another host: {urlsplit(target).hostname}")
            url = target
        raise FetchFailed("it redirects in circles")

    def _once(self, url: str, headers: Mapping[str, str]) -> Fetched:
        parts = urlsplit(url)
        host = parts.hostname or ""
        address = self._address(host, parts.port or (443 if parts.scheme == "https" else 80))
        request = self._client.build_request(
            "GET",
            httpx.URL(url).copy_with(host=str(address)),
            headers={"user-agent": AGENT, **headers, "host": parts.netloc},
            extensions={"sni_hostname": host},
        )
        try:
            response = self._client.send(request, stream=True)
            try:
                return self._read(response)
            finally:
                response.close()
        except httpx.TimeoutException as problem:
            raise Again(f"{host} was silent for too long") from problem
        except httpx.TransportError as problem:
            raise Again(f"{host}: {str(problem)[:SHOWN] or type(problem).__name__}") from problem
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as problem:
            raise FetchFailed(f"{host}: {str(problem)[:SHOWN]}") from problem

    def _address(self, host: str, port: int) -> Address:
        """Return the address to connect to: the one that was checked."""
        try:
            return checked_address(host, port, self._private_network)
        except NoAddress as problem:
            raise Again(str(problem)) from problem
        except NotPublic as problem:
            said = f"{problem}, and the provider may not be on a private network"
            raise FetchFailed(said) from problem

    def _read(self, response: httpx.Response) -> Fetched:
        headers = {name.lower(): value for name, value in response.headers.items()}
        status = response.status_code
        if status in AGAIN:
            raise Again(f"it answered {status}", asked_s(headers) or rate_limit(status, headers))
        if status == 304 or status in MOVED:
            return Fetched(status, headers)
        if status in (401, 403):
            raise FetchFailed(f"it answered {status}: the credential is missing or refused")
        if status != 200:
            raise FetchFailed(f"it answered {status}")
        return Fetched(status, headers, b"".join(self._chunks(response)))

    def _chunks(self, response: httpx.Response) -> Iterator[bytes]:
        size, until = 0, time.monotonic() + self._limits.page_s
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > self._limits.page_bytes:
                raise FetchFailed(f"a page of more than {self._limits.page_bytes:,} bytes")
            if time.monotonic() > until:
                raise FetchFailed(f"a page took more than {self._limits.page_s:.0f} s")
            self._alive()
            yield chunk


def rate_limit(status: int, headers: Mapping[str, str]) -> float | None:
    return limit_s(headers) if status == 429 else None


def origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port
