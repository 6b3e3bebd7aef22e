"""What the data plane knows of providers: frozen values, no Django, no I/O."""

from dataclasses import dataclass, field
from operator import attrgetter

import msgspec

from providers.rates import BUCKETS, MINUTES_OF_DAY, Dearest, Rates, dearest, filled
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
    """An operator's key at a provider. `token` is empty for a server that asks for none. Its limits
    are the provider's own for this key; None: not known."""

    id: int
    label: str
    token: str = field(repr=False)
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrency: int | None = None

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

    @property
    def is_built_in(self) -> bool:
        """Whether it answers by itself: nothing is sent anywhere and nothing costs."""
        return self.adapter == "echo"


_rates_of = attrgetter(*BUCKETS)


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one answer used: every token is in exactly one bucket, in the order of BUCKETS.

    cache_write: for five minutes, or as long as the provider keeps it; cache_write_1h: for an
    hour. image_input and image_output are tokens, `images` are pieces. source: "upstream" as the
    provider reported it, "estimated" from the bytes that passed. reported_nano: what the provider
    says that it charges, in nano-USD, for comparison only.
    """

    input: int = 0
    output: int = 0
    cached_input: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    reasoning: int = 0
    audio_input: int = 0
    audio_output: int = 0
    image_input: int = 0
    image_output: int = 0
    requests: int = 1
    searches: int = 0
    images: int = 0
    source: str = "upstream"
    reported_nano: int | None = None

    @property
    def counts(self) -> tuple[int, ...]:
        """The buckets in the order of BUCKETS."""
        counts: tuple[int, ...] = msgspec.structs.astuple(self)[: len(BUCKETS)]
        return counts

    @property
    def prompt(self) -> int:
        """All tokens that went in."""
        kept = self.cached_input + self.cache_write + self.cache_write_1h
        return self.input + kept + self.audio_input + self.image_input

    @property
    def completion(self) -> int:
        """All tokens that came out."""
        return self.output + self.reasoning + self.audio_output + self.image_output


@dataclass(frozen=True, slots=True)
class Tier:
    """Prices that take the place of others while all of its conditions hold.

    min_prompt_tokens: the prompt is longer than that. The window is in minutes of the day in UTC,
    its start included, its end not; one that ends before it starts goes over midnight.
    """

    prices: tuple[tuple[str, int], ...]
    min_prompt_tokens: int | None = None
    utc_start: int | None = None
    utc_end: int | None = None

    def holds(self, prompt: int, at: float) -> bool:
        """Whether it applies to a prompt of so many tokens at `at`, in Unix seconds."""
        if self.min_prompt_tokens is not None and prompt <= self.min_prompt_tokens:
            return False
        if self.utc_start is None or self.utc_end is None:
            return True
        minute = int(at) // 60 % MINUTES_OF_DAY
        if self.utc_start <= self.utc_end:
            return self.utc_start <= minute < self.utc_end
        return minute >= self.utc_start or minute < self.utc_end


@dataclass(frozen=True, slots=True)
class Price:
    """Prices of one offer in integer pico-USD (1 USD = 10**12), per token or per piece.

    None: not known, or charged as what it is a part of: see `rates`. Of tiers that hold, later
    ones win. source: manual, listing, reference, default, or empty where no price is known.
    price_id: the price record's primary key, 0 for none.
    """

    input: int | None = None
    output: int | None = None
    cached_input: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None
    image_input: int | None = None
    image_output: int | None = None
    request: int | None = None
    web_search: int | None = None
    image: int | None = None
    tiers: tuple[Tier, ...] = ()
    source: str = ""
    price_id: int = 0
    _flat: Rates = field(default=(), init=False, compare=False, repr=False)
    _steps: tuple[tuple[int, Dearest], ...] = field(
        default=(), init=False, compare=False, repr=False
    )

    def rates(self, prompt: int, at: float) -> Rates:
        """Return what each bucket costs for a prompt of so many tokens at `at` (Unix seconds)."""
        if not self.tiers:
            return self._flat or self._remember_flat()
        prices = dict(zip(BUCKETS, _rates_of(self), strict=True))
        for tier in self.tiers:
            if tier.holds(prompt, at):
                prices.update(tier.prices)
        return filled(prices)

    def dearest(self, prompt: int) -> Dearest:
        """Return the highest rates that a prompt of up to so many tokens can meet, at any time.

        They are of a token of text, of media and of the answer, of the request and of an image.
        """
        steps = self._steps or self._remember_steps()
        if len(steps) == 1:
            return steps[0][1]
        return next(rates for above, rates in reversed(steps) if prompt > above)

    def _remember_flat(self) -> Rates:
        object.__setattr__(self, "_flat", filled(dict(zip(BUCKETS, _rates_of(self), strict=True))))
        return self._flat

    def _remember_steps(self) -> tuple[tuple[int, Dearest], ...]:
        prices = dict(zip(BUCKETS, _rates_of(self), strict=True))
        begins = [
            (-1 if tier.min_prompt_tokens is None else tier.min_prompt_tokens, tier.prices)
            for tier in self.tiers
        ]
        edges = sorted({-1, *(edge for edge, _ in begins)})
        steps = (
            (edge, dearest(prices, [added for begin, added in begins if begin <= edge]))
            for edge in edges
        )
        object.__setattr__(self, "_steps", tuple(steps))
        return self._steps


FREE = Price(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Route:
    """An offer with its rewritten id, endpoint and credential, ready to send.

    asked: the name under which the client asked for it; offer_id: 0 for an unlisted id; suffix:
    the client's own, for the provider to read. Lengths are in tokens, None where nobody knows.
    """

    endpoint: Endpoint
    secret: Secret
    model_id: str
    asked: str
    upstream_id: str
    offer_id: int
    price: Price
    suffix: str = ""
    context_length: int | None = None
    max_output_tokens: int | None = None

    @property
    def proves(self) -> int:
        """The offer that its outcome is evidence of; 0 for none: a suffix asks for another."""
        return 0 if self.suffix else self.offer_id
