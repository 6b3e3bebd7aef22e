"""API keys, `gwz_live_<id>_<secret>`: a public id, and 256 secret bits that are kept nowhere."""

import hmac
import re
import secrets
import string
from dataclasses import dataclass, field
from functools import lru_cache

from django.conf import settings

LONGEST = 200
ID_LENGTH = 16
SECRET_LENGTH = 43  # 62 ** 43 > 2 ** 256
FORM = re.compile(r"gwz_[a-z]{1,10}_[a-z0-9]{12,32}_[A-Za-z0-9]{43,100}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Minted:
    """A new key. `token` is for its holder alone; the rest is for its row."""

    token: str = field(repr=False)
    public_id: str
    digest: str
    last4: str


def mint(kind: str = "live") -> Minted:
    public_id = drawn(string.ascii_lowercase + string.digits, ID_LENGTH)
    token = f"gwz_{kind}_{public_id}_{drawn(string.ascii_letters + string.digits, SECRET_LENGTH)}"
    return Minted(token, public_id, digests(token)[0], token[-4:])


def drawn(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def digest(token: str, pepper: str) -> str:
    """Return the hex HMAC-SHA-256 under which a key's row is found."""
    begun = keyed(pepper).copy()
    begun.update(token.encode())
    return begun.hexdigest()


@lru_cache(maxsize=16)
def keyed(pepper: str) -> hmac.HMAC:
    """Return an HMAC that has taken its key, which is half of the work."""
    return hmac.new(pepper.encode(), digestmod="sha256")


def digests(token: str) -> tuple[str, ...]:
    """Return a digest per pepper, the current one first: older rows were made with older ones."""
    return tuple(digest(token, pepper) for pepper in settings.KEY_PEPPERS)


def wellformed(token: str) -> bool:
    """Tell whether `token` could be a key at all; nothing else needs to be looked up."""
    return len(token) <= LONGEST and FORM.fullmatch(token) is not None
