"""A process's money: holds are taken from its leases in memory, and the database is asked for more.

All of it runs on one event loop but for the bank, which is asked in threads. Per account there is
one question at a time, in which all that wait have part.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from billing.leases.moving import Moved, NotMoved, Unsure, Wish
from billing.leases.pockets import Hold, Pocket, Waiter, done
from billing.leases.refusing import unknown

THREADS = 4
PATIENCE_S = 1.0  # for what other processes may have idle
PAUSE_S = 0.03  # between two questions while they give back
DATABASE_S = 10.0  # until a request gives up waiting for the database
STOP_S = 5.0
Result = TypeVar("Result")
log = logging.getLogger(__name__)


class Accounts(Protocol):
    """What a purse needs of the bank: see moving.Bank."""

    def move(self, account_id: int, wish: Wish) -> Moved: ...
    def was_moved(self, account_id: int, reference: str) -> bool: ...


class Purse:
    """`hold` reserves money or raises InsufficientCredits; NoProviderAvailable while the database
    cannot be asked and the lease does not suffice. What is idle for `idle_s` goes back."""

    def __init__(self, accounts: Accounts, idle_s: float) -> None:
        self._accounts = accounts
        self._idle_s = idle_s
        self._pockets: dict[int, Pocket] = {}
        self._threads = ThreadPoolExecutor(THREADS, "purse")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sweep_at: asyncio.TimerHandle | None = None

    @property
    def in_use(self) -> bool:
        return bool(self._pockets)

    async def hold(self, account_id: int, amount_nano: int) -> Hold:
        """Reserve for a request. One that costs nothing takes a nano: the account must own one."""
        amount_nano = amount_nano or 1
        pocket = self._pockets.get(account_id)
        if pocket is not None and pocket.idle >= amount_nano and not pocket.waiting:
            return pocket.reserved(amount_nano)
        return await self._waited(account_id, amount_nano)

    async def _waited(self, account_id: int, amount_nano: int) -> Hold:
        self._loop = loop = asyncio.get_running_loop()
        pocket = self._pockets.get(account_id)
        if pocket is None:
            pocket = self._pockets[account_id] = Pocket(account_id, self._wake)
        result: asyncio.Future[Hold] = loop.create_future()
        pocket.waiting.append(Waiter(amount_nano, time.monotonic() + PATIENCE_S, result))
        self._wake(pocket)
        try:
            async with asyncio.timeout(DATABASE_S):
                return await result
        except TimeoutError:
            raise unknown() from None
        except asyncio.CancelledError:
            if result.done() and not result.cancelled() and result.exception() is None:
                result.result().free()  # it was given in the moment in which the client left
            raise

    def _wake(self, pocket: Pocket) -> None:
        """Go on with what an account waits for, unless that is under way."""
        if pocket.task is None and self._loop is not None:
            pocket.task = self._loop.create_task(self._converse(pocket))

    async def _converse(self, pocket: Pocket) -> None:
        """Ask until nobody waits and nothing idle has to go back."""
        try:
            while await self._round(pocket):
                pass
        except Exception:  # the border of a task: what it holds back, the bookkeeper releases
            log.exception("money of account %s was not moved", pocket.account_id)
            pocket.fail()
        finally:
            pocket.task = None
            pocket.stale = False
            done(pocket.returns)
            pocket.returns.clear()
            self._look_after()

    async def _round(self, pocket: Pocket) -> bool:
        """Serve who can be served here, and ask once for the others; False when it is over."""
        if pocket.unsure is not None and not await self._made_sure(pocket):
            pocket.fail()
            return False
        pocket.serve()
        returns, pocket.returns = pocket.returns, []
        wish = pocket.wish()
        moved = None
        if wish is not None:
            pocket.idle -= wish.back
            waiters = list(pocket.waiting)[: len(wish.wants)]
            moved = await self._moved(pocket, wish)
            if moved is None:
                pocket.fail()
            else:
                pocket.take(wish, waiters, moved)
        done(returns)
        if moved is not None and moved.asked and pocket.waiting:
            await asyncio.sleep(PAUSE_S)
        return moved is not None

    async def _moved(self, pocket: Pocket, wish: Wish) -> Moved | None:
        """Ask the bank; None if it does not answer: what was idle is so again, or is in doubt."""
        try:
            return await self._aside(self._accounts.move, pocket.account_id, wish)
        except NotMoved as problem:
            log.warning("no money could be moved: %s", problem.__cause__)
            pocket.idle += wish.back
        except Unsure as problem:
            log.warning("nobody knows whether money was moved: %s", problem.__cause__)
            pocket.unsure = (problem.reference, wish.back + problem.delta_nano, wish.back)
        return None

    async def _made_sure(self, pocket: Pocket) -> bool:
        """Find out what became of a move that is in doubt; False if that cannot be found out."""
        assert pocket.unsure is not None
        reference, if_moved, if_not = pocket.unsure
        try:
            moved = await self._aside(self._accounts.was_moved, pocket.account_id, reference)
        except NotMoved:
            return False
        pocket.unsure = None
        pocket.idle += if_moved if moved else if_not
        return True

    async def _aside(self, work: Callable[..., Result], *args: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)

    def _look_after(self) -> None:
        """See to it that idle money does not lie here for ever."""
        if self._sweep_at is None and self._pockets and self._loop is not None:
            self._sweep_at = self._loop.call_later(min(1.0, self._idle_s), self._sweep)

    def _sweep(self) -> None:
        """Give back what was idle for long, try again what failed, and forget what is empty."""
        self._sweep_at = None
        long_ago = time.monotonic() - self._idle_s
        for pocket in list(self._pockets.values()):
            if pocket.empty:
                del self._pockets[pocket.account_id]
            elif pocket.restless:
                self._wake(pocket)
            elif pocket.spare and pocket.used_at < long_ago:
                self._recall(pocket)
        self._look_after()

    def _recall(self, pocket: Pocket) -> None:
        pocket.stale = True
        self._wake(pocket)

    def recall(self, account_ids: Iterable[int] | None = None) -> None:
        """Give back what is idle of these accounts, of all for None. Safe from any thread."""
        wanted = None if account_ids is None else set(account_ids)
        if self._loop is not None and wanted != set():
            with suppress(RuntimeError):  # the loop is closed: nobody is served any more
                self._loop.call_soon_threadsafe(self._recall_now, wanted)

    def _recall_now(self, account_ids: set[int] | None) -> None:
        for pocket in list(self._pockets.values()):
            if account_ids is None or pocket.account_id in account_ids:
                self._recall(pocket)

    def stop(self) -> None:
        """Give back everything; for another thread than the loop's. What fails is recovered."""
        loop = self._loop
        if loop is not None and loop.is_running():
            gone = asyncio.run_coroutine_threadsafe(self._emptied(), loop)
            try:
                gone.result(STOP_S)
            except TimeoutError:
                log.warning("leases were not given back; the bookkeeper does it")
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _emptied(self) -> None:
        self._recall_now(None)
        tasks = [pocket.task for pocket in self._pockets.values() if pocket.task is not None]
        if tasks:
            await asyncio.wait(tasks)
