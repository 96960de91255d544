"""Keys and what they do, one below the other; what does not fit into a line goes on below its own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from widgets.cells import STYLES, Tone, fitted, folded
from widgets.glyphs import UNICODE, Glyphs

MOST_LINES = 6
"""Lines of one explanation, in the narrowest terminal."""


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A key, what it does, and why it does not do so now, if it does not."""

    key: str
    words: str
    off: str = ""


class KeyList(Widget):
    """A table of keys."""

    DEFAULT_CSS = "KeyList { height: auto; }"

    def __init__(self, lines: Sequence[KeyLine], *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:
        super().__init__(id=id)
        self.glyphs = glyphs
        self.lines = tuple(lines)
        self._key_width = max((cell_len(line.key) for line in lines), default=0)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's
        return sum(len(self._folded(words, width)) for line in self.lines for words in (line.words, line.off))

    def _folded(self, words: str, width: int) -> list[str]:
        return folded(words, max(width - self._key_width - 2, 1), MOST_LINES, self.glyphs) if words else []

    def render(self) -> Content:
        width = self.size.width
        parts: list[str | tuple[str, str]] = []
        for line in self.lines:
            keys = fitted(line.key, self._key_width, self.glyphs, right=True)
            for place, words in enumerate(self._folded(line.words, width)):
                parts += [(keys if not place else " " * self._key_width, STYLES[Tone.STRONG]), f"  {words}\n"]
            for words in self._folded(line.off, width):
                parts.append((f"{' ' * self._key_width}  {words}\n", STYLES[Tone.DIM]))
        return Content.assemble(*parts).rstrip("\n")
