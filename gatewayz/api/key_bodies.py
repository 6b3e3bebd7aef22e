"""The bodies of /v1/keys: strict, what is not known is refused."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from gatewayz.api.bodies import read_members, wrong
from providers.errors import BadRequest

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Names = list[str]
Body = TypeVar("Body", bound=msgspec.Struct)


class Change(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a key may be changed to; a member that is left out stays as it is.

    limit: dollars, None for no limit. limit_reset: None for never.
    """

    name: str | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET
    expires_at: Moment | UnsetType | None = UNSET
    limit: Decimal | UnsetType | None = UNSET
    limit_reset: Literal["daily", "weekly", "monthly"] | UnsetType | None = UNSET
    allowed_endpoints: Names | UnsetType = UNSET
    allowed_models: Names | UnsetType = UNSET
    denied_models: Names | UnsetType = UNSET
    allowed_providers: Names | UnsetType = UNSET
    denied_providers: Names | UnsetType = UNSET
    allowed_ips: Names | UnsetType = UNSET


class NewKey(Change, kw_only=True):
    name: str
    test: bool | UnsetType = UNSET
    account: str | UnsetType = UNSET


class Rotation(msgspec.Struct, forbid_unknown_fields=True):
    """grace_seconds: for how long the secret of now stays good."""

    grace_seconds: Annotated[int, msgspec.Meta(ge=0, le=30 * 86_400)] = 3600


def read(body: bytes, kind: type[Body]) -> Body:
    """Return the body; raises BadRequest."""
    read_members(body)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as problem:
        raise wrong(problem) from problem
    except (msgspec.DecodeError, RecursionError, UnicodeError) as problem:
        raise BadRequest("The request's body is not valid JSON.") from problem


def given(body: msgspec.Struct) -> dict[str, Any]:
    """Return the members that were there."""
    members = {name: getattr(body, name) for name in body.__struct_fields__}
    return {name: value for name, value in members.items() if value is not UNSET}
