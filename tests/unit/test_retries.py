"""When to try again, and when to stop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.evidence import Evidence, Work
from app.domain.priorities import Priority
from app.domain.retries import (
    HANDSET_TRIES,
    HANDSET_WAIT_MS,
    JITTER,
    LONGEST_WAIT_MS,
    After,
    after_failure_receipt,
    after_outcome,
    may_retry,
    unknown_wait_ms,
    wait_ms,
)
from providers.contract import Accepted, InDoubt, NotSent, Outcome, ProviderError, Rejected

NOW = 1_790_000_000_000
NEVER = NOW + 10**9

errors = st.builds(
    ProviderError,
    code=st.just("1"),
    sentence=st.just("No."),
    retryable=st.booleans(),
    throttled=st.booleans(),
    retry_after_s=st.none() | st.floats(0, 100_000),
    bad_address=st.booleans(),
    opted_out=st.booleans(),
    config=st.booleans(),
)
outcomes = st.one_of(
    st.just(Accepted("SM1")),
    errors.map(Rejected),
    errors.map(NotSent),
    errors.map(InDoubt),
)
jitters = st.floats(0, 1, exclude_max=True)


def decide(outcome: Outcome, attempt: int = 1, give_up_at: int = NEVER, jitter: float = 0.0) -> After:
    return after_outcome(
        outcome,
        priority=Priority.URGENT,
        attempt=attempt,
        now_ms=NOW,
        give_up_at=give_up_at,
        jitter=jitter,
    )


@given(errors, st.integers(1, 60), jitters)
def test_a_wait_never_undercuts_what_the_provider_asked_for(
    error: ProviderError, attempt: int, jitter: float
) -> None:
    wait = wait_ms(error, attempt, jitter)
    assert wait >= round((error.retry_after_s or 0) * 1000)
    assert wait >= 2_000
    asked = (error.retry_after_s or 0) * 1000
    assert wait <= max(LONGEST_WAIT_MS, asked) * (1 + JITTER) + 1


@pytest.mark.parametrize(
    ("attempt", "wait_s"),
    [(1, 2), (2, 4), (3, 8), (4, 16), (9, 512), (10, 600), (11, 600), (1000, 600)],
)
def test_waits_double_from_two_seconds_to_ten_minutes(attempt: int, wait_s: int) -> None:
    assert wait_ms(ProviderError("1", "No.", retryable=True), attempt, 0.0) == wait_s * 1000


@given(outcomes, st.sampled_from(list(Priority)), st.integers(1, 30), jitters, st.integers(-10, 10**8))
def test_what_follows_from_any_outcome(
    outcome: Outcome, priority: Priority, attempt: int, jitter: float, patience_ms: int
) -> None:
    give_up_at = NOW + patience_ms
    after = after_outcome(
        outcome, priority=priority, attempt=attempt, now_ms=NOW, give_up_at=give_up_at, jitter=jitter
    )
    assert after.work in (Work.DONE, Work.QUEUED, Work.EXPIRED)
    assert after.next_attempt == (after.work is Work.QUEUED)
    assert (after.due_at is not None) == after.next_attempt
    assert (after.look_at is not None) == (after.evidence is Evidence.UNKNOWN)
    if after.due_at is not None:
        assert NOW < after.due_at < give_up_at
    if isinstance(outcome, InDoubt):
        assert (after.work, after.evidence) == (Work.DONE, Evidence.UNKNOWN)  # never again in silence
    elif isinstance(outcome, Accepted):
        assert (after.work, after.evidence, after.error) == (Work.DONE, Evidence.SENT, None)
    else:
        assert after.error is outcome.error
        if outcome.error.bad_address or outcome.error.opted_out:
            assert after.work is Work.DONE


@given(errors)
def test_nobody_who_opted_out_and_no_dead_number_is_tried_again(error: ProviderError) -> None:
    if error.opted_out or error.bad_address:
        assert not may_retry(error)
    else:
        assert may_retry(error) == (error.retryable or error.throttled)


@pytest.mark.parametrize(
    ("outcome", "work", "evidence"),
    [
        (NotSent(ProviderError("1", "No.", retryable=True)), Work.QUEUED, Evidence.NONE),
        (NotSent(ProviderError("1", "No.", throttled=True)), Work.QUEUED, Evidence.NONE),
        (NotSent(ProviderError("1", "No.")), Work.DONE, Evidence.FAILED),
        (Rejected(ProviderError("1", "No.", retryable=True)), Work.QUEUED, Evidence.FAILED),
        (Rejected(ProviderError("1", "No.", config=True)), Work.QUEUED, Evidence.NONE),
        (Rejected(ProviderError("1", "No.", opted_out=True)), Work.DONE, Evidence.OPTED_OUT),
        (Rejected(ProviderError("1", "No.", bad_address=True)), Work.DONE, Evidence.FAILED),
    ],
)
def test_a_no_leaves_a_trace_only_where_it_is_one(outcome: Outcome, work: Work, evidence: Evidence) -> None:
    after = decide(outcome)
    assert (after.work, after.evidence) == (work, evidence)


def test_it_ends_when_the_next_try_would_come_too_late() -> None:
    later = NotSent(ProviderError("1", "No.", retryable=True))
    assert decide(later, give_up_at=NOW + 2_001).work is Work.QUEUED
    assert decide(later, give_up_at=NOW + 2_000).work is Work.EXPIRED


@pytest.mark.parametrize(
    ("priority", "wait_s"),
    [(Priority.URGENT, 20), (Priority.IMPORTANT, 30), (Priority.INFO, 30), (Priority.ROUTINE, 30)],
)
def test_how_long_a_callback_may_clear_up_an_unknown(priority: Priority, wait_s: int) -> None:
    assert unknown_wait_ms(priority) == wait_s * 1000


# ---------------------------------------------------------------------- a carrier that reports a failure later

NO_SIGNAL = ProviderError("30003", "Switched off.", retryable=True)


@pytest.mark.parametrize("attempt", range(1, HANDSET_TRIES + 2))
def test_a_phone_without_signal_is_tried_three_times_in_all(attempt: int) -> None:
    due = after_failure_receipt(NO_SIGNAL, attempt=attempt, now_ms=NOW, give_up_at=NEVER)
    assert due == (NOW + HANDSET_WAIT_MS if attempt < HANDSET_TRIES else None)


@pytest.mark.parametrize("error", [None, ProviderError("30005", "Unknown number.", bad_address=True)])
def test_another_failure_is_not_tried_again(error: ProviderError | None) -> None:
    assert after_failure_receipt(error, attempt=1, now_ms=NOW, give_up_at=NEVER) is None


def test_a_phone_is_not_tried_again_when_it_would_be_too_late() -> None:
    too_late = NOW + HANDSET_WAIT_MS
    assert after_failure_receipt(NO_SIGNAL, attempt=1, now_ms=NOW, give_up_at=too_late) is None


@given(errors, st.integers(1, 5))
def test_what_may_never_be_retried_is_not_retried_after_a_receipt(error: ProviderError, attempt: int) -> None:
    due = after_failure_receipt(error, attempt=attempt, now_ms=NOW, give_up_at=NEVER)
    if error.bad_address or error.opted_out:
        assert due is None
