"""The engine against the rehearsal carrier, over real sockets and through the unchanged adapter: what really arrives."""

from __future__ import annotations

import resource
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, select

from app.dispatch import writer
from app.domain.buckets import Bucket
from app.domain.evidence import Evidence, Work
from app.domain.priorities import Priority
from app.rehearsal import log
from app.rehearsal.people import Script
from app.store import tables as t
from tests.dispatch.night import Night, with_carrier
from tests.house import Hire, crew_of, number


def arrived(night: Night) -> Counter[str]:
    """How many texts the carrier has taken for each number."""
    return Counter(one.to for one in night.network.log() if one.has(log.ACCEPTED))


async def attempts_of(night: Night) -> list[tuple[str, str]]:
    rows = await night.ledger.ask(select(t.attempts.c.reference, t.attempts.c.evidence))
    return [(row.reference, row.evidence) for row in rows]


def test_one_post_for_every_attempt_and_one_attempt_for_every_post(home: Path) -> None:
    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose()
        await night.settle()
        posts = [one.reference for one in night.network.log()]
        assert sorted(str(one) for one in posts) == sorted(one for one, _ in await attempts_of(night))
        assert arrived(night) == {number(one): 1 for one in range(50)}
        assert await night.buckets(message_id) == {Bucket.DELIVERED}
        await night.ledger.check_counters()

    with_carrier(home, act, people=crew_of(50))


def test_a_house_of_three_on_one_number_is_texted_once(home: Path) -> None:
    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose()
        await night.settle()
        assert arrived(night) == {number(1): 1}
        assert await night.buckets(message_id) == {Bucket.DELIVERED}

    with_carrier(home, act, people=[Hire(f"Person {one}", number(1)) for one in range(3)])


OUTAGES = [
    # fault, how long, and whether the carrier has taken the texts of that time
    ("503", 15.0, False),
    ("429", 15.0, False),
    ("timeout_before", 15.0, False),
    ("timeout_after", 15.0, True),
    ("garbage", 15.0, True),
    ("reset", 15.0, True),
]


@pytest.mark.parametrize(("fault", "seconds", "taken"), OUTAGES, ids=[case[0] for case in OUTAGES])
def test_everybody_gets_an_urgent_text_once_whatever_broke(
    home: Path, fault: str, seconds: float, taken: bool
) -> None:
    async def act(night: Night) -> None:
        night.network.faults.set("twilio", fault, seconds)
        message_id, _ = await night.ledger.compose()
        await night.sleep(seconds)
        assert bool(arrived(night)) is taken
        await night.sleep(60)
        await night.settle()
        assert arrived(night) == {number(one): 1 for one in range(20)}
        assert await night.buckets(message_id) == {Bucket.DELIVERED}
        await night.ledger.check_counters()

    with_carrier(home, act, people=crew_of(20))


@pytest.mark.parametrize(("fault", "seconds", "taken"), OUTAGES, ids=[case[0] for case in OUTAGES])
def test_nobody_gets_another_text_twice_and_who_may_not_have_it_is_named(
    home: Path, fault: str, seconds: float, taken: bool
) -> None:
    async def act(night: Night) -> None:
        night.network.faults.set("twilio", fault, seconds)
        message_id, _ = await night.ledger.compose(Priority.IMPORTANT)
        await night.sleep(900)
        await night.settle()
        texts = arrived(night)
        assert max(texts.values(), default=0) <= 1
        deliveries = await night.ledger.deliveries_of(message_id)
        stands = await night.ledger.buckets(message_id)
        for one in range(20):
            name = f"Person {one:05d}"
            assert stands[name] is (Bucket.DELIVERED if texts[number(one)] else Bucket.UNCERTAIN)
        assert all(one.why and one.next for one in deliveries if one.evidence == Evidence.UNKNOWN)
        if taken or fault == "429":
            assert set(stands.values()) == {Bucket.DELIVERED}
        await night.ledger.check_counters()

    with_carrier(home, act, people=crew_of(20))


@pytest.mark.parametrize("fault", ["timeout_after", "garbage", "reset"])
def test_the_look_up_finds_what_was_taken_where_no_callback_comes(home: Path, fault: str) -> None:
    async def act(night: Night) -> None:
        night.network.faults.set("twilio", fault, 5)
        night.network.faults.set("twilio", "callbacks_lost", 600)
        message_id, _ = await night.ledger.compose()
        await night.sleep(120)
        await night.settle()
        assert arrived(night) == {number(one): 1 for one in range(12)}
        rows = await night.ledger.ask(select(t.attempts.c.provider_id, t.attempts.c.evidence))
        assert all(row.provider_id for row in rows)
        assert {row.evidence for row in rows} <= {Evidence.SENT, Evidence.DELIVERED}
        await night.ledger.check_counters()
        del message_id

    with_carrier(home, act, people=crew_of(12))


def test_refused_credentials_keep_everything_and_say_what_to_do(home: Path) -> None:
    async def act(night: Night) -> None:
        night.network.faults.set("twilio", "401", 600)
        message_id, _ = await night.ledger.compose()
        await night.settle()
        (delivery,) = await night.ledger.deliveries_of(message_id)
        assert (delivery.work, delivery.evidence) == (Work.QUEUED, Evidence.NONE)
        assert delivery.next.startswith("Enter them again (callboard provider set NAME)")
        assert await night.buckets(message_id) == {Bucket.ON_THE_WAY}
        night.network.faults.clear()
        await night.sleep(70)
        await night.settle()
        assert await night.buckets(message_id) == {Bucket.DELIVERED}

    with_carrier(home, act, people=crew_of(1))


def test_receipts_that_come_all_at_once_and_late_change_nothing_but_the_time(home: Path) -> None:
    async def act(night: Night) -> None:
        night.network.faults.set("twilio", "callbacks_stopped", 300)
        message_id, _ = await night.ledger.compose()
        await night.engine.settled()
        assert await night.buckets(message_id) == {Bucket.ON_THE_WAY}
        await night.sleep(300)
        await night.settle()
        assert await night.buckets(message_id) == {Bucket.DELIVERED}
        await night.ledger.check_counters()

    with_carrier(home, act, people=crew_of(60))


# ----------------------------------------------------------------------------------- the disk and other processes


async def become_impatient(night: Night) -> None:
    """From now on a write that finds the database locked says so after 50 ms of real time instead of 8 s."""
    setting = "PRAGMA busy_timeout = 50"
    await night.ledger.database.writing(lambda c: c.exec_driver_sql(setting))
    async with night.ledger.database.write() as connection:
        await connection.exec_driver_sql(setting)


async def everybody_got_it_once(night: Night, message_id: int, people: int) -> None:
    assert arrived(night) == {number(one): 1 for one in range(people)}
    assert await night.buckets(message_id) == {Bucket.DELIVERED}
    await night.ledger.check_counters()
    assert night.house is not None
    assert not list(night.house.settings.spool.glob("*.callback"))
    assert night.network.callback_counts["lost"] == night.network.callback_counts["refused"] == 0


@pytest.mark.of_a_file
def test_while_another_process_has_the_database_nothing_is_lost_and_then_it_goes_on(home: Path) -> None:
    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose()
        await night.until(lambda: len(night.network.log()) >= 10)
        await become_impatient(night)
        other = sqlite3.connect(home / "callboard.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        await night.sleep(3)
        called = len(night.network.log())
        await night.sleep(60)
        assert len(night.network.log()) == called < 40  # nothing is called that cannot be written down first
        assert night.engine.writer.in_trouble_since is not None
        assert night.house is not None
        assert list(night.house.settings.spool.glob("*.callback"))  # what comes in meanwhile is kept on disk
        other.rollback()
        other.close()
        await night.sleep(30)
        await night.settle()
        await everybody_got_it_once(night, message_id, 60)
        past = await night.ledger.one(select(t.incidents).where(t.incidents.c.kind == writer.DATABASE))
        assert past.sentence.startswith("The database took no writes for a while")
        assert past.closed_at - past.opened_at >= 60_000

    with_carrier(home, act, people=crew_of(60), rate=10, script=Script.silent(60))


@contextmanager
def no_room_for_files(home: Path) -> Iterator[None]:
    """No file may grow beyond what the largest of the home has now: the system refuses to write more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(file.stat().st_size for file in home.iterdir() if file.is_file())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.of_a_file
def test_while_files_cannot_grow_nothing_is_lost_and_then_it_goes_on(home: Path) -> None:
    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose()
        await night.until(lambda: len(night.network.log()) >= 10)
        await become_impatient(night)
        with no_room_for_files(home):
            await night.until(lambda: night.engine.writer.in_trouble_since is not None)
            await night.sleep(3)
            called = len(night.network.log())
            await night.sleep(60)
            assert len(night.network.log()) == called < 150
        await night.sleep(30)
        await night.settle()
        await everybody_got_it_once(night, message_id, 150)

    with_carrier(home, act, people=crew_of(150), rate=10, script=Script.silent(60))


@pytest.mark.of_a_file
def test_while_the_database_has_no_page_left_nothing_is_lost_and_then_it_goes_on(home: Path) -> None:
    pages = [2**30]

    def limit(connection: object) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages[0]}")  # type: ignore[attr-defined]

    async def act(night: Night) -> None:
        for one in (night.ledger.database.engine.sync_engine, night.ledger.database._plain):
            event.listen(one, "begin", limit)
        message_id, _ = await night.ledger.compose()
        await night.until(lambda: len(night.network.log()) >= 10)
        await become_impatient(night)
        pages[0] = 1  # SQLite takes the size it has now for the least
        await night.until(lambda: night.engine.writer.in_trouble_since is not None)
        await night.sleep(60)
        called = len(night.network.log())
        await night.sleep(60)
        assert len(night.network.log()) == called < 150
        pages[0] = 2**30
        await night.sleep(30)
        await night.settle()
        await everybody_got_it_once(night, message_id, 150)

    with_carrier(home, act, people=crew_of(150), rate=10, script=Script.silent(60))
