"""Who goes next when more waits than may leave: priorities on one sender, productions on one account."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select, update

from app.domain.evidence import Work
from app.domain.message_types import MessageType
from app.domain.messages import Composed
from app.domain.number_guard import IDENTICAL, WINDOW_MS
from app.domain.priorities import Priority, Purpose
from app.store import tables as t
from providers.contract import Channel
from tests.dispatch.bulk import queue_texts
from tests.dispatch.night import OTHER, Night, another_production, fresh, on_paper
from tests.house import crew_of

REPORT = Composed(
    ["all"], MessageType.DAILY_REPORT, Priority.ROUTINE, Purpose.OPERATIONAL, "Daily report",
    "The daily report is out.", [Channel.SMS],
)  # fmt: skip

OTHERS = (Priority.IMPORTANT, Priority.INFO, Priority.ROUTINE)


def test_important_info_and_routine_share_a_sender_six_to_three_to_one(home: Path) -> None:
    async def act(night: Night) -> None:
        for place, priority in enumerate(OTHERS):
            message = replace(REPORT, priority=priority, subject=f"From {priority.value}", body="Read it.")
            await queue_texts(night.ledger, 150, message, first=100_000 + 1_000 * place)
        assert await night.engine.start("tests") is None
        await night.until(lambda: len(night.provider.calls) >= 200)
        went = Counter(
            priority
            for one in night.provider.calls[:200]
            for priority in OTHERS
            if priority.value in one.words
        )
        assert abs(went[Priority.IMPORTANT] - 120) <= 4
        assert abs(went[Priority.INFO] - 60) <= 4
        assert abs(went[Priority.ROUTINE] - 20) <= 4
        await night.engine.settled()
        assert len({one.to for one in night.provider.calls}) == len(night.provider.calls) == 450
        await night.ledger.check_counters()

    on_paper(home, act, rate=10, takes_s=0.02, start=False)


def test_a_production_with_much_to_send_leaves_calls_for_the_other(home: Path) -> None:
    """The account takes thirty calls at once, and each takes a second."""

    async def act(night: Night) -> None:
        other = await another_production(night.ledger, sender=OTHER)
        await night.ledger.do(lambda c: c.execute(update(t.senders).values(segments_per_second=1_000)))
        await queue_texts(night.ledger, 240, REPORT)
        await queue_texts(other, 60, replace(REPORT, subject="DAYBREAK"), first=200_000)
        night.engine.gateways.replace(await fresh(night))
        assert await night.engine.start("tests") is None
        await night.until(lambda: len(night.provider.calls) >= 120)
        theirs = [one for one in night.provider.calls[:120] if one.message.sender == OTHER]
        assert len(theirs) >= 50
        await night.engine.settled()
        assert len(night.provider.calls) == 300

    on_paper(home, act, takes_s=1.0, start=False)


def test_a_number_behind_many_names_gets_twenty_texts_in_an_hour_and_the_rest_when_it_is_over(
    home: Path,
) -> None:
    """Twenty-six messages in the same words would be a slip; here twenty-six steps of one message."""

    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose()
        await night.engine.settled()
        for _ in range(25):
            await night.sleep(121)  # past the guard of the key
            await night.ledger.remind(message_id)
            night.engine.poke()
            await night.sleep(2)
        times = [one.at_ms for one in night.provider.calls]
        assert len(times) == 20
        held = await night.ledger.ask(
            select(t.deliveries.c.why).where(t.deliveries.c.work == Work.HELD.value)
        )
        assert {row.why for row in held} == {IDENTICAL}
        await night.sleep(30 * 60)
        times = [one.at_ms for one in night.provider.calls]
        assert len(times) == 26
        assert all(sum(at <= other < at + WINDOW_MS for other in times) <= 20 for at in times)
        await night.ledger.check_counters()

    on_paper(home, act, people=crew_of(1), takes_s=0.02)
