"""The engine: one call for each, written down first; one engine for each file, several on a server; parts that
fail."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import select

from app.dispatch.dispatcher import LEASE_MS
from app.domain.buckets import Bucket
from app.domain.evidence import Evidence, Work
from app.domain.priorities import Priority, StepKind, undo_window_s
from app.domain.problem import Refused
from app.listener.intake import Intake
from app.listener.spool import Spool, Spooled
from app.services import chasing
from app.store import engines, incidents
from app.store import tables as t
from providers.contract import (
    Accepted,
    Channel,
    Fact,
    Found,
    Inbound,
    Outcome,
)
from tests.dispatch.night import KIT, Call, Night, Paper, engine_over, on_paper
from tests.house import SENDER, crew_of, furnish, number


def test_every_person_gets_one_call(home: Path) -> None:
    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose()
        await night.engine.settled()
        assert sorted(one.to for one in night.provider.calls) == sorted(number(one) for one in range(60))
        assert len({one.message.reference for one in night.provider.calls}) == 60
        assert await night.buckets(message_id) == {Bucket.ON_THE_WAY}
        await night.ledger.check_counters()

    on_paper(home, act, people=crew_of(60))


@pytest.mark.of_a_file
def test_the_attempt_is_on_the_disk_before_the_provider_is_called(home: Path) -> None:
    """The provider looks into the file over a connection of its own while it is called."""
    seen: list[tuple[str, str]] = []

    def look(call: Call) -> Outcome:
        connection = sqlite3.connect(home / "callboard.db")
        try:
            row = connection.execute(
                "SELECT a.evidence, d.work FROM attempts a JOIN deliveries d ON d.id = a.delivery_id "
                "WHERE a.reference = ? AND a.number = d.attempt",
                (call.message.reference,),
            ).fetchone()
        finally:
            connection.close()
        seen.append(row)
        return Accepted(f"SM{call.message.reference}")

    async def act(night: Night) -> None:
        await night.ledger.compose()
        await night.engine.settled()
        assert seen == [("none", "sending")] * 40

    on_paper(home, act, people=crew_of(40), answer=look)


@pytest.mark.parametrize("priority", list(Priority))
def test_the_first_call_is_made_at_the_end_of_the_undo_window(home: Path, priority: Priority) -> None:
    async def act(night: Night) -> None:
        wait_s = undo_window_s(StepKind.FIRST, priority)
        await night.ledger.compose(priority, wait_ms=wait_s * 1000)
        due = night.clock.now_ms() + wait_s * 1000
        await night.until(lambda: len(night.provider.calls) == 5)
        assert due <= night.provider.calls[0].at_ms <= due + 250

    on_paper(home, act, people=crew_of(5))


def test_undo_within_the_window_sends_nothing(home: Path) -> None:
    async def act(night: Night) -> None:
        await night.ledger.compose(wait_ms=5_000)
        (message,) = await night.ledger.ask(select(t.messages.c.public_id, t.messages.c.id))
        await night.sleep(4.9)
        undone = await chasing.undo(night.office, KIT, message.public_id)
        assert undone.people == 5
        await night.sleep(120)
        await night.engine.settled()
        assert night.provider.calls == []
        assert await night.buckets(message.id) == {Bucket.SUPPRESSED}
        with pytest.raises(Refused, match="Nothing can be undone"):
            await chasing.undo(night.office, KIT, message.public_id)

    on_paper(home, act, people=crew_of(5))


def test_undo_of_what_has_gone_out_is_refused_with_a_next_step(home: Path) -> None:
    async def act(night: Night) -> None:
        await night.ledger.compose(wait_ms=5_000)
        (message,) = await night.ledger.ask(select(t.messages.c.public_id))
        await night.sleep(6)
        with pytest.raises(Refused) as refused:
            await chasing.undo(night.office, KIT, message.public_id)
        assert refused.value.problem.next == "Send a correction instead."
        await night.engine.settled()
        assert len(night.provider.calls) == 5

    on_paper(home, act, people=crew_of(5))


def test_a_second_engine_on_the_file_is_refused_with_a_sentence(home: Path) -> None:
    async def act(night: Night) -> None:
        other = await furnish(home, night.clock)
        second = await engine_over(other, Paper(night.clock))
        problem = await second.start("tests")
        assert problem is not None
        assert problem.sentence.startswith("Another Callboard is sending from this database already (tests,")
        assert problem.next == "Use that one; this one shows everything and sends nothing."
        await night.engine.stop()
        assert await second.start("tests") is None
        await second.stop()
        await other.database.close()

    on_paper(home, act)


def test_engines_of_one_server_share_the_work_and_a_file_has_one_whatever_is_asked(home: Path) -> None:
    async def act(night: Night) -> None:
        other = await furnish(home, night.clock)
        second = await engine_over(other, Paper(night.clock, calls=night.provider.calls), seed=2)
        problem = await second.start("tests", beside=True)
        try:
            if other.database.path is not None:
                assert problem is not None
                return
            assert problem is None
            assert len(await engines.at_work(other.database)) == 2
            message_id, _ = await night.ledger.compose()
            await night.sleep(60)
            await night.engine.settled()
            await second.settled()
            assert sorted(one.to for one in night.provider.calls) == sorted(number(one) for one in range(60))
            assert await night.buckets(message_id) == {Bucket.ON_THE_WAY}
            await night.ledger.check_counters()
        finally:
            await second.stop()
            await other.database.close()
        assert len(await engines.at_work(night.ledger.database)) == 1

    on_paper(home, act, people=crew_of(60))


def test_an_engine_is_seen_for_as_long_as_it_runs(home: Path) -> None:
    async def act(night: Night) -> None:
        database = night.ledger.database
        assert [one.what for one in await engines.at_work(database)] == ["tests"]
        await night.sleep(4 * engines.FRESH_MS / 1000)
        assert [one.what for one in await engines.at_work(database)] == ["tests"]
        await night.engine.stop()
        assert await engines.at_work(database) == []

    on_paper(home, act)


def test_what_another_engine_holds_is_taken_back_when_its_lease_is_over_and_on_a_file_at_once(
    home: Path,
) -> None:
    async def act(night: Night) -> None:
        await night.ledger.compose()
        await night.ledger.route()
        assert len(await night.ledger.claim(worker="killed", lease_ms=LEASE_MS)) == 5
        at_once = night.ledger.database.path is not None
        assert await night.engine.start("tests") is None
        await night.sleep(5)
        assert len(night.provider.calls) == (5 if at_once else 0)
        await night.sleep(LEASE_MS / 1000 + 10)
        assert len(night.provider.calls) == 5

    on_paper(home, act, people=crew_of(5), start=False)


def test_a_stopped_engine_leaves_nothing_open_and_the_next_one_goes_on(home: Path) -> None:
    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose()
        await night.until(lambda: len(night.provider.calls) >= 20)
        await night.engine.stop()
        assert set(await night.works()) == {Work.DONE, Work.QUEUED}
        before = len(night.provider.calls)
        await night.sleep(60)
        assert len(night.provider.calls) == before < 90
        engine = await engine_over(night.ledger, night.provider)
        assert await engine.start("tests") is None
        await engine.settled()
        assert sorted(one.to for one in night.provider.calls) == sorted(number(one) for one in range(90))
        assert await night.buckets(message_id) == {Bucket.ON_THE_WAY}
        await engine.stop()

    on_paper(home, act, people=crew_of(90))


def test_a_call_that_does_not_end_is_unknown_after_a_stop(home: Path) -> None:
    async def act(night: Night) -> None:
        await night.ledger.compose(Priority.IMPORTANT)
        await night.until(lambda: len(night.provider.calls) == 2)
        await night.engine.stop()
        engine = await engine_over(night.ledger, night.provider)
        night.provider.asked = lambda _question: Found("SM1", Fact.ACCEPTED)
        assert await engine.start("tests") is None
        await engine.settled()
        assert len(night.provider.calls) == 2
        assert {one.evidence for one in await night.ledger.ask(select(t.attempts))} == {Evidence.SENT}
        await engine.stop()

    on_paper(home, act, people=crew_of(2), takes_s=3600.0)


def test_what_waits_in_the_spool_is_heard_before_anything_is_sent(home: Path) -> None:
    """It came in while the database took no writes, and the process ended: a STOP."""

    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose()
        spool = Spool(home / "spool", night.ledger.vault)
        stop = Inbound(Channel.SMS, "SM2", number(1), SENDER, "STOP", "SM2:received")
        spool.keep(Spooled(inbound=((night.ledger.account_id, stop),)), night.clock.now_ms())
        intake = Intake(night.engine.writer, spool, night.ledger.vault, night.clock)

        async def flush() -> int:
            await night.sleep(2)  # a slow disk
            return await intake.flush()

        night.engine.flush_spool = flush
        assert await night.engine.start("tests") is None
        await night.engine.settled()
        assert sorted(one.to for one in night.provider.calls) == [number(0), number(2)]
        assert list(spool.waiting()) == []
        assert (await night.ledger.buckets(message_id))["Person 00001"] is Bucket.SUPPRESSED

    on_paper(home, act, people=crew_of(3), start=False)


def test_a_part_that_keeps_failing_is_restarted_and_reported_once_until_it_has_recovered(home: Path) -> None:
    async def act(night: Night) -> None:
        failures: list[int] = []

        async def part() -> None:
            if len(failures) < 5:
                failures.append(night.clock.now_ms())
                raise ValueError("a mistake")
            await asyncio.Event().wait()

        night.engine.supervisor.start("tests", part)
        await night.until(lambda: len(failures) == 5)
        waits = [later - earlier for earlier, later in itertools.pairwise(failures)]
        assert waits == [500, 1000, 2000, 4000]
        await night.sleep(20)
        standing = await night.ledger.database.reading(incidents.standing)
        assert [one.subject for one in standing] == ["tests"]
        assert standing[0].sentence.endswith("again and again: tests.")
        await night.sleep(60)
        assert await night.ledger.database.reading(incidents.standing) == []

    on_paper(home, act)


def test_one_failure_is_nobodys_business(home: Path) -> None:
    async def act(night: Night) -> None:
        tries: list[int] = []

        async def part() -> None:
            tries.append(1)
            if len(tries) == 1:
                raise ValueError("a hiccup")
            await asyncio.Event().wait()

        night.engine.supervisor.start("tests", part)
        await night.sleep(10)
        assert len(tries) == 2
        assert await night.ledger.database.reading(incidents.standing) == []

    on_paper(home, act)


def test_a_step_that_another_process_left_half_frozen_is_finished(home: Path) -> None:
    """The sender was killed while this engine ran."""

    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose(freeze=False)
        await night.sleep(15)
        await night.engine.settled()
        assert len(night.provider.calls) == 4
        assert await night.buckets(message_id) == {Bucket.ON_THE_WAY}

    on_paper(home, act, people=crew_of(4))
