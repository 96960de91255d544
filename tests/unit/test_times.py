"""Moments and wall clocks, also on the two days a year when clocks are changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import times
from app.domain.times import ago, at_wall, clock_text, is_zone, moments, spell, wall
from tests.unit.clock_changes import FIRST, LAST, ZONES, changes

LA = "America/Los_Angeles"
LONDON = "Europe/London"


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@st.composite
def places_and_moments(draw: st.DrawFn) -> tuple[str, int]:
    """A zone and a moment, often within a day and a half of a change of its clock."""
    zone = draw(st.sampled_from(ZONES))
    anywhen = st.integers(FIRST // 60_000, LAST // 60_000).map(lambda minute: minute * 60_000)
    if not changes(zone):
        return zone, draw(anywhen)
    near = st.tuples(st.sampled_from(changes(zone)), st.integers(-2200, 2200)).map(
        lambda at: at[0] + at[1] * 60_000
    )
    return zone, draw(near | anywhen)


KNOWN = [
    ("an ordinary day", date(2026, 11, 21), time(18, 42), LONDON, "2026-11-21 18:42"),
    ("a summer day", date(2026, 7, 1), time(18, 42), LONDON, "2026-07-01 17:42"),
    ("a leap day", date(2028, 2, 29), time(6, 30), LA, "2028-02-29 14:30"),
    ("half an hour off", date(2026, 11, 21), time(6, 0), "Asia/Kolkata", "2026-11-21 00:30"),
    ("not on the clock: the first moment after", date(2026, 3, 8), time(2, 30), LA, "2026-03-08 10:00"),
    ("the first minute not on the clock", date(2026, 3, 8), time(2, 0), LA, "2026-03-08 10:00"),
    ("just before the gap", date(2026, 3, 8), time(1, 59), LA, "2026-03-08 09:59"),
    ("just after the gap", date(2026, 3, 8), time(3, 0), LA, "2026-03-08 10:00"),
    ("twice on the clock: the first", date(2026, 11, 1), time(1, 30), LA, "2026-11-01 08:30"),
    ("once again", date(2026, 11, 1), time(2, 0), LA, "2026-11-01 10:00"),
    ("a gap of half an hour", date(2026, 10, 4), time(2, 15), "Australia/Lord_Howe", "2026-10-03 15:30"),
    ("a day that never was", date(2011, 12, 30), time(12, 0), "Pacific/Apia", "2011-12-30 10:00"),
    ("a midnight that never was", date(2026, 9, 6), time(0, 0), "America/Santiago", "2026-09-06 04:00"),
]


@pytest.mark.parametrize(
    ("day", "clock", "zone", "moment"), [one[1:] for one in KNOWN], ids=[one[0] for one in KNOWN]
)
def test_a_wall_clock_time_is_this_moment(day: date, clock: time, zone: str, moment: str) -> None:
    assert at_wall(day, clock, zone) == utc(moment)


@given(places_and_moments(), st.integers(0, 59_999))
@settings(max_examples=300, deadline=None)
def test_what_a_clock_shows_is_found_again(at: tuple[str, int], more_ms: int) -> None:
    zone, ms = at[0], at[1] + more_ms
    shown = wall(ms, zone)
    assert ms in moments(shown.date(), shown.time(), zone)
    assert at_wall(shown.date(), shown.time(), zone) <= ms


@given(places_and_moments(), st.integers(0, 1439))
@settings(max_examples=200, deadline=None)
def test_a_time_is_the_first_minute_at_which_the_clock_shows_it_or_has_passed_it(
    at: tuple[str, int], minute: int
) -> None:
    zone, near = at
    day, clock = wall(near, zone).date(), time(*divmod(minute, 60))
    meant = datetime.combine(day, clock)
    start = utc(f"{day}") - 16 * times.HOUR_MS
    first = next(
        ms
        for ms in range(start, start + 60 * times.HOUR_MS, times.MINUTE_MS)
        if wall(ms, zone).replace(tzinfo=None) >= meant
    )
    assert at_wall(day, clock, zone) == first


@given(places_and_moments())
@settings(max_examples=200, deadline=None)
def test_two_moments_of_one_time_show_the_same_and_are_in_order(at: tuple[str, int]) -> None:
    zone, ms = at
    shown = wall(ms, zone)
    both = moments(shown.date(), shown.time(), zone)
    assert list(both) == sorted(set(both))
    assert {wall(one, zone).replace(tzinfo=None) for one in both} == {shown.replace(tzinfo=None)}


def test_milliseconds_survive() -> None:
    assert wall(-1, "UTC") == datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
    assert at_wall(date(2026, 11, 21), time(18, 42, 11, 7_999), "UTC") == utc("2026-11-21 18:42:11") + 7


@pytest.mark.parametrize(
    "name",
    [
        "Europe/London",
        "UTC",
        "Asia/Kolkata",
        "Etc/GMT+5",
        "America/Argentina/Ushuaia",
        "America/Port-au-Prince",
    ],
)
def test_a_place_of_the_database_is_a_zone(name: str) -> None:
    assert is_zone(name)


@pytest.mark.parametrize(
    "name",
    ["", " ", "London", "Europe/Londn", "europe/london", "Europe", "../etc/passwd", "/etc/localtime", "localtime", "posix/Europe/London",
     "right/UTC", "zone.tab", "Factory", "UTC ", "GMT+25", "Europe/London\n", "Europe/London\0", "é", "A" * 5000],
)  # fmt: skip
def test_anything_else_is_not(name: str) -> None:
    assert not is_zone(name)


@given(st.text(max_size=40))
def test_any_text_can_be_asked_about(name: str) -> None:
    assert is_zone(name) in {True, False}


@pytest.mark.parametrize(
    ("elapsed_ms", "short", "long"),
    [
        (-5_000, "0s", "0s"),
        (0, "0s", "0s"),
        (999, "0s", "0s"),
        (12_000, "12s", "12s"),
        (59_999, "59s", "59s"),
        (60_000, "1m", "1m 00s"),
        (4 * 60_000 + 5_000, "4m", "4m 05s"),
        (3_600_000 - 1, "59m", "59m 59s"),
        (2 * 3_600_000 + 5 * 60_000, "2h", "2h 05m"),
        (24 * 3_600_000 - 1, "23h", "23h 59m"),
        (76 * 3_600_000, "3d", "3d 04h"),
    ],
)
def test_a_duration_is_written_short_and_long(elapsed_ms: int, short: str, long: str) -> None:
    assert (ago(elapsed_ms), spell(elapsed_ms)) == (short, long)


def test_the_clock_is_written_with_two_digits_each() -> None:
    assert clock_text(utc("2026-11-21 06:05"), "UTC") == "06:05"
    assert clock_text(utc("2026-11-21 18:42:59"), LA) == "10:42"
