"""What people send is heard, also while nobody listens: it is asked for before anything else is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.clock import VirtualClock
from app.domain.buckets import Bucket
from app.rehearsal import log
from app.rehearsal.people import Script
from app.store import tables as t
from tests.dispatch.night import Night, at_work, outside, with_carrier
from tests.house import START_MS, crew_of, number

MINUTE_S = 60


async def heard(night: Night) -> list[Any]:
    return await night.ledger.ask(select(t.inbound.c.flag, t.inbound.c.recipient_id))


def test_a_stop_that_came_in_while_the_machine_was_off_holds_before_anything_is_sent(home: Path) -> None:
    clock = VirtualClock(START_MS)

    async def play() -> None:
        async with outside(home, clock, people=crew_of(3), script=Script.silent(60)) as (ledger, carrier):
            async with at_work(ledger, home, clock, carrier) as evening:
                await evening.ledger.compose()
                await evening.settle()
            carrier.inbound_url = None  # the tunnel is down as well
            await carrier.postbox.take(number(1), ledger.sender.address, "STOP")
            await clock.sleep_until(clock.now_ms() + 8 * 3_600_000)
            async with at_work(ledger, home, clock, carrier) as morning:
                assert len(await heard(morning)) == 1
                before = len(carrier.log())
                message_id, _ = await morning.ledger.compose()
                await morning.settle()
                assert {one.to for one in carrier.log()[before:]} == {number(0), number(2)}
                assert (await morning.ledger.buckets(message_id))["Person 00001"] is Bucket.SUPPRESSED

    clock.run(play())


def test_an_answer_whose_callback_was_lost_is_found_within_minutes(home: Path) -> None:
    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose()
        await night.settle()
        night.network.faults.set("twilio", "callbacks_lost", 10)
        await night.network.postbox.take(number(1), night.ledger.sender.address, "1")
        await night.sleep(1)
        assert await heard(night) == []
        await night.sleep(5 * MINUTE_S + 10)
        assert (await night.ledger.buckets(message_id))["Person 00001"] is Bucket.CONFIRMED
        await night.ledger.check_counters()

    with_carrier(home, act, people=crew_of(3), script=Script.silent(60))


def test_what_was_heard_by_callback_is_found_in_the_inbox_and_changes_nothing(home: Path) -> None:
    async def act(night: Night) -> None:
        await night.ledger.compose()
        await night.settle()
        await night.network.postbox.take(number(1), night.ledger.sender.address, "1")
        await night.sleep(20 * MINUTE_S)
        assert len(await heard(night)) == 1
        assert len(await night.ledger.ask(select(t.answers.c.id))) == 1

    with_carrier(home, act, people=crew_of(3), script=Script.silent(60))


def test_an_inbox_that_cannot_be_read_is_an_incident_until_it_can(home: Path) -> None:
    async def act(night: Night) -> None:
        night.network.faults.set("twilio", "503", 10 * MINUTE_S)
        await night.sleep(6 * MINUTE_S)
        (one,) = await night.ledger.ask(select(t.incidents.c.sentence, t.incidents.c.closed_at))
        assert one.sentence.startswith("twilio does not say what people have sent to you.")
        assert one.closed_at is None
        await night.sleep(5 * MINUTE_S)
        (one,) = await night.ledger.ask(select(t.incidents.c.closed_at))
        assert one.closed_at is not None

    with_carrier(home, act, people=crew_of(1), script=Script.silent(60))


def test_a_reply_is_written_into_the_carriers_log_once_it_was_heard(home: Path) -> None:
    """The rehearsal's own book: what nobody could know yet is no difference."""

    async def act(night: Night) -> None:
        told: list[str] = []
        night.network.faults.set("twilio", "callbacks_lost", 10)
        await night.network.postbox.take(
            number(0), night.ledger.sender.address, "hello", lambda: told.append(log.REPLIED)
        )
        assert told == []
        await night.sleep(6 * MINUTE_S)
        assert told == [log.REPLIED]

    with_carrier(home, act, people=crew_of(1), script=Script.silent(60))
