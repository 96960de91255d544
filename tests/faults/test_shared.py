"""Engines that share a database on a server: what becomes of a message when the server, one of them, or the line
between them fails."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.clock import within
from app.dispatch.engine import Engine
from app.dispatch.writer import Writer
from app.domain.buckets import Bucket
from app.domain.priorities import Priority
from app.rehearsal import log
from app.store import engine as databases
from app.store import engines
from app.store.claims import Mark
from providers.contract import Fact, Found, LookUp, NotFound
from tests.dispatch.night import Call, Paper, engine_over
from tests.faults.clock import SkippingClock
from tests.faults.line import line_to
from tests.faults.sender import PUBLIC
from tests.faults.siege import ANYWHERE, ON_ITS_WAY, UNSETTLED, siege_of
from tests.house import ADDRESS_FILE, Ledger, crew_of, furnish, number
from tests.postgres import NAME, Server

pytestmark = [pytest.mark.proof, pytest.mark.timeout(300)]

PATIENCE_S = 90.0
LOOK_MS = 10
LEASE_MS = 31_000
"""A little longer than a lease."""

STEP_MS = 2_000
"""What is skipped at a time while one waits for what takes minutes."""


@dataclass
class Sender:
    """An engine in this process, over a connection of its own to the database."""

    clock: SkippingClock
    ledger: Ledger
    engine: Engine
    paper: Paper

    async def until(self, holds: Callable[[], bool], *, skip_ms: int = 0) -> None:
        """Wait until something holds; ``skip_ms`` of time are skipped at every look."""

        async def wait() -> None:
            while not holds():
                self.clock.ahead_ms += skip_ms
                await self.clock.sleep_until(self.clock.now_ms() + LOOK_MS)

        await within(SkippingClock(), PATIENCE_S, wait())

    async def settled(self) -> None:
        """Until nothing is on its way or of unknown fate, with the time skipped that this takes."""
        over = asyncio.ensure_future(self._nothing_is_open())
        await self.until(over.done, skip_ms=STEP_MS // 10)
        await over

    async def _nothing_is_open(self) -> None:
        while (await self.ledger.one(UNSETTLED))[0]:
            await self.clock.sleep_until(self.clock.now_ms() + LOOK_MS)


def who_knows(calls: list[Call]) -> Callable[[LookUp], Found | NotFound]:
    """A provider that knows everything it was ever given."""

    def asked(question: LookUp) -> Found | NotFound:
        given = next((one for one in calls if one.to == question.to), None)
        return Found(f"SM{given.message.reference}", Fact.ACCEPTED) if given else NotFound()

    return asked


def noted(writer: Writer) -> list[bool]:
    """The answers this engine gets from now on when it asks whether it may call."""
    mark, answers = writer.mark, list[bool]()

    async def note(one: Mark) -> bool:
        answers.append(await mark(one))
        return answers[-1]

    writer.mark = note  # type: ignore[method-assign]
    return answers


@asynccontextmanager
async def sender(
    home: Path, clock: SkippingClock, *, seed: int, calls: list[Call], rate: int = 30
) -> AsyncIterator[Sender]:
    """An engine, not started. All of them write into the same list of calls."""
    ledger = await furnish(home, clock, rate=rate)
    paper = Paper(clock, calls=calls, asked=who_knows(calls))
    engine = await engine_over(ledger, paper, seed=seed)
    try:
        yield Sender(clock, ledger, engine, paper)
    finally:
        await engine.stop()
        await ledger.database.close()


async def check_everybody_has_it_once(
    ledger: Ledger, calls: list[Call], message_id: int, people: int
) -> None:
    assert Counter(one.to for one in calls) == {number(one): 1 for one in range(people)}
    assert set((await ledger.buckets(message_id)).values()) == {Bucket.ON_THE_WAY}
    await ledger.check_counters()


@pytest.mark.parametrize("at_once", [False, True], ids=["in order", "at once"])
async def test_while_the_server_is_started_again_nobody_is_lost_and_nobody_gets_it_twice(
    home_on_server: Path, server: Server, at_once: bool
) -> None:
    clock, calls, people = SkippingClock(), list[Call](), 90
    async with sender(home_on_server, clock, seed=1, calls=calls, rate=60) as one:
        await one.ledger.hire(crew_of(people))
        assert await one.engine.start("tests") is None
        message_id, _ = await one.ledger.compose()
        await one.until(lambda: len(calls) >= 20)
        await asyncio.to_thread(server.stop, at_once=at_once)
        try:
            await one.until(lambda: one.engine.writer.in_trouble_since is not None)
            called = len(calls)
            assert called < people
        finally:
            await asyncio.to_thread(server.start)
        await one.until(lambda: len(calls) > called)
        await one.settled()
        await check_everybody_has_it_once(one.ledger, calls, message_id, people)


@pytest.mark.long
async def test_an_engine_that_was_cut_off_past_its_leases_sends_nothing_that_another_has_taken_over(
    home_on_server: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "IDLE_MS", 300)  # what the cut leaves open is closed soon
    clock, calls, people = SkippingClock(), list[Call](), 30
    async with (
        line_to(server.folder) as (line, folder),
        sender(home_on_server, clock, seed=2, calls=calls) as other,
    ):
        far = tmp_path / "far"
        far.mkdir()
        (far / ADDRESS_FILE).write_text(f"postgresql://postgres:@/{NAME}?host={folder}")
        (far / "callboard.key").write_bytes((home_on_server / "callboard.key").read_bytes())
        async with sender(far, clock, seed=1, calls=[]) as cut_off:
            cut_off.paper.asked = who_knows(calls)
            await other.ledger.hire(crew_of(people))
            assert await cut_off.engine.start("tests") is None
            message_id, _ = await other.ledger.compose()
            await cut_off.until(lambda: len(cut_off.paper.calls) >= 3)
            line.cut()
            await cut_off.until(lambda: len(cut_off.engine.dispatcher.in_flight) >= people // 2)
            sent_before = len(cut_off.paper.calls)
            answers = noted(cut_off.engine.writer)
            calls += cut_off.paper.calls  # the provider is the same for both
            clock.ahead_ms += LEASE_MS
            assert await other.engine.start("tests") is None, "the heartbeat of the other is old"
            await other.until(lambda: len(calls) == people)
            line.mend()
            await cut_off.until(lambda: not cut_off.engine.dispatcher.in_flight)
            await other.settled()
            assert answers.count(False) >= people // 3, "each was asked for, and refused"
            assert True not in answers
            assert len(cut_off.paper.calls) == sent_before
            await check_everybody_has_it_once(other.ledger, calls, message_id, people)
            at_work = await engines.at_work(other.ledger.database)
            assert len(at_work) == 2, "it is there again, and sends what comes next"


async def test_when_one_of_two_engines_is_killed_the_other_goes_on_with_what_it_held(
    home_on_server: Path,
) -> None:
    people = 200
    async with siege_of(home_on_server, 6, priority=Priority.URGENT, people=people) as siege:
        async with siege.sender() as (_, survivor):
            stays = siege.carrier.routes[PUBLIC]
            database = siege.ledger.database
            for _ in range(3):
                await siege.live_and_die(ANYWHERE)
                siege.carrier.routes[PUBLIC] = stays
                await siege.ledger.check_counters()
                assert len(await engines.at_work(database)) == 1
            for _ in range(2):  # the leases of the dead run out; then what nobody knows is asked for
                siege.clock.ahead_ms += LEASE_MS
                survivor.send(siege.clock.ahead_ms)
                await siege.until_none(ON_ITS_WAY)
            await siege.until_none(UNSETTLED)
            await siege.carrier.settle()
        had = Counter(one.to for one in siege.carrier.log() if one.has(log.ACCEPTED))
        assert had == {number(one): 1 for one in range(people)}
        assert set((await siege.ledger.buckets(siege.message_id)).values()) <= {
            Bucket.DELIVERED,
            Bucket.ON_THE_WAY,
        }
        assert await engines.at_work(database) == []
        await siege.ledger.check_counters()
