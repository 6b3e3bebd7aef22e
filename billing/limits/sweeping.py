"""Takes from processes that died what they held: a process is dead when its lock is free."""

import os

from billing.limits.layout import (
    ALLOWANCE,
    CELLS,
    ENTRY_WORDS,
    GAUGE,
    HEAD_WORDS,
    MOST_PROCESSES,
    PROCESSES,
    STEP,
    TOTAL,
)
from billing.limits.sharing import SharedFile

AT_ONCE = 64  # entries under one lock: requests wait for it


def sweep(file: SharedFile) -> int:
    """Give back what dead processes held; return how many there were."""
    dead = [
        (number, descriptor)
        for number in range(MOST_PROCESSES)
        if file.words[PROCESSES + number] and number != file.process
        if (descriptor := file.seat(number)) is not None
    ]
    if not dead:
        return 0
    cells = [CELLS + number for number, _ in dead]
    places = held_at_once(file.words)
    for start in range(0, len(places), AT_ONCE):
        file.lock()
        try:
            for place in places[start : start + AT_ONCE]:
                take_from(file.words, place, cells)
        finally:
            file.unlock()
    for number, descriptor in dead:
        file.words[PROCESSES + number] = 0
        os.close(descriptor)
    return len(dead)


def held_at_once(words: memoryview) -> list[int]:
    """Return the places of entries whose cells are the processes'."""
    steps = words[HEAD_WORDS + STEP :: ENTRY_WORDS].tolist()
    names = words[HEAD_WORDS::ENTRY_WORDS].tolist()
    return [
        HEAD_WORDS + slot * ENTRY_WORDS
        for slot, step in enumerate(steps)
        if step in (GAUGE, ALLOWANCE) and names[slot]
    ]


def take_from(words: memoryview, place: int, cells: list[int]) -> None:
    """Empty the cells and add up anew: a process may have died between a cell and the total."""
    if words[place + STEP] in (GAUGE, ALLOWANCE):
        for cell in cells:
            words[place + cell] = 0
        words[place + TOTAL] = sum(words[place + CELLS : place + CELLS + MOST_PROCESSES])
