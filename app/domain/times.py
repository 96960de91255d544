"""Moments and wall clocks. A moment is an integer: milliseconds since 1970 in UTC; a wall clock needs a zone.

Twice a year a wall clock is changed. One rule holds everywhere: a wall-clock time that does not exist (the clock
was put forward over it) means the first moment after the gap; one that exists twice means the first of the two.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.problem import Problem

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


# ------------------------------------------------------------------------------------ what people type

FURTHEST_DAYS: Final = 366
"""A message is not planned further ahead than this: a slip in the year would hide it."""

LONGEST: Final = 60
"""Characters. No way of writing a time that is understood here needs more."""

NOT_READ = Problem(
    "This is not a time that can be read.",
    "Write 22:40, 6:30am, tomorrow 6:30, 2026-11-22 06:30 or in 20 min.",
)
NO_SUCH_TIME = Problem("There is no such time of day.", "Write it from 00:00 to 23:59, or with am or pm.")
NO_SUCH_DAY = Problem("There is no such day.", "Write the day as year-month-day: 2026-11-22 06:30.")
NO_TIME = Problem("The day has no time.", "Write the time as well: tomorrow 6:30.")
ALREADY_PAST = Problem("That time has already passed.", "Choose a later time.")
TOO_FAR = Problem("That is more than a year ahead.", "Choose an earlier day.")

_UNITS: Final[dict[str, int]] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), SECOND_MS),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), MINUTE_MS),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), HOUR_MS),
}
_DAYS: Final[dict[str, int]] = {"today": 0, "tomorrow": 1}
_CLOCKS: Final[dict[str, time]] = {"noon": time(12), "midday": time(12), "midnight": time(0)}

_AMOUNT = re.compile(r"(\d{1,5}) ?([a-z]+)")
_IN = re.compile(r"(?:in |\+ ?)((?:\d{1,5} ?[a-z]+[ ,]*)+)")
_CLOCK = re.compile(r"(?:(\d{1,2})(?:[:.](\d{2}))?|(\d{2})(\d{2}))(?:\s*([ap])(?:\.?m\.?)?)?")
_DAY_LAST = re.compile(r"^(.+) (today|tomorrow)$")
_DAY_AND_CLOCK = re.compile(
    r"(?:(\d{4}-\d{1,2}-\d{1,2})(?:t(?=\d)|\b)|(today|tomorrow)\b)?[\s,]*(?:at\s+)?(.*)"
)


def parse_when(text: str, now_ms: int, zone: str) -> int | Problem:
    """The moment somebody means by ``text``, read in ``zone``.

    Understands "now", "22:40", "0630", "6:30am", "noon", "tomorrow 6:30", "2026-11-22 06:30" and "in 20 min". A
    bare time that has passed today means tomorrow; a day that is named and has passed is a problem. Where the
    clock shows a time twice, the first of the two that has not passed.
    """
    written = " ".join(text.casefold().split())
    if written == "now":
        return now_ms
    if len(written) > LONGEST:
        return NOT_READ
    if later := _IN.fullmatch(written.replace(" and ", " ")):
        return _later(later[1], now_ms)
    parts = _DAY_AND_CLOCK.fullmatch(_DAY_LAST.sub(r"\2 \1", written))
    if parts is None:
        return NOT_READ
    today = wall(now_ms, zone).date()
    try:
        day = _day(parts[1], parts[2], today)
    except ValueError:
        return NO_SUCH_DAY
    if not parts[3]:
        return NO_TIME if day else NOT_READ
    clock = _clock(parts[3])
    if isinstance(clock, Problem):
        return clock
    if day is None:
        ahead = _ahead(today, clock, zone, now_ms)
        tomorrow = today + timedelta(days=1)
        # a clock put back across midnight can show a time of tomorrow that has passed once already
        ahead = _ahead(tomorrow, clock, zone, now_ms) if ahead is None else ahead
        return at_wall(tomorrow + timedelta(days=1), clock, zone) if ahead is None else ahead
    if day > today + timedelta(days=FURTHEST_DAYS):
        return TOO_FAR
    if day < today:
        return ALREADY_PAST
    ahead = _ahead(day, clock, zone, now_ms)
    return ALREADY_PAST if ahead is None else ahead


def _later(amounts: str, now_ms: int) -> int | Problem:
    total = 0
    for amount, unit in _AMOUNT.findall(amounts):
        if unit not in _UNITS:
            return NOT_READ
        total += int(amount) * _UNITS[unit]
    return TOO_FAR if total > FURTHEST_DAYS * DAY_MS else now_ms + total


def _day(written: str | None, named: str | None, today: date) -> date | None:
    if written:
        year, month, day = (int(part) for part in written.split("-"))
        return date(year, month, day)
    return today + timedelta(days=_DAYS[named]) if named else None


def _clock(written: str) -> time | Problem:
    if written in _CLOCKS:
        return _CLOCKS[written]
    read = _CLOCK.fullmatch(written)
    if read is None:
        return NOT_READ
    half = read[5]
    if half is None and read[2] is None and read[3] is None:
        return NOT_READ  # a lone "6" may be the morning or the evening
    hour, minute = int(read[1] or read[3]), int(read[2] or read[4] or 0)
    if half and not 1 <= hour <= 12:
        return NO_SUCH_TIME
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else NO_SUCH_TIME


def _ahead(day: date, clock: time, zone: str, now_ms: int) -> int | None:
    return next((ms for ms in moments(day, clock, zone) if ms >= now_ms), None)
