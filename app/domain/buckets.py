"""Where a person stands with a message: eleven exclusive buckets whose sum is the number of recipients.

A person counts once, at the best of all their deliveries. Everything here is recomputed from rows; nothing is
declared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.domain.evidence import CLAIMABLE_BELOW, FAILURES, PENDING_WORK, RANK, Evidence, Work
from app.domain.replies import Meaning
from providers.contract import Channel


class Bucket(StrEnum):
    """The buckets, in order of precedence: the first that fits is the person's."""

    NEEDS_HELP = "needs_help"
    DECLINED = "declined"
    CONFIRMED = "confirmed"
    READ = "read"
    DELIVERED = "delivered"
    NO_RECEIPT = "no_receipt"
    UNCERTAIN = "uncertain"
    ON_THE_WAY = "on_the_way"
    NOT_REACHED = "not_reached"
    HELD = "held"
    SUPPRESSED = "suppressed"

    @property
    def label(self) -> str:
        return LABELS[self]


LABELS: dict[Bucket, str] = {
    Bucket.NEEDS_HELP: "Needs help",
    Bucket.DECLINED: "Declined",
    Bucket.CONFIRMED: "Confirmed",
    Bucket.READ: "Read",
    Bucket.DELIVERED: "Delivered",
    Bucket.NO_RECEIPT: "Sent, no receipt possible",
    Bucket.UNCERTAIN: "Uncertain",
    Bucket.ON_THE_WAY: "On the way",
    Bucket.NOT_REACHED: "Not reached",
    Bucket.HELD: "Held",
    Bucket.SUPPRESSED: "Suppressed",
}

PRECEDENCE = {bucket: place for place, bucket in enumerate(Bucket)}

JSON_ORDER = (
    Bucket.CONFIRMED, Bucket.DECLINED, Bucket.NEEDS_HELP, Bucket.READ, Bucket.DELIVERED, Bucket.NO_RECEIPT,
    Bucket.UNCERTAIN, Bucket.ON_THE_WAY, Bucket.NOT_REACHED, Bucket.HELD, Bucket.SUPPRESSED,
)  # fmt: skip
"""The order in which the buckets are printed."""

ANSWERED = frozenset({Bucket.NEEDS_HELP, Bucket.DECLINED, Bucket.CONFIRMED})
READERS = ANSWERED | {Bucket.READ}
"""A person read it: an answer is evidence of reading."""
DELIVERED_TO = READERS | {Bucket.DELIVERED}
NON_READERS = frozenset(Bucket) - READERS - {Bucket.SUPPRESSED}
"""Everybody we are still after: delivered or not, no evidence of reading."""


BUCKET_OF_MEANING: dict[Meaning, Bucket] = {
    Meaning.CONFIRMED: Bucket.CONFIRMED,
    Meaning.DECLINED: Bucket.DECLINED,
    Meaning.NEEDS_HELP: Bucket.NEEDS_HELP,
    Meaning.OTHER: Bucket.READ,
}


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """What the roll-up needs of one delivery."""

    channel: Channel
    work: Work
    evidence: Evidence
    receipt_possible: bool = True
    accepted: bool = False
    """A provider has taken it, whatever became of it then."""


_OF_EVIDENCE = {
    Evidence.READ: Bucket.READ,
    Evidence.OPENED: Bucket.DELIVERED,
    Evidence.DELIVERED: Bucket.DELIVERED,
    Evidence.UNKNOWN: Bucket.UNCERTAIN,
}


def of_delivery(delivery: DeliveryState) -> Bucket:
    """Where one delivery alone would put its person."""
    if known := _OF_EVIDENCE.get(delivery.evidence):
        return known
    if delivery.evidence in FAILURES:
        return Bucket.NOT_REACHED  # also while another try is queued: nothing has reached them yet
    if delivery.evidence is Evidence.SENT and delivery.work is Work.DONE and not delivery.receipt_possible:
        return Bucket.NO_RECEIPT
    if delivery.evidence is Evidence.SENT or delivery.work in PENDING_WORK:
        return Bucket.ON_THE_WAY
    if delivery.work is Work.HELD:
        return Bucket.HELD
    if delivery.work is Work.DONE:
        return Bucket.NOT_REACHED
    return Bucket.SUPPRESSED  # cancelled or expired before anything was sent


class ChannelState(StrEnum):
    """How far a message got on one channel, for one person. Of several deliveries the furthest counts, so the order
    is that of what the figures add up: what was sent stands above what was not, whatever became of it."""

    LEFT_OUT = "left_out"
    PLANNED = "planned"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    SENT_FAILED = "sent_failed"
    """A provider took it, and it failed later."""
    SENT = "sent"
    RETURNED = "returned"
    """It was delivered, and came back."""
    DELIVERED = "delivered"
    READ = "read"


_CHANNEL_PLACE = {state: place for place, state in enumerate(ChannelState)}

_CHANNEL_STATE = dict.fromkeys(FAILURES, ChannelState.FAILED) | {
    Evidence.READ: ChannelState.READ,
    Evidence.OPENED: ChannelState.DELIVERED,
    Evidence.DELIVERED: ChannelState.DELIVERED,
    Evidence.BOUNCED_AFTER_ACCEPTANCE: ChannelState.RETURNED,
    Evidence.SENT: ChannelState.SENT,
    Evidence.UNKNOWN: ChannelState.UNCERTAIN,
}

_ONCE_ACCEPTED = {
    ChannelState.FAILED: ChannelState.SENT_FAILED,
    ChannelState.UNCERTAIN: ChannelState.SENT,
}
"""What a provider took once stays sent, though another try failed or its fate is not known."""


def channel_state(delivery: DeliveryState) -> ChannelState:
    """How far one delivery got on its channel."""
    if known := _CHANNEL_STATE.get(delivery.evidence):
        return _ONCE_ACCEPTED.get(known, known) if delivery.accepted else known
    if delivery.work in (Work.CANCELLED, Work.EXPIRED):
        return ChannelState.LEFT_OUT
    return ChannelState.PLANNED


CHANNEL_DELIVERED = frozenset({ChannelState.RETURNED, ChannelState.DELIVERED, ChannelState.READ})
CHANNEL_SENT = CHANNEL_DELIVERED | {ChannelState.SENT_FAILED, ChannelState.SENT}
CHANNEL_FAILED = frozenset({ChannelState.FAILED, ChannelState.SENT_FAILED, ChannelState.RETURNED})


class Waits(StrEnum):
    """What of a message is still to leave for one person. Of several things the first here counts."""

    TO_ROUTE = "to_route"
    """Everything: their paths are not decided yet."""
    QUEUED = "queued"
    """Something that was never handed to a provider: queued, claimed or being sent, for the first time or again
    after a call that took nothing."""
    RETRY = "retry"
    """Another try, after one that failed or whose fate is not known."""
    HELD = "held"
    """Something waits for quiet hours to end."""


IN_QUEUE = frozenset({Waits.QUEUED, Waits.RETRY})
"""Something goes out by itself, now or at its next try."""

NOT_YET_LEFT = frozenset({Waits.TO_ROUTE, Waits.QUEUED, Waits.HELD})
"""Nobody is reminded of what they have not got: not of what was never handed over, nor of what is held."""

_WAITS_PLACE = {what: place for place, what in enumerate(Waits)}


def waits_of(delivery: DeliveryState) -> Waits | None:
    """What of one delivery is still to leave; nothing, once it has arrived by an earlier try."""
    if RANK[delivery.evidence] >= CLAIMABLE_BELOW:
        return None
    if delivery.work is Work.HELD:
        return Waits.HELD
    if delivery.work not in PENDING_WORK:
        return None
    return Waits.QUEUED if delivery.evidence is Evidence.NONE else Waits.RETRY


@dataclass(frozen=True, slots=True)
class Standing:
    """A person's place in the counters of a message: the bucket, how far each channel got, what still waits."""

    bucket: Bucket
    channels: Mapping[Channel, ChannelState]
    waits: Waits | None = None


def of_recipient(
    deliveries: Iterable[DeliveryState], *, answer: Meaning | None, read: bool, suppressed: bool
) -> Standing:
    """The standing of one recipient.

    ``answer`` is the latest answer that counts, ``read`` evidence of reading that belongs to the person rather
    than to a delivery, ``suppressed`` that routing decided to send nothing (so far). A recipient without
    deliveries who is not suppressed is about to be routed: on the way.
    """
    channels: dict[Channel, ChannelState] = {}
    candidates: list[Bucket] = []
    waiting: list[Waits] = []
    for delivery in deliveries:
        if waits := waits_of(delivery):
            waiting.append(waits)
        candidates.append(of_delivery(delivery))
        state = channel_state(delivery)
        known = channels.get(delivery.channel, state)
        channels[delivery.channel] = max(known, state, key=_CHANNEL_PLACE.__getitem__)
    if answer is not None:
        candidates.append(BUCKET_OF_MEANING[answer])
    if read:
        candidates.append(Bucket.READ)
    if not candidates:
        candidates.append(Bucket.SUPPRESSED if suppressed else Bucket.ON_THE_WAY)
        if not suppressed:
            waiting.append(Waits.TO_ROUTE)
    return Standing(
        min(candidates, key=PRECEDENCE.__getitem__),
        channels,
        min(waiting, key=_WAITS_PLACE.__getitem__, default=None),
    )


@dataclass(frozen=True, slots=True)
class Figures:
    """The cumulative figures that follow from the buckets: "delivered 149 of 156, read 121, confirmed 98"."""

    recipients: int
    delivered: int
    read: int
    confirmed: int

    @classmethod
    def of(cls, buckets: Mapping[Bucket, int]) -> Figures:
        return cls(
            recipients=sum(buckets.values()),
            delivered=sum(buckets.get(bucket, 0) for bucket in DELIVERED_TO),
            read=sum(buckets.get(bucket, 0) for bucket in READERS),
            confirmed=buckets.get(Bucket.CONFIRMED, 0),
        )


@dataclass(frozen=True, slots=True)
class ChannelFigures:
    """One channel of a message, in people. Cumulative but for ``failed``: who was sent something that failed later
    counts as sent and as failed."""

    planned: int
    sent: int
    delivered: int
    read: int
    failed: int

    @classmethod
    def of(cls, states: Mapping[ChannelState, int]) -> ChannelFigures:
        return cls(
            planned=sum(states.values()),
            sent=sum(states.get(state, 0) for state in CHANNEL_SENT),
            delivered=sum(states.get(state, 0) for state in CHANNEL_DELIVERED),
            read=states.get(ChannelState.READ, 0),
            failed=sum(states.get(state, 0) for state in CHANNEL_FAILED),
        )
