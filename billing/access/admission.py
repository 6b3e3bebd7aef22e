"""Whether a key may make a request now."""

from billing.access.addresses import Address, within
from billing.values import Key
from providers.errors import (
    AddressNotAllowed,
    EndpointNotAllowed,
    InvalidKey,
    ManagementOnly,
)

REFUSED = "The API key is missing or not valid. Send it as `Authorization: Bearer gwz_live_…`."


def check_key(key: Key | None, now: float) -> Key:
    """Return a key that is valid at `now` (Unix time); every other gets the same answer."""
    if key is None or key.revoked or not key.account_enabled:
        raise InvalidKey(REFUSED)
    if key.expires_at is not None and key.expires_at <= now:
        raise InvalidKey(REFUSED)
    return key


def check_address(key: Key, address: Address | None) -> None:
    """Raise AddressNotAllowed unless the key may be used from there."""
    if not within(address, key.networks):
        raise AddressNotAllowed(f"This key may not be used from {address or 'an unknown address'}.")


def check_endpoint(key: Key, endpoint: str) -> None:
    """Raise EndpointNotAllowed unless the key is for such requests."""
    if endpoint not in key.endpoints:
        raise EndpointNotAllowed(f"This key may be used for {', '.join(sorted(key.endpoints))}.")


def check_management(key: Key) -> None:
    if not key.is_management:
        raise ManagementOnly("This takes a management key; an owner or the operator can make one.")
