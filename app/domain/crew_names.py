"""How a crew list writes the names of people: "Lund, Ada", and the lines that are no people at all."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.domain.crew_table import fold

SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv", "v"})
"""Generations: they stay behind the last name when a name is turned round."""

BEHIND_A_COMMA = SUFFIXES | frozenset(
    {"asc", "bsc", "csc", "acs", "afc", "aic", "ace", "csa", "dga", "pga", "mpse", "cas", "sdsa", "adg", "md", "phd",
     "rn", "emt", "esq", "inc", "llc", "ltd", "co", "corp", "gmbh", "sl", "sa"}
)  # fmt: skip
"""What stands behind a comma without being a first name: generations, guilds and societies, degrees, firms."""

_LIKE_A_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|[ .'’‘()\"“”-])*")
"""Letters, and the marks that stand in names: "O'Neil", "Jo-Ann", "Robert (Bob)"."""

_NO_PERSON = re.compile(
    r"(?:grand |sub ?)?totals?\b.*|(?:crew |head ?)?count\b.*|page \d+(?: of \d+)?|printed\b.*|end of (?:the )?list"
)


def is_last_first(heading: str, names: Sequence[str]) -> bool:
    """Whether a column holds names as "Last, First": its heading says so, or most of its names are written so."""
    words = fold(heading).split()
    if "last" in words and "first" in words:
        return words.index("last") < words.index("first")
    return 2 * sum(_parts(name) is not None for name in names) > len(names)


def turned(name: str) -> str:
    """ "Lund, Ada" as "Ada Lund", "Reyes, Sam Jr." as "Sam Reyes Jr."; any other name as it is written."""
    parts = _parts(name)
    if parts is None:
        return name
    last, first, suffix = parts
    return " ".join(part for part in (first, last, suffix) if part)


def _parts(name: str) -> tuple[str, str, str] | None:
    """Last name, first name and generation of a name that is written in that order with commas, or None."""
    pieces = [piece.strip() for piece in name.split(",")]
    if not 2 <= len(pieces) <= 3 or not all(_LIKE_A_NAME.fullmatch(piece) for piece in pieces):
        return None
    if fold(pieces[1]) in BEHIND_A_COMMA:
        return None
    last, first, suffix = pieces[0], pieces[1], ""
    if len(pieces) == 3:
        # "O'Neil, Sam, Jr." is one person; three names with commas between them are three
        if fold(pieces[2]) not in BEHIND_A_COMMA:
            return None
        suffix = pieces[2]
    else:
        before, _, behind = first.rpartition(" ")
        if before and fold(behind) in SUFFIXES:
            first, suffix = before, behind
    return last, first, suffix


def is_number(name: str) -> bool:
    """Whether there are digits and not one letter in what should be a name."""
    return any(one.isdecimal() for one in name) and not any(one.isalpha() for one in name)


def is_remark(name: str) -> bool:
    """Whether a name is one of the lines that close a list: "Total: 24", "Page 1 of 2"."""
    return _NO_PERSON.fullmatch(fold(name)) is not None
