"""Undo, reminders, and stopping for those who have answered."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain.buckets import Bucket
from app.domain.evidence import Work
from app.domain.problem import Refused
from app.services import chasing, crew, watching
from app.services.office import Office
from app.store import tables as t
from app.tui.board_rows import hold_of
from providers.contract import Accepted
from tests.dispatch.night import KIT, Night, on_paper
from tests.house import START_MS, Hire, Ledger, crew_of, number


def test_a_second_reminder_within_the_guard_is_the_first_one(home: Path) -> None:
    async def act(night: Night) -> None:
        await night.ledger.compose()
        await night.engine.settled()
        (message,) = await night.ledger.ask(select(t.messages.c.public_id))
        first = await chasing.remind(night.office, KIT, message.public_id)
        await night.sleep(119)
        again = await chasing.remind(night.office, KIT, message.public_id)
        assert (again.repeated, again.step_id) == (True, first.step_id)
        await night.engine.settled()
        assert len(night.provider.texts_to(number(0))) == 2
        await night.sleep(1)
        third = await chasing.remind(night.office, KIT, message.public_id)
        assert not third.repeated
        await night.engine.settled()
        assert len(night.provider.texts_to(number(0))) == 3

    on_paper(home, act, people=crew_of(3))


def test_an_undone_reminder_reminds_nobody_and_does_not_count_for_the_guard(home: Path) -> None:
    async def act(night: Night) -> None:
        await night.ledger.compose()
        await night.engine.settled()
        (message,) = await night.ledger.ask(select(t.messages.c.public_id))
        await chasing.remind(night.office, KIT, message.public_id)
        await chasing.undo(night.office, KIT, message.public_id)
        await night.sleep(10)
        assert len(night.provider.calls) == 3
        assert not (await chasing.remind(night.office, KIT, message.public_id)).repeated
        await night.engine.settled()
        assert len(night.provider.calls) == 6

    on_paper(home, act, people=crew_of(3))


def test_a_confirmation_cancels_the_reminder_that_waits_for_the_senders_pace(home: Path) -> None:
    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose()
        await night.engine.settled()
        await night.ledger.remind(message_id)
        night.engine.poke()
        await night.until(lambda: len(night.provider.calls) >= 24)
        called = {one.to for one in night.provider.calls[20:]}
        late = [one for one in range(20) if number(one) not in called][-8:]
        for one in late:
            await night.ledger.answer(message_id, f"Person {one:05d}")
        before = len(night.provider.calls)
        await night.engine.settled()
        reminded_later = {one.to for one in night.provider.calls[before:]}
        assert len(late) == 8
        assert not reminded_later & {number(one) for one in late}
        assert len(reminded_later) >= 4
        await night.ledger.check_counters()

    on_paper(home, act, people=crew_of(20), rate=2, takes_s=0.01)


def test_the_reminder_counts_only_people_it_can_reach(home: Path) -> None:
    async def act(night: Night) -> None:
        await night.ledger.compose()
        await night.engine.settled()
        await night.ledger.opt_out(number(0))
        (message,) = await night.ledger.ask(select(t.messages.c.public_id))
        step = await chasing.remind(night.office, KIT, message.public_id)
        assert (step.people, step.unreachable) == (2, 1)
        (shown,) = (await watching.center(night.office)).messages
        hold = hold_of(shown, [shown], night.clock.now_ms())
        assert hold is not None
        assert hold.effect == f"Reminding 2 people of {shown.code}"
        assert hold.beside == "1 cannot be reached"
        again = await chasing.remind(night.office, KIT, message.public_id)
        assert (again.repeated, again.people, again.unreachable) == (True, 2, 1)
        await night.engine.settled()
        assert [len(night.provider.texts_to(number(one))) for one in range(3)] == [1, 2, 2]

    on_paper(home, act, people=crew_of(3))


def test_a_reminder_that_reaches_nobody_is_refused_with_the_reason(home: Path) -> None:
    async def act(night: Night) -> None:
        await night.ledger.compose()
        await night.engine.settled()
        await night.ledger.opt_out(number(0))
        (message,) = await night.ledger.ask(select(t.messages.c.public_id))
        with pytest.raises(Refused) as refused:
            await chasing.remind(night.office, KIT, message.public_id)
        assert refused.value.problem.sentence == "Nobody of them can be reached."
        assert "Opted out of texts." in refused.value.problem.next
        assert len(await night.ledger.ask(select(t.steps.c.id))) == 1

    on_paper(home, act, people=crew_of(1))


@pytest.mark.parametrize(
    ("age_s", "guards"), [(0, True), (119, True), (120, False), (-1, False), (-3600, False)]
)
def test_a_reminder_guards_for_two_minutes_and_not_from_the_future(age_s: int, guards: bool) -> None:
    assert chasing.guarded(START_MS, START_MS + age_s * 1000) is guards


async def test_after_the_clock_was_set_back_a_reminder_can_be_sent(ledger: Ledger) -> None:
    await ledger.hire(crew_of(1))
    message_id, _ = await ledger.compose()
    await ledger.route()
    await ledger.call(Accepted("SM1"))
    (message,) = await ledger.ask(select(t.messages.c.public_id))
    office = Office(ledger.database, ledger.vault, ledger.production)
    ledger.clock.advance(3600)  # type: ignore[attr-defined]
    await ledger.remind(message_id)
    await ledger.route()
    await ledger.call(Accepted("SM2"))
    ledger.clock.advance(-1800)  # type: ignore[attr-defined]
    assert not (await chasing.remind(office, KIT, message.public_id)).repeated


def test_nobody_is_reminded_of_what_is_still_to_leave(home: Path) -> None:
    """Twenty people, one text a second; the reminder is asked for after ten of them."""

    async def act(night: Night) -> None:
        await night.ledger.compose()

        async def ten_have_left() -> bool:
            return (await night.works()).count(Work.DONE) == 10

        await night.until(ten_have_left)
        (shown,) = (await watching.center(night.office)).messages
        step = await chasing.remind(night.office, KIT, shown.public_id)
        assert step.people == shown.to_remind == 10
        assert shown.non_readers == 20
        await night.sleep(60)
        await night.engine.settled()
        texts = [len(night.provider.texts_to(number(one))) for one in range(20)]
        assert sorted(texts) == [1] * 10 + [2] * 10
        assert {one.to for one in night.provider.calls[:10]} == {one.to for one in night.provider.calls[20:]}

    on_paper(home, act, people=crew_of(20), rate=1)


def test_a_reminder_while_nothing_has_left_says_to_wait(home: Path) -> None:
    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose()
        await night.ledger.route()
        (message,) = await night.ledger.ask(select(t.messages.c.public_id))
        with pytest.raises(Refused) as refused:
            await chasing.remind(night.office, KIT, message.public_id)
        assert refused.value.problem == chasing.STILL_LEAVING
        assert await night.buckets(message_id) == {Bucket.ON_THE_WAY}

    on_paper(home, act, people=crew_of(2), start=False)


def test_who_was_left_out_is_reached_by_the_reminder_once_the_crew_list_is_corrected(home: Path) -> None:
    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose()
        await night.engine.settled()
        assert (await night.ledger.buckets(message_id))["Kim Roe"] is Bucket.SUPPRESSED
        (message,) = await night.ledger.ask(select(t.messages.c.public_id))
        corrected = f"Name,Department,Phone\nKim Roe,Camera,{number(9)}\n".encode()
        await crew.import_crew(night.office, KIT, "crew.csv", corrected)
        step = await chasing.remind(night.office, KIT, message.public_id)
        assert (step.people, step.unreachable) == (2, 0)
        await night.engine.settled()
        assert len(night.provider.texts_to(number(9))) == 1
        assert await night.buckets(message_id) == {Bucket.ON_THE_WAY}
        await night.ledger.check_counters()

    on_paper(home, act, people=[Hire("Ada Lund", number(1)), Hire("Kim Roe", None)])
