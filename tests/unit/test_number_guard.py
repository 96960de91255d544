"""Nobody's phone is flooded, whatever goes wrong."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.domain.number_guard import IDENTICAL, IN_ALL, MOST, MOST_IDENTICAL, WINDOW_MS, Sent, held_until

NOW = 1_790_000_000_000


def test_the_twenty_first_text_in_the_same_words_waits_until_the_first_is_an_hour_old() -> None:
    sent = [Sent(NOW - 1_000 * one, 1) for one in range(MOST_IDENTICAL)]
    oldest = NOW - 1_000 * (MOST_IDENTICAL - 1)
    assert held_until(sent[1:], 1, NOW) is None
    assert held_until(sent, 1, NOW) == (oldest + WINDOW_MS, IDENTICAL)
    assert held_until(sent, 2, NOW) is None


def test_a_hundred_texts_in_any_words_are_the_most_within_an_hour() -> None:
    sent = [Sent(NOW - 1_000 * one, one) for one in range(MOST)]
    assert held_until(sent[1:], 500, NOW) is None
    assert held_until(sent, 500, NOW) == (NOW - 1_000 * (MOST - 1) + WINDOW_MS, IN_ALL)


@given(st.lists(st.tuples(st.integers(-2 * WINDOW_MS, 0), st.integers(1, 3)), max_size=150))
def test_when_the_wait_is_over_it_may_leave(times: list[tuple[int, int]]) -> None:
    sent = [Sent(NOW + at, version) for at, version in times]
    wait = held_until(sent, 1, NOW)
    if wait is not None:
        until, _ = wait
        assert NOW < until <= NOW + WINDOW_MS
        assert held_until(sent, 1, until) is None


@given(st.lists(st.integers(0, 3 * WINDOW_MS), min_size=30, max_size=200))
def test_no_hour_ever_sees_more_than_twenty_in_the_same_words(wishes: list[int]) -> None:
    gone: list[int] = []
    for at in sorted(wishes):
        if held_until([Sent(one, 1) for one in gone], 1, at) is None:
            gone.append(at)
    for at in gone:
        assert sum(at <= one < at + WINDOW_MS for one in gone) <= MOST_IDENTICAL
