"""What stands in a cell of a table: text with a tone, or something that draws itself into the width it gets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from rich.cells import cell_len, set_cell_size

from widgets.glyphs import Glyphs


class Tone(StrEnum):
    """How something sounds. A tone never stands alone: the words beside it say the same."""

    PLAIN = "plain"
    DIM = "dim"
    URGENT = "urgent"
    WARN = "warn"
    GOOD = "good"
    STRONG = "strong"


STYLES: dict[Tone, str] = {
    Tone.PLAIN: "",
    Tone.DIM: "$text-muted",
    Tone.URGENT: "bold $text-error",
    Tone.WARN: "$text-warning",
    Tone.GOOD: "$text-primary",
    Tone.STRONG: "bold",
}
"""Each tone as a style of the theme."""


@dataclass(frozen=True, slots=True)
class Words:
    """Text with a tone."""

    text: str
    tone: Tone = Tone.PLAIN


@runtime_checkable
class Drawn(Protocol):
    """A cell that fits itself into a width of so many columns."""

    def drawn(self, width: int, glyphs: Glyphs) -> Words: ...


Cell = str | Words | Drawn


def one_line(text: str) -> str:
    """``text`` without line breaks and control characters: a name from a file can hold anything."""
    return "".join(character if character.isprintable() else " " for character in text)


def fitted(text: str, width: int, glyphs: Glyphs, *, right: bool = False) -> str:
    """``text`` in exactly ``width`` columns; what is cut off ends with a sign that there is more."""
    if width <= 0:
        return ""
    plain = one_line(text)
    length = cell_len(plain)
    if length > width:
        return set_cell_size(plain, width - 1) + glyphs.more
    return " " * (width - length) + plain if right else plain + " " * (width - length)


def folded(text: str, width: int, most: int, glyphs: Glyphs) -> list[str]:
    """``text`` in lines of at most ``width`` columns, broken between words; what is left over after ``most`` lines
    is cut off with a sign that there is more."""
    words, lines = one_line(text).split(), [""]
    for place, word in enumerate(words):
        longer = f"{lines[-1]} {word}".lstrip()
        if not lines[-1] or cell_len(longer) <= width:
            lines[-1] = longer
        elif len(lines) < most:
            lines.append(word)
        else:
            lines[-1] = " ".join([lines[-1], *words[place:]])
            break
    return [line if cell_len(line) <= width else fitted(line, width, glyphs) for line in lines]
