"""Machines that sleep, clocks that are set back, and hours in which people sleep."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from app.clock import SystemClock, VirtualClock
from app.domain.buckets import Bucket
from app.domain.evidence import Evidence, Work
from app.domain.priorities import Priority, Purpose
from app.store import claims, incidents
from app.store import tables as t
from providers.contract import NotSent, ProviderError
from tests.dispatch.night import Night, on_paper
from tests.house import START_MS, HandClock, Hire, Ledger, crew_of, number


@pytest.mark.parametrize("others", [0, 30], ids=["alone", "with others on their way"])
def test_a_machine_that_slept_between_mark_and_call_does_not_call_late(home: Path, others: int) -> None:
    """Asleep for three hours: whoever waits for the call then is told that it was not made."""

    async def act(night: Night) -> None:
        writer = night.engine.writer
        marked = writer.mark
        slept: list[str] = []

        async def mark_and_sleep(mark: object) -> bool:
            granted = await marked(mark)  # type: ignore[arg-type]
            if granted and not slept:
                slept.append(mark.reference)  # type: ignore[attr-defined]
                night.clock._now_ms += 3 * 3_600_000
                await night.sleep(0.2)  # everything else that was due meanwhile comes first
            return granted

        writer.mark = mark_and_sleep  # type: ignore[method-assign]
        message_id, _ = await night.ledger.compose(Priority.IMPORTANT)
        await night.sleep(60)
        await night.engine.settled()
        assert slept[0] not in {one.message.reference for one in night.provider.calls}
        attempt = await night.ledger.one(select(t.attempts).where(t.attempts.c.reference == slept[0]))
        assert (attempt.evidence, attempt.error_code) == (Evidence.NONE, "lease")
        assert "asleep" in attempt.error
        for one in range(others + 1):
            assert len(night.provider.texts_to(number(one))) == 1  # and then everybody got it, once
        assert await night.buckets(message_id) == {Bucket.ON_THE_WAY}

    on_paper(home, act, people=crew_of(others + 1))


def test_what_was_slept_over_is_not_sent_hours_late(home: Path) -> None:
    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose()
        await night.until(lambda: len(night.provider.calls) == 3)
        night.clock._now_ms += 3 * 3_600_000
        await night.sleep(60)
        await night.engine.settled()
        assert all(one.at_ms < START_MS + 60_000 for one in night.provider.calls)
        late = [one for one in await night.ledger.deliveries_of(message_id) if one.work == Work.EXPIRED]
        assert len(late) == 10 - len(night.provider.calls) >= 5
        assert {one.why for one in late} == {"It was too old to send when its turn came."}
        await night.ledger.check_counters()

    on_paper(home, act, people=crew_of(10), rate=1)


def test_a_clock_that_is_set_back_stalls_nothing() -> None:
    wall, monotonic = [START_MS], [1_000]
    clock = SystemClock(lambda: wall[0], lambda: monotonic[0])
    assert clock.now_ms() == START_MS
    wall[0] -= 3_600_000
    monotonic[0] += 500
    assert clock.now_ms() == START_MS + 500
    assert clock.behind_ms() == 3_600_500
    wall[0] += 7_200_000
    assert clock.now_ms() == START_MS + 3_600_000
    assert clock.behind_ms() == 0


def test_quiet_hours_hold_and_wake(home: Path) -> None:
    """It is 22:40; Ada sleeps until 23:05."""

    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose(Priority.IMPORTANT, purpose=Purpose.OPERATIONAL)
        await night.engine.settled()
        assert await night.ledger.buckets(message_id) == {
            "Ada Lund": Bucket.HELD,
            "Jon Bell": Bucket.ON_THE_WAY,
        }
        await night.ledger.check_counters()
        awake = START_MS + 25 * 60_000
        await night.clock.sleep_until(awake + 2_000)
        await night.engine.settled()
        (call,) = night.provider.texts_to(number(1))
        assert awake <= call.at_ms <= awake + 250
        assert await night.buckets(message_id) == {Bucket.ON_THE_WAY}
        await night.ledger.check_counters()

    on_paper(home, act, people=[Hire("Ada Lund", number(1), quiet=(1320, 1385)), Hire("Jon Bell", number(2))])


def test_urgent_pierces_quiet_hours_and_the_audit_says_so(home: Path) -> None:
    async def act(night: Night) -> None:
        await night.ledger.compose()
        await night.engine.settled()
        assert len(night.provider.texts_to(number(1))) == 1
        (entry,) = await night.ledger.ask(select(t.audit).where(t.audit.c.action == "override"))
        assert "quiet hours, pierced because it is URGENT" in entry.detail

    on_paper(home, act, people=[Hire("Ada Lund", number(1), quiet=(1320, 360))])


def test_who_falls_asleep_while_the_text_waits_for_the_senders_pace_is_not_woken(home: Path) -> None:
    """It is 22:40, one text leaves a second; from 22:41 to 23:00 everybody sleeps."""

    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose(Priority.IMPORTANT, purpose=Purpose.OPERATIONAL)
        await night.sleep(300)
        await night.engine.settled()
        begins, ends = START_MS + 60_000, START_MS + 20 * 60_000
        before = len(night.provider.calls)
        assert 50 <= before <= 61
        assert all(one.at_ms < begins for one in night.provider.calls)
        asleep = [one for one in await night.ledger.deliveries_of(message_id) if one.work == Work.HELD]
        assert len(asleep) == 100 - before
        assert {(one.due_at, one.why) for one in asleep} == {(ends, "Held for their quiet hours.")}
        await night.ledger.check_counters()
        await night.clock.sleep_until(ends + 120_000)
        await night.engine.settled()
        assert all(one.at_ms < begins or one.at_ms >= ends for one in night.provider.calls)
        assert sorted(one.to for one in night.provider.calls) == sorted(number(one) for one in range(100))

    on_paper(home, act, people=crew_of(100, quiet=(1361, 1380)), rate=1)


def test_urgent_wakes_who_fell_asleep_meanwhile_and_the_audit_says_so_once(home: Path) -> None:
    async def act(night: Night) -> None:
        await night.ledger.compose()
        await night.sleep(200)
        await night.engine.settled()
        late = [one for one in night.provider.calls if one.at_ms >= START_MS + 60_000]
        entries = await night.ledger.ask(select(t.audit).where(t.audit.c.action == "override"))
        assert len(night.provider.calls) == 90
        assert len(entries) == len(late) > 20

    on_paper(home, act, people=crew_of(90, quiet=(1361, 360)), rate=1)


async def test_a_promotional_message_waits_for_nine_in_the_morning(ledger: Ledger) -> None:
    await ledger.hire([Hire("Ada Lund", number(1), consent="yes")])
    message_id, _ = await ledger.compose(Priority.INFO, purpose=Purpose.PROMOTIONAL)
    await ledger.route()
    (delivery,) = await ledger.deliveries_of(message_id)
    assert (delivery.work, delivery.due_at) == (Work.HELD, START_MS + 620 * 60_000)


async def test_a_text_for_two_is_held_only_while_both_sleep(ledger: Ledger, clock: HandClock) -> None:
    """Ada sleeps from 22:41, Jon from 22:45; it is 22:40, and they share a number."""
    await ledger.hire(
        [Hire("Ada Lund", number(1), quiet=(1361, 360)), Hire("Jon Lund", number(1), quiet=(1365, 300))]
    )
    await ledger.compose(Priority.IMPORTANT, purpose=Purpose.OPERATIONAL)
    await ledger.route()
    clock.advance(120)
    (claimed,) = await ledger.claim()
    await ledger.do(lambda c: claims.release(c, [claimed.id], worker=ledger.worker))
    clock.advance(240)
    assert await ledger.claim() == []
    five = START_MS + (24 * 60 - 1360 + 300) * 60_000
    assert (await ledger.delivery(claimed.id)).due_at == five
    await ledger.check_counters()


@pytest.mark.parametrize("back_s", [600, 3_600, 86_400])
def test_after_a_restart_on_a_clock_that_was_set_back_nothing_waits_for_the_old_time(
    home: Path, back_s: int
) -> None:
    """A message in its undo window and one to be tried again, when the computer is switched off and its clock set."""
    later = ProviderError("20503", "Out of service.", "Try again.", retryable=True)

    async def leave(night: Night) -> None:
        await night.ledger.compose(Priority.IMPORTANT, purpose=Purpose.OPERATIONAL)
        await night.until(lambda: len(night.provider.calls) == 3)
        await night.ledger.compose(wait_ms=5_000)

    async def come_back(night: Night) -> None:
        incident, *_ = await night.ledger.database.reading(incidents.standing)
        assert incident.sentence.startswith("This computer's clock was set back by")
        began = night.clock.now_ms()
        await night.until(lambda: len(night.provider.calls) == 6, seconds=30)
        assert night.clock.now_ms() - began < 15_000
        await night.engine.settled()
        night.clock._now_ms += 3_600_000  # the machine sleeps for an hour
        await night.sleep(30)
        assert await night.ledger.database.reading(incidents.standing) == []

    on_paper(home, leave, people=crew_of(3), answer=lambda _: NotSent(later), clock=VirtualClock(START_MS))
    on_paper(home, come_back, clock=VirtualClock(START_MS - back_s * 1000))
