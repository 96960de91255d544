"""The keys that do something here and now, in one line. A key that is off is dim; pressing it says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from widgets.cells import STYLES, Tone, one_line


@dataclass(frozen=True, slots=True)
class KeyHint:
    """A key and what it does now. The hint with the highest ``drop`` is left out first; one with 0 never."""

    action: str
    key: str
    label: str
    enabled: bool = True
    drop: int = 0

    @property
    def width(self) -> int:
        return cell_len(self.words)

    @property
    def words(self) -> str:
        """A key that is off stands in brackets: a dim colour alone would not tell."""
        words = one_line(f"{self.key} {self.label}")
        return words if self.enabled else f"({words})"


GAP = 2


class KeysFooter(Widget):
    """The footer. A click on a hint does what its key does."""

    DEFAULT_CSS = """
    KeysFooter { height: 1; background: $footer-background; color: $footer-foreground; }
    """

    class Pressed(Message):
        """A hint was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.hints: tuple[KeyHint, ...] = ()

    def show(self, hints: Sequence[KeyHint]) -> None:
        wanted = tuple(hints)
        if wanted != self.hints:
            self.hints = wanted
            self.refresh()

    @property
    def shown(self) -> list[KeyHint]:
        """The hints there is room for, in their order."""
        kept = list(self.hints)
        while 1 + sum(hint.width + GAP for hint in kept) > self.size.width + GAP and any(
            hint.drop for hint in kept
        ):
            kept.remove(max(kept, key=lambda hint: hint.drop))
        return kept

    def render(self) -> Content:
        parts: list[str | tuple[str, str]] = [" "]
        for place, hint in enumerate(self.shown):
            if place:
                parts.append(" " * GAP)
            if hint.enabled:
                parts += [
                    (hint.key, f"{STYLES[Tone.STRONG]} $footer-key-foreground"),
                    f" {one_line(hint.label)}",
                ]
            else:
                parts.append((hint.words, STYLES[Tone.DIM]))
        return Content.assemble(*parts)

    def on_click(self, event: events.Click) -> None:
        at = 1
        for hint in self.shown:
            if at <= event.x < at + hint.width:
                self.post_message(self.Pressed(hint.action))
            at += hint.width + GAP
