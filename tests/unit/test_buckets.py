"""Eleven buckets: everybody stands in exactly one, and it is the one that matters most."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.buckets import (
    ANSWERED,
    BUCKET_OF_MEANING,
    DELIVERED_TO,
    JSON_ORDER,
    LABELS,
    NON_READERS,
    PRECEDENCE,
    READERS,
    Bucket,
    ChannelFigures,
    ChannelState,
    DeliveryState,
    Figures,
    channel_state,
    of_delivery,
    of_recipient,
)
from app.domain.evidence import FAILURES, PENDING_WORK, Evidence, Work
from app.domain.replies import Meaning
from providers.contract import Channel

states = st.builds(
    DeliveryState,
    channel=st.sampled_from([Channel.SMS, Channel.EMAIL, Channel.PUSH]),
    work=st.sampled_from(list(Work)),
    evidence=st.sampled_from(list(Evidence)),
    receipt_possible=st.booleans(),
)
people = st.fixed_dictionaries(
    {
        "deliveries": st.lists(states, max_size=4),
        "answer": st.none() | st.sampled_from(list(Meaning)),
        "read": st.booleans(),
        "suppressed": st.booleans(),
    }
)


def one(work: Work, evidence: Evidence, *, receipt_possible: bool = True) -> DeliveryState:
    return DeliveryState(Channel.SMS, work, evidence, receipt_possible)


def bucket_of(*deliveries: DeliveryState, answer: Meaning | None = None, read: bool = False) -> Bucket:
    return of_recipient(deliveries, answer=answer, read=read, suppressed=False).bucket


def test_the_eleven_and_their_order() -> None:
    assert [bucket.label for bucket in sorted(Bucket, key=PRECEDENCE.__getitem__)] == [
        "Needs help", "Declined", "Confirmed", "Read", "Delivered", "Sent, no receipt possible", "Uncertain",
        "On the way", "Not reached", "Held", "Suppressed",
    ]  # fmt: skip
    assert set(LABELS) == set(Bucket)
    assert sorted(JSON_ORDER) == sorted(Bucket)


WITNESSES: dict[Bucket, DeliveryState] = {
    Bucket.READ: one(Work.DONE, Evidence.READ),
    Bucket.DELIVERED: one(Work.DONE, Evidence.DELIVERED),
    Bucket.NO_RECEIPT: one(Work.DONE, Evidence.SENT, receipt_possible=False),
    Bucket.UNCERTAIN: one(Work.DONE, Evidence.UNKNOWN),
    Bucket.ON_THE_WAY: one(Work.QUEUED, Evidence.NONE),
    Bucket.NOT_REACHED: one(Work.DONE, Evidence.FAILED),
    Bucket.HELD: one(Work.HELD, Evidence.NONE),
    Bucket.SUPPRESSED: one(Work.CANCELLED, Evidence.NONE),
}
"""A delivery that alone puts its person there."""

ANSWERS = {Bucket.NEEDS_HELP: Meaning.NEEDS_HELP, Bucket.DECLINED: Meaning.DECLINED, Bucket.CONFIRMED: Meaning.CONFIRMED}  # fmt: skip


PAIRS = [
    (first, second)
    for first, second in itertools.combinations(sorted(Bucket, key=PRECEDENCE.__getitem__), 2)
    if second not in ANSWERS  # a person has one answer that counts
]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_of_two_buckets_that_fit_the_first_is_the_persons(first: Bucket, second: Bucket) -> None:
    deliveries = [WITNESSES[bucket] for bucket in (second, first) if bucket in WITNESSES]
    assert bucket_of(*deliveries, answer=ANSWERS.get(first)) is first


@pytest.mark.parametrize(
    ("work", "evidence", "bucket"),
    [
        (Work.SENDING, Evidence.NONE, Bucket.ON_THE_WAY),
        (Work.CLAIMED, Evidence.NONE, Bucket.ON_THE_WAY),
        (Work.DONE, Evidence.SENT, Bucket.ON_THE_WAY),
        (Work.QUEUED, Evidence.FAILED, Bucket.NOT_REACHED),
        (Work.QUEUED, Evidence.UNKNOWN, Bucket.UNCERTAIN),
        (Work.EXPIRED, Evidence.UNKNOWN, Bucket.UNCERTAIN),
        (Work.EXPIRED, Evidence.NONE, Bucket.SUPPRESSED),
        (Work.CANCELLED, Evidence.FAILED, Bucket.NOT_REACHED),
        (Work.CANCELLED, Evidence.DELIVERED, Bucket.DELIVERED),
        (Work.DONE, Evidence.OPENED, Bucket.DELIVERED),
        (Work.DONE, Evidence.OPTED_OUT, Bucket.NOT_REACHED),
        (Work.DONE, Evidence.BOUNCED_AFTER_ACCEPTANCE, Bucket.NOT_REACHED),
        (Work.DONE, Evidence.NONE, Bucket.NOT_REACHED),
    ],
)
def test_where_one_delivery_puts_its_person(work: Work, evidence: Evidence, bucket: Bucket) -> None:
    assert of_delivery(one(work, evidence)) is bucket


@pytest.mark.parametrize("work", [work for work in Work if work is not Work.DONE])
def test_no_receipt_possible_is_said_only_of_what_was_sent_for_good(work: Work) -> None:
    assert of_delivery(one(work, Evidence.SENT, receipt_possible=False)) is Bucket.ON_THE_WAY


def test_a_person_without_deliveries_is_about_to_be_routed_unless_nothing_will_be_sent() -> None:
    assert of_recipient((), answer=None, read=False, suppressed=False).bucket is Bucket.ON_THE_WAY
    assert of_recipient((), answer=None, read=False, suppressed=True).bucket is Bucket.SUPPRESSED


@given(people)
def test_everybody_stands_in_the_first_bucket_that_fits(person: dict[str, object]) -> None:
    standing = of_recipient(**person)  # type: ignore[arg-type]
    deliveries: list[DeliveryState] = person["deliveries"]  # type: ignore[assignment]
    fitting = {of_delivery(delivery) for delivery in deliveries}
    if person["answer"] is not None:
        fitting.add(BUCKET_OF_MEANING[person["answer"]])  # type: ignore[index]
    if person["read"]:
        fitting.add(Bucket.READ)
    if fitting:
        assert standing.bucket is min(fitting, key=PRECEDENCE.__getitem__)


@given(people, st.randoms())
def test_the_order_of_the_deliveries_does_not_matter(person: dict[str, object], random: object) -> None:
    mixed = list(person["deliveries"])  # type: ignore[call-overload]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert of_recipient(**person) == of_recipient(**(person | {"deliveries": mixed}))  # type: ignore[arg-type]


@given(people, st.sampled_from([Meaning.CONFIRMED, Meaning.DECLINED, Meaning.NEEDS_HELP]))
def test_an_answer_is_never_hidden_by_a_delivery(person: dict[str, object], answer: Meaning) -> None:
    standing = of_recipient(**(person | {"answer": answer}))  # type: ignore[arg-type]
    assert standing.bucket is BUCKET_OF_MEANING[answer]
    assert standing.bucket in ANSWERED


@given(st.lists(people, max_size=30))
def test_the_buckets_sum_up_to_the_people_and_the_figures_follow(crowd: list[dict[str, object]]) -> None:
    counts = Counter(of_recipient(**person).bucket for person in crowd)  # type: ignore[arg-type]
    figures = Figures.of(counts)
    assert figures.recipients == sum(counts.values()) == len(crowd)
    assert figures.confirmed <= figures.read <= figures.delivered <= figures.recipients
    assert figures.read == sum(counts[bucket] for bucket in READERS)
    non_readers = sum(counts[bucket] for bucket in NON_READERS)
    assert figures.read + non_readers + counts[Bucket.SUPPRESSED] == len(crowd)


def test_readers_and_those_we_are_after_leave_out_only_the_suppressed() -> None:
    assert not READERS & NON_READERS
    assert frozenset(Bucket) - READERS - NON_READERS == {Bucket.SUPPRESSED}
    assert ANSWERED < READERS < DELIVERED_TO


# ------------------------------------------------------------------------------------------- by channel


@pytest.mark.parametrize("evidence", list(Evidence))
@pytest.mark.parametrize("work", list(Work))
def test_how_far_a_delivery_got_on_its_channel(work: Work, evidence: Evidence) -> None:
    state = channel_state(one(work, evidence))
    if evidence in FAILURES:
        assert state is ChannelState.FAILED
    elif evidence is Evidence.NONE:
        left_out = work in (Work.CANCELLED, Work.EXPIRED)
        assert state is (ChannelState.LEFT_OUT if left_out else ChannelState.PLANNED)
    else:
        expected = {
            Evidence.UNKNOWN: "uncertain", Evidence.SENT: "sent", Evidence.DELIVERED: "delivered",
            Evidence.OPENED: "delivered", Evidence.READ: "read",
        }  # fmt: skip
        assert state.value == expected[evidence]


@given(people)
def test_a_person_counts_once_on_each_channel_at_the_furthest(person: dict[str, object]) -> None:
    standing = of_recipient(**person)  # type: ignore[arg-type]
    deliveries: list[DeliveryState] = person["deliveries"]  # type: ignore[assignment]
    places = list(ChannelState)
    assert set(standing.channels) == {delivery.channel for delivery in deliveries}
    for delivery in deliveries:
        assert places.index(standing.channels[delivery.channel]) >= places.index(channel_state(delivery))


@given(st.lists(st.sampled_from(list(ChannelState)), max_size=30))
def test_the_figures_of_a_channel_are_cumulative(found: list[ChannelState]) -> None:
    figures = ChannelFigures.of(Counter(found))
    assert figures.read <= figures.delivered <= figures.sent <= figures.planned == len(found)
    assert figures.failed == found.count(ChannelState.FAILED)


def test_held_waits_for_an_hour_and_not_for_us() -> None:
    assert Work.HELD not in PENDING_WORK
