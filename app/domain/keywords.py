from __future__ import annotations

from enum import StrEnum


class Keyword(StrEnum):
    STOP = "stop"
    START = "start"
    HELP = "help"


def keyword(text: str, *, opted_out: bool = False) -> Keyword | None:
    t = text.strip().lower().strip(".!")
    if t in ("stop", "unsubscribe"):
        return Keyword.STOP
    if t in ("start", "unstop"):
        return Keyword.START
    if t in ("help", "info"):
        return Keyword.HELP
    return None


def asks_to_be_left_alone(text: str) -> bool:
    return "leave me alone" in text.lower()
