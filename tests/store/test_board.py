"""What the screens read: texts counted as texts, the word of a message, and the story of one person."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from app.composition import add_production
from app.domain.buckets import Bucket
from app.domain.messages import MessageStatus
from app.domain.priorities import Priority
from app.store import board, day, freezing, messages, timeline
from app.store import tables as t
from app.store.board import Summary
from app.store.day import Day, held_until
from app.tui.board_rows import progress
from app.tui.view_models import Pace
from providers.contract import Accepted, Channel, Fact, ProviderError, Rejected
from tests.house import START_MS, Hire, Ledger, crew_of, number

LATER = ProviderError("30008", "The carrier could not deliver it.", "Try again.", retryable=True)
NEVER = ProviderError("30006", "The number is a landline.", "Call them.")
WHOLE_NIGHT = (0, 23 * 60 + 59)
DAY_MS = 86_400_000


async def today(ledger: Ledger, since_ms: int = START_MS - DAY_MS) -> Day:
    return await ledger.database.reading(lambda c: day.day(c, ledger.production.id, since_ms, ledger.now))


async def summary(ledger: Ledger) -> Summary:
    found = await ledger.database.reading(
        lambda c: board.summaries(c, ledger.production.id, ledger.now, limit=1)
    )
    return found[0]


def figures(day: Day) -> tuple[int, int, int, int, int]:
    return day.to_do, day.done, day.queued, day.later, day.held


# ------------------------------------------------------------------------------------------- the texts of a day


async def test_who_is_to_be_reminded_is_to_do_again(ledger: Ledger) -> None:
    await ledger.hire(crew_of(5))
    message_id, _ = await ledger.compose()
    await ledger.route()
    assert figures(await today(ledger)) == (5, 0, 5, 0, 0)
    await ledger.call(lambda one: Accepted(f"SM{one.id}"))
    assert figures(await today(ledger)) == (5, 5, 0, 0, 0)
    await ledger.remind(message_id)
    await ledger.route()
    await ledger.call(lambda one: Accepted(f"SM{one.id}"), limit=2)
    day = await today(ledger)
    assert figures(day) == (5, 2, 3, 0, 0)
    assert progress(day, Pace())[0].text == "2 of 5 people"


async def test_two_people_who_share_a_text_wait_and_are_done_together(ledger: Ledger) -> None:
    await ledger.hire([Hire("Ada Lund", number(1)), Hire("Jon Lund", number(1))])
    await ledger.compose()
    await ledger.route()
    assert figures(await today(ledger)) == (2, 0, 2, 0, 0)
    assert (await summary(ledger)).still_to_leave == 2
    await ledger.call(Accepted("SM1"))
    assert figures(await today(ledger)) == (2, 2, 0, 0, 0)
    shown = await summary(ledger)
    assert (shown.still_to_leave, shown.in_queue, shown.word) == (0, 0, "sent")


async def test_who_shares_a_text_and_has_answered_waits_for_nothing(ledger: Ledger) -> None:
    await ledger.hire([Hire("Ada Lund", number(1)), Hire("Jon Lund", number(1))])
    message_id, _ = await ledger.compose()
    await ledger.route()
    await ledger.answer(message_id, "Jon Lund")
    shown = await summary(ledger)
    assert (shown.in_queue, shown.still_to_leave) == (1, 1)
    await ledger.check_counters()


async def test_what_a_paused_message_keeps_back_is_neither_done_nor_leaving(ledger: Ledger) -> None:
    await ledger.hire(crew_of(3))
    message_id, _ = await ledger.compose()
    await ledger.route()
    await ledger.call(Accepted("SM1"), limit=1)
    await ledger.do(lambda c: messages.set_status(c, message_id, MessageStatus.PAUSED))
    day = await today(ledger)
    assert (figures(day), day.waiting) == ((1, 1, 0, 0, 0), 0)


async def test_what_was_sent_stays_sent_when_the_carrier_reports_that_it_failed(ledger: Ledger) -> None:
    await ledger.hire(crew_of(3))
    message_id, _ = await ledger.compose()
    await ledger.route()
    called = await ledger.call(lambda one: Accepted(f"SM{one.id}"))
    await ledger.hear(ledger.incoming(Fact.FAILED, provider_id=f"SM{called[0].id}", error=NEVER))
    found = await ledger.database.reading(lambda c: board.by_channel(c, message_id))
    assert (found[Channel.SMS].sent, found[Channel.SMS].failed) == (3, 1)
    day = await today(ledger)
    assert (day.sent, day.failed) == (3, 1)


async def test_those_to_remind_are_as_many_as_the_counters_say(ledger: Ledger) -> None:
    """One waits for the end of quiet hours, one for another try, one has read it while a reminder waits."""
    await ledger.hire([*crew_of(4), Hire("Asleep", number(7), quiet=WHOLE_NIGHT)])
    message_id, _ = await ledger.compose(Priority.INFO)

    async def to_remind() -> int:
        people = await ledger.database.reading(lambda c: freezing.to_remind(c, message_id))
        assert (await summary(ledger)).to_remind == len(people)
        return len(people)

    assert await to_remind() == 0
    await ledger.route()
    assert await to_remind() == 0
    called = await ledger.call(lambda one: Rejected(LATER) if one.id == 1 else Accepted(f"SM{one.id}"))
    assert await to_remind() == 4
    await ledger.remind(message_id)
    await ledger.route()
    assert await to_remind() == 0
    await ledger.hear(ledger.incoming(Fact.READ, provider_id=f"SM{called[-1].id}"))
    assert await to_remind() == 0


async def test_what_is_shown_live_is_read_without_looking_at_a_delivery(ledger: Ledger) -> None:
    """It is read ten times a second, however much a production has sent."""
    await ledger.hire(crew_of(2))
    await ledger.compose()
    await ledger.route()
    asked: list[str] = []
    async with ledger.database.read() as connection:
        event.listen(
            connection.sync_connection, "before_cursor_execute", lambda *what: asked.append(str(what[2]))
        )
        await board.summaries(connection, ledger.production.id, ledger.now)
        await day.day(connection, ledger.production.id, 0, ledger.now)
    assert any("counters" in statement for statement in asked)
    assert not [statement for statement in asked if "deliveries" in statement or "attempts" in statement]


async def test_another_try_is_told_apart_from_what_was_never_handed_over(ledger: Ledger) -> None:
    await ledger.hire(crew_of(3))
    await ledger.compose()
    await ledger.route()
    await ledger.call(Rejected(LATER), limit=1)
    day = await today(ledger)
    assert figures(day) == (3, 0, 2, 1, 0)
    assert [one.text for one in progress(day, Pace())] == [
        "0 of 3 people",
        "2 wait",
        "1 to be tried again",
    ]


async def test_texts_held_for_quiet_hours_are_counted_apart(ledger: Ledger) -> None:
    await ledger.hire([*crew_of(2), Hire("Asleep", number(7), quiet=WHOLE_NIGHT)])
    await ledger.compose(Priority.INFO)
    await ledger.route()
    day = await today(ledger)
    assert figures(day) == (3, 0, 2, 0, 1)
    assert (day.waiting, day.waiting_held) == (2, 1)
    until = await ledger.database.reading(lambda c: held_until(c, ledger.production.id))
    assert until is not None
    assert until > ledger.now


async def test_another_production_and_yesterday_are_no_texts_of_today(ledger: Ledger) -> None:
    await ledger.hire(crew_of(2))
    await ledger.compose()
    await ledger.route()
    yesterdays = await today(ledger, since_ms=ledger.now + 1)
    assert figures(yesterdays) == (0, 0, 0, 0, 0)
    assert yesterdays.waiting == 2  # leaving the program would still leave them behind
    other = await add_production(ledger.database, "DAYBREAK", "US", "UTC")
    theirs = await ledger.database.reading(lambda c: day.day(c, other.id, 0, ledger.now))
    assert (figures(theirs), theirs.waiting) == ((0, 0, 0, 0, 0), 0)


async def test_unread_urgent_counts_only_messages_of_today(ledger: Ledger) -> None:
    await ledger.hire(crew_of(4))
    await ledger.compose()
    midnight = ledger.now + 3_600_000
    ledger.clock.advance(7_200)  # type: ignore[attr-defined]

    async def unread() -> tuple[int, int | None]:
        return await ledger.database.reading(lambda c: day.unread_urgent(c, ledger.production.id, midnight))

    assert await unread() == (0, None)
    await ledger.compose()
    assert await unread() == (4, ledger.now)


# --------------------------------------------------------------------------------------------- the word


async def test_a_message_is_sent_when_nothing_of_it_is_left_to_do(ledger: Ledger) -> None:
    await ledger.hire(crew_of(3))
    message_id, _ = await ledger.compose()
    assert (await summary(ledger)).word == "sending"  # still to be routed
    await ledger.route()
    assert (await summary(ledger)).word == "sending"
    await ledger.call(lambda one: Accepted(f"SM{one.id}"), limit=2)
    assert (await summary(ledger)).word == "sending"
    await ledger.call(lambda one: Accepted(f"SM{one.id}"))
    assert (await summary(ledger)).word == "sent"
    await ledger.remind(message_id)
    assert (await summary(ledger)).word == "sending"


async def test_a_message_that_reached_nobody_has_failed(ledger: Ledger) -> None:
    await ledger.hire([*crew_of(2), Hire("No Phone", None)])
    message_id, _ = await ledger.compose()
    await ledger.route()
    await ledger.call(Rejected(NEVER))
    assert set((await ledger.buckets(message_id)).values()) == {Bucket.NOT_REACHED, Bucket.SUPPRESSED}
    assert (await summary(ledger)).word == "failed"


async def test_a_message_that_waits_for_quiet_hours_is_held_not_sent(ledger: Ledger) -> None:
    await ledger.hire(crew_of(2, quiet=WHOLE_NIGHT))
    await ledger.compose(Priority.INFO)
    await ledger.route()
    assert (await summary(ledger)).word == "held"


@pytest.mark.parametrize("status", [one for one in MessageStatus if one is not MessageStatus.SENDING])
async def test_what_was_decided_is_said_before_what_is_counted(ledger: Ledger, status: MessageStatus) -> None:
    await ledger.hire(crew_of(1))
    message_id, _ = await ledger.compose()
    await ledger.do(lambda c: messages.set_status(c, message_id, status))
    assert (await summary(ledger)).word == status.value


# ------------------------------------------------------------------------------- a reminder and what waits


async def test_a_reminder_takes_the_place_of_a_retry(ledger: Ledger) -> None:
    await ledger.hire(crew_of(2))
    message_id, _ = await ledger.compose()
    await ledger.route()
    await ledger.call(Rejected(LATER))
    await ledger.remind(message_id)
    await ledger.route()
    old, new = (await ledger.deliveries_of(message_id))[:2], (await ledger.deliveries_of(message_id))[2:]
    assert {(one.work, one.why) for one in old} == {("cancelled", "The reminder takes its place.")}
    assert [one.work for one in new] == ["queued", "queued"]
    assert set((await ledger.buckets(message_id)).values()) == {Bucket.ON_THE_WAY}
    await ledger.check_counters()
    ledger.clock.advance(600)  # type: ignore[attr-defined]
    assert {one.id for one in await ledger.claim()} == {one.id for one in new}


async def test_a_reminder_leaves_alone_what_was_never_tried(ledger: Ledger) -> None:
    await ledger.hire(crew_of(1))
    message_id, _ = await ledger.compose()
    await ledger.route()
    await ledger.remind(message_id)
    await ledger.route()
    assert [one.work for one in await ledger.deliveries_of(message_id)] == ["queued", "queued"]


@pytest.mark.parametrize("both", [True, False], ids=["both reminded", "one reminded"])
async def test_a_retry_that_is_shared_goes_on_for_who_is_not_reminded(ledger: Ledger, both: bool) -> None:
    await ledger.hire([Hire("Ada Lund", number(1)), Hire("Jon Lund", number(1))])
    message_id, _ = await ledger.compose()
    await ledger.route()
    await ledger.call(Rejected(LATER))
    first, _ = await ledger.deliveries_of(message_id)
    only = None if both else [first.recipient_id]
    await remind(ledger, message_id, only)
    await ledger.route()
    assert (await ledger.delivery(first.id)).work == ("cancelled" if both else "queued")
    await ledger.check_counters()


async def remind(ledger: Ledger, message_id: int, only: list[int] | None) -> None:
    """A reminder to these recipients, due now."""
    step_id = await ledger.remind(message_id)

    async def narrow(connection: object) -> None:
        who = t.step_people.c.step_id == step_id
        if only is not None:
            await connection.execute(  # type: ignore[attr-defined]
                t.step_people.delete().where(who, t.step_people.c.recipient_id.not_in(only))
            )

    await ledger.do(narrow)


# ------------------------------------------------------------------------------------------- the timeline


async def test_a_failure_after_acceptance_is_told_by_its_receipt_alone(ledger: Ledger) -> None:
    await ledger.hire(crew_of(1))
    message_id, _ = await ledger.compose()
    await ledger.route()
    (claimed,) = await ledger.call(Accepted("SM1"))
    del claimed
    await ledger.hear(ledger.incoming(Fact.FAILED, provider_id="SM1", error=NEVER))
    story = await ledger.database.reading(lambda c: timeline.of_message(c, ledger.vault, message_id))
    told = {one.what: one.detail for one in story}
    assert told["accepted"] == ""  # ids are for machines
    assert {one.what: one.reference for one in story}["accepted"] == "SM1"
    assert NEVER.sentence in told["receipt: failed"]
    assert told["planned"] == f"to …{number(0)[-4:]}"


async def test_what_was_not_accepted_says_why(ledger: Ledger) -> None:
    await ledger.hire(crew_of(1))
    message_id, _ = await ledger.compose()
    await ledger.route()
    await ledger.call(Rejected(NEVER))
    story = await ledger.database.reading(lambda c: timeline.of_message(c, ledger.vault, message_id))
    assert {one.what: one.detail for one in story}["not accepted"] == NEVER.sentence
