"""Trouble that needs an act: a sentence and its next step, in two lines at most, for as long as it lasts."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from widgets.cells import STYLES, Tone, folded
from widgets.glyphs import UNICODE, Glyphs

MOST_LINES = 2
"""More would take the lists their rows."""

SIGN = "! "


class Banner(Widget):
    """Takes no line while there is nothing to say."""

    DEFAULT_CSS = """
    Banner { height: auto; display: none; background: $warning-muted; padding: 0 1; }
    Banner.-shown { display: block; }
    """

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:
        super().__init__(id=id)
        self.glyphs = glyphs
        self.words = ""

    def show(self, words: str) -> None:
        """Show these words, or nothing."""
        if words != self.words:
            self.words = words
            self.set_class(bool(words), "-shown")
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's
        return len(self._lines(width))

    def _lines(self, width: int) -> list[str]:
        return folded(self.words, max(width - len(SIGN), 1), MOST_LINES, self.glyphs)

    def render(self) -> Content:
        parts: list[str | tuple[str, str]] = [(SIGN, STYLES[Tone.URGENT])]
        for place, line in enumerate(self._lines(self.size.width)):
            parts += ["\n" + " " * len(SIGN) if place else "", (line, STYLES[Tone.WARN])]
        return Content.assemble(*parts)
