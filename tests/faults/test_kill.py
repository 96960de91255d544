"""Killed with -9 at random, again and again: nothing is lost, and nobody gets it twice who is known to have it."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, select

from app.clock import SystemClock, within
from app.domain.buckets import Bucket
from app.domain.evidence import Work
from app.domain.priorities import Priority
from app.rehearsal import log
from app.rehearsal.carrier import Carrier
from app.rehearsal.people import Script
from app.store import tables as t
from tests.faults.sender import PUBLIC
from tests.house import Ledger, crew_of, furnish, number

ROOT = Path(__file__).parents[2]
RATE = 300
"""Segments a second: many calls are open at any moment."""

PATIENCE_S = 90.0
"""For one thing to happen on a machine that does much else."""


@dataclass
class Siege:
    """The carrier lives here, the sender in a process of its own."""

    home: Path
    clock: SystemClock
    ledger: Ledger
    carrier: Carrier
    random: Random
    open_at_a_kill: set[int] = field(default_factory=set)
    """Deliveries whose call was open when a process was killed."""

    async def until(self, holds: Callable[[], bool]) -> None:
        async def wait() -> None:
            while not holds():
                await self.clock.sleep_until(self.clock.now_ms() + 3)

        await within(self.clock, PATIENCE_S, wait())

    @asynccontextmanager
    async def sender(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """A running sender whose listener gets the carrier's callbacks; killed at the end if it still runs."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.sender", str(self.home), cwd=ROOT,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            line = await within(self.clock, PATIENCE_S, process.stdout.readline())
            word, url = line.decode().split()
            assert word == "ready"
            self.carrier.routes[PUBLIC] = url
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
            await process.wait()
            assert process.stdin is not None
            process.stdin.close()

    async def live_and_die(self) -> None:
        """One life of a sender: it dies after so many more texts, or in the middle of its recovery."""
        async with self.sender() as process:
            before = len(self.carrier.log())
            more = self.random.choice((0, 0, 1, self.random.randrange(2, 80), self.random.randrange(2, 80)))
            total = await self.people()
            await self.until(lambda: len(self.carrier.log()) >= min(before + more, total))
            process.send_signal(signal.SIGKILL)
            await process.wait()
        d = t.deliveries.c
        left = await self.ledger.ask(select(d.id).where(d.work == Work.SENDING.value))
        self.open_at_a_kill |= {row.id for row in left}

    async def people(self) -> int:
        return int((await self.ledger.one(select(func.count()).select_from(t.recipients)))[0])

    async def finish(self) -> None:
        """A last sender that is left alone until nothing is on its way, and then stopped in order."""
        async with self.sender() as process:
            await within(self.clock, PATIENCE_S, self._settled())
            assert process.stdin is not None
            process.stdin.close()
            assert await within(self.clock, PATIENCE_S, process.wait()) == 0

    async def _settled(self) -> None:
        d, a = t.deliveries.c, t.attempts.c
        waiting = select(func.count()).where(d.work.in_(("queued", "claimed", "sending")))
        asking = select(func.count()).where(a.look_at.is_not(None))
        unrouted = select(func.count()).where(t.steps.c.routed_at.is_(None))
        while any([(await self.ledger.one(query))[0] for query in (waiting, asking, unrouted)]):
            await self.clock.sleep_until(self.clock.now_ms() + 100)
        await self.carrier.settle()
        receipts = select(func.count()).where(t.receipts.c.applied_at.is_(None))
        while (await self.ledger.one(receipts))[0]:
            await self.clock.sleep_until(self.clock.now_ms() + 100)

    def texts(self) -> Counter[str]:
        """How many texts each number has really had."""
        return Counter(one.to for one in self.carrier.log() if one.has(log.ACCEPTED))


async def besiege(home: Path, seed: int, *, priority: Priority, people: int, kills: int) -> None:
    """Send to so many people while the sender is killed so many times, and look what came of it."""
    clock = SystemClock()
    carrier = Carrier(clock, seed=seed, script=Script.silent(2), rate=float(RATE))
    await carrier.start()
    ledger = await furnish(home, clock, base_url=carrier.base_url, rate=RATE)
    try:
        siege = Siege(home, clock, ledger, carrier, Random(seed))
        await ledger.hire(crew_of(people))
        message_id, _ = await ledger.compose(priority)
        for _ in range(kills):
            await siege.live_and_die()
            await ledger.check_counters()
        await siege.finish()
        await check(siege, message_id, priority, people)
    finally:
        await ledger.database.close()
        await carrier.close()


async def check(siege: Siege, message_id: int, priority: Priority, people: int) -> None:
    ledger, texts = siege.ledger, siege.texts()
    await ledger.check_counters()
    stands = await ledger.buckets(message_id)
    rows = await ledger.ask(
        select(t.deliveries, t.people.c.name)
        .join(t.recipients, t.recipients.c.id == t.deliveries.c.recipient_id)
        .join(t.people, t.people.c.id == t.recipients.c.person_id)
    )
    by_name = {row.name: row for row in rows}
    assert len(stands) == len(by_name) == len(rows) == people
    for one in range(people):
        name, had = f"Person {one:05d}", texts[number(one)]
        row = by_name[name]
        if had == 0:  # not lost: named, with the reason and what to do
            assert priority is not Priority.URGENT
            assert stands[name] is Bucket.UNCERTAIN
            assert row.why
            assert row.next
            assert row.id in siege.open_at_a_kill
        else:
            assert stands[name] is Bucket.DELIVERED
        if had > 1:  # only what nobody knew the fate of, and only URGENT
            assert priority is Priority.URGENT
            assert row.id in siege.open_at_a_kill
    attempts = await ledger.ask(select(t.attempts.c.reference, t.attempts.c.delivery_id))
    known = {row.reference for row in attempts}
    posts = [one.reference for one in siege.carrier.log()]
    assert len(posts) == len(set(posts))
    assert set(posts) <= known  # nothing was called that was not written down before
    tried = Counter(row.delivery_id for row in attempts)
    again = {delivery for delivery, count in tried.items() if count > 1}
    assert again <= siege.open_at_a_kill  # nothing that was known to be accepted was tried again


@pytest.mark.proof
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("seed", "priority"), [(1, Priority.IMPORTANT), (2, Priority.URGENT)])
async def test_killed_six_times_while_sending(home: Path, seed: int, priority: Priority) -> None:
    await besiege(home, seed, priority=priority, people=300, kills=6)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("seed", "priority"), [(11, Priority.IMPORTANT), (12, Priority.URGENT), (13, Priority.ROUTINE)]
)
async def test_killed_twenty_times_while_sending(home: Path, seed: int, priority: Priority) -> None:
    await besiege(home, seed, priority=priority, people=900, kills=20)
