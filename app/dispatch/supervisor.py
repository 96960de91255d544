"""Supervised tasks: a part that fails is logged, restarted with back-off, and reported once when it keeps failing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from app.clock import sleep
from app.store import incidents
from app.store.engine import Database

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
FAILURES_TO_REPORT = 3
"""In a row. One hiccup is nobody's business at 22:40."""

STEADY_MS = 60_000
"""A part that has run this long has recovered."""

log = structlog.get_logger(__name__)


class Supervisor:
    """Runs named parts until told to stop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._clock = database.clock
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, name: str, part: Callable[[], Awaitable[None]]) -> None:
        """Run ``part`` and keep it running. It ends when it returns."""
        self._tasks[name] = asyncio.create_task(self._keep(name, part), name=name)

    async def stop(self) -> None:
        """Cancel all parts and wait for them."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()

    async def _keep(self, name: str, part: Callable[[], Awaitable[None]]) -> None:
        failures, wait_s = 0, FIRST_WAIT_S
        while True:
            began = self._clock.monotonic_ms()
            try:
                await part()
            except Exception as error:
                if self._clock.monotonic_ms() - began > STEADY_MS:
                    failures, wait_s = 0, FIRST_WAIT_S
                failures += 1
                log.exception("part failed", part=name, failures=failures, error=type(error).__name__)
                if failures == FAILURES_TO_REPORT:
                    await self._report(name)
                await sleep(self._clock, wait_s)
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)
            else:
                return

    async def _report(self, name: str) -> None:
        try:
            async with self._database.write() as connection:
                await incidents.open_once(
                    connection,
                    "part",
                    name,
                    f"The {name} keeps failing and is restarted again and again.",
                    "Look at the log in Callboard's folder; messages wait and are not lost.",
                    self._clock.now_ms(),
                )
        except Exception:
            log.exception("incident could not be stored", part=name)
