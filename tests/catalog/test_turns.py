"""Long work pauses between its turns, but not before there are requests that could wait."""

import threading

import pytest

from catalog import turns
from catalog.turns import hurriedly, politely


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that are made; each turn is over at once."""
    made: list[float] = []
    monkeypatch.setattr(turns, "TURN_S", -1.0)
    monkeypatch.setattr(turns.time, "sleep", made.append)
    return made


def test_a_pause_after_each_turn(pauses: list[float]) -> None:
    assert list(politely("abc")) == ["a", "b", "c"]
    assert pauses == [turns.PAUSE_S] * 3


def test_short_work_is_one_turn(pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "TURN_S", 60.0)
    assert list(politely("abc")) == ["a", "b", "c"]
    assert pauses == []


def test_who_hurries_makes_none_and_others_do(pauses: list[float]) -> None:
    with hurriedly():
        assert list(politely("abc")) == ["a", "b", "c"]
        assert pauses == []
        other = threading.Thread(target=lambda: list(politely("ab")))
        other.start()
        other.join()
        assert len(pauses) == 2
    list(politely("a"))
    assert len(pauses) == 3
