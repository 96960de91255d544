"""One line of facts, left and right. Where it is too narrow the least important ones are left out; a line that may
is folded before anything of its words is cut off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from widgets.cells import STYLES, Tone, one_line
from widgets.glyphs import UNICODE, Glyphs


@dataclass(frozen=True, slots=True)
class Fact:
    """A few words. The one with the highest ``drop`` is left out first; one with 0 never."""

    text: str
    tone: Tone = Tone.PLAIN
    drop: int = 0
    right: bool = False


class StatusLine(Widget):
    """Facts in one line, those on the right pushed to the edge; in ``most`` lines where one is not enough for what
    must not be left out."""

    DEFAULT_CSS = "StatusLine { height: auto; width: 1fr; }"

    def __init__(
        self, *, most: int = 1, glyphs: Glyphs = UNICODE, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.most = most
        self.glyphs = glyphs
        self.facts: tuple[Fact, ...] = ()

    def show(self, facts: Sequence[Fact]) -> None:
        """Show these facts; empty ones are skipped. Draws only what is new."""
        wanted = tuple(fact for fact in facts if fact.text)
        if wanted != self.facts:
            self.facts = wanted
            self.refresh(layout=self.most > 1)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's
        return len(self._lines(width))

    @property
    def separator(self) -> str:
        return f" {self.glyphs.dot} "

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Content]:
        kept = list(self.facts)
        while self._length(kept) > width and any(fact.drop for fact in kept):
            kept.remove(max(kept, key=lambda fact: fact.drop))
        left = [fact for fact in kept if not fact.right]
        right = [fact for fact in kept if fact.right]
        gap = max(1, width - self._row_length(left) - self._row_length(right)) if right else 0
        whole = Content.assemble(*self._parts(left), " " * gap, *self._parts(right))
        if self.most == 1 or whole.cell_length <= width:
            return [whole.truncate(width, ellipsis=True)]
        folded = whole.wrap(width)
        last = Content(" ").join(folded[self.most - 1 :]).truncate(width, ellipsis=True)
        return [*folded[: self.most - 1], last]

    def _row_length(self, facts: Sequence[Fact]) -> int:
        words = sum(cell_len(one_line(fact.text)) for fact in facts)
        return words + len(self.separator) * max(len(facts) - 1, 0)

    def _length(self, facts: Sequence[Fact]) -> int:
        left = [fact for fact in facts if not fact.right]
        right = [fact for fact in facts if fact.right]
        return self._row_length(left) + self._row_length(right) + (1 if right and left else 0)

    def _parts(self, facts: Sequence[Fact]) -> list[str | tuple[str, str]]:
        parts: list[str | tuple[str, str]] = []
        for place, fact in enumerate(facts):
            if place:
                parts.append((self.separator, STYLES[Tone.DIM]))
            parts.append((one_line(fact.text), STYLES[fact.tone]))
        return parts
