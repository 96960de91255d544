"""When the screens read again: at once after a change, and never more often than can be afforded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from app.clock import VirtualClock
from app.services.office import Office
from app.store.engine import open_database
from app.store.productions import Production
from app.store.vault import Vault
from app.tui.ticker import APART_MS, REST, Ticker

START_MS = 1_795_156_800_000


def readings(
    folder: Path,
    act: Callable[[VirtualClock, Ticker], Awaitable[None]],
    *,
    takes_ms: int = 0,
) -> list[int]:
    """When a ticker that hears a bell began to read, in milliseconds, while ``act`` went on."""
    clock = VirtualClock(START_MS)
    began: list[int] = []

    async def main() -> None:
        database = open_database(f"sqlite:///{folder / 'unused.db'}", clock)
        ticker = Ticker(
            Office(database, Vault(b"k" * 32), Production(1, "01J0", "NIGHTFALL", "GB", "Europe/London"))
        )

        async def read() -> None:
            began.append(clock.monotonic_ms())
            await clock.sleep_until(clock.now_ms() + takes_ms)

        async def hear() -> None:
            while True:
                await ticker.rung()
                await ticker.turn()

        ticker.readers.append(read)
        ears = asyncio.create_task(hear())
        await act(clock, ticker)
        ears.cancel()
        await asyncio.gather(ears, return_exceptions=True)
        await database.close()

    clock.run(main())
    return began


async def ring_at(clock: VirtualClock, ticker: Ticker, *moments_ms: int) -> None:
    for moment in moments_ms:
        await clock.sleep_until(START_MS + moment)
        ticker.bell.set()
    await clock.sleep_until(START_MS + max(moments_ms) + 2_000)


def test_a_change_after_a_quiet_moment_is_read_at_once(tmp_path: Path) -> None:
    async def act(clock: VirtualClock, ticker: Ticker) -> None:
        await ring_at(clock, ticker, 0, 730)

    assert readings(tmp_path, act) == [0, 730]


def test_changes_that_come_quickly_are_read_together(tmp_path: Path) -> None:
    async def act(clock: VirtualClock, ticker: Ticker) -> None:
        await ring_at(clock, ticker, 0, 10, 20, 30)

    assert readings(tmp_path, act) == [0, APART_MS]


def test_after_a_reading_that_took_long_it_rests_longer(tmp_path: Path) -> None:
    async def act(clock: VirtualClock, ticker: Ticker) -> None:
        await ring_at(clock, ticker, 0, 50)

    assert readings(tmp_path, act, takes_ms=200) == [0, 200 + REST * 200]
