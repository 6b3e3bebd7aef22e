"""How the shared file is laid out, in words of 8 bytes. A new layout gets a new VERSION.

The head: MAGIC … STATE, a word per process that is at work, and a list of entries to tell other
nodes of. Then the entries. A word is written at once, so whatever kills a process tears none.
"""

MAGIC_NUMBER = int.from_bytes(b"gwzlimit", "little", signed=True)
VERSION_NUMBER = 1
WORD = 8

MAGIC, VERSION, CAPACITY, NODES, STATE, EVICTIONS, TOLD, LATE, WAKE, CUTS = range(10)
ALONE, TOGETHER, CUT_OFF = range(3)  # STATE: no other node, others are heard, Redis is gone

PROCESSES = 16  # where the words of processes begin
MOST_PROCESSES = 112
TELL = 128  # where the list of entries to tell begins
MOST_TOLD = 3968
HEAD_WORDS = 4096

# An entry: whose it is, what is counted, and its cells.
HIGH, LOW, STEP, TICK, TOTAL, OTHERS, SHARE, HEARD, TO_TELL, LIMIT, FIRST = range(11)
CELLS = 11
ENTRY_WORDS = 128
PARTS = 100  # steps of a window; it has one cell more, for the step that it begins in
RING = PARTS + 1
GAUGE, ALLOWANCE = 0, -1  # STEP of what is held at once, by process, and of a budget

# A budget's entry uses three words otherwise.
BEGIN, SPENT, SEEDED = TICK, OTHERS, HEARD

PROBES = 16


def size_of(capacity: int) -> int:
    """Return the bytes of a file for `capacity` entries."""
    return WORD * (HEAD_WORDS + capacity * ENTRY_WORDS)
