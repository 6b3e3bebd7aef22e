"""Nodes tell each other through Redis or Valkey what they counted: one script, one round trip.

A node's own number stands in a hash per counter, with the time; whoever reads it leaves out what is
older than the window, and what is held at once by nodes that are gone.
"""

from dataclasses import dataclass
from typing import Any, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from billing.limits import layout
from billing.limits.layout import (
    ENTRY_WORDS,
    FIRST,
    HEAD_WORDS,
    HEARD,
    LIMIT,
    LOW,
    NODES,
    OTHERS,
    PARTS,
    SHARE,
    STATE,
    STEP,
    TELL,
    TICK,
    TO_TELL,
    TOLD,
    TOTAL,
)
from billing.limits.sharing import SharedFile
from billing.limits.table import roll

PATIENCE_S = 0.5
AT_ONCE = 400  # entries in one script
AGAIN_MS = 1000  # what is held at once is told again so often
RETURN_MS = 3000  # by then a node that is still there has come back to Redis
PREFIX = "gatewayz:{limits}"
FAIR, IDLE = -1, -2
# Per counter: window, count, limit, and how much to claim, at most; FAIR is the share of one node.
SCRIPT = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 3000)
local nodes = redis.call('ZCARD', KEYS[1])
local heard = {nodes}
for i = 2, #KEYS do
  local at = 4 * i - 6
  local window, count, limit, claim =
    tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local keep, others = math.max(window, 3000), 0
  local all = redis.call('HGETALL', KEYS[i])
  for j = 1, #all, 2 do
    if all[j] ~= ARGV[1] then
      local held, when = string.match(all[j + 1], '(-?%d+):(%d+)')
      if now - when < keep then others = others + held end
    end
  end
  local free = math.max(0, limit - count - others)
  if claim == -1 then claim = math.max(1, math.floor(free / nodes)) end
  claim = math.max(0, math.min(claim, free))
  redis.call('HSET', KEYS[i], ARGV[1], string.format('%d:%d', count + claim, now))
  redis.call('PEXPIRE', KEYS[i], keep * 2)
  heard[#heard + 1] = others
  heard[#heard + 1] = claim
end
return heard
"""


@dataclass(frozen=True, slots=True)
class Count:
    """One entry as it is told. claim: how much to claim at most, IDLE to claim nothing."""

    place: int
    high: int
    low: int
    step_ms: int
    total: int
    limit: int
    claim: int

    @property
    def name(self) -> str:
        return f"{PREFIX}:{self.high & 2**64 - 1:016x}{self.low & 2**64 - 1:016x}"


class Nodes:
    """This node's side. `exchange` is for one thread of one process of the node at a time."""

    def __init__(self, file: SharedFile, url: str, name: str) -> None:
        self._file = file
        self._name = name
        self._server = redis.Redis.from_url(
            url,
            socket_timeout=PATIENCE_S,
            socket_connect_timeout=PATIENCE_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._script = self._server.register_script(SCRIPT)
        self._told: dict[int, int] = {}  # when each place was told last, if it has to be again
        self._all = True  # everything is to be told: nobody has heard it from us
        self._gone = False  # Redis did not answer, and may have forgotten everything
        self._back_ms = 0  # when it answered again

    def exchange(self, now_ms: int) -> None:
        """Tell what changed, and hear of others; raises redis.RedisError."""
        if self._gone and not self._returned(now_ms):
            return
        if self._all:
            self._told.update(dict.fromkeys(live_entries(self._file.words), 0))
            self._all = False
        counts = self._due(now_ms)
        before = self._file.words[NODES]
        for start in range(0, len(counts) or 1, AT_ONCE):
            some = counts[start : start + AT_ONCE]
            try:
                heard = self._ask(some)
            except redis.RedisError:
                self._mark_again(counts[start:])
                raise
            self._take_over(some, heard, now_ms)
        self._all = before <= 1 < self._file.words[NODES]

    def _returned(self, now_ms: int) -> bool:
        """Tell everything, claim nothing, and say whether the nodes of before have done so, too.

        Until then Redis may not know what they counted: its numbers are not to be believed.
        """
        counts = self._everything(now_ms)
        for start in range(0, len(counts) or 1, AT_ONCE):
            nodes = self._ask(counts[start : start + AT_ONCE])[0]
        self._back_ms = self._back_ms or now_ms
        if nodes < self._file.words[NODES] and now_ms < self._back_ms + RETURN_MS:
            return False
        self._gone, self._all = False, True
        return True

    def _everything(self, now_ms: int) -> list[Count]:
        file = self._file
        file.lock()
        try:
            places = live_entries(file.words)
            counts = (counted(file.words, place, IDLE, now_ms) for place in places)
            return [count for count in counts if count is not None]
        finally:
            file.unlock()

    def _ask(self, counts: list[Count]) -> list[int]:
        keys = [f"{PREFIX}:nodes", *(count.name for count in counts)]
        said: list[Any] = [self._name]
        for count in counts:
            said += (count.step_ms * PARTS, count.total, count.limit, count.claim)
        try:
            return cast("list[int]", self._script(keys, said))
        except redis.RedisError:
            self._gone, self._back_ms = True, 0
            raise

    def _due(self, now_ms: int) -> list[Count]:
        """Return what was touched since the last time, and what has to be told again."""
        file = self._file
        file.lock()
        try:
            words = file.words
            slots = words[TELL : TELL + words[TOLD]].tolist()
            words[TOLD] = 0
            due = dict.fromkeys((HEAD_WORDS + slot * ENTRY_WORDS for slot in slots), FAIR)
            for place in due:
                words[place + TO_TELL] = 0
                if words[place + FIRST]:
                    words[place + FIRST] = 0
                    due[place] = max(0, words[place + SHARE])
            for place, at_ms in self._told.items():
                if at_ms + max(AGAIN_MS, words[place + STEP]) <= now_ms:
                    due.setdefault(place, IDLE)
            counts = (counted(words, place, claim, now_ms) for place, claim in due.items())
            return [count for count in counts if count is not None]
        finally:
            file.unlock()

    def _mark_again(self, counts: list[Count]) -> None:
        """What could not be told is due at once when it can."""
        self._told.update({count.place: 0 for count in counts})

    def _take_over(self, counts: list[Count], heard: list[int], now_ms: int) -> None:
        file = self._file
        file.lock()
        try:
            words = file.words
            words[NODES] = nodes = max(1, heard[0])
            words[STATE] = layout.TOGETHER if nodes > 1 else layout.ALONE
            for count, others, claim in zip(counts, heard[1::2], heard[2::2], strict=True):
                place = count.place
                if words[place] == count.high and words[place + LOW] == count.low:
                    since = max(0, words[place + TOTAL] - count.total)
                    words[place + OTHERS] = others
                    words[place + SHARE] = claim - since
                    words[place + HEARD] = 0 if count.claim == IDLE else now_ms
                if claim:
                    self._told[place] = 0  # if it is not used, it is given back the next time
                elif count.total:
                    self._told[place] = now_ms
                else:
                    self._told.pop(place, None)
        finally:
            file.unlock()

    def cut_off(self) -> None:
        """Note that Redis is gone: each node keeps to its share from now on."""
        self._file.words[STATE] = layout.CUT_OFF

    def leave(self) -> None:
        """Tell the others not to wait for us."""
        try:
            self._server.zrem(f"{PREFIX}:nodes", self._name)
            self._server.close()
        except redis.RedisError:
            return


def counted(words: memoryview, place: int, claim: int, now_ms: int) -> Count | None:
    """Return an entry's count now; None for what is nobody's, and for budgets."""
    step = words[place + STEP]
    if not words[place] or step < 0:
        return None
    if step and words[place + TICK] < now_ms // step:
        roll(words, place, now_ms // step)
    total, limit = words[place + TOTAL], words[place + LIMIT]
    return Count(place, words[place], words[place + LOW], step, total, limit, claim)


def live_entries(words: memoryview) -> list[int]:
    """Return the places of all limits that hold something."""
    names = words[HEAD_WORDS::ENTRY_WORDS].tolist()
    totals = words[HEAD_WORDS + TOTAL :: ENTRY_WORDS].tolist()
    return [
        HEAD_WORDS + slot * ENTRY_WORDS for slot, name in enumerate(names) if name and totals[slot]
    ]
