from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo, available_timezones


def wall(ms: int, zone: str) -> datetime:
    return datetime.fromtimestamp(ms / 1000, ZoneInfo(zone))


def at_wall(day: date, at: time, zone: str) -> int:
    return round(datetime.combine(day, at, ZoneInfo(zone)).timestamp() * 1000)


def is_zone(name: str) -> bool:
    return name in available_timezones()


def clock_text(ms: int, zone: str) -> str:
    return wall(ms, zone).strftime("%H:%M")


def ago(ms: int) -> str:
    return f"{ms // 60000}m"


def spell(ms: int) -> str:
    return f"{ms // 1000} s"
