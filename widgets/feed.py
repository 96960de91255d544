"""What happened last, newest first: only as many lines as there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from widgets.cells import STYLES, Tone, fitted
from widgets.glyphs import UNICODE, Glyphs

TIME_WIDTH = 8
WORD_WIDTH = 11
"""Columns of the longest word of the feed."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened: when, what in a word, to whom and where."""

    key: int
    time: str
    word: str
    text: str
    note: str = ""
    """Added where there is room for all of it."""
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
        for place, line in enumerate(self.lines[: self.size.height]):
            parts += [
                "\n" if place else "",
                (f"  {fitted(line.time, TIME_WIDTH, self.glyphs)} ", STYLES[Tone.DIM]),
                (fitted(line.word, WORD_WIDTH, self.glyphs), STYLES[line.tone]),
                f" {fitted(_with_note(line, room), room, self.glyphs)}",
            ]
        return Content.assemble(*parts)


def _with_note(line: Line, room: int) -> str:
    whole = f"{line.text}  {line.note}" if line.note else line.text
    return whole if cell_len(whole) <= room else line.text
