"""What the engine does about what a provider answers, or does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.buckets import Bucket
from app.domain.priorities import Priority
from app.store import tables as t
from providers.contract import (
    Accepted,
    CannotSay,
    Fact,
    Found,
    InDoubt,
    NotSent,
    Outcome,
    ProviderError,
)
from tests.dispatch.night import Call, Night, Paper, engine_over, on_paper
from tests.house import START_MS, crew_of, number

THROTTLED = ProviderError("20429", "Too fast.", throttled=True, retry_after_s=45)
SILENT = ProviderError("no_answer", "No answer in time.", "Look it up.", retryable=True)


def test_a_provider_that_says_when_is_not_asked_before(home: Path) -> None:
    async def act(night: Night) -> None:
        await night.ledger.compose()
        await night.engine.settled()
        for one in range(5):
            first, second = night.provider.texts_to(number(one))
            assert second.at_ms >= first.at_ms + 45_000
            assert first.message.content == second.message.content
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
        assert (question.to, question.content) == (first.to, first.message.content)
        assert asked_at <= second.at_ms <= asked_at + 500
        assert await night.buckets(message_id) == {Bucket.ON_THE_WAY}
        await night.ledger.check_counters()

    on_paper(home, act, people=crew_of(1), answer=answer)


def test_a_question_and_a_retry_carry_what_was_sent_whatever_was_renamed_since(home: Path) -> None:
    def answer(call: Call) -> Outcome:
        return InDoubt(SILENT) if call.at_ms < START_MS + 5_000 else Accepted(call.message.reference)

    async def act(night: Night) -> None:
        await night.ledger.compose()
        while not night.provider.calls:
            await night.ledger.clock.sleep_until(night.ledger.clock.now_ms() + 100)
        async with night.ledger.database.write() as connection:
            await connection.execute(t.productions.update().values(name="DAYBREAK"))
            await connection.execute(t.message_versions.update().values(body="Something else."))
        await night.engine.settled()
        first, second = night.provider.calls
        ((_, question),) = night.provider.questions
        assert question.content == first.message.content == second.message.content

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
