"""The pace of a sender, and what goes before what."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from app.domain import sms
from app.domain.evidence import Work
from app.domain.message_types import MessageType
from app.domain.messages import Composed
from app.domain.priorities import Priority, Purpose
from app.store import tables as t
from providers.contract import (
    Channel,
)
from tests.dispatch.bulk import queue_texts
from tests.dispatch.night import Call, Night, on_paper
from tests.house import crew_of, number


def test_urgent_goes_before_and_beside_twenty_thousand_waiting_texts(home: Path) -> None:
    async def act(night: Night) -> None:
        await queue_texts(night.ledger, 20_000, DAILY)
        night.engine.poke()
        await night.until(lambda: len(night.provider.calls) > 60)
        await night.ledger.compose(audience=["dept:Grip"], wait_ms=5_000)
        due = night.clock.now_ms() + 5_000
        urgent = [number(one) for one in range(1, 156, 4)]
        await night.until(lambda: len(calls_of(night, "URGENT")) == len(urgent))
        calls = calls_of(night, "URGENT")
        assert due <= calls[0].at_ms <= due + 250
        assert sorted(one.to for one in calls) == sorted(urgent)
        # 39 texts of two segments at 30 a second: they have the sender for themselves until the last has left.
        assert calls[-1].at_ms <= due + 250 + 39 * 2 * 1000 / 30
        meanwhile = [one for one in calls_of(night, "Daily") if calls[0].at_ms < one.at_ms < calls[-1].at_ms]
        assert len(meanwhile) <= 10  # the overdraft: what had been granted before they came
        await night.sleep(5)
        assert len(calls_of(night, "Daily")) > 60

    on_paper(home, act, people=crew_of(156), takes_s=0.1)


def calls_of(night: Night, word: str) -> list[Call]:
    return [one for one in night.provider.calls if word in one.words]


DAILY = Composed(
    ["all"], MessageType.DAILY_REPORT, Priority.ROUTINE, Purpose.OPERATIONAL, "Daily report",
    "The daily report is out.", [Channel.SMS],
)  # fmt: skip


@pytest.mark.parametrize("words", [1, 70], ids=["one segment", "many segments"])
def test_the_pace_is_the_senders_in_every_second(home: Path, words: int) -> None:
    """Counted in segments. The overdraft of 10 is there only while an URGENT message comes beside others."""
    rate = 10

    async def act(night: Night) -> None:
        await queue_texts(night.ledger, 80, DAILY)
        await night.ledger.do(lambda c: c.execute(update(t.message_versions).values(body="Move. " * words)))
        night.engine.poke()
        await night.sleep(4)
        await night.ledger.compose(audience=["dept:Grip"])
        await night.engine.settled()
        sent = [(one.at_ms, sms.measure(one.words).segments) for one in night.provider.calls]
        assert len(sent) == 80 + 15
        longest = max(segments for _, segments in sent)
        for at, _ in sent:
            within_second = sum(segments for other, segments in sent if at <= other < at + 1000)
            assert within_second <= rate + 10 + longest
        urgent = [one.at_ms for one in calls_of(night, "URGENT")]
        beside = [
            segments
            for (at, segments), call in zip(sent, night.provider.calls, strict=True)
            if urgent[0] < at < urgent[-1] and "URGENT" not in call.words
        ]
        assert sum(beside) <= 10 + longest  # what had been granted before they came
        span = (sent[-1][0] - sent[0][0]) / 1000
        assert sum(segments for _, segments in sent) <= rate * span + 10 + longest

    on_paper(home, act, people=crew_of(60), rate=rate, takes_s=0.02)


def test_no_more_is_granted_ahead_than_an_urgent_message_may_go_beside(home: Path) -> None:
    """Ten segments, however long the texts are: three texts of three segments, and one begun."""

    async def act(night: Night) -> None:
        await queue_texts(night.ledger, 60, replace(DAILY, body="Move. " * 60))
        night.engine.poke()
        ahead = []
        for _ in range(100):
            await night.sleep(0.05)
            ahead.append((await night.works()).count(Work.CLAIMED))
        assert sms.measure(night.provider.calls[0].words).segments == 3
        assert 1 <= max(ahead) <= 4

    on_paper(home, act, rate=10, takes_s=0.02)


def test_without_urgent_messages_there_is_no_overdraft(home: Path) -> None:
    async def act(night: Night) -> None:
        await queue_texts(night.ledger, 60, DAILY)
        night.engine.poke()
        await night.engine.settled()
        times = [one.at_ms for one in night.provider.calls]
        assert all(later - earlier >= 99 for earlier, later in itertools.pairwise(times))

    on_paper(home, act, rate=10, takes_s=0.02)
