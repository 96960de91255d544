"""What was sent and never spoken of again is asked about, and what the provider says counts like a receipt."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from app.domain.buckets import Bucket
from app.rehearsal.people import Script
from app.store import tables as t
from providers.contract import CannotSay, Fact, Found, LookUp
from tests.dispatch.night import Night, on_paper, with_carrier
from tests.house import crew_of

MINUTE_S = 60


def test_callbacks_that_are_lost_for_five_minutes_are_made_up_for_by_asking(home: Path) -> None:
    async def act(night: Night) -> None:
        night.network.faults.set("twilio", "callbacks_lost", 5 * MINUTE_S)
        message_id, _ = await night.ledger.compose()
        await night.sleep(MINUTE_S)
        assert await night.buckets(message_id) == {Bucket.ON_THE_WAY}
        await night.sleep(2 * MINUTE_S)
        assert await night.buckets(message_id) == {Bucket.DELIVERED}
        assert night.network.callback_counts["delivered"] == 0
        await night.ledger.check_counters()

    with_carrier(home, act, people=crew_of(12), script=Script.silent(60))


def asking(night: Night) -> list[int]:
    """How many minutes after the text was taken each question was asked."""
    (taken,) = [one.at_ms for one in night.provider.calls]
    return [round((at - taken) / 60_000) for at, _ in night.provider.questions]


def test_a_phone_that_is_off_is_asked_after_two_ten_and_sixty_minutes_and_then_left_alone(home: Path) -> None:
    def still_on_its_way(question: LookUp) -> Found:
        assert question.provider_id is not None
        return Found(question.provider_id, Fact.ACCEPTED)

    async def act(night: Night) -> None:
        night.provider.asked = still_on_its_way
        message_id, _ = await night.ledger.compose()
        await night.sleep(75 * MINUTE_S)
        assert asking(night) == [2, 10, 60]
        assert await night.buckets(message_id) == {Bucket.ON_THE_WAY}

    on_paper(home, act, people=crew_of(1))


def test_a_provider_that_does_not_answer_is_asked_no_more_often(home: Path) -> None:
    async def act(night: Night) -> None:
        night.provider.asked = lambda _question: CannotSay("It is busy.", retryable=True)
        await night.ledger.compose()
        await night.sleep(75 * MINUTE_S)
        assert asking(night) == [2, 10, 60]

    on_paper(home, act, people=crew_of(1))


def test_a_failure_that_nobody_told_of_is_found_too(home: Path) -> None:
    async def act(night: Night) -> None:
        night.provider.asked = lambda question: Found(str(question.provider_id), Fact.FAILED)
        message_id, _ = await night.ledger.compose()
        await night.sleep(3 * MINUTE_S)
        assert await night.buckets(message_id) == {Bucket.NOT_REACHED}
        await night.ledger.check_counters()

    on_paper(home, act, people=crew_of(1))


def test_what_a_receipt_has_told_is_not_asked_about(home: Path) -> None:
    async def act(night: Night) -> None:
        await night.ledger.compose()
        await night.settle()
        await night.sleep(15 * MINUTE_S)
        assert {row.looks for row in await night.ledger.ask(select(t.attempts.c.looks))} == {0}
        assert {row.look_at for row in await night.ledger.ask(select(t.attempts.c.look_at))} == {None}

    with_carrier(home, act, people=crew_of(5), script=Script.silent(60))


def test_waiting_for_all_to_leave_does_not_wait_for_receipts_to_be_asked_for(home: Path) -> None:
    async def act(night: Night) -> None:
        await night.ledger.compose()
        before = night.clock.now_ms()
        await night.engine.settled()
        assert night.clock.now_ms() - before < MINUTE_S * 1000
        assert night.provider.questions == []

    on_paper(home, act, people=crew_of(3))
