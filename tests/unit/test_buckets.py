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
    Waits,
    channel_state,
    of_delivery,
    of_recipient,
)
from app.domain.evidence import FAILURES, PENDING_WORK, AttemptEvidence, Evidence, Work, raised
from app.domain.evidence import of_delivery as of_attempts
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
    if evidence is Evidence.BOUNCED_AFTER_ACCEPTANCE:
        assert state is ChannelState.RETURNED
    elif evidence in FAILURES:
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
    failed = (ChannelState.FAILED, ChannelState.SENT_FAILED, ChannelState.RETURNED)
    assert figures.failed == sum(found.count(state) for state in failed)


def figures_of(deliveries: list[DeliveryState]) -> ChannelFigures:
    standing = of_recipient(deliveries, answer=None, read=False, suppressed=False)
    return ChannelFigures.of(Counter(standing.channels.values()))


@given(st.lists(st.sampled_from(list(Evidence)), max_size=8), states)
def test_sent_delivered_and_read_never_fall_whatever_is_learned_of_a_text_in_whatever_order(
    learned: list[Evidence], earlier: DeliveryState
) -> None:
    """One text beside an earlier one of the same person; from the first fact on a provider has taken it."""
    known = Evidence.NONE
    before = figures_of([earlier])
    for one_more in learned:
        known = raised(known, one_more)
        accepted = known not in (Evidence.NONE, Evidence.UNKNOWN)
        text = DeliveryState(earlier.channel, Work.DONE, known, accepted=accepted)
        after = figures_of([earlier, text])
        assert after.sent >= before.sent
        assert after.delivered >= before.delivered
        assert after.read >= before.read
        before = after


RECEIPTS_OF_TEXTS = st.sampled_from(
    (Evidence.SENT, Evidence.FAILED, Evidence.OPTED_OUT, Evidence.DELIVERED, Evidence.OPENED, Evidence.READ)
)


@given(st.lists(st.tuples(st.sampled_from((1, 2)), RECEIPTS_OF_TEXTS), min_size=1, max_size=10))
def test_what_was_sent_stays_sent_while_another_try_is_made(receipts: list[tuple[int, Evidence]]) -> None:
    """Two tries of one text, the second of unknown fate until something is heard of it."""
    tries = {1: Evidence.SENT, 2: Evidence.UNKNOWN}
    before = figures_of([DeliveryState(Channel.SMS, Work.DONE, Evidence.SENT, accepted=True)])
    for number, fact in receipts:
        tries[number] = raised(tries[number], fact)
        known = of_attempts([AttemptEvidence(one, evidence) for one, evidence in tries.items()])
        after = figures_of([DeliveryState(Channel.SMS, Work.DONE, known, accepted=True)])
        assert after.sent == before.sent == 1
        assert after.delivered >= before.delivered
        assert after.read >= before.read
        before = after


def test_who_was_sent_a_text_that_failed_later_counts_as_sent_and_as_failed() -> None:
    refused = DeliveryState(Channel.SMS, Work.DONE, Evidence.FAILED)
    taken = DeliveryState(Channel.SMS, Work.DONE, Evidence.FAILED, accepted=True)
    assert figures_of([refused]) == ChannelFigures(planned=1, sent=0, delivered=0, read=0, failed=1)
    assert figures_of([taken]) == ChannelFigures(planned=1, sent=1, delivered=0, read=0, failed=1)


# ---------------------------------------------------------------------------------- what is still to leave


@pytest.mark.parametrize(
    ("work", "evidence", "waits"),
    [
        (Work.QUEUED, Evidence.NONE, Waits.QUEUED),
        (Work.CLAIMED, Evidence.NONE, Waits.QUEUED),
        (Work.SENDING, Evidence.NONE, Waits.QUEUED),
        (Work.QUEUED, Evidence.FAILED, Waits.RETRY),
        (Work.QUEUED, Evidence.UNKNOWN, Waits.RETRY),
        (Work.HELD, Evidence.NONE, Waits.HELD),
        (Work.HELD, Evidence.FAILED, Waits.HELD),
        (Work.SENDING, Evidence.DELIVERED, None),
        (Work.DONE, Evidence.SENT, None),
        (Work.CANCELLED, Evidence.NONE, None),
        (Work.EXPIRED, Evidence.FAILED, None),
    ],
)
def test_what_of_a_delivery_is_still_to_leave(work: Work, evidence: Evidence, waits: Waits | None) -> None:
    assert of_recipient([one(work, evidence)], answer=None, read=False, suppressed=False).waits is waits


def test_of_several_that_wait_the_one_that_was_never_handed_over_counts() -> None:
    queued, retry = one(Work.QUEUED, Evidence.NONE), one(Work.QUEUED, Evidence.FAILED)
    standing = of_recipient([retry, queued], answer=None, read=False, suppressed=False)
    assert standing.waits is Waits.QUEUED


def test_whose_paths_are_not_decided_waits_unless_nothing_will_be_sent() -> None:
    assert of_recipient((), answer=None, read=False, suppressed=False).waits is Waits.TO_ROUTE
    assert of_recipient((), answer=None, read=False, suppressed=True).waits is None
    assert of_recipient((), answer=Meaning.CONFIRMED, read=False, suppressed=False).waits is None


def test_held_waits_for_an_hour_and_not_for_us() -> None:
    assert Work.HELD not in PENDING_WORK
