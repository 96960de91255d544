"""All keys of the screen one came from, with what they do and why one is off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from app.tui.actions import Action, Situation
from app.tui.screens.sheet import Sheet
from widgets.cells import STYLES, Tone

MOVING = (
    ("up down", "Move; j and k do the same."),
    ("g G", "Go to the first or the last."),
    ("tab", "Go to the next list."),
)
"""What the lists themselves take."""


def help_content(actions: Sequence[Action], at: Situation) -> Content:
    """The keys as a table: key, what it does, and why it is off now."""
    lines: list[str | tuple[str, str]] = []
    for action in actions:
        lines += [(f"{action.shown:>8}  ", STYLES[Tone.STRONG]), f"{action.tooltip}\n"]
        if problem := action.check(at):
            lines.append((f"{'':>10}Off now: {problem.sentence}\n", STYLES[Tone.DIM]))
    for keys, words in MOVING:
        lines += [(f"{keys:>8}  ", STYLES[Tone.STRONG]), f"{words}\n"]
    return Content.assemble(*lines)


class HelpScreen(Sheet[None]):
    """The keys. Any of ?, q, esc and enter closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss", "Close", show=False, id="help.close"),
        Binding("down,j", "scroll(1)", "Down", show=False),
        Binding("up,k", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self, actions: Sequence[Action], at: Situation) -> None:
        super().__init__()
        self._content = help_content(actions, at)

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="sheet", can_focus=False):
            yield Static("Keys of this screen", classes="title", markup=False)
            yield Static(self._content)
            yield Static("esc closes this", classes="note", markup=False)

    def action_scroll(self, by: int) -> None:
        self.query_one("#sheet").scroll_relative(y=by, animate=False)
