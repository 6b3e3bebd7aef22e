"""API keys, `gwz_live_<id>_<secret>`: a public id, and 256 secret bits that are kept nowhere.

`gwz_test_…` marks one that costs nothing and reaches nobody.
"""

import hashlib
import re
import secrets
import string
from dataclasses import dataclass, field
from functools import lru_cache

from django.conf import settings

LONGEST = 200
ID_LENGTH = 16
BLOCK = 64  # bytes of SHA-256's
SECRET_LENGTH = 43  # 62 ** 43 > 2 ** 256
FORM = re.compile(r"gwz_[a-z]{1,10}_[a-z0-9]{12,32}_[A-Za-z0-9]{43,100}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Minted:
    """A new key. `token` is for its holder alone; the rest is for its row."""

    token: str = field(repr=False)
    public_id: str
    digest: str
    last4: str


def mint(kind: str = "live", public_id: str = "") -> Minted:
    """Return a new key; `public_id` is given where one that there is gets a new secret."""
    public_id = public_id or drawn(string.ascii_lowercase + string.digits, ID_LENGTH)
    token = f"gwz_{kind}_{public_id}_{drawn(string.ascii_letters + string.digits, SECRET_LENGTH)}"
    return Minted(token, public_id, digests(token)[0], token[-4:])


def drawn(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def digest(token: str, pepper: str) -> str:
    """Return the hex HMAC-SHA-256 under which a key's row is found."""
    inner, outer = keyed(pepper)
    inner, outer = inner.copy(), outer.copy()
    inner.update(token.encode())
    outer.update(inner.digest())
    return outer.hexdigest()


@lru_cache(maxsize=16)
def keyed(pepper: str) -> tuple["hashlib._Hash", "hashlib._Hash"]:
    """Return HMAC's two hashes (RFC 2104) after their first block, which is the pepper's alone.

    The hmac module begins anew for each token, which takes longer than all else about a key.
    """
    key = pepper.encode()
    block = (key if len(key) <= BLOCK else hashlib.sha256(key).digest()).ljust(BLOCK, b"\0")
    inner, outer = (bytes(byte ^ mask for byte in block) for mask in (0x36, 0x5C))
    return hashlib.sha256(inner), hashlib.sha256(outer)


def digests(token: str) -> tuple[str, ...]:
    """Return a digest per pepper, the current one first: older rows were made with older ones."""
    return tuple(digest(token, pepper) for pepper in settings.KEY_PEPPERS)


def wellformed(token: str) -> bool:
    """Tell whether `token` could be a key at all; nothing else needs to be looked up."""
    return len(token) <= LONGEST and FORM.fullmatch(token) is not None
