"""The one writer of an engine: everything that comes in while a commit is on its way goes into the next.

A commit with a synchronous disk costs milliseconds, a row in it microseconds. No timer is needed: under load
the batches grow by themselves, and a single row never waits for company.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.clock import sleep
from app.store import claims, incidents, outcomes, receipts
from app.store.claims import Mark
from app.store.engine import Database, is_busy_or_full
from app.store.outcomes import Finish
from app.store.receipts import Incoming

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[Any]]

BATCH_ROWS = 500
"""Most operations in one commit: larger ones starve the screen and the callbacks."""

FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 5.0
"""Waits while the database takes no writes (locked, disk full). Nothing is dropped meanwhile."""

WORTH_A_NOTE_MS = 5_000
"""A database that another process held for a moment is no incident."""

DATABASE = "database"
"""The kind of the incident."""

NO_WRITES = (
    "The database took no writes for a while: it was locked, or its disk was full. Nothing was lost.",
    "Look for other programs that hold it, and at the free space: callboard doctor.",
)

FOR_SOMEBODY = ("mark", "do")
"""Not done once nobody waits for the result: a call that is not made must not be marked. What happened (outcomes,
receipts) is stored whether anybody waits or not."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Operation:
    kind: str
    load: Any
    done: asyncio.Future[Any]


class Writer:
    """Operations go in, commits come out. ``run`` must be running."""

    def __init__(self, database: Database, worker: str) -> None:
        self._database = database
        self._worker = worker
        self._waiting: list[_Operation] = []
        self._batch: list[_Operation] = []
        self._wake = asyncio.Event()
        self.in_trouble_since: int | None = None
        """When the database stopped taking writes (epoch ms), or None while all is well."""
        self.commits = 0
        self.rows = 0

    async def do(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Run ``work`` in a transaction shared with whatever else waits; returns after the commit.

        ``work`` may be run again from the start if the commit fails.
        """
        return cast("T", await self._submit("do", work))

    async def mark(self, mark: Mark) -> bool:
        """Whether the provider may be called for this delivery now."""
        return cast("bool", await self._submit("mark", mark))

    async def finish(self, finish: Finish) -> None:
        await self._submit("finish", finish)

    async def take(self, incoming: Sequence[Incoming]) -> None:
        """Store receipts; returns after the commit."""
        await self._submit("take", incoming)

    @property
    def idle(self) -> bool:
        return not self._waiting and not self._batch

    async def _submit(self, kind: str, load: object) -> object:
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Operation(kind, load, done))
        self._wake.set()
        return await done

    async def run(self) -> None:
        """Commit batches until cancelled. A batch that was cut off goes back to the front of the line."""
        while True:
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
            self._batch, self._waiting = self._waiting[:BATCH_ROWS], self._waiting[BATCH_ROWS:]
            try:
                await self._commit(self._batch)
            except BaseException:
                self._waiting = [one for one in self._batch if not one.done.done()] + self._waiting
                raise
            finally:
                self._batch = []

    async def _commit(self, batch: list[_Operation]) -> None:
        wait_s = FIRST_WAIT_S
        while True:
            try:
                await self._in_one_transaction(batch)
            except Exception as error:
                if is_busy_or_full(error):
                    if self.in_trouble_since is None:
                        self.in_trouble_since = self._database.clock.now_ms()
                        log.warning("database takes no writes", error=type(error).__name__)
                    await sleep(self._database.clock, wait_s)
                    wait_s = min(wait_s * 2, LONGEST_WAIT_S)
                    continue
                if len(batch) == 1:
                    if not batch[0].done.done():
                        batch[0].done.set_exception(error)
                    return
                for one in batch:  # one of them is at fault: the others must not pay for it
                    await self._commit([one])
                return
            else:
                self._note_trouble_is_over()
                return

    def _note_trouble_is_over(self) -> None:
        """Nothing could be written while it lasted; an incident that is over is written down now."""
        since, self.in_trouble_since = self.in_trouble_since, None
        now = self._database.clock.now_ms()
        if since is None or now - since < WORTH_A_NOTE_MS:
            return

        async def note(connection: AsyncConnection) -> None:
            await incidents.note_past(connection, DATABASE, *NO_WRITES, opened_at=since, closed_at=now)

        self._waiting.append(_Operation("do", note, asyncio.get_running_loop().create_future()))

    async def _in_one_transaction(self, batch: list[_Operation]) -> None:
        now = self._database.clock.now_ms()
        loads: dict[str, list[_Operation]] = {"finish": [], "take": [], "mark": [], "do": []}
        for one in batch:
            if not (one.done.cancelled() and one.kind in FOR_SOMEBODY):
                loads[one.kind].append(one)
        results: list[tuple[_Operation, object]] = []

        async def work(connection: AsyncConnection) -> None:
            results.clear()
            if loads["finish"]:
                await outcomes.finish(connection, [one.load for one in loads["finish"]], now_ms=now)
            if loads["take"]:
                everything = [receipt for one in loads["take"] for receipt in one.load]
                await receipts.take(connection, everything, now)
            if loads["mark"]:
                marks = [one.load for one in loads["mark"]]
                granted = await claims.mark(connection, marks, worker=self._worker, now_ms=now)
                results.extend((one, one.load.delivery_id in granted) for one in loads["mark"])
            for one in loads["do"]:
                results.append((one, await one.load(connection)))

        await self._database.writing(work, by_engine=True)
        self.commits += 1
        self.rows += len(batch)
        results += [(one, None) for one in (*loads["finish"], *loads["take"])]
        for one, result in results:
            if not one.done.done():
                one.done.set_result(result)
