from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Meaning(StrEnum):
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    NEEDS_HELP = "needs_help"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ReplyOption:
    digit: int
    label: str
    meaning: Meaning


STANDARD_OPTIONS = (
    ReplyOption(1, "I have read it and I will be there", Meaning.CONFIRMED),
    ReplyOption(2, "There is a problem", Meaning.NEEDS_HELP),
)


@dataclass(frozen=True, slots=True)
class ReadReply:
    option: ReplyOption | None
    free_text: bool


def read_reply(text: str, options: Sequence[ReplyOption], opted_out: bool = False) -> ReadReply:
    t = text.strip().lower().strip(".!")
    for o in options:
        if t.startswith(str(o.digit)):
            return ReadReply(o, False)
    if t in ("ok", "copy", "copy that", "10-4", "👍", "c", "y", "yes"):
        return ReadReply(next(o for o in options if o.meaning is Meaning.CONFIRMED), False)
    return ReadReply(None, True)
