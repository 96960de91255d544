"""Who goes next among the priorities that share a sender, and among productions."""

from __future__ import annotations

from collections import Counter
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from app.domain.lanes import WEIGHTS, Shares, portion, portions
from app.domain.priorities import Priority

OTHERS = list(WEIGHTS)
IMPORTANT, INFO, ROUTINE = OTHERS


def served(shares: Shares, candidates: list[tuple[Priority, int]], most: int) -> Counter[Priority]:
    """Segments by priority of the first ``most`` that leave."""
    segments: Counter[Priority] = Counter()
    turn = shares.in_turn(candidates)
    for place in islice(turn, most):
        priority, count = candidates[place]
        segments[priority] += count
    next(turn, None)  # the last one is charged too
    return segments


def test_where_all_three_wait_they_share_six_to_three_to_one() -> None:
    assert served(Shares(), [(one, 1) for one in OTHERS for _ in range(100)], 100) == {
        IMPORTANT: 60,
        INFO: 30,
        ROUTINE: 10,
    }


def test_they_share_it_too_where_only_one_may_leave_at_a_time() -> None:
    shares = Shares()
    gone: Counter[Priority] = Counter()
    for _ in range(100):
        (chosen,) = shares.quotas(OTHERS, 1)
        gone += served(shares, [(chosen, 1)], 1)
    assert gone == {IMPORTANT: 60, INFO: 30, ROUTINE: 10}


def test_long_texts_count_by_their_segments() -> None:
    segments = served(Shares(), [(IMPORTANT, 1)] * 200 + [(ROUTINE, 3)] * 200, 150)
    assert abs(segments[IMPORTANT] - 6 * segments[ROUTINE]) <= 6 * 3


def test_one_that_waits_alone_gets_everything() -> None:
    assert Shares().quotas([ROUTINE], 30) == {ROUTINE: 30}
    assert Shares().quotas([], 30) == {}


def test_a_night_without_daily_reports_is_no_credit_for_the_morning() -> None:
    shares = Shares()
    shares.quotas([IMPORTANT], 600)
    served(shares, [(IMPORTANT, 1)] * 600, 600)
    shares.quotas([IMPORTANT, ROUTINE], 70)
    assert served(shares, [(one, 1) for one in (IMPORTANT, ROUTINE) for _ in range(70)], 70) == {
        IMPORTANT: 60,
        ROUTINE: 10,
    }


@given(st.lists(st.tuples(st.sampled_from(OTHERS), st.integers(1, 5)), max_size=60))
def test_everybody_leaves_once_and_in_the_order_of_their_own_priority(
    candidates: list[tuple[Priority, int]],
) -> None:
    order = list(Shares().in_turn(candidates))
    assert sorted(order) == list(range(len(candidates)))
    for priority in OTHERS:
        own = [place for place in order if candidates[place][0] is priority]
        assert own == sorted(own)


@given(st.sets(st.sampled_from(OTHERS)), st.integers(0, 200))
def test_every_place_is_given_and_the_weights_hold_to_one_place(waiting: set[Priority], places: int) -> None:
    quotas = Shares().quotas(waiting, places)
    assert sum(quotas.values()) == (places if waiting else 0)
    whole = sum(WEIGHTS[one] for one in waiting)
    for one in waiting:
        assert abs(quotas.get(one, 0) - places * WEIGHTS[one] / whole) <= 2


@given(st.lists(st.integers(0, 5), max_size=60))
def test_what_is_left_over_after_many_turns_is_still_shared_by_weight(turns: list[int]) -> None:
    shares = Shares()
    segments: Counter[Priority] = Counter()
    for most in turns:
        segments += served(shares, [(one, 1) for one in OTHERS for _ in range(5)], most)
    total = sum(segments.values())
    for one in OTHERS:
        assert abs(segments[one] - total * WEIGHTS[one] / 10) <= 2


def test_every_production_begins_once_in_a_round_and_nobody_takes_all_the_calls() -> None:
    assert [portions("abc", turn)[0] for turn in range(4)] == ["a", "b", "c", "a"]
    assert portions([], 5) == []
    free = 30
    for behind, expected in [(2, 10), (1, 10), (0, 10)]:
        assert portion(free, behind) == expected
        free -= expected
    assert portion(1, 2) == 1
