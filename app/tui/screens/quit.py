"""A dialog before something that cannot be taken back: it names the effect, and starts on Cancel."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from app.domain.problem import Problem
from app.domain.times import clock_text
from app.services.watching import Center
from app.tui.board_rows import in_window, people_words
from app.tui.screens.sheet import SETTLE_MS, Sheet
from providers.contract import Clock

KEPT = "Nothing goes out until you open it again."
THROWN_AWAY = "What waits is thrown away with the demonstration."
"""What becomes of what waits: it stays in the home, or goes with it."""


def left_undone(
    center: Center, now_ms: int, zone: str, *, held_until: int | None, kept: bool
) -> Problem | None:
    """What would be left undone if this process, the only one that sends, ended now; None if nothing would.

    ``held_until`` is when the first of those held goes out, ``kept`` tells whether the home outlives the process.
    """
    waiting, held = center.day.waiting + in_window(center.messages, now_ms), center.day.waiting_held
    sentences = []
    if waiting:
        sentences.append(f"Something waits that is to go out to {people_words(waiting)}.")
    if held:
        until = "" if held_until is None else f" until {clock_text(held_until, zone)}"
        sentences.append(f"Something is held for {people_words(held)}{until}.")
    if not sentences:
        return None
    return Problem(" ".join(sentences), KEPT if kept else THROWN_AWAY)


def cannot_tell(*, kept: bool) -> Problem:
    """The database cannot be read: whoever leaves must know that something may wait."""
    return Problem("The database cannot be read: texts may wait.", KEPT if kept else THROWN_AWAY)


class QuitDialog(Sheet[bool]):
    """Leave although something waits? ``y`` leaves; everything else stays."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Leave", show=False, id="quit.leave"),
        Binding(
            "escape,enter,n,q,ctrl+q", "answer(False)", "Stay", show=False, id="quit.stay", priority=True
        ),
    ]

    def __init__(self, problem: Problem, clock: Clock) -> None:
        super().__init__()
        self._problem = problem
        self._clock = clock
        self._opened_ms = clock.monotonic_ms()

    def compose(self) -> ComposeResult:
        with Vertical(id="sheet"):
            yield Static("Leave Callboard?", classes="title", markup=False)
            yield Static(f"{self._problem.sentence}\n{self._problem.next}", id="effect", markup=False)
            yield Static("> enter or esc: Cancel, stay here", id="stay", markup=False)
            yield Static("  y: Leave", id="leave", markup=False)

    def action_answer(self, leave: bool) -> None:
        if self._clock.monotonic_ms() - self._opened_ms >= SETTLE_MS:
            self.dismiss(leave)
