"""What a file of any format becomes before it is read as a crew list: rows of plain text, and what went wrong."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

SHOWN = 80
"""Characters of a cell that a problem quotes: one line of a terminal."""

_NEVER_TEXT = frozenset(
    "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\ufffe\uffff"
)
"""Marks that turn the direction of the text around them, and byte-order marks. Joiners stay: emoji need them."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row with something in it. ``number`` is the one the person's spreadsheet shows, counted from 1
    (for address-book cards: the number of the card)."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One thing that is wrong with one cell, for a person: where it is, what is written there, and why.

    ``column`` is the heading as written, or empty when the whole row is meant; ``value`` is cut at 80 characters.
    """

    row: int
    column: str
    value: str
    why: str


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows without the empty ones, in order, and what its reader could not take.

    ``rejected`` are rows that could not even become cells (a broken card); ``warnings`` concern single cells;
    ``notes`` are sentences about the whole file.
    """

    rows: tuple[TableRow, ...]
    rejected: tuple[RowProblem, ...] = ()
    warnings: tuple[RowProblem, ...] = ()
    notes: tuple[str, ...] = ()


def clean(text: str) -> str:
    """``text`` without control characters, on one line, single spaces, composed accents.

    Markup, emoji and what looks like a formula are left exactly as they are: they are only text here.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    kept = (
        " " if character.isspace() else character
        for character in text
        if character not in _NEVER_TEXT
        and (character.isspace() or unicodedata.category(character) not in {"Cc", "Cs"})
    )
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


def shown(cell: str) -> str:
    """A cell as a problem quotes it."""
    return clean(cell[: SHOWN * 4])[:SHOWN]


def fold(text: str) -> str:
    """A form that is equal for texts a person would call the same: case, accents, spaces and marks do not count."""
    if text.isascii():
        return " ".join(_NO_LETTER.sub(" ", text.lower()).split())
    apart = unicodedata.normalize("NFKD", text).casefold()
    letters = "".join(
        character if character.isalnum() else " " for character in apart if not _is_accent(character)
    )
    return " ".join(letters.split())


_NO_LETTER = re.compile(r"[^a-z0-9]+")


def _is_accent(character: str) -> bool:
    return unicodedata.category(character) == "Mn"
