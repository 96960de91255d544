"""Where clocks were changed, found by looking at every day: for tests of everything that follows a wall clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

ZONES = (
    "America/Los_Angeles",
    "Europe/London",
    "Asia/Kolkata",  # never changed, half an hour off
    "Australia/Lord_Howe",  # changed by half an hour
    "Pacific/Apia",  # left out a whole day in 2011
    "America/St_Johns",  # changed across midnight until 2011
    "Africa/Casablanca",  # changed four times in some years
    "Pacific/Chatham",
    "America/Santiago",  # put forward at midnight: the day begins at one
    "UTC",
)

DAY_MS = 86_400_000
FIRST, LAST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1000 for year in (2009, 2030))


@cache
def changes(zone: str) -> tuple[int, ...]:
    """The moment of every change from 2009 to 2029, to the minute."""
    found = []
    place = ZoneInfo(zone)

    def offset(ms: int) -> timedelta | None:
        return datetime.fromtimestamp(ms / 1000, place).utcoffset()

    for day in range(FIRST, LAST, DAY_MS):
        if offset(day) != offset(day + DAY_MS):
            found += [
                day + minute * 60_000
                for minute in range(1, 1441)
                if offset(day + minute * 60_000) != offset(day + (minute - 1) * 60_000)
            ]
    return tuple(found)
