"""The same engine on the clock of this machine: what only a real clock can show."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.clock import SystemClock, within
from app.domain.message_types import MessageType
from app.domain.messages import Composed
from app.domain.priorities import Priority, Purpose
from app.store import tables as t
from providers.contract import Channel
from tests.dispatch.bulk import queue_texts
from tests.dispatch.night import Night, Paper, carried, engine_over
from tests.house import Ledger, crew_of, furnish, number

PATIENCE_S = 60.0
"""For something that takes a second on an idle machine."""

DAILY = Composed(
    ["all"], MessageType.DAILY_REPORT, Priority.ROUTINE, Purpose.OPERATIONAL, "Daily report",
    "The daily report is out.", [Channel.SMS],
)  # fmt: skip


@asynccontextmanager
async def running(home: Path, clock: SystemClock, people: int) -> AsyncIterator[tuple[Ledger, Paper, Any]]:
    ledger = await furnish(home, clock)
    provider = Paper(clock)
    engine = await engine_over(ledger, provider)
    try:
        await ledger.hire(crew_of(people))
        yield ledger, provider, engine
    finally:
        await engine.stop()
        await ledger.database.close()


async def until(clock: SystemClock, holds: Callable[[], bool]) -> None:
    async def wait() -> None:
        while not holds():
            await clock.sleep_until(clock.now_ms() + 10)

    await within(clock, PATIENCE_S, wait())


async def test_an_urgent_text_leaves_soon_after_its_undo_window_beside_twenty_thousand_others(
    home: Path,
) -> None:
    """A quarter of a second on an idle machine; the bound here is for one that runs many tests at once."""
    clock = SystemClock()
    async with running(home, clock, 156) as (ledger, provider, engine):
        await queue_texts(ledger, 20_000, DAILY)
        assert await engine.start("tests") is None
        await until(clock, lambda: len(provider.calls) > 40)
        await ledger.compose(audience=["all", "-unit:Second"], wait_ms=1_000)
        step = await ledger.one(select(t.steps.c.not_before).order_by(t.steps.c.id.desc()).limit(1))
        await until(clock, lambda: any("URGENT" in one.words for one in provider.calls))
        first = next(one.at_ms for one in provider.calls if "URGENT" in one.words)
        assert 0 <= first - step.not_before <= 2_000


async def test_a_clock_that_is_set_back_while_texts_go_out_stops_nothing(home: Path) -> None:
    back_ms = [0]
    real = SystemClock()
    clock = SystemClock(lambda: real.now_ms() - back_ms[0], real.monotonic_ms)
    async with running(home, clock, 40) as (ledger, provider, engine):
        assert await engine.start("tests") is None
        await ledger.compose()
        await until(clock, lambda: len(provider.calls) >= 5)
        back_ms[0] = 3_600_000
        await until(clock, lambda: len(provider.calls) == 40)
        await engine.settled()
        assert sorted(one.to for one in provider.calls) == sorted(number(one) for one in range(40))
        assert clock.behind_ms() >= 3_600_000


async def test_what_another_process_asks_for_is_sent_in_time(home: Path) -> None:
    """A second connection to the file, as a command in another terminal has it."""
    clock = SystemClock()
    async with carried(home, clock, people=crew_of(5), watch=True) as night:
        other = await furnish(home, clock)
        try:
            await other.compose(wait_ms=1_500)
            due = clock.now_ms() + 1_500
            await until(clock, lambda: len(night.network.log()) == 5)
            assert await _first(night) - due <= 2_000
        finally:
            await other.database.close()


async def _first(night: Night) -> int:
    return min(int(one.accepted_at or 0) for one in night.network.log())
