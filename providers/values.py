"""What the data plane knows of providers: frozen values, no Django, no I/O."""

from dataclasses import dataclass, field

from providers.rewriting import Rewrite


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Deadlines of one upstream request, in seconds, each from the moment it concerns begins."""

    connect_s: float = 5.0
    first_byte_s: float = 120.0
    idle_s: float = 60.0
    total_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Secret:
    """An operator's key at a provider. `token` is empty for a server that asks for none."""

    id: int
    label: str
    token: str = field(repr=False)

    def __hash__(self) -> int:
        return hash((self.id, self.token))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A provider as a request sees it: where it is and how to speak to it.

    Its hash reads no more than tells most of them apart: it is taken on each request.
    """

    slug: str
    name: str
    adapter: str
    base_url: str
    site_url: str = ""
    auth_header: str = "Authorization: Bearer {key}"
    headers: tuple[tuple[str, str], ...] = ()
    drop_params: frozenset[str] = frozenset()
    passes_suffixes: frozenset[str] = frozenset()
    stream_usage: bool = True
    private_network: bool = False
    allow_unlisted: bool = False
    enabled: bool = True
    resend_maybe_billed: bool = False
    priority: int = 50
    concurrency: int | None = None
    timeouts: Timeouts = Timeouts()
    rewrites: tuple[Rewrite, ...] = ()
    secrets: tuple[Secret, ...] = ()

    def __hash__(self) -> int:
        return hash((self.slug, self.base_url))


@dataclass(frozen=True, slots=True)
class Price:
    """Prices of one offer in integer pico-USD per token (1 USD = 10**12); None: not known."""

    input: int | None = None
    output: int | None = None
    cached_input: int | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """An offer with its rewritten id, endpoint and credential, ready to send.

    asked: the name under which the client asked for it; offer_id: 0 for an unlisted id; suffix:
    the client's own, for the provider to read.
    """

    endpoint: Endpoint
    secret: Secret
    model_id: str
    asked: str
    upstream_id: str
    offer_id: int
    price: Price
    suffix: str = ""

    @property
    def proves(self) -> int:
        """The offer that its outcome is evidence of; 0 for none: a suffix asks for another."""
        return 0 if self.suffix else self.offer_id


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer. `cached` is part of `prompt`; `reasoning` is part of `completion`.

    `source`: "upstream" as the provider reported it, "estimated" from the bytes that passed.
    """

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    reasoning: int = 0
    source: str = "upstream"
