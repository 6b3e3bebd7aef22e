"""docs/failover.md and docs/errors.md say what the code does, row by row."""

from collections.abc import Iterator

from django.conf import settings

from gatewayz.api.problems import CODES
from providers.errors import BadRequest, GatewayError
from providers.failures import KINDS, Kind
from tests.gatewayz.faults import Fault, faults

BLAMED = {"offer": "offer", "secret": "credential", "": "nobody"}


def rows(page: str, heading: str) -> list[tuple[str, ...]]:
    """Return the cells of the first table under `heading`."""
    text = (settings.BASE_DIR / "docs" / page).read_text()
    lines = text.partition(f"{heading}\n")[2].partition("\n#")[0].splitlines()
    table = [line for line in lines if line.startswith("|")]
    return [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in table[2:]]


def next_route(kind: Kind) -> str:
    if not kind.moves_on:
        return "no"
    return "if allowed" if kind.maybe_billed else "yes"


def shown(kind: Kind) -> str:
    return f"{kind.error.status} `{kind.error.code}`"


def said(flag: bool) -> str:
    return "yes" if flag else "no"


def test_the_page_has_every_kind_of_failure() -> None:
    documented = [(row[0], *row[2:]) for row in rows("failover.md", "## Kinds of failure")]
    assert documented == [
        (
            f"`{kind.name}`",
            next_route(kind),
            said(kind.maybe_billed),
            BLAMED[kind.blames],
            shown(kind),
        )
        for kind in KINDS.values()
    ]


def test_the_page_has_every_fault_that_is_tested() -> None:
    assert rows("failover.md", "## Every fault") == [documented(f) for f in faults("http://x/v1")]


def documented(fault: Fault) -> tuple[str, ...]:
    kind = KINDS[fault.kind]
    following = "no" if fault.after else "no time left" if fault.spent else next_route(kind)
    client = f"200, then `{kind.error.code}`" if fault.after else shown(kind)
    billed = said(fault.after or kind.maybe_billed)
    return fault.name, following, client, f"`{kind.name}`", str(fault.status or "-"), billed


def tree(error: type[GatewayError]) -> Iterator[type[GatewayError]]:
    yield error
    for child in error.__subclasses__():
        yield from tree(child)


def test_the_page_has_every_error_code() -> None:
    known = {(str(e.status), f"`{e.code}`", f"`{e.type}`") for e in tree(GatewayError)}
    known |= {(str(status), f"`{code}`", f"`{BadRequest.type}`") for status, code in CODES.items()}
    documented = rows("errors.md", "# Errors")
    assert len(documented) == len(known)
    assert {row[:3] for row in documented} == known
    assert all(row[3] for row in documented)
