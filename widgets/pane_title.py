"""The line above a list: what it is, how many there are, and a rule to the edge."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from widgets.cells import STYLES, Tone, one_line
from widgets.glyphs import UNICODE, Glyphs


class PaneTitle(Widget):
    """A title at the left, a note at the right, a rule between them."""

    DEFAULT_CSS = "PaneTitle { height: 1; }"

    def __init__(self, title: str = "", *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:
        super().__init__(id=id)
        self.glyphs = glyphs
        self.title = title
        self.note = ""

    def show(self, title: str, note: str = "") -> None:
        if (title, note) != (self.title, self.note):
            self.title, self.note = title, note
            self.refresh()

    def render(self) -> Content:
        width, rule = self.size.width, self.glyphs.rule
        title, note = one_line(self.title), one_line(self.note)
        if note and cell_len(title) + cell_len(note) + 8 > width:
            room = max(width - cell_len(note) - 8, 12)
            title = Content(title).truncate(room, ellipsis=True).plain
        if cell_len(title) + cell_len(note) + 8 > width:
            note = Content(note).truncate(max(width - cell_len(title) - 8, 0), ellipsis=True).plain
        tail = f" {note} {rule}" if note else ""
        left = f"{rule} {title} "
        fill = rule * max(0, width - cell_len(left) - cell_len(tail))
        dim = STYLES[Tone.DIM]
        return Content.assemble(
            (f"{rule} ", dim), (title, STYLES[Tone.STRONG]), (f" {fill}", dim), (tail, STYLES[Tone.PLAIN])
        ).truncate(width)
