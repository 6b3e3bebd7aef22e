"""Whether a key may make a request now."""

from billing.values import Key
from providers.errors import InvalidKey

REFUSED = "The API key is missing or not valid. Send it as `Authorization: Bearer gwz_live_…`."


def check_key(key: Key | None, now: float) -> Key:
    """Return a key that is valid at `now` (Unix time); every other gets the same answer."""
    if key is None or key.revoked or not key.account_enabled:
        raise InvalidKey(REFUSED)
    if key.expires_at is not None and key.expires_at <= now:
        raise InvalidKey(REFUSED)
    return key
