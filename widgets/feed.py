"""What happened last, newest first: only as many lines as there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from widgets.cells import STYLES, Tone, fitted, folded
from widgets.glyphs import UNICODE, Glyphs

TIME_WIDTH = 8
WORD_WIDTH = 11
"""Columns of the longest word of the feed."""
MOST_BELOW = 2
"""Lines that what somebody must look at may take below its happening."""

INDENT = "    "
"""Before what stands in a line of its own: such a line begins no new happening."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened: when, what in a word, to whom and where."""

    key: int
    time: str
    word: str
    text: str
    note: str = ""
    """Added where there is room for all of it."""
    more: str = ""
    """What somebody must look at: never left out, in a line of its own where there is no room beside the text."""
    tone: Tone = Tone.PLAIN


class Feed(Widget):
    """Shows the newest lines. It takes no focus: nothing can be done to what has happened."""

    DEFAULT_CSS = "Feed { height: 1fr; }"

    def __init__(self, *, empty: str = "", glyphs: Glyphs = UNICODE, id: str | None = None) -> None:
        super().__init__(id=id)
        self.glyphs = glyphs
        self._empty_words = empty
        self.lines: tuple[Line, ...] = ()

    def show(self, lines: Sequence[Line]) -> None:
        """Show these, newest first."""
        wanted = tuple(lines)
        if wanted != self.lines:
            self.lines = wanted
            self.refresh()

    def render(self) -> Content:
        if not self.lines:
            return Content.assemble((f"  {self._empty_words}", STYLES[Tone.DIM]))
        width = self.size.width
        room = width - TIME_WIDTH - WORD_WIDTH - 4
        parts: list[str | tuple[str, str]] = []
        left = self.size.height
        for line in self.lines:
            if left <= 0:
                break
            beside, below = _shared_out(line, room)
            parts += [
                "\n" if parts else "",
                (f"  {fitted(line.time, TIME_WIDTH, self.glyphs)} ", STYLES[Tone.DIM]),
                (fitted(line.word, WORD_WIDTH, self.glyphs), STYLES[line.tone]),
                f" {fitted(beside, room, self.glyphs)}",
            ]
            left -= 1
            for part in folded(below, width - len(INDENT), MOST_BELOW, self.glyphs)[:left] if below else ():
                parts.append(f"\n{INDENT}{part}")
                left -= 1
        return Content.assemble(*parts)


def _shared_out(line: Line, room: int) -> tuple[str, str]:
    """What stands beside the word, and what stands below it."""
    for beside, below in (
        ("  ".join(one for one in (line.text, line.more, line.note) if one), ""),
        ("  ".join(one for one in (line.text, line.more) if one), ""),
        ("  ".join(one for one in (line.text, line.note) if one), line.more),
    ):
        if cell_len(beside) <= room:
            return beside, below
    return line.text, line.more
