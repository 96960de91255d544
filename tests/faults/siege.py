"""A siege: a message goes out while its sender is killed with -9 again and again.

The carrier lives in the process of the test and knows what really happened; each sender is a process of its own.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Select, func, select

from app.clock import within
from app.domain.evidence import PENDING_WORK, Evidence, Work
from app.domain.priorities import Priority
from app.rehearsal.carrier import PROVIDER, Carrier
from app.rehearsal.people import Script
from app.store import tables as t
from tests.faults.clock import SkippingClock
from tests.faults.sender import PUBLIC, Moment, live
from tests.house import Ledger, crew_of, furnish

LIVES = multiprocessing.get_context("forkserver")
"""Each sender is forked from a process that has loaded everything and done nothing."""

LIVES.set_forkserver_preload(["tests.faults.sender"])

RATE = 300
"""Segments a second: many calls are open at any moment."""

PATIENCE_S = 90.0
"""For one thing to happen on a machine that does much else."""

LOOK_MS = 5
"""How often it is looked whether the moment for a kill has come."""

ASK_MS = 50
"""How often the database is asked, which takes more than a look."""

LONG_MS = 40_000
"""Longer than any callback is given to clear up an unknown before the provider is asked."""

ONE_DAY_S = 86_400.0
"""For faults that are over when they are cleared."""


@dataclass(frozen=True, slots=True)
class Death:
    """How a sender dies: in a ``moment`` of a callback by its own hand; or killed, with its last calls kept open by
    a fault of the carrier's ``answers``; or else killed anywhere, also in the middle of its recovery."""

    moment: Moment | None = None
    answers: str | None = None


ANYWHERE = Death()
TAKEN_UNANSWERED = Death(answers="timeout_after")
NEVER_TAKEN = Death(answers="timeout_before")
CALLBACK_NOT_STORED = Death(moment=Moment.BEFORE_IT_IS_STORED)
CALLBACK_NOT_ANSWERED = Death(moment=Moment.BEFORE_IT_IS_ANSWERED)


@dataclass
class Siege:
    """``deaf``: the callbacks of the time around each kill are lost for good, and the sender stays down for long."""

    home: Path
    clock: SkippingClock
    ledger: Ledger
    carrier: Carrier
    random: Random
    message_id: int
    priority: Priority
    people: int
    deaf: bool
    open_at_a_kill: set[int] = field(default_factory=set)
    """Deliveries whose call was open when a process was killed."""
    unknown: set[str] = field(default_factory=set)
    """The references of those calls, except where a receipt had told about them before the kill."""

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something in this process."""

        async def wait() -> None:
            while not holds():
                await self.clock.sleep_until(self.clock.now_ms() + LOOK_MS)

        await within(self.clock, PATIENCE_S, wait())

    async def until_none(self, query: Select[tuple[int]]) -> None:
        """Wait until the database counts nothing."""

        async def wait() -> None:
            while (await self.ledger.one(query))[0]:
                await self.clock.sleep_until(self.clock.now_ms() + ASK_MS)

        await within(self.clock, PATIENCE_S, wait())

    @asynccontextmanager
    async def sender(self, death: Death = ANYWHERE) -> AsyncIterator[tuple[BaseProcess, Connection]]:
        """A running sender whose listener gets the carrier's callbacks, and the line to it. Killed at the end if it
        still runs."""
        last = (death.moment, self.random.randrange(1, 60)) if death.moment else None
        line, theirs = LIVES.Pipe()
        process = LIVES.Process(target=live, args=(self.home, theirs, self.clock.ahead_ms, last))
        process.start()
        theirs.close()
        try:
            await self.until(line.poll)
            self.carrier.routes[PUBLIC] = line.recv()
            yield process, line
        finally:
            process.kill()
            process.join()
            line.close()

    async def live_and_die(self, death: Death) -> None:
        """One life of a sender, and what it leaves behind."""
        async with self.sender(death) as (process, _):
            if death.moment is None:
                await self._until_killed(death)
                process.kill()
            assert await self._exit_of(process) == -signal.SIGKILL
        for row in await self.ledger.ask(LEFT_OPEN):
            self.open_at_a_kill.add(row.delivery_id)
            if row.evidence == Evidence.NONE.value:
                self.unknown.add(row.reference)
        if self.deaf:
            self.clock.ahead_ms += LONG_MS
            await self.carrier.settle()  # whatever is still to be told is lost now
        self.carrier.faults.clear()

    async def _exit_of(self, process: BaseProcess) -> int | None:
        await self.until(lambda: process.exitcode is not None)
        return process.exitcode

    async def _until_killed(self, death: Death) -> None:
        more = self.random.choice((0, 0, 1, self.random.randrange(2, 80), self.random.randrange(2, 80)))
        await self.texts(more)
        if self.deaf:
            self.carrier.faults.set(PROVIDER, "callbacks_lost", ONE_DAY_S)
            await self.texts(self.random.randrange(8))
        if death.answers:
            before = self._posted()
            self.carrier.faults.set(PROVIDER, death.answers, ONE_DAY_S)
            await within(self.clock, PATIENCE_S, self._held_open(death, before, self.random.randrange(2, 8)))

    async def _held_open(self, death: Death, before: set[str | None], calls: int) -> None:
        """Until the fault holds so many calls open, not counting those whose answer was on its way before."""
        held: set[str] = set()
        while len(held) < calls:
            await self.clock.sleep_until(self.clock.now_ms() + ASK_MS)
            opened = {row.reference for row in await self.ledger.ask(LEFT_OPEN)}
            posted = self._posted()
            held = (opened & posted) - before if death is TAKEN_UNANSWERED else opened - posted

    def _posted(self) -> set[str | None]:
        return {one.reference for one in self.carrier.log()}

    async def texts(self, more: int) -> None:
        """Until the carrier was given so many more texts, or one for everybody."""
        enough = min(len(self.carrier.log()) + more, self.people)
        await self.until(lambda: len(self.carrier.log()) >= enough)

    async def finish(self) -> None:
        """A last sender that is left alone until nothing is on its way, and then stopped in order.

        Once everything is sent, the time is skipped in which callbacks may clear up what nobody knows.
        """
        async with self.sender() as (process, line):
            await self.until_none(ON_ITS_WAY)
            self.clock.ahead_ms += LONG_MS
            line.send(self.clock.ahead_ms)
            await self.until_none(UNSETTLED)
            await self.carrier.settle()
            await self.until_none(PARKED)
            line.close()
            assert await self._exit_of(process) == 0


@asynccontextmanager
async def siege_of(
    home: Path, seed: int, *, priority: Priority, people: int, deaf: bool = False
) -> AsyncIterator[Siege]:
    """A message to so many people, which nobody has begun to send."""
    clock = SkippingClock()
    carrier = Carrier(clock, seed=seed, script=Script.silent(2), rate=float(RATE))
    await carrier.start()
    ledger = await furnish(home, clock, base_url=carrier.base_url, rate=RATE)
    try:
        await ledger.hire(crew_of(people))
        message_id, _ = await ledger.compose(priority)
        yield Siege(home, clock, ledger, carrier, Random(seed), message_id, priority, people, deaf)
    finally:
        await ledger.database.close()
        await carrier.close()


@asynccontextmanager
async def besieged(home: Path, seed: int, *, deaths: Sequence[Death], **message: Any) -> AsyncIterator[Siege]:
    """What is left when a message has outlived these deaths. Its counters were true after each."""
    async with siege_of(home, seed, **message) as siege:
        for death in deaths:
            await siege.live_and_die(death)
            await siege.ledger.check_counters()
        await siege.finish()
        await siege.ledger.check_counters()
        yield siege


LEFT_OPEN = (
    select(t.attempts.c.delivery_id, t.attempts.c.reference, t.attempts.c.evidence)
    .join(t.deliveries, t.deliveries.c.id == t.attempts.c.delivery_id)
    .where(t.deliveries.c.work == Work.SENDING.value, t.deliveries.c.attempt == t.attempts.c.number)
)
PARKED = select(func.count()).where(t.receipts.c.applied_at.is_(None))

_unrouted = select(func.count()).where(t.steps.c.routed_at.is_(None)).scalar_subquery()
_pending = select(func.count()).where(t.deliveries.c.work.in_(PENDING_WORK)).scalar_subquery()
_asking = (
    select(func.count())
    .where(t.attempts.c.look_at.is_not(None), t.attempts.c.evidence == Evidence.UNKNOWN.value)
    .scalar_subquery()
)
ON_ITS_WAY = select(_unrouted + _pending)
UNSETTLED = select(_unrouted + _pending + _asking)
