"""Moments and wall clocks. A moment is an integer: milliseconds since 1970 in UTC; a wall clock needs a zone.

Twice a year a wall clock is changed. One rule holds everywhere: a wall-clock time that does not exist (the clock
was put forward over it) means the first moment after the gap; one that exists twice means the first of the two.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_ZONE_NAME = re.compile(r"[A-Z][A-Za-z0-9_+-]*(?:/[A-Z][A-Za-z0-9_+-]*){0,2}")
_NO_PLACE = frozenset({"Factory"})
"""In the zone tables, but the name of no place."""


def is_zone(name: str) -> bool:
    """Whether ``name`` is a time zone of the IANA database, such as "Europe/London" or "UTC"."""
    if not _ZONE_NAME.fullmatch(name) or name in _NO_PLACE:
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # no such file, a file that is no zone, a folder
        return False
    return True


def wall(ms: int, zone: str) -> datetime:
    """What the clock on the wall in ``zone`` shows at the moment ``ms``. ``zone`` must pass :func:`is_zone`."""
    return (_EPOCH + ms * _MILLISECOND).astimezone(ZoneInfo(zone))


def at_wall(day: date, clock: time, zone: str) -> int:
    """The moment when the clock in ``zone`` shows ``clock`` on ``day``: the first moment after the gap where it
    never does, the first of the two where it does so twice. ``clock`` has no zone of its own."""
    return moments(day, clock, zone)[0]


def moments(day: date, clock: time, zone: str) -> tuple[int, ...]:
    """Every moment when the clock in ``zone`` shows ``clock`` on ``day``, in order: one or two, never none."""
    shown = datetime.combine(day, clock)
    place = ZoneInfo(zone)
    found = sorted({_ms(shown.replace(tzinfo=place, fold=fold)) for fold in (0, 1)})
    real = tuple(ms for ms in found if wall(ms, zone).replace(tzinfo=None) == _to_the_millisecond(shown))
    return real or (clock_change(found[0], found[-1], zone),)


def clock_change(before_ms: int, after_ms: int, zone: str) -> int:
    """The moment between the two when the clock in ``zone`` is changed: the first one of the new time. Where it is
    not changed, ``after_ms``."""
    old = wall(before_ms, zone).utcoffset()
    while after_ms - before_ms > 1:
        middle = (before_ms + after_ms) // 2
        if wall(middle, zone).utcoffset() == old:
            before_ms = middle
        else:
            after_ms = middle
    return after_ms


def clock_text(ms: int, zone: str) -> str:
    """The time of day as screens show it: "18:42"."""
    return f"{wall(ms, zone):%H:%M}"


def ago(elapsed_ms: int) -> str:
    """A duration in its largest unit, for narrow columns: "12s", "4m", "2h", "3d". Below zero it is "0s"."""
    for letter, size in (("d", DAY_MS), ("h", HOUR_MS), ("m", MINUTE_MS)):
        if elapsed_ms >= size:
            return f"{elapsed_ms // size}{letter}"
    return f"{max(0, elapsed_ms) // SECOND_MS}s"


def spell(elapsed_ms: int) -> str:
    """A duration in its two largest units, for sentences: "40s", "2m 10s", "2h 05m", "3d 04h"."""
    seconds = max(0, elapsed_ms) // SECOND_MS
    if seconds < 60:
        return f"{seconds}s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes}m {seconds:02}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h {minutes:02}m"
    days, hours = divmod(hours, 24)
    return f"{days}d {hours:02}h"


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def _to_the_millisecond(shown: datetime) -> datetime:
    return shown.replace(microsecond=shown.microsecond // 1000 * 1000)
