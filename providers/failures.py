"""What a failed attempt means: may the next route be tried, is it billed, who is to blame.

The kinds are rows of one table; `providers/envelopes.py` reads a provider's error body.
"""

from dataclasses import dataclass

from providers import errors


@dataclass(frozen=True, slots=True)
class Kind:
    """moves_on: other routes may be tried. maybe_billed: the provider may charge us for it.

    blames: whose breaker counts it: "offer", "secret" or "" (proves nothing).
    error: what the client sees when no route is left.
    """

    name: str
    moves_on: bool
    maybe_billed: bool
    blames: str
    error: type[errors.GatewayError]


KINDS = {
    kind.name: kind
    for kind in (
        Kind("not_sent", True, False, "offer", errors.UpstreamError),
        Kind("connect_timeout", True, False, "offer", errors.UpstreamTimeout),
        Kind("lost", True, True, "offer", errors.UpstreamError),
        Kind("timeout", True, True, "offer", errors.UpstreamTimeout),
        Kind("broken", True, True, "offer", errors.UpstreamError),
        Kind("foreign", True, False, "offer", errors.UpstreamError),
        Kind("overloaded", True, False, "offer", errors.UpstreamError),
        Kind("unavailable", True, False, "offer", errors.NoProviderAvailable),
        Kind("rate_limited", True, False, "secret", errors.UpstreamRateLimited),
        Kind("secret_refused", True, False, "secret", errors.NoProviderAvailable),
        Kind("out_of_credit", True, False, "secret", errors.NoProviderAvailable),
        Kind("model_missing", True, False, "", errors.ModelNotAvailable),
        Kind("not_expressible", True, False, "", errors.BadRequest),
        Kind("bad_request", False, False, "", errors.BadRequest),
        Kind("context_length", False, False, "", errors.ContextLengthExceeded),
        Kind("too_large", False, False, "", errors.PayloadTooLarge),
        Kind("unprocessable", False, False, "", errors.Unprocessable),
        Kind("refused_content", False, False, "", errors.ContentRefused),
    )
}


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed attempt. `message` is safe to show: no secret, address or account id.

    status: the provider's HTTP status, None when no answer came.
    """

    kind: Kind
    message: str
    status: int | None = None
    retry_after_s: float | None = None
    param: str | None = None


UNREADABLE = Failure(KINDS["broken"], "the provider's answer could not be read")
