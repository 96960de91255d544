"""Time limits of many requests at once, each exact, and nobody else's cancellation mistaken for one."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.clock import VirtualClock, sleep
from providers.deadlines import Deadlines
from providers.exchange import Exchange
from tests.contract.harness import START_MS

CONNECT_S, TOTAL_S = 3.0, 10.0


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 20_000),  # when it begins
            st.none() | st.integers(1, 2_999),  # after how long it connects, if ever
            st.integers(1, 15_000),  # how long it would take
        ),
        min_size=1,
        max_size=12,
    )
)
def test_each_request_ends_exactly_at_its_own_limit(requests: list[tuple[int, int | None, int]]) -> None:
    clock = VirtualClock(START_MS)
    deadlines = Deadlines(clock, CONNECT_S, TOTAL_S)

    async def work(exchange: Exchange, connects: int | None, takes: int) -> None:
        if connects is not None:
            await clock.sleep_until(clock.now_ms() + min(connects, takes))
            exchange.connected = True
        await clock.sleep_until(clock.now_ms() + max(0, takes - (connects or 0)))

    async def one(begins: int, connects: int | None, takes: int) -> tuple[bool, int]:
        await clock.sleep_until(START_MS + begins)
        before, exchange = clock.now_ms(), Exchange()
        try:
            with deadlines.limit(exchange):
                await work(exchange, connects, takes)
        except TimeoutError:
            return False, clock.now_ms() - before
        return True, clock.now_ms() - before

    async def run() -> list[tuple[bool, int]]:
        return list(await asyncio.gather(*(one(*request) for request in requests)))

    for (_, connects, takes), (done, took) in zip(requests, clock.run(run()), strict=True):
        limit = 3_000 if connects is None else 10_000
        if takes != limit:  # both in the same millisecond may end either way
            assert (done, took) == ((True, takes) if takes < limit else (False, limit))


def test_somebody_elses_cancellation_passes_through() -> None:
    clock = VirtualClock(START_MS)
    deadlines = Deadlines(clock, CONNECT_S, TOTAL_S)

    async def one() -> None:
        with deadlines.limit(Exchange()):
            await sleep(clock, 60)

    async def run() -> bool:
        task = asyncio.create_task(one())
        await sleep(clock, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return task.cancelled()

    assert clock.run(run())


def test_a_cancellation_together_with_the_limit_is_still_a_cancellation() -> None:
    clock = VirtualClock(START_MS)
    deadlines = Deadlines(clock, CONNECT_S, TOTAL_S)

    async def one() -> None:
        with deadlines.limit(Exchange()):
            await sleep(clock, 60)

    async def run() -> bool:
        task = asyncio.create_task(one())
        await clock.sleep_until(START_MS + 3_000)
        task.cancel()
        await asyncio.wait({task})
        return task.cancelled()

    assert clock.run(run())


def test_after_a_limit_the_task_goes_on_unharmed() -> None:
    clock = VirtualClock(START_MS)
    deadlines = Deadlines(clock, CONNECT_S, TOTAL_S)

    async def run() -> tuple[int, int]:
        for _ in range(2):
            with pytest.raises(TimeoutError), deadlines.limit(Exchange()):
                await sleep(clock, 60)
        await sleep(clock, 1)
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling(), clock.now_ms() - START_MS

    assert clock.run(run()) == (0, 7_000)


def test_nothing_is_left_running_when_nothing_is_under_way() -> None:
    clock = VirtualClock(START_MS)
    deadlines = Deadlines(clock, CONNECT_S, TOTAL_S)

    async def run() -> set[asyncio.Task[object]]:
        with deadlines.limit(Exchange()):
            await sleep(clock, 1)
        await clock.sleep_until(clock.now_ms())
        await clock.sleep_until(clock.now_ms())
        return asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]

    assert clock.run(run()) == set()
