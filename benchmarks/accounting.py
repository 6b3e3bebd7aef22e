"""Processor time that one request costs between its body and its provider: resolving, limits, a
hold on money, the price, the line in the journal, and giving back what was not used.

`python -m benchmarks.accounting KEY` runs in a gateway's environment, as one of its web processes
would; prints microseconds per request. The answer is a real one, kept: no transport has part in it.
"""

import asyncio
import itertools
import sys
import time

import uvloop

import gatewayz.asgi  # noqa: F401 Django, set up
from benchmarks.measures.requests import BODY
from billing.access.keys import digests
from billing.values import Key
from gatewayz.api.chat_body import Chat, read_chat
from gatewayz.api.exchange import Exchange
from gatewayz.plane import plane
from providers.dispatch import Reply

WARM, TIMES = 2_000, 20_000
NUMBERS = itertools.count()


class Answered:
    """In the dispatcher's place: answers every request as the first one was answered."""

    def __init__(self, first: Reply) -> None:
        self._first = first

    async def send(self, routes: object, call: object, reply: Reply) -> None:
        first = self._first
        reply.route, reply.answer, reply.attempts = first.route, first.answer, first.attempts


async def measured(token: str) -> float:
    await asyncio.to_thread(plane.start)
    try:
        key = await plane.read_key(digests(token))
        if key is None:
            raise RuntimeError("no such key")
        chat = read_chat(BODY.encode(), key)
        first = await exchange(chat, key)
        plane.dispatcher = Answered(first)  # type: ignore[assignment]
        for _ in range(WARM):
            await exchange(chat, key)
        began = time.thread_time()
        for _ in range(TIMES):
            await exchange(chat, key)
        return (time.thread_time() - began) / TIMES * 1e6
    finally:
        await asyncio.to_thread(plane.stop)


async def exchange(chat: Chat, key: Key) -> Reply:
    exchange = Exchange(f"req_benchmark_{next(NUMBERS)}", key, chat.ask, chat.call, chat.bounds)
    reply = await exchange.run()
    await exchange.returned()
    return reply


if __name__ == "__main__":
    print(uvloop.run(measured(sys.argv[1])))
