"""A table that draws only the lines on screen, for lists that are long or change while they are looked at.

Rows have keys. The cursor and the marks belong to keys, never to places, so that rows which are sorted anew or
come in between change nothing about what a pressed key is meant for.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from widgets.cells import Cell, Drawn, Tone, Words, fitted
from widgets.columns import Column, widths
from widgets.glyphs import UNICODE, Glyphs

GUTTER = 2
"""Columns before the first cell: the cursor's sign and the mark's."""

REMEMBERED_LINES = 400
"""Drawn lines kept: a few screens of the tallest terminal."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its key, its cells in the order of the columns, and the words a filter looks at."""

    key: Hashable
    cells: tuple[Cell, ...]
    words: str = ""


class VirtualTable(ScrollView, can_focus=True):
    """A list of rows with a cursor, marks and a filter."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "virtual-table--header",
        "virtual-table--cursor",
        "virtual-table--resting",
        "virtual-table--empty",
        *(f"virtual-table--{tone.value}" for tone in Tone),
    }

    DEFAULT_CSS = """
    VirtualTable {
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        & > .virtual-table--header { color: $text-muted; text-style: bold; }
        & > .virtual-table--cursor { background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold; }
        & > .virtual-table--resting { background: $boost; text-style: bold; }
        & > .virtual-table--empty { color: $text-muted; }
        & > .virtual-table--dim { color: $text-muted; }
        & > .virtual-table--urgent { color: $text-error; text-style: bold; }
        & > .virtual-table--warn { color: $text-warning; }
        & > .virtual-table--good { color: $text-primary; }
        & > .virtual-table--strong { text-style: bold; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "edge(False)", "First", show=False),
        Binding("end,G", "edge(True)", "Last", show=False),
        Binding("enter", "select", "Open", show=False),
    ]

    cursor_key: reactive[Hashable | None] = reactive(None, repaint=False)

    class Highlighted(Message):
        """The cursor is on another row, or on none."""

        def __init__(self, table: VirtualTable, key: Hashable | None) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> VirtualTable:
            return self.table

    class Selected(Message):
        """Enter was pressed on a row, or it was clicked twice."""

        def __init__(self, table: VirtualTable, key: Hashable) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> VirtualTable:
            return self.table

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        empty: str = "",
        glyphs: Glyphs = UNICODE,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.glyphs = glyphs
        self._empty = empty
        self._all: list[Row] = []
        self._rows: list[Row] = []
        self._places: dict[Hashable, int] = {}
        self._marks: set[Hashable] = set()
        self._narrow = ""
        self._lines: dict[object, Strip] = {}

    # ------------------------------------------------------------------------------------------- contents

    @property
    def rows(self) -> Sequence[Row]:
        """The rows the filter lets through, in their order."""
        return self._rows

    @property
    def total(self) -> int:
        """How many rows there are with and without the filter."""
        return len(self._all)

    @property
    def marks(self) -> frozenset[Hashable]:
        """The keys that are marked and still there."""
        return frozenset(self._marks)

    @property
    def narrowed_by(self) -> str:
        """The words of the filter, or nothing."""
        return self._narrow

    @property
    def counted(self) -> str:
        """ "12 of 143" while a filter narrows, else "143"."""
        return f"{len(self._rows):,} of {self.total:,}" if self._narrow else f"{self.total:,}"

    def set_empty(self, words: str) -> None:
        """What an empty list says: which key comes next."""
        if words != self._empty:
            self._empty = words
            self.refresh()

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows. Only lines that changed are drawn again; the cursor stays on its key."""
        self._all = list(rows)
        self._marks &= {row.key for row in self._all}
        self._show()

    def set_filter(self, text: str) -> None:
        """Show only rows that have all these words. Holds until it is changed, whatever rows come."""
        if text != self._narrow:
            self._narrow = text
            self._show()

    def clear_marks(self) -> None:
        self._marks.clear()
        self.refresh()

    def toggle_mark(self, key: Hashable | None = None) -> None:
        """Mark or unmark a row, the one under the cursor if none is named."""
        key = self.cursor_key if key is None else key
        if key in self._places:
            self._marks ^= {key}
            self._draw(self._places[key])

    def _show(self) -> None:
        before, before_places = self._rows, self._places
        wanted = self._narrow.casefold().split()
        self._rows = [row for row in self._all if all(word in row.words.casefold() for word in wanted)]
        self._places = {row.key: place for place, row in enumerate(self._rows)}
        if len(before) != len(self._rows) or not self._rows:
            self.virtual_size = Size(self._width, len(self._rows) + 1)
            self.refresh()
        elif [row.key for row in before] != [row.key for row in self._rows]:
            self.refresh()
        else:
            for place, (old, new) in enumerate(zip(before, self._rows, strict=True)):
                if old != new:
                    self._draw(place)
        self._keep_cursor(before_places)

    def _keep_cursor(self, before: dict[Hashable, int]) -> None:
        """The cursor follows its key, and its line stays where it is on the screen."""
        key = self.cursor_key
        if key in self._places:
            moved = self._places[key] - before.get(key, self._places[key])
            if moved and self.scroll_offset.y:
                self.scroll_to(y=self.scroll_offset.y + moved, animate=False)
            return
        place = min(before.get(key, 0), len(self._rows) - 1)
        self.cursor_key = self._rows[place].key if self._rows else None

    # --------------------------------------------------------------------------------------------- cursor

    def move_to(self, key: Hashable) -> None:
        """Put the cursor on this row, if it is shown."""
        if key in self._places:
            self.cursor_key = key

    def watch_cursor_key(self, old: Hashable | None, new: Hashable | None) -> None:
        for key in (old, new):
            if key in self._places:
                self._draw(self._places[key])
        if new in self._places:
            self._reveal(self._places[new])
        self.post_message(self.Highlighted(self, new))

    def _reveal(self, place: int) -> None:
        height = max(self.size.height - 1, 1)
        top = self.scroll_offset.y
        if place < top:
            self.scroll_to(y=place, animate=False)
        elif place >= top + height:
            self.scroll_to(y=place - height + 1, animate=False)

    def _to_place(self, place: int) -> None:
        if self._rows:
            self.cursor_key = self._rows[max(0, min(place, len(self._rows) - 1))].key

    @property
    def _place(self) -> int:
        return self._places.get(self.cursor_key, 0)

    def action_move(self, by: int) -> None:
        self._to_place(self._place + by)

    def action_page(self, direction: int) -> None:
        self._to_place(self._place + direction * max(self.size.height - 2, 1))

    def action_edge(self, last: bool) -> None:
        self._to_place(len(self._rows) - 1 if last else 0)

    def action_select(self) -> None:
        if self.cursor_key in self._places and self.cursor_key is not None:
            self.post_message(self.Selected(self, self.cursor_key))

    def on_click(self, event: events.Click) -> None:
        place = event.y - 1 + self.scroll_offset.y
        if event.y < 1 or not 0 <= place < len(self._rows):
            return
        self._to_place(place)
        if event.chain == 2:
            self.action_select()

    def watch_has_focus(self, value: bool) -> None:
        super().watch_has_focus(value)
        if self._rows:
            self._draw(self._place)

    # -------------------------------------------------------------------------------------------- drawing

    def on_resize(self) -> None:
        self.virtual_size = Size(self._width, len(self._rows) + 1)
        self._reveal(self._place)

    def notify_style_update(self) -> None:
        self._lines.clear()
        super().notify_style_update()

    @property
    def _width(self) -> int:
        """The columns there are beside the scroll bar."""
        return self.scrollable_content_region.width

    def _draw(self, place: int) -> None:
        self.refresh_line(place + 1)

    def render_line(self, y: int) -> Strip:
        width = self._width
        if y == 0:
            return self._header(width)
        place = y - 1 + self.scroll_offset.y
        if not self._rows:
            return self._blank(width, self._empty_line(y - 1))
        if place >= len(self._rows):
            return self._blank(width, "")
        row = self._rows[place]
        at_cursor = row.key == self.cursor_key
        state = (row, width, at_cursor, self.has_focus and at_cursor, row.key in self._marks)
        strip = self._lines.get(state)
        if strip is None:
            if len(self._lines) >= REMEMBERED_LINES:
                self._lines.clear()
            strip = self._lines[state] = self._row(row, width, at_cursor)
        return strip

    def _empty_line(self, y: int) -> str:
        if self._narrow and self._all:
            words = f"Nothing fits “{self._narrow}”. Esc clears the filter."
        else:
            words = self._empty
        lines = words.split("\n")
        return lines[y] if y < len(lines) else ""

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"virtual-table--{name}")

    def _blank(self, width: int, text: str) -> Strip:
        style = self._style("empty")
        return Strip([Segment(fitted(" " * GUTTER + text, width, self.glyphs), style)], width)

    def _header(self, width: int) -> Strip:
        style = self._style("header")
        parts = [" " * GUTTER]
        for column, room in zip(self.columns, widths(self.columns, width - GUTTER), strict=True):
            if room:
                parts.append(fitted(column.title, room, self.glyphs, right=column.right) + " ")
        return Strip([Segment(fitted("".join(parts), width, self.glyphs), style)], width)

    def _row(self, row: Row, width: int, at_cursor: bool) -> Strip:
        base = self._style(Tone.PLAIN.value)
        over = Style.null()
        if at_cursor and self.has_focus:
            over = self._style("cursor")
        elif at_cursor:
            over = Style(bgcolor=self._style("resting").bgcolor, bold=True)
        marked = self.glyphs.mark if row.key in self._marks else " "
        segments = [Segment((self.glyphs.cursor if at_cursor else " ") + marked, base + over)]
        for column, room, cell in zip(
            self.columns, widths(self.columns, width - GUTTER), row.cells, strict=True
        ):
            if not room:
                continue
            words = _words(cell, room, self.glyphs)
            style = self._style(words.tone.value) + over
            text = fitted(words.text, room, self.glyphs, right=column.right)
            segments.append(Segment(text + " ", style))
        strip = Strip(segments)
        return strip.adjust_cell_length(width, base + over)


def _words(cell: Cell, width: int, glyphs: Glyphs) -> Words:
    if isinstance(cell, Words):
        return cell
    if isinstance(cell, str):
        return Words(cell)
    assert isinstance(cell, Drawn)
    return cell.drawn(width, glyphs)
