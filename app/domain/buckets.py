"""Where a person stands with a message: eleven exclusive buckets whose sum is the number of recipients.

A person counts once, at the best of all their deliveries. Everything here is recomputed from rows; nothing is
declared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.domain.evidence import FAILURES, PENDING_WORK, Evidence, Work
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
    """How far a message got on one channel, for one person."""

    PLANNED = "planned"
    LEFT_OUT = "left_out"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"


_CHANNEL_PLACE = {state: place for place, state in enumerate(ChannelState)}

_CHANNEL_STATE = {
    Evidence.READ: ChannelState.READ,
    Evidence.OPENED: ChannelState.DELIVERED,
    Evidence.DELIVERED: ChannelState.DELIVERED,
    Evidence.SENT: ChannelState.SENT,
    Evidence.UNKNOWN: ChannelState.UNCERTAIN,
} | dict.fromkeys(FAILURES, ChannelState.FAILED)


def channel_state(delivery: DeliveryState) -> ChannelState:
    """How far one delivery got on its channel."""
    if known := _CHANNEL_STATE.get(delivery.evidence):
        return known
    if delivery.work in (Work.CANCELLED, Work.EXPIRED):
        return ChannelState.LEFT_OUT
    return ChannelState.PLANNED


CHANNEL_SENT = frozenset({ChannelState.SENT, ChannelState.DELIVERED, ChannelState.READ})
CHANNEL_DELIVERED = frozenset({ChannelState.DELIVERED, ChannelState.READ})


@dataclass(frozen=True, slots=True)
class Standing:
    """A person's place in the counters of a message: the bucket, and how far each channel got."""

    bucket: Bucket
    channels: Mapping[Channel, ChannelState]


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
    for delivery in deliveries:
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
    return Standing(min(candidates, key=PRECEDENCE.__getitem__), channels)


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
    """One channel of a message, in people. Cumulative but for ``failed``."""

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
            failed=states.get(ChannelState.FAILED, 0),
        )
