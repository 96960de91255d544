"""The undo window as a bar: what is about to happen to how many people, how long, and the key that stops it."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from widgets.bars import bar_text
from widgets.cells import STYLES, Tone, one_line
from widgets.glyphs import UNICODE, Glyphs

BAR_WIDTH, LEAST_WIDTH = 20, 4
"""Columns of the bar: as many as there is room for beside the words, and none below the least."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Something that happens in ``left_ms`` unless it is stopped. ``beside`` says what does not happen; ``also``
    counts others that wait."""

    effect: str
    left_ms: int
    whole_ms: int
    beside: str = ""
    key: str = "u"
    also: int = 0

    @property
    def seconds(self) -> int:
        """Seconds left, rounded up: it reads 1 until the last moment."""
        return -(-max(self.left_ms, 0) // 1000)

    def words(self, dot: str) -> str:
        more = f"{self.also} more" if self.also else ""
        parts = (f"{self.effect} in {self.seconds} s", self.beside, f"{self.key} undo", more)
        return f" {dot} ".join(part for part in parts if part)


class HoldBar(Widget):
    """Takes a line only while something is held."""

    DEFAULT_CSS = """
    HoldBar { height: 1; display: none; background: $warning-muted; color: $text-warning; text-style: bold; }
    HoldBar.-holding { display: block; }
    """

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:
        super().__init__(id=id)
        self.glyphs = glyphs
        self.hold: Hold | None = None

    def show(self, hold: Hold | None) -> None:
        self.set_class(hold is not None, "-holding")
        if hold != self.hold:
            self.hold = hold
            self.refresh()

    def render(self) -> Content:
        if self.hold is None:
            return Content("")
        words = one_line(self.hold.words(self.glyphs.dot))
        room = min(self.size.width - cell_len(words) - 3, BAR_WIDTH)
        bar = bar_text(self.hold.left_ms, self.hold.whole_ms, room, self.glyphs)
        if room < LEAST_WIDTH:
            return Content.assemble((f" {words}", STYLES[Tone.STRONG]))
        return Content.assemble(f" {bar} ", (words, STYLES[Tone.STRONG]))
