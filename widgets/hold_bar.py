"""The undo window as a bar: what is about to happen to how many people, how long, and the key that stops it."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content
from textual.widget import Widget

from widgets.bars import bar_text
from widgets.cells import STYLES, Tone, one_line
from widgets.glyphs import UNICODE, Glyphs

BAR_WIDTH = 20
"""Columns of the bar, where there is room beside the words."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Something that happens in ``left_ms`` unless it is stopped. ``also`` counts others that wait."""

    effect: str
    left_ms: int
    whole_ms: int
    key: str = "u"
    also: int = 0

    @property
    def seconds(self) -> int:
        """Seconds left, rounded up: it reads 1 until the last moment."""
        return -(-max(self.left_ms, 0) // 1000)

    def words(self, dot: str) -> str:
        more = f" {dot} {self.also} more" if self.also else ""
        return f"{self.effect} in {self.seconds} s {dot} {self.key} undo{more}"


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
        bar = bar_text(self.hold.left_ms, self.hold.whole_ms, BAR_WIDTH, self.glyphs)
        if len(words) + BAR_WIDTH + 3 > self.size.width:
            return Content.assemble((f" {words}", STYLES[Tone.STRONG]))
        return Content.assemble(f" {bar} ", (words, STYLES[Tone.STRONG]))
