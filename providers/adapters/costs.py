"""What an answer costs, told inside its `usage`. Only for clients that ask."""

from collections.abc import Mapping

import msgspec

Told = Mapping[str, object]

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def with_cost(body: bytes, told: Told) -> bytes:
    """Return a whole answer whose usage says what `told` says too."""
    members = _members(body)
    members["usage"] = added(members["usage"], told)
    return _encode(members)


def added(usage: msgspec.Raw, told: Told) -> msgspec.Raw:
    """Return the usage with `told`, which goes before what the provider says under such a name."""
    return msgspec.Raw(_encode({**_members(usage), **told}))
