"""Supervised tasks: a part that fails is logged, restarted with back-off, and reported once when it keeps failing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.clock import sleep
from app.store import incidents
from app.store.engine import Database

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
FAILURES_TO_REPORT = 3
"""In a row. One hiccup is nobody's business at 22:40."""

PART = "part"
"""The kind of these incidents."""

STEADY_MS = 60_000
"""A part that has run this long has recovered."""

log = structlog.get_logger(__name__)


class Supervisor:
    """Runs named parts until told to stop.

    ``reports``: whether a part of the engine that keeps failing becomes an incident. A process that only looks on
    writes nothing into the database: its log has to do.
    """

    def __init__(self, database: Database, *, reports: bool = True) -> None:
        self._reports = reports
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
                await self._run(name, part, reported=self._reports and failures >= FAILURES_TO_REPORT)
            except Exception as error:
                if self._clock.monotonic_ms() - began > STEADY_MS:
                    failures, wait_s = 0, FIRST_WAIT_S
                failures += 1
                log.exception("part failed", part=name, failures=failures, error=type(error).__name__)
                if self._reports and failures == FAILURES_TO_REPORT:
                    await self._report(name)
                await sleep(self._clock, wait_s)
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)
            else:
                return

    async def _run(self, name: str, part: Callable[[], Awaitable[None]], *, reported: bool) -> None:
        """Run the part; an incident about it is closed once it has been steady for a while."""
        recovering = asyncio.create_task(self._close_when_steady(name)) if reported else None
        try:
            await part()
        finally:
            if recovering:
                recovering.cancel()

    async def _report(self, name: str) -> None:
        sentence = f"A part of the engine keeps failing and is restarted again and again: {name}."
        following = "Look at the log in Callboard's folder; messages wait and are not lost."
        await self._store(
            name,
            lambda connection: incidents.open_once(
                connection, PART, name, sentence, following, self._clock.now_ms()
            ),
        )

    async def _close_when_steady(self, name: str) -> None:
        await sleep(self._clock, STEADY_MS / 1000)
        await self._store(
            name, lambda connection: incidents.close(connection, PART, name, self._clock.now_ms())
        )

    async def _store(self, name: str, change: Callable[[AsyncConnection], Awaitable[bool]]) -> None:
        try:
            await self._database.writing(change)
        except Exception:
            log.exception("incident could not be stored", part=name)
