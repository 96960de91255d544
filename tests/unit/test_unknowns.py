"""What is done about a message whose fate nobody knows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.priorities import Priority
from app.domain.unknowns import Verdict, resolve
from providers.contract import CannotSay, Fact, Found, NotFound

NOW = 1_790_000_000_000
OTHERS = [priority for priority in Priority if priority is not Priority.URGENT]

answers = st.one_of(
    st.sampled_from(list(Fact)).map(lambda fact: Found("SM1", fact)),
    st.just(NotFound()),
    st.booleans().map(lambda retryable: CannotSay("Not now.", retryable)),
)


@given(answers, st.sampled_from(list(Priority)), st.booleans(), st.integers(1, 10))
def test_whatever_the_provider_answers(
    answer: Found | NotFound | CannotSay, priority: Priority, evidence: bool, looks: int
) -> None:
    found = resolve(answer, priority=priority, person_has_evidence=evidence, looks=looks, now_ms=NOW)
    assert (found.verdict is Verdict.ACCEPTED) == isinstance(answer, Found)
    assert (found.look_at is not None) == (found.verdict is Verdict.ASK_AGAIN)
    if found.look_at is not None:
        assert found.look_at > NOW
    if found.verdict is Verdict.SEND_AGAIN:  # only URGENT, and never to somebody who is known to have it
        assert priority is Priority.URGENT
        assert not evidence
    if found.verdict in (Verdict.UNCERTAIN, Verdict.ASK_AGAIN):
        assert found.why.endswith(".")
        assert found.next.endswith(".")


@pytest.mark.parametrize("priority", OTHERS)
def test_only_urgent_goes_again(priority: Priority) -> None:
    found = resolve(NotFound(), priority=priority, person_has_evidence=False, looks=1, now_ms=NOW)
    assert found.verdict is Verdict.UNCERTAIN
    assert "probably not sent" in found.why


@pytest.mark.parametrize("answer", [NotFound(), CannotSay("Cannot be asked.")], ids=["no record", "mute"])
def test_urgent_goes_again_once_the_provider_was_asked(answer: NotFound | CannotSay) -> None:
    found = resolve(answer, priority=Priority.URGENT, person_has_evidence=False, looks=1, now_ms=NOW)
    assert found.verdict is Verdict.SEND_AGAIN


def test_urgent_waits_for_one_more_answer_and_no_longer() -> None:
    busy = CannotSay("Not now.", retryable=True)
    verdicts = [
        resolve(busy, priority=Priority.URGENT, person_has_evidence=False, looks=looks, now_ms=NOW).verdict
        for looks in (1, 2)
    ]
    assert verdicts == [Verdict.ASK_AGAIN, Verdict.SEND_AGAIN]


def test_others_ask_more_and_more_seldom_and_then_leave_it_to_the_coordinator() -> None:
    busy = CannotSay("Not now.", retryable=True)
    found = [
        resolve(busy, priority=Priority.INFO, person_has_evidence=False, looks=looks, now_ms=NOW)
        for looks in range(1, 7)
    ]
    waits = [None if one.look_at is None else (one.look_at - NOW) // 1000 for one in found]
    assert waits == [30, 120, 600, 3600, None, None]
    assert found[4].verdict is found[5].verdict is Verdict.UNCERTAIN
