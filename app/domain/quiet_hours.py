"""Quiet hours: the part of a person's day in which only what cannot wait is sent.

They are times on the person's own wall clock, in the person's own zone. When the clock is changed in the night:

* an edge that does not exist is the first moment after the gap;
* an edge that exists twice begins the quiet at its first moment, and the clock going back never interrupts a night
  that has begun;
* when the clock goes back behind the end, it is quiet until the clock shows the end again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Final

from app.domain.times import clock_change, moments, wall

MINUTES_OF_A_DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Window:
    """Quiet from ``start`` up to, not including, ``end``: minutes of the day, 0 to 1439.

    Where ``end`` is earlier than ``start`` the window crosses midnight. Where both are equal there is no window:
    nobody means to be quiet all day. Raises ValueError for other numbers.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if not (0 <= self.start < MINUTES_OF_A_DAY and 0 <= self.end < MINUTES_OF_A_DAY):
            raise ValueError("A minute of the day is 0 to 1439.")


PROMOTIONAL_NIGHT: Final = Window(21 * 60, 9 * 60)
"""Promotional messages go out between 9 and 21 by the recipient's clock. The law of the United States allows texts
and calls from 8 to 21 (47 CFR 64.1200(c)(1)); an hour more is left to sleep."""

MOST_WINDOWS: Final = 4
"""So many windows in a row are waited for. Windows that leave no minute of the day free would be waited for for
ever; what is held is looked at again when its time has come."""


def held(now_ms: int, zone: str, windows: Sequence[Window], needed_by_ms: int | None) -> int | None:
    """Until when a message waits for the end of all these quiet hours, or None where it goes out now.

    ``needed_by_ms`` is when the call it concerns comes, for a message that must not be held past it (IMPORTANT):
    if that is before the window ends, or at its very end, the message is not held. None: nothing depends on it.
    """
    until: int | None = None
    for _ in range(MOST_WINDOWS):
        ends = [held_until(until or now_ms, zone, window) for window in windows]
        later = max((end for end in ends if end is not None), default=None)
        if later is None:
            break
        until = later
    if until is not None and needed_by_ms is not None and needed_by_ms <= until:
        return None
    return until


def held_until(now_ms: int, zone: str, window: Window) -> int | None:
    """The first moment after the quiet hours that ``now_ms`` falls into, or None outside of them.

    ``zone`` must be a name of the IANA database.
    """
    moment = now_ms
    while (end := _end_of_quiet(moment, zone, window)) is not None:
        moment = (
            end  # the next quiet may begin right there, where the clock was put forward over the time between
        )
    return moment if moment > now_ms else None


def _end_of_quiet(moment: int, zone: str, window: Window) -> int | None:
    today = wall(moment, zone).date()
    # Two days back: a night that began yesterday, seen after the clock went back across midnight.
    for days in (-2, -1, 0, 1):
        for start, end in _spans(today + timedelta(days=days), zone, window):
            if start <= moment < end:
                return end
    return None


def _spans(day: date, zone: str, window: Window) -> Iterator[tuple[int, int]]:
    """The moments of quiet of the night that begins on ``day``: one span, or a second after the clock went back."""
    if window.start == window.end:
        return
    last_day = day if window.start < window.end else day + timedelta(days=1)
    starts = moments(day, _clock(window.start), zone)
    ends = moments(last_day, _clock(window.end), zone)
    yield starts[0], ends[0]
    if len(ends) > 1:
        went_back = clock_change(ends[0], ends[1], zone)
        yield max(went_back, starts[-1]), ends[1]


def _clock(minute: int) -> time:
    return time(*divmod(minute, 60))
