"""What a command prints: lines for a person or one JSON document, and an error with its next step.

Standard output holds the answer and nothing else; questions, progress and remarks go to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TextIO

from app.domain.problem import Problem

if TYPE_CHECKING:
    from providers.contract import Money

DONE: Final = 0
NOT_DONE: Final = 1
WRONG_USE: Final = 2
INTERRUPTED: Final = 130
"""128 and the number of the signal, as shells count (Ctrl-C is SIGINT, 2)."""

GAP: Final = "  "
SIGNS: Final = {"USD": "$", "GBP": "£", "EUR": "€"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command has to say.

    ``document`` is printed with ``--json``, ``lines`` otherwise; ``remarks`` go to standard error in both cases.
    ``trouble`` is a finding that makes the exit code 1 although the answer is whole (a check that failed).
    """

    document: Any
    lines: Sequence[str] = ()
    remarks: Sequence[str] = ()
    trouble: Problem | None = None
    printed: bool = False
    """It was printed while the command ran: a server says what it has to say when it is ready."""


def show(answer: Answer, *, as_json: bool) -> None:
    """Print an answer."""
    if answer.printed:
        return
    for remark in answer.remarks:
        say(remark)
    if answer.trouble:
        say(str(answer.trouble))
    if as_json:
        print_document(answer.document)
        return
    _write(sys.stdout, "".join(f"{plain(line)}\n" for line in answer.lines))


def print_document(document: object, *, indent: int | None = None) -> None:
    """One JSON document on standard output. Letters outside ASCII are written as such where the screen has them."""
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    _write(sys.stdout, json.dumps(document, ensure_ascii=not unicode, indent=indent) + "\n")


def refuse(problem: Problem, *, as_json: bool) -> None:
    """Say what could not be done and what to do about it."""
    if as_json:
        print_document({"error": problem.sentence, "next": problem.next})
    say(str(problem))


def say(sentence: str) -> None:
    """A line on standard error, now."""
    _write(sys.stderr, f"{plain(sentence)}\n")


def hush() -> None:
    """Whoever read our output is gone: what Python still wants to write at the end goes nowhere, quietly."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except OSError:
        return


def _write(stream: TextIO, text: str) -> None:
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()


def plain(text: str) -> str:
    """``text`` without characters that would steer a terminal: a name from a crew list is only a name."""
    return "".join(each for each in text if unicodedata.category(each) not in {"Cc", "Cs"})


def width(text: str) -> int:
    """The columns ``text`` takes on a screen: two for wide letters, none for marks on the letter before."""
    return sum(
        0
        if unicodedata.combining(each) or unicodedata.category(each) == "Cf"
        else 2
        if unicodedata.east_asian_width(each) in "WF"
        else 1
        for each in text
    )


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Rows under headings, aligned: numbers to the right, words to the left. Nothing is cut."""
    cells = [[plain(str(cell)) for cell in row] for row in rows]
    widths = [max(width(text) for text in column) for column in zip(headings, *cells, strict=True)]
    right = [
        bool(rows) and all(isinstance(row[place], int) for row in rows) for place in range(len(headings))
    ]

    def line(texts: Sequence[str]) -> str:
        parts = []
        for text, room, to_the_right in zip(texts, widths, right, strict=True):
            space = " " * (room - width(text))
            parts.append(space + text if to_the_right else text + space)
        return GAP.join(parts).rstrip()

    return [line(headings), *(line(row) for row in cells)]


def pairs(rows: Sequence[tuple[str, object]]) -> list[str]:
    """Words and their values, one a line, aligned."""
    room = max((width(word) for word, _ in rows), default=0)
    return [f"{word}{' ' * (room - width(word))}{GAP}{value}".rstrip() for word, value in rows]


def moment(at_ms: int) -> str:
    """A moment in JSON: UTC, to the millisecond."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def price(money: Money | None) -> dict[str, Any] | None:
    """An estimated cost in JSON: millionths of a currency unit. None where nothing is known."""
    if money is None:
        return None
    return {"micros": money.micros, "currency": money.currency, "estimate": True}


def price_text(money: Money | None) -> str:
    """An estimated cost for a person: "about $4.27"."""
    if money is None:
        return "unknown"
    amount = f"{money.micros / 1_000_000:,.2f}"
    sign = SIGNS.get(money.currency)
    return f"about {sign}{amount}" if sign else f"about {amount} {money.currency}"


def people(count: int) -> str:
    """ "1 person", "156 people"."""
    return "1 person" if count == 1 else f"{count:,} people"
