"""The table of keys: what changes while it is being read is never kept."""

from decimal import Decimal

from billing.access.keytable import KeyTable
from billing.values import Key

DIGESTS = ("digest",)
GOOD = Key("k1", "laptop", 7, True, 1, Decimal(1), None, False)
REVOKED = Key("k1", "laptop", 7, True, 1, Decimal(1), None, True)


class Database:
    """Answers each look with the next of some states; `meanwhile` happens during the first."""

    def __init__(self, *states: tuple[Key | None, int]) -> None:
        self.states = list(states)
        self.looks = 0
        self.meanwhile = lambda: None

    def find(self, digests: tuple[str, ...]) -> tuple[Key | None, int]:
        self.looks += 1
        state = self.states[0] if len(self.states) == 1 else self.states.pop(0)
        if self.looks == 1:
            self.meanwhile()
        return state


def test_a_key_is_looked_up_once() -> None:
    database = Database((GOOD, 1))
    table = KeyTable(database.find)
    assert table.seen(DIGESTS) == (False, None)
    assert table.read(DIGESTS) == GOOD
    assert table.seen(DIGESTS) == (True, GOOD)
    assert database.looks == 1


def test_a_key_revoked_while_it_is_looked_up_is_looked_up_again() -> None:
    database = Database((GOOD, 1), (REVOKED, 2))
    table = KeyTable(database.find)
    database.meanwhile = lambda: table.forget(2, {"key:k1"})
    assert table.read(DIGESTS) == REVOKED
    assert table.seen(DIGESTS) == (True, REVOKED)


def test_a_key_issued_while_it_is_looked_up_is_found() -> None:
    database = Database((None, 1), (GOOD, 2))
    table = KeyTable(database.find)
    database.meanwhile = lambda: table.forget(2, {"key:k1"})
    assert table.read(DIGESTS) == GOOD
    assert table.seen(DIGESTS) == (True, GOOD)


def test_a_change_forgets_the_keys_that_it_concerns() -> None:
    for part, forgotten in {
        "key:k1": True,
        "account:7": True,
        "plan:1": True,
        "key:k2": False,
        "account:8": False,
        "provider:groq": False,
    }.items():
        table = KeyTable(Database((GOOD, 1)).find)
        table.read(DIGESTS)
        table.forget(2, {part})
        assert table.seen(DIGESTS)[0] is not forgotten, part


def test_when_everything_may_have_changed_every_key_is_forgotten() -> None:
    database = Database((GOOD, 9), (GOOD, 3))
    table = KeyTable(database.find)
    table.read(DIGESTS)
    table.forget(9, {"key:other"})
    table.forget(3, None)
    assert table.seen(DIGESTS) == (False, None)
    assert table.read(DIGESTS) == GOOD, "an older database is believed"


def test_unknown_keys_are_remembered_until_keys_change() -> None:
    database = Database((None, 1))
    table = KeyTable(database.find)
    assert table.read(DIGESTS) is None
    assert table.seen(DIGESTS) == (True, None)
    table.forget(2, {"provider:groq"})
    assert table.seen(DIGESTS) == (True, None)
    table.forget(3, {"key:k1"})
    assert table.seen(DIGESTS) == (False, None)
