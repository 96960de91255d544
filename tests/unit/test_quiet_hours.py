"""Quiet hours on the wall clock of the person, also in the nights when it is changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.quiet_hours import Window, held, held_until
from app.domain.times import HOUR_MS, MINUTE_MS, wall
from tests.unit.clock_changes import FIRST, LAST, ZONES, changes

LA = "America/Los_Angeles"
LONDON = "Europe/London"


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def minutes(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


def window(text: str) -> Window:
    start, end = text.split("-")
    return Window(minutes(start), minutes(end))


CASES = [
    ("before midnight", "22:00-06:00", LONDON, "2026-11-21 23:10", "2026-11-22 06:00"),
    ("after midnight", "22:00-06:00", LONDON, "2026-11-22 01:10", "2026-11-22 06:00"),
    ("its first moment", "22:00-06:00", LONDON, "2026-11-21 22:00", "2026-11-22 06:00"),
    ("a moment before", "22:00-06:00", LONDON, "2026-11-21 21:59:59", None),
    ("its last moment", "22:00-06:00", LONDON, "2026-11-22 05:59:59", "2026-11-22 06:00"),
    ("its end", "22:00-06:00", LONDON, "2026-11-22 06:00", None),
    ("within a day", "13:00-15:00", LONDON, "2026-11-21 14:00", "2026-11-21 15:00"),
    ("until midnight", "20:00-00:00", LONDON, "2026-11-21 23:59", "2026-11-22 00:00"),
    ("from midnight", "00:00-07:00", LONDON, "2026-11-22 00:00", "2026-11-22 07:00"),
    ("equal edges are no window", "22:00-22:00", LONDON, "2026-11-21 22:00", None),
    ("the person's zone, not London's", "22:00-06:00", LA, "2026-11-22 07:00", "2026-11-22 14:00"),
    ("into a leap day", "22:00-06:00", LONDON, "2028-02-28 23:00", "2028-02-29 06:00"),
    ("out of a leap day", "22:00-06:00", LONDON, "2028-02-29 23:00", "2028-03-01 06:00"),
    ("a night an hour shorter", "22:00-06:00", LA, "2026-03-08 07:00", "2026-03-08 13:00"),
    ("a night an hour longer", "22:00-06:00", LA, "2026-11-01 06:00", "2026-11-01 14:00"),
    ("an end the clock leaves out", "22:00-02:30", LA, "2026-03-08 09:30", "2026-03-08 10:00"),
    ("a start the clock leaves out", "02:30-06:00", LA, "2026-03-08 10:00", "2026-03-08 13:00"),
    ("a window the clock leaves out", "02:10-02:50", LA, "2026-03-08 10:00", None),
    ("free time the clock leaves out", "03:00-02:00", LA, "2026-03-08 09:00", "2026-03-09 09:00"),
    ("an end shown twice, the first time", "22:00-01:30", LA, "2026-11-01 08:10", "2026-11-01 08:30"),
    ("between the two ends", "22:00-01:30", LA, "2026-11-01 08:40", None),
    ("an end shown twice, the second time", "22:00-01:30", LA, "2026-11-01 09:10", "2026-11-01 09:30"),
    ("a start shown twice, the first time", "01:30-06:00", LA, "2026-11-01 08:45", "2026-11-01 14:00"),
    ("a night that has begun is not interrupted", "01:30-06:00", LA, "2026-11-01 09:10", "2026-11-01 14:00"),
    ("both edges shown twice", "01:15-01:45", LA, "2026-11-01 09:20", "2026-11-01 09:45"),
    ("half an hour back", "22:00-01:45", "Australia/Lord_Howe", "2026-04-04 15:05", "2026-04-04 15:15"),
    ("a day that never was", "22:00-06:00", "Pacific/Apia", "2011-12-30 09:00", "2011-12-30 16:00"),
    ("back across midnight", "23:30-06:00", "America/St_Johns", "2010-11-07 02:40", "2010-11-07 09:30"),
]


@pytest.mark.parametrize(
    ("hours", "zone", "now", "until"), [one[1:] for one in CASES], ids=[one[0] for one in CASES]
)
def test_a_message_is_held_until(hours: str, zone: str, now: str, until: str | None) -> None:
    assert held_until(utc(now), zone, window(hours)) == (None if until is None else utc(until))


CALLS = [
    ("nothing depends on it", None, True),
    ("the call comes after the window", "2026-11-22 06:30", True),
    ("the call comes at its very end", "2026-11-22 06:00", False),
    ("the call comes within it", "2026-11-22 05:30", False),
    ("the call has come", "2026-11-21 20:00", False),
]


@pytest.mark.parametrize(("needed_by", "is_held"), [one[1:] for one in CALLS], ids=[one[0] for one in CALLS])
def test_a_message_is_not_held_past_its_call(needed_by: str | None, is_held: bool) -> None:
    until = held(
        utc("2026-11-21 23:10"), LONDON, [window("22:00-06:00")], utc(needed_by) if needed_by else None
    )
    assert until == (utc("2026-11-22 06:00") if is_held else None)


def test_outside_the_window_nothing_is_held_whenever_the_call_is() -> None:
    assert held(utc("2026-11-21 12:00"), LONDON, [window("22:00-06:00")], None) is None
    assert held(utc("2026-11-21 12:00"), LONDON, [window("22:00-06:00")], utc("2026-11-25 12:00")) is None


@pytest.mark.parametrize(("start", "end"), [(-1, 0), (0, 1440), (1440, 0), (0, -1)])
def test_a_minute_that_no_day_has_is_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="0 to 1439"):
        Window(start, end)


@st.composite
def nights(draw: st.DrawFn) -> tuple[str, int]:
    """A zone and a minute, often within a day and a half of a change of its clock or about a leap day."""
    zone = draw(st.sampled_from(ZONES))
    leap_days = [utc("2012-02-29 00:00"), utc("2024-02-29 00:00"), utc("2028-02-29 00:00")]
    near = st.sampled_from([*changes(zone), *leap_days])
    around = st.tuples(near, st.integers(-2200, 2200)).map(lambda at: at[0] + at[1] * MINUTE_MS)
    anywhen = st.integers(FIRST // MINUTE_MS, LAST // MINUTE_MS).map(lambda minute: minute * MINUTE_MS)
    return zone, draw(around | anywhen)


# Edges near the hours at which clocks are changed are drawn as often as any others.
EDGES = st.integers(0, 1439) | st.integers(0, 16).map(lambda quarter: quarter * 15) | st.integers(1380, 1439)
WINDOWS = st.builds(Window, EDGES, EDGES)


def shows_quiet(shown: datetime, quiet: Window) -> bool:
    minute = shown.hour * 60 + shown.minute
    if quiet.start <= quiet.end:
        return quiet.start <= minute < quiet.end
    return minute >= quiet.start or minute < quiet.end


def end_of_night(shown: datetime, quiet: Window) -> datetime:
    """When the clock will show the end of the window it shows now."""
    end = shown.replace(hour=quiet.end // 60, minute=quiet.end % 60)
    return end if end > shown else end + timedelta(days=1)


def first_free_minute(now: int, zone: str, quiet: Window) -> int:
    """Somebody who looks at the clock once a minute, from two days before: it is quiet while the clock says so,
    and until the end of a night that has begun has been seen."""
    night_ends = None
    for ms in range(now - 50 * HOUR_MS, now + 100 * HOUR_MS, MINUTE_MS):
        shown = wall(ms, zone).replace(tzinfo=None)
        if night_ends is not None and shown >= night_ends:
            night_ends = None
        if night_ends is None and shows_quiet(shown, quiet):
            night_ends = end_of_night(shown, quiet)
        if ms >= now and night_ends is None:
            return ms
    raise AssertionError("It is quiet for days.")


@given(nights(), WINDOWS)
@settings(max_examples=150, deadline=None)
def test_it_is_the_first_minute_at_which_somebody_watching_the_clock_would_send(
    at: tuple[str, int], quiet: Window
) -> None:
    zone, now = at
    free = first_free_minute(now, zone, quiet)
    assert held_until(now, zone, quiet) == (None if free == now else free)


@given(nights(), WINDOWS, st.integers(0, 59_999))
@settings(max_examples=300, deadline=None)
def test_the_end_is_ahead_and_outside_and_the_moment_before_is_inside(
    at: tuple[str, int], quiet: Window, more: int
) -> None:
    zone, now = at[0], at[1] + more
    until = held_until(now, zone, quiet)
    if until is None:
        assert not shows_quiet(wall(now, zone), quiet)
    else:
        assert until > now
        assert not shows_quiet(wall(until, zone), quiet)
        assert held_until(until, zone, quiet) is None
        assert held_until(until - 1, zone, quiet) == until


@given(nights(), WINDOWS, st.none() | st.integers(-3000, 3000))
@settings(max_examples=150, deadline=None)
def test_a_held_message_always_arrives_before_its_call(
    at: tuple[str, int], quiet: Window, call_in: int | None
) -> None:
    zone, now = at
    needed_by = None if call_in is None else now + call_in * MINUTE_MS
    until = held(now, zone, [quiet], needed_by)
    assert until in {None, held_until(now, zone, quiet)}
    assert until is None or needed_by is None or until < needed_by
