"""When to try again, and when to stop: one pure decision after each outcome.

A retry is a row with a due time, never a sleep. The next attempt gets the next number.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.evidence import Evidence, Work
from app.domain.priorities import PROFILES, Priority
from providers.contract import Accepted, InDoubt, NotSent, Outcome, ProviderError, Rejected

FIRST_WAIT_MS = 2_000
LONGEST_WAIT_MS = 10 * 60_000
"""Back-off doubles from two seconds to ten minutes: a short hiccup costs nobody the message, a long outage does
not turn into a flood when it ends."""

JITTER = 0.25
"""Up to a quarter more, so that a thousand retries do not come back in one instant."""

HANDSET_WAIT_MS = 3 * 60_000
HANDSET_TRIES = 3
"""An unreachable handset ("retry, transient"; providers advise minutes) is tried three times in all."""

LOOK_UP_WAIT_MS = 30_000
"""How long a callback may clear up an unknown before the provider is asked. URGENT waits only 20 s."""

LOOK_UP_WAITS_MS = (30_000, 120_000, 600_000, 3_600_000)
"""Waits between further questions, when the provider could not answer."""

URGENT_LOOKS = 2
"""For URGENT, a provider that could not answer this often counts as asked."""


@dataclass(frozen=True, slots=True)
class After:
    """What becomes of a delivery and its attempt after an outcome."""

    work: Work
    evidence: Evidence
    """The evidence of the attempt (it is only ever raised)."""
    next_attempt: bool = False
    due_at: int | None = None
    look_at: int | None = None
    error: ProviderError | None = None


def after_outcome(
    outcome: Outcome, *, priority: Priority, attempt: int, now_ms: int, give_up_at: int, jitter: float
) -> After:
    """The decision after one call. ``jitter`` is a number in [0, 1) drawn by the caller."""
    match outcome:
        case Accepted():
            return After(Work.DONE, Evidence.SENT)
        case InDoubt(error):
            return After(Work.DONE, Evidence.UNKNOWN, look_at=now_ms + unknown_wait_ms(priority), error=error)
        case NotSent(error) | Rejected(error) if error.config and not (error.bad_address or error.opted_out):
            # The message is good and so is the address: it waits until the account is put right.
            due_at = now_ms + FIRST_WAIT_MS
            if due_at >= give_up_at:
                return After(Work.EXPIRED, Evidence.NONE, error=error)
            return After(Work.QUEUED, Evidence.NONE, next_attempt=True, due_at=due_at, error=error)
        case NotSent(error) | Rejected(error):
            evidence = Evidence.NONE if isinstance(outcome, NotSent) else failure_of(error)
            if not may_retry(error):
                return After(Work.DONE, _at_least_failed(evidence), error=error)
            due_at = now_ms + wait_ms(error, attempt, jitter)
            if due_at >= give_up_at:
                return After(Work.EXPIRED, evidence, error=error)
            return After(Work.QUEUED, evidence, next_attempt=True, due_at=due_at, error=error)


def after_failure_receipt(
    error: ProviderError | None, *, attempt: int, now_ms: int, give_up_at: int
) -> int | None:
    """When to try again after the carrier reported a failure, or None: only for a handset that was unreachable."""
    if error is None or not error.retryable or not may_retry(error) or attempt >= HANDSET_TRIES:
        return None
    due_at = now_ms + HANDSET_WAIT_MS
    return due_at if due_at < give_up_at else None


def may_retry(error: ProviderError) -> bool:
    """The same message to the same address may work later."""
    return (error.retryable or error.throttled) and not (error.bad_address or error.opted_out)


def failure_of(error: ProviderError) -> Evidence:
    return Evidence.OPTED_OUT if error.opted_out else Evidence.FAILED


def _at_least_failed(evidence: Evidence) -> Evidence:
    return Evidence.FAILED if evidence is Evidence.NONE else evidence


def wait_ms(error: ProviderError, attempt: int, jitter: float) -> int:
    """How long to wait before the attempt after ``attempt``. The provider's own word is never undercut."""
    backed_off = min(FIRST_WAIT_MS << min(attempt - 1, 30), LONGEST_WAIT_MS)
    asked = round((error.retry_after_s or 0) * 1000)
    return round(max(backed_off, asked) * (1 + JITTER * jitter))


def unknown_wait_ms(priority: Priority) -> int:
    wait_s = PROFILES[priority].unknown_wait_s
    return LOOK_UP_WAIT_MS if wait_s is None else wait_s * 1000
