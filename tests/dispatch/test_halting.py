"""Pause, resume, cancel and disregard while texts are going out."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from app.domain.evidence import Work
from app.services import halting
from app.store import tables as t
from tests.dispatch.night import KIT, Night, on_paper
from tests.house import crew_of, number


async def the_message(night: Night) -> str:
    return str((await night.ledger.one(select(t.messages.c.code))).code)


def test_a_pause_stops_the_texts_and_resuming_sends_the_rest_once(home: Path) -> None:
    async def act(night: Night) -> None:
        await night.ledger.compose()
        await night.until(lambda: len(night.provider.calls) >= 5)
        halted = await halting.pause(night.office, KIT, await the_message(night))
        before = len(night.provider.calls)
        assert halted.in_flight <= before
        await night.engine.settled()
        assert len(night.provider.calls) == before
        await night.sleep(600)
        assert len(night.provider.calls) == before
        went_on = await halting.resume(night.office, KIT, await the_message(night))
        assert went_on.people == 30 - before
        await night.engine.settled()
        assert sorted(one.to for one in night.provider.calls) == sorted(number(one) for one in range(30))
        await night.ledger.check_counters()

    on_paper(home, act, people=crew_of(30), rate=2)


def test_a_cancelled_message_leaves_for_nobody_more_and_those_who_had_it_are_told_once(home: Path) -> None:
    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose()
        await night.until(lambda: len(night.provider.calls) >= 5)
        code = await the_message(night)
        await halting.cancel(night.office, KIT, code)
        had_it = [one.to for one in night.provider.calls]
        step = await halting.disregard(night.office, KIT, code)
        assert step.people == len(had_it)
        assert (await halting.disregard(night.office, KIT, code)).repeated
        await night.sleep(4)
        assert len(night.provider.calls) == len(had_it)  # its undo window is open
        await night.sleep(30)
        told = night.provider.calls[len(had_it) :]
        assert sorted(one.to for one in told) == sorted(had_it)
        for one in told:
            assert one.words.startswith("NIGHTFALL S2: DISREGARD: Unit moves. This message is cancelled.")
            assert "Reply" not in one.words
        await night.engine.settled()
        works = {one.work for one in await night.ledger.deliveries_of(message_id)}
        assert works == {Work.DONE, Work.CANCELLED}
        await night.ledger.check_counters()

    on_paper(home, act, people=crew_of(30), rate=2)
