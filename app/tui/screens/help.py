"""All keys of the screen one came from, with what they do and why one is off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from app.tui.actions import Action, Moving, Situation
from app.tui.screens.sheet import Sheet
from widgets.glyphs import Glyphs
from widgets.key_list import KeyLine, KeyList


def key_lines(actions: Sequence[Action], moving: Sequence[Moving], at: Situation) -> list[KeyLine]:
    """The keys of a screen, with what they do and why one is off now."""
    lines = []
    for action in actions:
        problem = action.check(at)
        lines.append(KeyLine(action.shown, action.tooltip, f"Off now: {problem.sentence}" if problem else ""))
    return [*lines, *(KeyLine(one.keys, one.words) for one in moving)]


class HelpScreen(Sheet[None]):
    """The keys. Any of ?, q, esc and enter closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss", "Close", show=False, id="help.close"),
        Binding("down,j", "scroll(1)", "Down", show=False),
        Binding("up,k", "scroll(-1)", "Up", show=False),
    ]

    def __init__(
        self, actions: Sequence[Action], moving: Sequence[Moving], at: Situation, glyphs: Glyphs
    ) -> None:
        super().__init__()
        self._lines = key_lines(actions, moving, at)
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="sheet", can_focus=False):
            yield Static("Keys of this screen", classes="title", markup=False)
            yield KeyList(self._lines, glyphs=self._glyphs)
            yield Static("esc closes this", classes="note", markup=False)

    def action_scroll(self, by: int) -> None:
        self.query_one("#sheet").scroll_relative(y=by, animate=False)
