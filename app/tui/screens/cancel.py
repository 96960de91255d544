"""Before a message is cancelled: what will not go out, who had it, and whether they are told to disregard it."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from app.domain.messages import MessageStatus
from app.services import halting
from app.services.halting import Outlook
from app.tui.board_rows import people_words
from app.tui.program import Program
from app.tui.screens.sheet import SETTLE_MS, Sheet
from providers.contract import Clock


class Choice(Enum):
    """What was chosen; None where nothing was."""

    CANCEL = "cancel"
    DISREGARD = "disregard"


def effect(outlook: Outlook) -> list[str]:
    """What would happen, in numbers, a sentence a line."""
    had_it = f"{people_words(outlook.had_it)} had it already" if outlook.had_it else "Nobody has had it"
    if outlook.summary.status is MessageStatus.CANCELLED:
        return [f"{people_words(outlook.had_it)} had it and were not told."]
    lines = [
        f"{people_words(outlook.waiting)} will not get it." if outlook.waiting else "All of it has left.",
        f"{had_it}.",
    ]
    return [*lines, halting.in_flight_words(outlook.in_flight)] if outlook.in_flight else lines


def choices(outlook: Outlook) -> dict[Choice, str]:
    """What can be chosen, and how it is offered."""
    if outlook.summary.status is MessageStatus.CANCELLED:
        return {Choice.DISREGARD: "d: Tell them to disregard it"}
    if not outlook.had_it:
        return {Choice.CANCEL: "y: Cancel the message"}
    return {
        Choice.CANCEL: "y: Cancel the message, tell nobody",
        Choice.DISREGARD: f"d: Cancel it and tell {people_words(outlook.had_it)} to disregard it",
    }


async def carry_out(program: Program, outlook: Outlook, choice: Choice) -> None:
    """Do what was chosen, and say what it came to."""
    office, actor, name = program.office, program.actor, outlook.summary.public_id
    if outlook.summary.status is not MessageStatus.CANCELLED:
        program.say(halting.told(await halting.cancel(office, actor, name)))
    if choice is not Choice.DISREGARD:
        return
    taken = await halting.disregard(office, actor, name)
    if taken.repeated:
        program.say(f"They were told to disregard {taken.code} a moment ago. Nobody is told twice.")
    elif not taken.dispatching:
        program.say(
            "The word to disregard it waits: nothing is sending. Start the engine: callboard serve.",
            warn=True,
        )


class CancelDialog(Sheet[Choice]):
    """Cancel a message? ``y`` does, ``d`` also tells those who had it; everything else keeps it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "choose('cancel')", "Cancel the message", show=False, id="cancel.cancel"),
        Binding("d", "choose('disregard')", "Tell them", show=False, id="cancel.disregard"),
        Binding("escape,enter,n,q,x", "keep", "Keep it", show=False, id="cancel.keep", priority=True),
    ]

    def __init__(self, outlook: Outlook, clock: Clock) -> None:
        super().__init__()
        self._outlook = outlook
        self._choices = choices(outlook)
        self._clock = clock
        self._opened_ms = clock.monotonic_ms()

    def compose(self) -> ComposeResult:
        summary = self._outlook.summary
        cancelled = summary.status is MessageStatus.CANCELLED
        question = f"Disregard {summary.code}?" if cancelled else f"Cancel {summary.code}?"
        keep = "> enter or esc: Tell nobody" if cancelled else "> enter or esc: Keep the message"
        with Vertical(id="sheet"):
            yield Static(question, classes="title", markup=False)
            yield Static("\n".join([summary.headline, *effect(self._outlook)]), id="effect", markup=False)
            yield Static(keep, id="stay", markup=False)
            for choice, words in self._choices.items():
                yield Static(f"  {words}", id=choice.value, markup=False)

    def action_choose(self, value: str) -> None:
        choice = Choice(value)
        if choice in self._choices and self._has_settled:
            self.dismiss(choice)

    def action_keep(self) -> None:
        if self._has_settled:
            self.dismiss(None)

    @property
    def _has_settled(self) -> bool:
        return self._clock.monotonic_ms() - self._opened_ms >= SETTLE_MS
