"""The engine: what it sends, when, how often, and what it never does."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.clock import SystemClock
from app.domain.buckets import Bucket
from app.domain.evidence import Evidence, Work
from app.domain.priorities import Priority, Purpose, StepKind, undo_window_s
from app.domain.problem import Refused
from app.domain.replies import STANDARD_OPTIONS
from app.services import chasing
from app.store import answers, incidents
from app.store import tables as t
from providers.contract import (
    Accepted,
    CannotSay,
    Channel,
    Fact,
    Found,
    InDoubt,
    NotSent,
    Outcome,
    ProviderError,
)
from tests.dispatch.night import KIT, Call, Night, Paper, engine_over, on_paper
from tests.house import START_MS, Hire, Ledger, crew_of, furnish, number

THROTTLED = ProviderError("20429", "Too fast.", throttled=True, retry_after_s=45)
SILENT = ProviderError("no_answer", "No answer in time.", "Look it up.", retryable=True)
OUT = ProviderError("20503", "Out of service.", "Try again.", retryable=True)


# ----------------------------------------------------------------------------- one call, after it is written down


def test_every_person_gets_one_call(home: Path) -> None:
    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose()
        await night.engine.settled()
        assert sorted(one.to for one in night.provider.calls) == sorted(number(one) for one in range(60))
        assert len({one.message.reference for one in night.provider.calls}) == 60
        assert await night.buckets(message_id) == {Bucket.ON_THE_WAY}
        await night.ledger.check_counters()

    on_paper(home, act, people=crew_of(60))


def test_the_attempt_is_on_the_disk_before_the_provider_is_called(home: Path) -> None:
    """The provider looks into the file over a connection of its own while it is called."""
    seen: list[tuple[str, str]] = []

    def look(call: Call) -> Outcome:
        connection = sqlite3.connect(home / "callboard.db")
        try:
            row = connection.execute(
                "SELECT a.evidence, d.work FROM attempts a JOIN deliveries d ON d.id = a.delivery_id "
                "WHERE a.reference = ? AND a.number = d.attempt",
                (call.message.reference,),
            ).fetchone()
        finally:
            connection.close()
        seen.append(row)
        return Accepted(f"SM{call.message.reference}")

    async def act(night: Night) -> None:
        await night.ledger.compose()
        await night.engine.settled()
        assert seen == [("none", "sending")] * 40

    on_paper(home, act, people=crew_of(40), answer=look)


@pytest.mark.parametrize("priority", list(Priority))
def test_the_first_call_is_made_at_the_end_of_the_undo_window(home: Path, priority: Priority) -> None:
    async def act(night: Night) -> None:
        wait_s = undo_window_s(StepKind.FIRST, priority)
        await night.ledger.compose(priority, wait_ms=wait_s * 1000)
        due = night.clock.now_ms() + wait_s * 1000
        await night.until(lambda: len(night.provider.calls) == 5)
        assert due <= night.provider.calls[0].at_ms <= due + 250

    on_paper(home, act, people=crew_of(5))


def test_undo_within_the_window_sends_nothing(home: Path) -> None:
    async def act(night: Night) -> None:
        await night.ledger.compose(wait_ms=5_000)
        (message,) = await night.ledger.ask(select(t.messages.c.public_id, t.messages.c.id))
        await night.sleep(4.9)
        undone = await chasing.undo(night.office, KIT, message.public_id)
        assert undone.people == 5
        await night.sleep(120)
        await night.engine.settled()
        assert night.provider.calls == []
        assert await night.buckets(message.id) == {Bucket.SUPPRESSED}
        with pytest.raises(Refused, match="Nothing can be undone"):
            await chasing.undo(night.office, KIT, message.public_id)

    on_paper(home, act, people=crew_of(5))


def test_undo_after_the_window_is_refused_with_a_next_step(home: Path) -> None:
    async def act(night: Night) -> None:
        await night.ledger.compose(wait_ms=5_000)
        (message,) = await night.ledger.ask(select(t.messages.c.public_id))
        await night.sleep(5)
        with pytest.raises(Refused) as refused:
            await chasing.undo(night.office, KIT, message.public_id)
        assert refused.value.problem.next == "Send a correction instead."
        await night.engine.settled()
        assert len(night.provider.calls) == 5

    on_paper(home, act, people=crew_of(5))


# ------------------------------------------------------------------------------------------------- the chase


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


async def confirm(ledger: Ledger, message_id: int, name: str) -> None:
    person = await ledger.recipient(message_id, name)
    version = await ledger.one(
        select(t.message_versions.c.id).where(t.message_versions.c.message_id == message_id)
    )
    await ledger.do(
        lambda c: answers.record(
            c,
            recipient_id=person.id,
            version_id=version.id,
            option=STANDARD_OPTIONS[0],
            channel=Channel.SMS,
            now_ms=ledger.now,
        )
    )


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
            await confirm(night.ledger, message_id, f"Person {one:05d}")
        before = len(night.provider.calls)
        await night.engine.settled()
        reminded_later = {one.to for one in night.provider.calls[before:]}
        assert len(late) == 8
        assert not reminded_later & {number(one) for one in late}
        assert len(reminded_later) >= 4
        await night.ledger.check_counters()

    on_paper(home, act, people=crew_of(20), rate=2, takes_s=0.01)


# ---------------------------------------------------------------------------------------- pace and precedence


def test_urgent_goes_before_and_beside_twenty_thousand_waiting_texts(home: Path) -> None:
    async def act(night: Night) -> None:
        await waiting_texts(night.ledger, 20_000)
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
    return [one for one in night.provider.calls if word in one.message.text]


async def waiting_texts(ledger: Ledger, count: int) -> None:
    """So many texts of a ROUTINE message waiting for their turn: to people that only they are for."""
    from app.domain.message_types import MessageType
    from app.domain.messages import Composed
    from tests.dispatch.bulk import queue_texts

    await queue_texts(
        ledger,
        count,
        Composed(
            ["all"], MessageType.DAILY_REPORT, Priority.ROUTINE, Purpose.OPERATIONAL, "Daily report",
            "The daily report is out.", [Channel.SMS],
        ),
    )  # fmt: skip


@pytest.mark.parametrize("words", [1, 70], ids=["one segment", "many segments"])
def test_the_pace_is_the_senders_in_every_second(home: Path, words: int) -> None:
    """Counted in segments. The overdraft of 10 is there only while an URGENT message comes beside others."""
    rate = 10

    async def act(night: Night) -> None:
        from app.domain import sms

        await waiting_texts(night.ledger, 80)
        await night.ledger.do(lambda c: c.execute(update(t.message_versions).values(body="Move. " * words)))
        night.engine.poke()
        await night.sleep(4)
        await night.ledger.compose(audience=["dept:Grip"])
        await night.engine.settled()
        sent = [(one.at_ms, sms.measure(one.message.text).segments) for one in night.provider.calls]
        assert len(sent) == 80 + 5
        longest = max(segments for _, segments in sent)
        for at, _ in sent:
            within_second = sum(segments for other, segments in sent if at <= other < at + 1000)
            assert within_second <= rate + 10 + longest
        span = (sent[-1][0] - sent[0][0]) / 1000
        assert sum(segments for _, segments in sent) <= rate * span + 10 + longest

    on_paper(home, act, people=crew_of(20), rate=rate, takes_s=0.02)


def test_without_urgent_messages_there_is_no_overdraft(home: Path) -> None:
    async def act(night: Night) -> None:
        await waiting_texts(night.ledger, 60)
        night.engine.poke()
        await night.engine.settled()
        times = [one.at_ms for one in night.provider.calls]
        assert all(later - earlier >= 99 for earlier, later in itertools.pairwise(times))

    on_paper(home, act, rate=10, takes_s=0.02)


# -------------------------------------------------------------------------------------- what providers answer


def test_a_provider_that_says_when_is_not_asked_before(home: Path) -> None:
    async def act(night: Night) -> None:
        await night.ledger.compose()
        await night.engine.settled()
        for one in range(5):
            first, second = night.provider.texts_to(number(one))
            assert second.at_ms >= first.at_ms + 45_000
            assert first.message.text == second.message.text
            assert first.message.reference != second.message.reference

    def answer(call: Call) -> Outcome:
        return NotSent(THROTTLED) if call.at_ms < START_MS + 30_000 else Accepted(call.message.reference)

    on_paper(home, act, people=crew_of(5), answer=answer)


def test_an_urgent_text_of_unknown_fate_is_asked_for_after_twenty_seconds_and_sent_again(home: Path) -> None:
    def answer(call: Call) -> Outcome:
        return InDoubt(SILENT) if call.at_ms < START_MS + 5_000 else Accepted(call.message.reference)

    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose()
        await night.engine.settled()
        first, second = night.provider.calls
        ((asked_at, question),) = night.provider.questions
        assert 20_000 <= asked_at - first.at_ms <= 21_000
        assert (question.to, question.text) == (first.to, first.message.text)
        assert asked_at <= second.at_ms <= asked_at + 500
        assert await night.buckets(message_id) == {Bucket.ON_THE_WAY}
        await night.ledger.check_counters()

    on_paper(home, act, people=crew_of(1), answer=answer)


@pytest.mark.parametrize("priority", [Priority.IMPORTANT, Priority.INFO, Priority.ROUTINE])
def test_other_texts_of_unknown_fate_are_never_sent_again_and_say_why(home: Path, priority: Priority) -> None:
    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose(priority)
        await night.sleep(1200)
        assert len(night.provider.calls) == 1
        assert len(night.provider.questions) == 1
        assert await night.buckets(message_id) == {Bucket.UNCERTAIN}
        (delivery,) = await night.ledger.deliveries_of(message_id)
        assert "probably not sent" in delivery.why
        assert delivery.next

    on_paper(home, act, people=crew_of(1), answer=lambda _call: InDoubt(SILENT))


def test_what_the_provider_has_is_not_sent_again(home: Path) -> None:
    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose()
        await night.sleep(300)
        assert len(night.provider.calls) == 1
        assert await night.buckets(message_id) == {Bucket.DELIVERED}

    on_paper(
        home,
        act,
        people=crew_of(1),
        answer=lambda _call: InDoubt(SILENT),
        asked=lambda _question: Found("SM1", Fact.DELIVERED),
    )


def test_nobody_who_has_it_on_any_path_gets_an_urgent_text_again(home: Path) -> None:
    """A receipt with our own reference comes before the 20 seconds are over."""

    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose()
        await night.until(lambda: len(night.provider.calls) == 1)
        await night.sleep(10)
        reference = night.provider.calls[0].message.reference
        await night.ledger.hear(night.ledger.incoming(Fact.DELIVERED, reference=reference))
        await night.sleep(300)
        assert (len(night.provider.calls), len(night.provider.questions)) == (1, 0)
        assert await night.buckets(message_id) == {Bucket.DELIVERED}

    on_paper(home, act, people=crew_of(1), answer=lambda _call: InDoubt(SILENT))


def test_a_provider_that_does_not_answer_questions_delays_no_urgent_text(home: Path) -> None:
    """Fifty texts of unknown fate are asked for, ten seconds each: the next message goes out in time."""

    class Slow(Paper):
        async def look_up(self, question: object) -> CannotSay:
            await self.clock.sleep_until(self.clock.now_ms() + 10_000)
            return CannotSay("No answer.", retryable=True)

    async def act(night: Night) -> None:
        slow = Slow(night.clock)
        await night.engine.stop()
        engine = await engine_over(night.ledger, slow)
        slow.answer = lambda _call: InDoubt(SILENT)
        assert await engine.start("tests") is None
        await night.ledger.compose(Priority.IMPORTANT)
        await night.until(lambda: len(slow.calls) == 50)
        await night.sleep(31)  # now all of them are asked for
        slow.answer = lambda call: Accepted(call.message.reference)
        await night.ledger.compose(wait_ms=5_000)
        due = night.clock.now_ms() + 5_000
        await night.until(lambda: len(slow.calls) > 50)
        assert due <= slow.calls[50].at_ms <= due + 250
        await engine.stop()

    on_paper(home, act, people=crew_of(50))


def test_an_adapter_that_raises_leaves_its_text_unknown_and_the_others_go_on(home: Path) -> None:
    def answer(call: Call) -> Outcome:
        if call.to == number(3):
            raise ValueError("a mistake in the adapter")
        return Accepted(call.message.reference)

    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose(Priority.IMPORTANT)
        await night.engine.settled()
        stands = await night.ledger.buckets(message_id)
        assert stands.pop("Person 00003") is Bucket.UNCERTAIN
        assert set(stands.values()) == {Bucket.ON_THE_WAY}

    on_paper(home, act, people=crew_of(8), answer=answer)


# ---------------------------------------------------------------------------------------------- clocks and sleep


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


# ------------------------------------------------------------------------------------------- the engine as a whole


def test_a_second_engine_on_the_file_is_refused_with_a_sentence(home: Path) -> None:
    async def act(night: Night) -> None:
        other = await furnish(home, night.clock)
        second = await engine_over(other, Paper(night.clock))
        problem = await second.start("tests")
        assert problem is not None
        assert problem.sentence.startswith("Another Callboard is sending from this database already (tests,")
        assert problem.next == "Use that one; this one shows everything and sends nothing."
        await night.engine.stop()
        assert await second.start("tests") is None
        await second.stop()
        await other.database.close()

    on_paper(home, act)


def test_a_stopped_engine_leaves_nothing_open_and_the_next_one_goes_on(home: Path) -> None:
    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose()
        await night.until(lambda: len(night.provider.calls) >= 20)
        await night.engine.stop()
        assert set(await night.works()) == {Work.DONE, Work.QUEUED}
        before = len(night.provider.calls)
        await night.sleep(60)
        assert len(night.provider.calls) == before < 90
        engine = await engine_over(night.ledger, night.provider)
        assert await engine.start("tests") is None
        await engine.settled()
        assert sorted(one.to for one in night.provider.calls) == sorted(number(one) for one in range(90))
        assert await night.buckets(message_id) == {Bucket.ON_THE_WAY}
        await engine.stop()

    on_paper(home, act, people=crew_of(90))


def test_a_call_that_does_not_end_is_unknown_after_a_stop(home: Path) -> None:
    async def act(night: Night) -> None:
        await night.ledger.compose(Priority.IMPORTANT)
        await night.until(lambda: len(night.provider.calls) == 2)
        await night.engine.stop()
        engine = await engine_over(night.ledger, night.provider)
        night.provider.asked = lambda _question: Found("SM1", Fact.ACCEPTED)
        assert await engine.start("tests") is None
        await engine.settled()
        assert len(night.provider.calls) == 2
        assert {one.evidence for one in await night.ledger.ask(select(t.attempts))} == {Evidence.SENT}
        await engine.stop()

    on_paper(home, act, people=crew_of(2), takes_s=3600.0)


def test_a_part_that_keeps_failing_is_restarted_and_reported_once_until_it_has_recovered(home: Path) -> None:
    async def act(night: Night) -> None:
        failures: list[int] = []

        async def part() -> None:
            if len(failures) < 5:
                failures.append(night.clock.now_ms())
                raise ValueError("a mistake")
            await asyncio.Event().wait()

        night.engine.supervisor.start("tests", part)
        await night.until(lambda: len(failures) == 5)
        waits = [later - earlier for earlier, later in itertools.pairwise(failures)]
        assert waits == [500, 1000, 2000, 4000]
        await night.sleep(20)
        standing = await night.ledger.database.reading(incidents.standing)
        assert [one.subject for one in standing] == ["tests"]
        assert standing[0].sentence.endswith("again and again: tests.")
        await night.sleep(60)
        assert await night.ledger.database.reading(incidents.standing) == []

    on_paper(home, act)


def test_one_failure_is_nobodys_business(home: Path) -> None:
    async def act(night: Night) -> None:
        tries: list[int] = []

        async def part() -> None:
            tries.append(1)
            if len(tries) == 1:
                raise ValueError("a hiccup")
            await asyncio.Event().wait()

        night.engine.supervisor.start("tests", part)
        await night.sleep(10)
        assert len(tries) == 2
        assert await night.ledger.database.reading(incidents.standing) == []

    on_paper(home, act)


def test_a_step_that_another_process_left_half_frozen_is_finished(home: Path) -> None:
    """The sender was killed while this engine ran."""

    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose(freeze=False)
        await night.sleep(15)
        await night.engine.settled()
        assert len(night.provider.calls) == 4
        assert await night.buckets(message_id) == {Bucket.ON_THE_WAY}

    on_paper(home, act, people=crew_of(4))


# ------------------------------------------------------------------------------------------------ quiet hours


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
