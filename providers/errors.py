"""Errors that reach a client. Each carries its HTTP status and code; one handler renders them all.

GatewayError
├── BadRequest            400 invalid_request        the request itself is wrong
├── UnknownProvider       400 unknown_provider       the slug names nobody; valid ones follow
├── ContextLengthExceeded 400 context_length_exceeded
├── InvalidKey            401 invalid_api_key
├── InsufficientCredits   402 insufficient_credits
├── ModelNotAllowed       403 model_not_allowed      the key may not
├── EndpointNotAllowed    403 endpoint_not_allowed   the key may not, whatever the model
├── AddressNotAllowed     403 ip_not_allowed         the key may not be used from there
├── ManagementOnly        403 management_key_required
├── ContentRefused        403 content_refused        the provider's moderation said no
├── NotFound              404 not_found              nothing there, or nothing of the caller's
├── ModelNotFound         404 model_not_found        nobody knows the name
├── ModelNotAvailable     404 model_not_available    known, but blocked, down or of another kind
├── PayloadTooLarge       413 payload_too_large
├── UnsupportedMediaType  415 unsupported_media_type
├── RateLimited           429 rate_limit_exceeded    ours
├── UpstreamRateLimited   429 upstream_rate_limited  the provider's
├── UpstreamError         502 upstream_error         the provider failed
├── NoProviderAvailable   503 no_provider_available  ours to mend: credential, breaker, journal
└── UpstreamTimeout       504 upstream_timeout
"""

from collections.abc import Mapping


class GatewayError(Exception):
    """An answer other than success. `type` is from OpenAI's vocabulary; its client maps it.

    headers: fields that the answer has besides, by name.
    """

    status = 500
    code = "internal_error"
    type = "api_error"
    headers: Mapping[str, str] = {}

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        retry_after_s: float | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s
        self.metadata = dict(metadata or {})


class BadRequest(GatewayError):
    status, code, type = 400, "invalid_request", "invalid_request_error"


class UnknownProvider(BadRequest):
    code = "unknown_provider"


class ContextLengthExceeded(BadRequest):
    code = "context_length_exceeded"


class Unprocessable(BadRequest):
    status, code = 422, "unprocessable"


class InvalidKey(GatewayError):
    status, code, type = 401, "invalid_api_key", "authentication_error"


class InsufficientCredits(GatewayError):
    status, code, type = 402, "insufficient_credits", "insufficient_quota"


class ModelNotAllowed(GatewayError):
    status, code, type = 403, "model_not_allowed", "permission_error"


class EndpointNotAllowed(GatewayError):
    status, code, type = 403, "endpoint_not_allowed", "permission_error"


class AddressNotAllowed(GatewayError):
    status, code, type = 403, "ip_not_allowed", "permission_error"


class ManagementOnly(GatewayError):
    status, code, type = 403, "management_key_required", "permission_error"


class NotFound(GatewayError):
    status, code, type = 404, "not_found", "invalid_request_error"


class ContentRefused(GatewayError):
    status, code, type = 403, "content_refused", "permission_error"


class ModelNotFound(GatewayError):
    status, code, type = 404, "model_not_found", "invalid_request_error"


class ModelNotAvailable(ModelNotFound):
    code = "model_not_available"


class RequestTimeout(GatewayError):
    status, code, type = 408, "request_timeout", "invalid_request_error"


class PayloadTooLarge(GatewayError):
    status, code, type = 413, "payload_too_large", "invalid_request_error"


class UnsupportedMediaType(GatewayError):
    status, code, type = 415, "unsupported_media_type", "invalid_request_error"


class RateLimited(GatewayError):
    status, code, type = 429, "rate_limit_exceeded", "rate_limit_error"


class UpstreamRateLimited(RateLimited):
    code = "upstream_rate_limited"


class UpstreamError(GatewayError):
    status, code, type = 502, "upstream_error", "api_error"


class NoProviderAvailable(GatewayError):
    status, code, type = 503, "no_provider_available", "api_error"


class UpstreamTimeout(GatewayError):
    status, code, type = 504, "upstream_timeout", "api_error"
