"""Undo, reminders, and stopping for those who have answered."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from app.services import chasing
from app.store import tables as t
from tests.dispatch.night import KIT, Night, on_paper
from tests.house import crew_of, number


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
