"""Waiting and limits by a given clock: the one place where both sides of the contract get them.

Nothing here knows what time it is. A wait is a wish to the :class:`providers.contract.Clock`, so that the same
code waits ten seconds by the system's clock and no time at all by a virtual one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from providers.contract import Clock

T = TypeVar("T")


async def sleep(clock: Clock, seconds: float) -> None:
    """Wait ``seconds`` by ``clock``."""
    await clock.sleep_until(clock.now_ms() + round(seconds * 1000))


async def unless(alarm: Awaitable[object], work: Awaitable[T]) -> T:
    """The result of ``work``; cancels it and raises :class:`TimeoutError` when ``alarm`` ends first.

    Whichever of the two is left over is cancelled and has ended when this returns.
    """
    working = asyncio.ensure_future(work)
    ringing = asyncio.ensure_future(alarm)
    try:
        await asyncio.wait({working, ringing}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise TimeoutError
    finally:
        for one in (working, ringing):
            if not one.done():
                one.cancel()
        await asyncio.gather(working, ringing, return_exceptions=True)


async def within(clock: Clock, seconds: float, work: Awaitable[T]) -> T:
    """The result of ``work``; cancels it and raises :class:`TimeoutError` when ``seconds`` have passed first."""
    return await unless(sleep(clock, seconds), work)
