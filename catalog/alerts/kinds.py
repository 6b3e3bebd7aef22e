"""Every kind of alert: what it says, and where its rule begins. Pure.

The rules themselves are rows, made of these once and edited by admins.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DAY = 24 * 60  # minutes


@dataclass(frozen=True, slots=True)
class Kind:
    """threshold, window_minutes, least, cooldown_minutes: what a new rule holds.

    means: what threshold and window are for this kind. slow: looked at by the hour. fades: there
    is no evaluator; what was not raised again within the window is over.
    """

    name: str
    title: str
    means: str
    threshold: float = 1
    window_minutes: int = 0
    least: int = 0
    cooldown_minutes: int = 60
    slow: bool = False
    fades: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong now. subject: what it is about, the same as long as it lasts."""

    subject: str
    text: str
    details: Mapping[str, Any] = field(default_factory=dict)


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "provider_failing",
            "Provider fails",
            "threshold: share of attempts that failed, 0 to 1; least: attempts in the window",
            threshold=0.5,
            window_minutes=5,
            least=20,
            cooldown_minutes=30,
        ),
        Kind(
            "offer_failing",
            "Offer fails",
            "as for a provider; offers of a provider that fails as a whole are not told",
            threshold=0.5,
            window_minutes=15,
            least=20,
        ),
        Kind("offer_down", "Offer down", "window: minutes that an offer has been down"),
        Kind("quarantined", "Changeset held back", "a sync's changeset waits for an admin"),
        Kind("sync_failing", "Sync fails", "threshold: failed syncs in a row", threshold=3),
        Kind(
            "catalogue_shrank",
            "Catalogue shrank",
            "threshold: share of the most models listed within the window that is gone, 0 to 1",
            threshold=0.2,
            window_minutes=3 * DAY,
            least=5,
            cooldown_minutes=DAY,
            slow=True,
        ),
        Kind(
            "api_drift",
            "Provider's list reads differently",
            "threshold: share of refused rows, 0 to 1; least: refused rows. A list that cannot be "
            "read at all counts in any case",
            threshold=0.1,
            least=5,
            cooldown_minutes=DAY,
        ),
        Kind(
            "unpriced_traffic",
            "Traffic without a price",
            "threshold: requests in the window whose price is not known",
            window_minutes=60,
        ),
        Kind(
            "alias_gone",
            "Alias without a target",
            "an alias leads to no model that anybody offers",
            cooldown_minutes=DAY,
            slow=True,
        ),
        Kind(
            "deprecation_ahead",
            "Deprecation ahead",
            "threshold: days ahead; window: a key used it within",
            threshold=30,
            window_minutes=30 * DAY,
            cooldown_minutes=7 * DAY,
            slow=True,
        ),
        Kind(
            "credential_refused",
            "Credential refused",
            "window: over when it was not refused for so long",
            window_minutes=15,
            cooldown_minutes=15,
            fades=True,
        ),
        Kind("budget", "Budget", "an account, member or key came to the edge of its budget"),
    )
}
