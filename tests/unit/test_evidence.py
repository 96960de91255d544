"""Evidence: what is known never gets less, whatever comes in whatever order."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.evidence import (
    CLAIMABLE_BELOW,
    FAILURES,
    OF_FACT,
    RANK,
    AttemptEvidence,
    Evidence,
    in_conflict,
    of_delivery,
    raised,
)
from providers.contract import Fact

facts = st.lists(st.sampled_from(list(Fact)), max_size=8)


def after(told: list[Fact]) -> Evidence:
    known = Evidence.NONE
    for fact in told:
        known = raised(known, OF_FACT[fact])
    return known


def contradicts(told: list[Fact]) -> bool:
    """Whether a contradiction was noticed on the way."""
    known, found = Evidence.NONE, False
    for fact in told:
        found |= in_conflict(known, OF_FACT[fact])
        known = raised(known, OF_FACT[fact])
    return found


def test_every_fact_proves_something_and_every_evidence_has_a_rank() -> None:
    assert set(OF_FACT) == set(Fact)
    assert set(RANK) == set(Evidence)
    assert len(set(RANK.values())) == len(RANK)  # of two facts, one is always the more telling


LADDER = list(
    itertools.pairwise(
        (
            Evidence.NONE,
            Evidence.UNKNOWN,
            Evidence.SENT,
            Evidence.FAILED,
            Evidence.BOUNCED,
            Evidence.OPTED_OUT,
            Evidence.DELIVERED,
            Evidence.BOUNCED_AFTER_ACCEPTANCE,
            Evidence.OPENED,
            Evidence.READ,
        )
    )
)


@pytest.mark.parametrize(("lower", "higher"), LADDER)
def test_the_order_of_the_ranks(lower: Evidence, higher: Evidence) -> None:
    assert lower.rank < higher.rank
    assert raised(lower, higher) is raised(higher, lower) is higher


def test_who_has_it_is_not_sent_it_again() -> None:
    at_least_delivered = {one for one in Evidence if one.rank >= CLAIMABLE_BELOW}
    assert at_least_delivered == {
        Evidence.DELIVERED, Evidence.BOUNCED_AFTER_ACCEPTANCE, Evidence.OPENED, Evidence.READ,
    }  # fmt: skip


@given(facts, st.sampled_from(list(Evidence)))
def test_evidence_never_falls(told: list[Fact], known: Evidence) -> None:
    for fact in told:
        now = raised(known, OF_FACT[fact])
        assert now.rank >= known.rank
        assert now in (known, OF_FACT[fact])
        known = now


@given(facts.flatmap(lambda told: st.tuples(st.just(told), st.permutations(told + told))))
def test_order_and_repetition_change_nothing(case: tuple[list[Fact], list[Fact]]) -> None:
    told, repeated = case
    assert after(told) is after(repeated)


@given(facts.flatmap(lambda told: st.tuples(st.just(told), st.permutations(told + told))))
def test_a_contradiction_is_noticed_in_every_order(case: tuple[list[Fact], list[Fact]]) -> None:
    told, repeated = case
    assert contradicts(told) is contradicts(repeated)


@pytest.mark.parametrize(
    ("one", "other", "conflict"),
    [
        (Fact.FAILED, Fact.DELIVERED, True),
        (Fact.OPTED_OUT, Fact.READ, True),
        (Fact.BOUNCED, Fact.BOUNCED_AFTER_ACCEPTANCE, True),
        (Fact.DELIVERED, Fact.BOUNCED_AFTER_ACCEPTANCE, False),
        (Fact.ACCEPTED, Fact.FAILED, False),
        (Fact.FAILED, Fact.BOUNCED, False),
        (Fact.DELIVERED, Fact.READ, False),
        (Fact.FAILED, Fact.FAILED, False),
    ],
)
def test_what_contradicts_what(one: Fact, other: Fact, conflict: bool) -> None:
    assert in_conflict(OF_FACT[one], OF_FACT[other]) is conflict
    assert in_conflict(OF_FACT[other], OF_FACT[one]) is conflict


# ----------------------------------------------------------------------------------- several attempts


def of(*evidence: Evidence) -> Evidence:
    """The evidence of a delivery whose attempts have come to this, the first one first."""
    return of_delivery([AttemptEvidence(number, one) for number, one in enumerate(evidence, 1)])


@pytest.mark.parametrize(
    ("attempts", "shown"),
    [
        ((), Evidence.NONE),
        ((Evidence.FAILED, Evidence.SENT), Evidence.SENT),
        ((Evidence.DELIVERED, Evidence.FAILED), Evidence.DELIVERED),
        ((Evidence.UNKNOWN, Evidence.FAILED), Evidence.UNKNOWN),
        ((Evidence.UNKNOWN, Evidence.SENT), Evidence.SENT),
        ((Evidence.FAILED, Evidence.OPTED_OUT), Evidence.OPTED_OUT),
        ((Evidence.OPTED_OUT, Evidence.FAILED), Evidence.FAILED),
        ((Evidence.FAILED, Evidence.NONE), Evidence.FAILED),
        ((Evidence.BOUNCED_AFTER_ACCEPTANCE, Evidence.SENT), Evidence.SENT),
        ((Evidence.BOUNCED_AFTER_ACCEPTANCE, Evidence.UNKNOWN), Evidence.UNKNOWN),
        ((Evidence.DELIVERED, Evidence.BOUNCED_AFTER_ACCEPTANCE), Evidence.DELIVERED),
        ((Evidence.SENT, Evidence.READ, Evidence.FAILED), Evidence.READ),
    ],
)
def test_the_best_attempt_is_shown_or_the_latest_failure(
    attempts: tuple[Evidence, ...], shown: Evidence
) -> None:
    assert of(*attempts) is shown


@given(st.lists(st.sampled_from(list(Evidence)), max_size=5), st.randoms())
def test_the_order_in_which_attempts_are_looked_at_does_not_matter(
    evidence: list[Evidence], random: object
) -> None:
    attempts = [AttemptEvidence(number, one) for number, one in enumerate(evidence, 1)]
    mixed = list(attempts)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert of_delivery(mixed) is of_delivery(attempts)


ARRIVED = {one for one in Evidence if one.rank >= CLAIMABLE_BELOW} - FAILURES
"""A person's phone or mailbox has it. An e-mail that was taken and then returned is not there."""

histories = st.lists(st.sampled_from(list(Evidence)), min_size=1, max_size=4)


@given(histories, st.integers(0, 3), st.sampled_from(list(Fact)))
def test_no_fact_but_its_return_takes_an_arrival_away(
    evidence: list[Evidence], which: int, fact: Fact
) -> None:
    which %= len(evidence)
    before = of(*evidence)
    now = list(evidence)
    now[which] = raised(now[which], OF_FACT[fact])
    returned = now[which] is Evidence.BOUNCED_AFTER_ACCEPTANCE
    if before in ARRIVED and not (returned and evidence[which] is before):
        assert of(*now) in ARRIVED
        assert of(*now).rank >= before.rank
    if len(evidence) == 1:
        assert of(*now).rank >= before.rank


@given(histories, st.integers(0, 3))
@example([Evidence.NONE, Evidence.DELIVERED, Evidence.UNKNOWN], 1)
@example([Evidence.DELIVERED, Evidence.SENT], 0)
def test_an_email_that_came_back_leaves_the_best_of_the_other_attempts(
    evidence: list[Evidence], which: int
) -> None:
    """An attempt whose fate is unknown may have arrived: that is better than one that certainly has not."""
    which %= len(evidence)
    now = list(evidence)
    now[which] = raised(now[which], Evidence.BOUNCED_AFTER_ACCEPTANCE)
    if now[which] is Evidence.BOUNCED_AFTER_ACCEPTANCE:
        others = of(*now[:which], *now[which + 1 :])
        if others in FAILURES | {Evidence.NONE}:
            assert of(*now) in FAILURES
        else:
            assert of(*now) is others
