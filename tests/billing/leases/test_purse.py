"""A process's purse: what it holds, asks for and gives back, with accounts that live in memory."""

import asyncio
import functools
import random
import statistics
import time
from collections.abc import Awaitable, Callable

import pytest

from billing.leases.pockets import Hold
from billing.leases.purse import Purse
from providers.errors import InsufficientCredits, NoProviderAvailable
from tests.billing.leases.till import Clerk, Till

ACCOUNT = 1
PLENTY = 10**9


def on_a_loop(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    @functools.wraps(test)
    def run() -> None:
        asyncio.run(test())

    return run


def purses(till: Till, count: int, idle_s: float = 60.0) -> list[tuple[Purse, Clerk]]:
    clerks = [Clerk(till, str(number)) for number in range(count)]
    return [(Purse(clerk, idle_s), clerk) for clerk in clerks]


async def watch(made: list[tuple[Purse, Clerk]]) -> None:
    """Do what watching.Watch does, for all of them."""
    while True:
        for purse, clerk in made:
            purse.recall(clerk.asked())
        await asyncio.sleep(0.1)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.005)


async def refused(purse: Purse, amount: int) -> InsufficientCredits:
    with pytest.raises(InsufficientCredits) as caught:
        await purse.hold(ACCOUNT, amount)
    return caught.value


@on_a_loop
async def test_a_lease_serves_many_requests_with_one_question():
    till = Till(PLENTY)
    ((purse, _),) = purses(till, 1)
    for _ in range(50):
        (await purse.hold(ACCOUNT, 100)).free(10)
    assert till.moves == 1
    assert till.held == 900


@on_a_loop
async def test_those_who_wait_share_a_question():
    till = Till(PLENTY, slow_s=0.02)
    ((purse, _),) = purses(till, 1)
    holds = await asyncio.gather(*(purse.hold(ACCOUNT, 100) for _ in range(100)))
    assert till.moves == 1
    assert sum(hold.amount_nano for hold in holds) == 10_000


@on_a_loop
async def test_close_to_zero_nothing_stays_idle():
    till = Till(150)
    ((purse, _),) = purses(till, 1)
    hold = await purse.hold(ACCOUNT, 100)
    assert till.held == 100
    hold.free(30)
    await hold.returned()
    assert till.held == 30  # what was spent, until it is booked


@on_a_loop
async def test_a_refusal_says_what_there_is():
    till = Till(150)
    ((purse, _),) = purses(till, 1)
    await purse.hold(ACCOUNT, 100)
    problem = await refused(purse, 100)
    assert problem.metadata == {
        "balance": "0.000000150",
        "held": "0.000000100",
        "needed": "0.000000100",
    }


@on_a_loop
async def test_what_costs_nothing_needs_money_all_the_same():
    ((purse, _),) = purses(Till(0), 1)
    assert (await refused(purse, 0)).status == 402
    ((purse, _),) = purses(Till(1), 1)
    await purse.hold(ACCOUNT, 0)


@on_a_loop
async def test_a_hold_is_freed_once():
    till = Till(100)
    ((purse, _),) = purses(till, 1)
    hold = await purse.hold(ACCOUNT, 100)
    for _ in range(3):
        hold.free(40)
    await hold.returned()
    assert till.held == 40


@on_a_loop
async def test_a_cost_above_the_hold_takes_what_is_idle_here():
    till = Till(PLENTY)
    ((purse, _),) = purses(till, 1)
    hold = await purse.hold(ACCOUNT, 100)  # and 800 beside it
    assert hold.cover(50) == 100
    assert hold.cover(700) == 700
    assert hold.cover(5000) == 900
    hold.free(5000)
    assert till.held == 900
    assert (await purse.hold(ACCOUNT, 1)).amount_nano == 1
    assert till.moves == 2


@on_a_loop
async def test_nobody_is_refused_what_another_process_has_idle():
    till = Till(17 * 100)
    made = purses(till, 4)
    watching = asyncio.create_task(watch(made))
    for purse, _ in made:
        (await purse.hold(ACCOUNT, 10)).free()
    assert till.held > 200
    began = time.monotonic()
    asking = made[0][0]
    results = await asyncio.gather(
        *(asking.hold(ACCOUNT, 100) for _ in range(40)), return_exceptions=True
    )
    assert sum(isinstance(result, Hold) for result in results) == 17
    assert time.monotonic() - began < 1
    assert till.held == 1700
    assert not till.asking
    watching.cancel()


@on_a_loop
async def test_who_gives_nothing_back_is_waited_for_a_second_and_no_longer():
    till = Till(1000)
    (first, _), (second, _) = purses(till, 2)
    (await first.hold(ACCOUNT, 1)).free()
    began = time.monotonic()
    await refused(second, 1000)
    assert 1 <= time.monotonic() - began < 2
    await until(lambda: not till.asking)


@on_a_loop
async def test_where_nothing_is_idle_a_refusal_comes_at_once():
    till = Till(1000)
    (first, _), (second, _) = purses(till, 2)
    await first.hold(ACCOUNT, 1000)
    began = time.monotonic()
    await refused(second, 1)
    assert time.monotonic() - began < 0.5


@on_a_loop
async def test_idle_slices_go_back():
    till = Till(PLENTY)
    ((purse, _),) = purses(till, 1, idle_s=0.05)
    (await purse.hold(ACCOUNT, 100)).free(25)
    assert till.held == 900
    await until(lambda: till.held == 25)
    await until(lambda: not purse.in_use)


@on_a_loop
async def test_a_purse_that_stops_gives_back_what_is_idle():
    till = Till(PLENTY)
    ((purse, _),) = purses(till, 1)
    hold = await purse.hold(ACCOUNT, 100)
    await asyncio.to_thread(purse.stop)
    assert till.held == 100
    hold.free()


@on_a_loop
async def test_a_client_that_leaves_while_it_waits_holds_nothing():
    till = Till(150, slow_s=0.05)
    ((purse, _),) = purses(till, 1)
    task = asyncio.create_task(purse.hold(ACCOUNT, 100))
    await asyncio.sleep(0.02)
    task.cancel()
    await until(lambda: till.moves > 0 and till.held == 0)


@on_a_loop
async def test_a_database_that_is_away_is_a_503_and_costs_nothing():
    till = Till(PLENTY)
    ((purse, clerk),) = purses(till, 1)
    clerk.failing = "before"
    with pytest.raises(NoProviderAvailable):
        await purse.hold(ACCOUNT, 100)
    clerk.failing = ""
    (await purse.hold(ACCOUNT, 100)).free()
    clerk.failing = "before"
    await purse.hold(ACCOUNT, till.held)  # what is leased goes on to serve
    with pytest.raises(NoProviderAvailable):
        await purse.hold(ACCOUNT, 1)


@on_a_loop
async def test_money_that_moved_without_an_answer_is_found_again():
    till = Till(150)
    ((purse, clerk),) = purses(till, 1)
    clerk.failing = "after"
    with pytest.raises(NoProviderAvailable):
        await purse.hold(ACCOUNT, 100)
    assert till.held == 100
    clerk.failing, clerk.away = "", True
    with pytest.raises(NoProviderAvailable):
        await purse.hold(ACCOUNT, 150)
    clerk.away = False
    assert (await purse.hold(ACCOUNT, 150)).amount_nano == 150
    assert till.held == 150


@on_a_loop
async def test_whatever_happens_no_more_is_held_than_there_is():
    """Holds of all sizes, in four processes, of which each may lose the database or its clients."""
    chance = random.Random(20)
    till = Till(30_000, slow_s=0.0005)
    made = purses(till, 4)
    watching = asyncio.create_task(watch(made))
    spent = 0

    async def ask(purse: Purse) -> None:
        nonlocal spent
        await asyncio.sleep(chance.random())
        try:
            async with asyncio.timeout(chance.choice((0.002, 5))):
                hold = await purse.hold(ACCOUNT, chance.randrange(1, 1500))
        except (InsufficientCredits, NoProviderAvailable, TimeoutError):
            return
        await asyncio.sleep(chance.random() / 20)
        cost = chance.randrange(hold.amount_nano + 1) // 8
        spent += cost
        hold.free(cost)

    async def fail() -> None:
        for _ in range(40):
            clerk = chance.choice(made)[1]
            clerk.failing = chance.choice(("before", "after", ""))
            await asyncio.sleep(0.1)
            clerk.failing = ""

    await asyncio.gather(fail(), *(ask(purse) for purse, _ in made for _ in range(200)))
    for _, clerk in made:
        clerk.failing = ""
    for purse, _ in made:
        purse.recall()
    await until(lambda: till.held == spent)
    watching.cancel()
    assert spent > 1000


@on_a_loop
async def test_admission_and_settlement_take_less_than_ten_microseconds():
    ((purse, _),) = purses(Till(10**15), 1)
    (await purse.hold(ACCOUNT, 10**9)).free()
    times = []
    for _ in range(20):
        began = time.process_time()
        for _ in range(500):
            hold = await purse.hold(ACCOUNT, 1000)
            hold.cover(400)
            hold.free(400)
        times.append((time.process_time() - began) / 500)
    assert statistics.median(times) < 10e-6
