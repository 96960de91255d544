"""What receipts teach about attempts and their deliveries. Pure: rows in, changed columns out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain import evidence as ev
from app.domain.evidence import AttemptEvidence, Evidence, Work
from app.domain.retries import after_failure_receipt
from providers.contract import Fact, ProviderError

Columns = dict[str, Any]

OF_ATTEMPT = ("evidence", "provider_id", "error_code", "error", "next", "conflict", "look_at")
OF_DELIVERY = (
    "work",
    "evidence",
    "evidence_rank",
    "attempt",
    "due_at",
    "why",
    "next",
    "error_code",
    "accepted_at",
)
"""The columns that receipts change."""

TO_BE_ASKED_ABOUT = frozenset({Evidence.UNKNOWN, Evidence.SENT})
"""Evidence after which a question to the provider may still teach more."""

CONFLICT = "The provider reported both: that it failed, and that it arrived."


@dataclass(frozen=True, slots=True)
class Told:
    """One receipt about one attempt."""

    attempt_id: int
    fact: Fact
    provider_id: str | None
    error: ProviderError | None


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored: deliveries, and every attempt of each, as rows by their keys."""

    deliveries: Mapping[int, Any]
    attempts: Mapping[int, Any]


@dataclass(frozen=True, slots=True)
class Learned:
    """The columns that change, by the keys of attempts and deliveries."""

    attempts: Mapping[int, Columns]
    deliveries: Mapping[int, Columns]


@dataclass(frozen=True, slots=True)
class _Failure:
    """What the last failure of a delivery was, and when it is tried again (epoch ms)."""

    error: ProviderError | None
    retry_at: int | None


def learn(told: Sequence[Told], known: Known, now_ms: int) -> Learned:
    """What changes with these receipts. Most tell again what is known, and change nothing."""
    attempts: dict[int, Columns] = {}
    failures: dict[int, _Failure] = {}
    for one in told:
        attempt = known.attempts[one.attempt_id]
        before = attempts.get(attempt.id) or _columns(attempt, OF_ATTEMPT)
        after = attempts[attempt.id] = _attempt_after(before, one)
        if after["evidence"] != before["evidence"] and Evidence(after["evidence"]) in ev.FAILURES:
            delivery = known.deliveries[attempt.delivery_id]
            failures[delivery.id] = _failure(delivery, attempt, one.error, failures.get(delivery.id), now_ms)
    evidence: dict[int, list[AttemptEvidence]] = {}
    for key, row in known.attempts.items():
        best = Evidence(attempts[key]["evidence"] if key in attempts else row.evidence)
        evidence.setdefault(row.delivery_id, []).append(AttemptEvidence(row.number, best))
    deliveries = {
        key: _delivery_after(row, ev.of_delivery(evidence[key]), failures.get(key), now_ms)
        for key, row in known.deliveries.items()
    }
    return Learned(
        _changed(attempts, known.attempts, OF_ATTEMPT), _changed(deliveries, known.deliveries, OF_DELIVERY)
    )


def _columns(row: Any, names: Sequence[str]) -> Columns:
    return {name: getattr(row, name) for name in names}


def _changed(to: Mapping[int, Columns], rows: Mapping[int, Any], names: Sequence[str]) -> dict[int, Columns]:
    return {key: columns for key, columns in to.items() if columns != _columns(rows[key], names)}


def _attempt_after(before: Columns, told: Told) -> Columns:
    """An attempt after one more receipt. Its evidence is only ever raised."""
    known, learned = Evidence(before["evidence"]), ev.OF_FACT[told.fact]
    raised = ev.raised(known, learned)
    after = before | {
        "evidence": raised.value,
        "provider_id": before["provider_id"] or told.provider_id,
        "conflict": CONFLICT if ev.in_conflict(known, learned) else before["conflict"],
        "look_at": before["look_at"] if raised in TO_BE_ASKED_ABOUT else None,
    }
    if told.error and raised is not known:
        after |= {
            "error_code": told.error.code,
            "error": told.error.sentence,
            "next": told.error.next_step,
        }
    return after


def _failure(
    delivery: Any, attempt: Any, error: ProviderError | None, earlier: _Failure | None, now_ms: int
) -> _Failure:
    """One more failure of a delivery. Only that of its newest attempt leads to another one."""
    retry_at = None
    if attempt.number == delivery.attempt:
        retry_at = after_failure_receipt(
            error, attempt=delivery.attempt, now_ms=now_ms, give_up_at=delivery.give_up_at
        )
    return _Failure(error, retry_at or (earlier.retry_at if earlier else None))


def _delivery_after(delivery: Any, evidence: Evidence, failure: _Failure | None, now_ms: int) -> Columns:
    """A delivery whose attempts come to this evidence. Whatever is told of it, a provider has taken it."""
    rank = ev.RANK[evidence]
    after = _columns(delivery, OF_DELIVERY) | {
        "evidence": evidence.value,
        "evidence_rank": rank,
        "accepted_at": delivery.accepted_at or now_ms,
    }
    arrived = rank >= ev.CLAIMABLE_BELOW
    if arrived and delivery.work in (Work.QUEUED, Work.CLAIMED):
        after["work"] = Work.DONE.value  # the retry is not needed
    on_its_way = evidence is Evidence.SENT and delivery.work == Work.DONE
    if on_its_way or (arrived and evidence not in ev.FAILURES):
        after |= {"why": "", "next": "", "error_code": None}
    if failure and evidence in ev.FAILURES:
        after |= _words(failure.error)
        if failure.retry_at is not None and after["work"] == Work.DONE:
            after |= {
                "work": Work.QUEUED.value,
                "attempt": delivery.attempt + 1,
                "due_at": failure.retry_at,
            }
    return after


def _words(error: ProviderError | None) -> Columns:
    if error is None:
        return {
            "why": "The carrier could not deliver it.",
            "next": "Reach them another way.",
            "error_code": None,
        }
    return {"why": error.sentence, "next": error.next_step, "error_code": error.code}
