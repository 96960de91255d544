"""Bars made of text: a share as glyphs with its number beside it, so that no colour and no shape stands alone."""

from __future__ import annotations

from dataclasses import dataclass

from widgets.cells import Tone, Words
from widgets.glyphs import Glyphs

NUMBER_WIDTH = 4
"""Columns of " 98%" and "100%"."""


def percent(done: int, of: int) -> int:
    """The share in whole per cent, rounded down: 100 means all of them, nothing else does."""
    return done * 100 // of if of > 0 else 0


def bar_text(done: int, of: int, width: int, glyphs: Glyphs) -> str:
    """``done`` of ``of`` as a bar in ``width`` columns. Full only when it is done, empty only at nothing."""
    if width <= 0:
        return ""
    if of <= 0:
        return glyphs.empty * width
    filled = done * width // of
    if done > 0:
        filled = max(filled, 1)
    return glyphs.full * filled + glyphs.empty * (width - filled)


@dataclass(frozen=True, slots=True)
class Bar:
    """A share of a whole, for a cell of a table: ``#########-  98%``."""

    done: int
    of: int
    tone: Tone = Tone.PLAIN

    def drawn(self, width: int, glyphs: Glyphs) -> Words:
        if self.of <= 0:
            return Words(f"{glyphs.dot:>{min(width, NUMBER_WIDTH)}}", Tone.DIM)
        number = f"{percent(self.done, self.of):>3}%"
        room = width - NUMBER_WIDTH - 1
        if room < 3:
            return Words(number, self.tone)
        return Words(f"{bar_text(self.done, self.of, room, glyphs)} {number}", self.tone)
