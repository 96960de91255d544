"""What is known of an attempt and of a delivery, whatever the order in which it is learned.

Two ladders are kept apart. *Work* says where a delivery is in the queue and moves freely. *Evidence* says the
best that is known of an attempt and never falls: receipts come late, doubled and in any order, and a rank
compares them without asking when they came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from providers.contract import Fact


class Work(StrEnum):
    """Where a delivery is in the queue."""

    HELD = "held"
    QUEUED = "queued"
    CLAIMED = "claimed"
    SENDING = "sending"
    DONE = "done"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


PENDING_WORK = (Work.QUEUED, Work.CLAIMED, Work.SENDING)
"""Something will still happen by itself. Held waits for an hour, not for us."""


class Evidence(StrEnum):
    """The best that is known."""

    NONE = "none"
    UNKNOWN = "unknown"
    SENT = "sent"
    FAILED = "failed"
    BOUNCED = "bounced"
    OPTED_OUT = "opted_out"
    DELIVERED = "delivered"
    BOUNCED_AFTER_ACCEPTANCE = "bounced_after_acceptance"
    OPENED = "opened"
    READ = "read"

    @property
    def rank(self) -> int:
        return RANK[self]


RANK: dict[Evidence, int] = {
    Evidence.NONE: 0,
    Evidence.UNKNOWN: 250,
    Evidence.SENT: 300,
    # One rank; the last digit only decides between two failures of one attempt, so that their order of arrival
    # does not matter: the more telling one is shown.
    Evidence.FAILED: 400,
    Evidence.BOUNCED: 401,
    Evidence.OPTED_OUT: 402,
    Evidence.DELIVERED: 500,
    Evidence.BOUNCED_AFTER_ACCEPTANCE: 520,
    Evidence.OPENED: 550,
    Evidence.READ: 600,
}
"""Higher wins, within one attempt. Tenfold, to leave room between two ranks."""

FAILURES = frozenset(
    {Evidence.FAILED, Evidence.BOUNCED, Evidence.OPTED_OUT, Evidence.BOUNCED_AFTER_ACCEPTANCE}
)

HANDED_OVER = frozenset({Evidence.SENT, Evidence.DELIVERED, Evidence.OPENED, Evidence.READ})
"""It is with the provider or further, and nothing says that it failed."""

CLAIMABLE_BELOW = RANK[Evidence.DELIVERED]
"""A delivery may be claimed only while it is queued and its evidence ranks lower than this."""

OF_FACT: dict[Fact, Evidence] = {
    Fact.ACCEPTED: Evidence.SENT,
    Fact.DELIVERED: Evidence.DELIVERED,
    Fact.FAILED: Evidence.FAILED,
    Fact.BOUNCED: Evidence.BOUNCED,
    Fact.BOUNCED_AFTER_ACCEPTANCE: Evidence.BOUNCED_AFTER_ACCEPTANCE,
    Fact.OPTED_OUT: Evidence.OPTED_OUT,
    Fact.OPENED: Evidence.OPENED,
    Fact.READ: Evidence.READ,
}
"""What a provider's fact proves. The provider taking a message proves no more than that it was sent."""


def raised(known: Evidence, learned: Evidence) -> Evidence:
    """The evidence of one attempt after one more fact. Never lower than before, in whatever order facts come."""
    return learned if RANK[learned] > RANK[known] else known


def in_conflict(known: Evidence, learned: Evidence) -> bool:
    """Whether two facts about one attempt contradict each other: it failed, and it was delivered.

    The better one is shown, the contradiction is kept: somebody will ask. An e-mail that was taken and then
    returned is no contradiction, one that was refused and then returned is. Whether there is one does not depend
    on the order of the facts, since every fact of arrival ranks higher than every failure.
    """
    pair = {known, learned}
    return bool(pair & _NEVER_ARRIVED and pair & _ARRIVED)


_NEVER_ARRIVED = {Evidence.FAILED, Evidence.BOUNCED, Evidence.OPTED_OUT}
_ARRIVED = {Evidence.DELIVERED, Evidence.BOUNCED_AFTER_ACCEPTANCE, Evidence.OPENED, Evidence.READ}


@dataclass(frozen=True, slots=True)
class AttemptEvidence:
    """One attempt of a delivery, numbered from 1."""

    number: int
    evidence: Evidence


_HOPE = {
    Evidence.READ: 7,
    Evidence.OPENED: 6,
    Evidence.DELIVERED: 5,
    Evidence.SENT: 4,
    Evidence.UNKNOWN: 3,
    Evidence.BOUNCED_AFTER_ACCEPTANCE: 2,
    Evidence.FAILED: 2,
    Evidence.BOUNCED: 2,
    Evidence.OPTED_OUT: 2,
    Evidence.NONE: 0,
}
"""Across attempts a failure stands only while nothing better is known: an old attempt's failure cannot kill a
new attempt, and an old attempt's delivery does win."""


def of_delivery(attempts: Sequence[AttemptEvidence]) -> Evidence:
    """The evidence of a delivery: the best of its attempts, or the latest failure when nothing is better."""
    best = max(attempts, key=lambda one: (_HOPE[one.evidence], one.number), default=None)
    return best.evidence if best else Evidence.NONE
