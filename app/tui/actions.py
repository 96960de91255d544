"""Everything a key can do, in one table per screen: bindings, footer, help and palette are made from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from textual.binding import Binding, BindingType

from app.domain.actor import Actor
from app.domain.messages import MessageStatus
from app.domain.priorities import StepKind
from app.domain.problem import Problem
from app.services import chasing, halting
from app.services.halting import Outlook
from app.services.office import Office
from app.store.board import Summary

READ_ONLY = Problem("This screen is read-only.", "Start Callboard without --read-only to send.")
MAY_ONLY_LOOK = Problem("You may look but not send.", "Ask a coordinator to change your role.")
NO_MESSAGE = Problem("There is no message here yet.", "Press n to write one.")
NOTHING_HELD = Problem("Nothing can be undone: no undo window is open.", "Send a correction instead.")
NO_LIST = Problem("This key acts on a list.", "Press tab until a list has the cursor.")
MARK_PEOPLE = Problem("Only people are marked.", "Press tab to go to the list of people, then space.")

MESSAGES, PEOPLE = "messages", "people"
"""The names of the two lists a key can act on."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What a key acts on, taken when it goes down: whatever moves on screen afterwards changes nothing."""

    now_ms: int
    read_only: bool = False
    may_send: bool = True
    message: Summary | None = None
    """The message under the cursor."""
    can_be_reminded: int | None = None
    """How many a reminder of it would go to, where that is known."""
    held: Summary | None = None
    """The message whose undo window the hold bar shows."""
    marked: frozenset[int] = frozenset()
    """The recipients of ``message`` that are marked."""
    focus: str = ""
    """The list that has the focus, if one has."""


class Host(Protocol):
    """What an action may ask of the screen it runs on."""

    @property
    def office(self) -> Office: ...
    @property
    def actor(self) -> Actor: ...
    def say(self, sentence: str, *, warn: bool = False) -> None: ...
    def clear_marks(self) -> None: ...
    def write_message(self) -> None: ...
    def open_message(self, message: Summary) -> None: ...
    def ask_cancel(self, outlook: Outlook) -> None: ...
    def start_filter(self, focus: str) -> None: ...
    def keep_filter(self) -> None: ...
    def clear_filter(self) -> None: ...
    def sort(self, _: str) -> None: ...
    def mark(self) -> None: ...
    def open_palette(self) -> None: ...
    def open_help(self) -> None: ...
    def go_back(self) -> None: ...
    def leave(self) -> None: ...


class WritingHost(Host, Protocol):
    """What the actions of Compose and of the review sheet ask for besides."""

    async def review(self) -> None: ...
    def straighten(self) -> None: ...
    async def send(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do here.

    ``label`` says it in a word or two, with live numbers; ``check`` why it cannot be done now, or None. ``drop``
    decides what leaves a narrow footer first; 0 stays.
    """

    id: str
    keys: str
    shown: str
    label: Callable[[Situation], str]
    tooltip: str
    run: Callable[[Any, Situation], Awaitable[None] | None]
    """Given the screen, as the :class:`Host` its table is made for. What only changes the screen is done when it
    returns, so that the next key meets what is there by then; what takes time is returned to be waited for."""
    check: Callable[[Situation], Problem | None] = lambda _: None
    drop: int = 0
    by_list: bool = False
    """The list or the filter's line itself takes the key, so it is not bound a second time."""


def bindings(screen: str, actions: Sequence[Action]) -> list[BindingType]:
    """The bindings of a screen. Each has an id, so that its key can be changed."""
    return [
        Binding(
            action.keys,
            f"do('{action.id}')",
            action.tooltip,
            show=False,
            id=f"{screen}.{action.id}",
            key_display=action.shown,
        )
        for action in actions
        if not action.by_list
    ]


# ---------------------------------------------------------------------------------------------- checks


def may_send(at: Situation) -> Problem | None:
    """Why nothing at all may be sent from this screen, or None."""
    if at.read_only:
        return READ_ONLY
    return None if at.may_send else MAY_ONLY_LOOK


def on_a_message(at: Situation) -> Problem | None:
    """Why nothing can be done to the message under the cursor, or None."""
    if problem := may_send(at):
        return problem
    if at.message is None:
        return NO_MESSAGE
    return None if at.focus else NO_LIST


def can_remind(at: Situation) -> Problem | None:
    if problem := on_a_message(at):
        return problem
    return chasing.cannot_remind(at.message, at.now_ms) if at.message else None


def is_paused(at: Situation) -> bool:
    return at.message is not None and at.message.status is MessageStatus.PAUSED


def can_pause(at: Situation) -> Problem | None:
    """The key pauses, and resumes what is paused."""
    if problem := on_a_message(at):
        return problem
    return halting.cannot_pause(at.message) if at.message and not is_paused(at) else None


def can_cancel(at: Situation) -> Problem | None:
    if problem := on_a_message(at):
        return problem
    return halting.cannot_cancel(at.message, at.now_ms) if at.message else None


def can_undo(at: Situation) -> Problem | None:
    return may_send(at) or (None if at.held else NOTHING_HELD)


def can_open(at: Situation) -> Problem | None:
    return None if at.message else NO_MESSAGE


def on_a_list(at: Situation) -> Problem | None:
    return None if at.focus else NO_LIST


def on_people(at: Situation) -> Problem | None:
    return None if at.focus == PEOPLE else MARK_PEOPLE


# ---------------------------------------------------------------------------------------------- labels


def remind_label(at: Situation) -> str:
    if at.marked:
        return f"Remind {len(at.marked):,} marked"
    return f"Remind {at.can_be_reminded:,}" if at.can_be_reminded else "Remind"


def pause_label(at: Situation) -> str:
    return "Resume" if is_paused(at) else "Pause"


def cancel_label(at: Situation) -> str:
    """Of a cancelled message nothing is left but to tell those who had it."""
    return "Disregard" if at.message and at.message.status is MessageStatus.CANCELLED else "Cancel"


# ------------------------------------------------------------------------------------------------ runs


async def remind(host: Host, at: Situation) -> None:
    assert at.message is not None
    taken = await chasing.remind(host.office, host.actor, at.message.public_id, at.marked or None)
    host.clear_marks()
    if taken.repeated:
        host.say(f"A reminder for {taken.code} was sent a moment ago. Nobody is reminded twice.")
    elif not taken.dispatching:
        host.say("The reminder waits: nothing is sending. Start the engine: callboard serve.", warn=True)


async def pause(host: Host, at: Situation) -> None:
    assert at.message is not None
    decide = halting.resume if is_paused(at) else halting.pause
    halted = await decide(host.office, host.actor, at.message.public_id)
    following = " p resumes it." if halted.status is MessageStatus.PAUSED else ""
    host.say(f"{halting.told(halted)}{following}")


async def cancel(host: Host, at: Situation) -> None:
    """Ask first, with the numbers of this moment."""
    assert at.message is not None
    host.ask_cancel(await halting.outlook(host.office, at.message.public_id))


UNDONE: dict[StepKind, str] = {
    StepKind.FIRST: "Undone. {code} is not sent; {people} not told.",
    StepKind.REMINDER: "Undone. {people} not reminded of {code}.",
    StepKind.LADDER: "Undone. {people} not tried again for {code}.",
    StepKind.CALL: "Undone. {people} not called about {code}.",
    StepKind.DISREGARD: "Undone. {people} not told to disregard {code}.",
    StepKind.CORRECTION: "Undone. {people} not sent the correction of {code}.",
}
"""What did not happen, and to how many."""


async def undo(host: Host, at: Situation) -> None:
    assert at.held is not None
    taken = await chasing.undo(host.office, host.actor, at.held.public_id)
    kind = at.held.open_step.kind if at.held.open_step else StepKind.FIRST
    people = "1 person is" if taken.people == 1 else f"{taken.people:,} people are"
    host.say(UNDONE[kind].format(code=taken.code, people=people))


def write(host: Host, _: Situation) -> None:
    host.write_message()


def open_message(host: Host, at: Situation) -> None:
    assert at.message is not None
    host.open_message(at.message)


def start_filter(host: Host, at: Situation) -> None:
    host.start_filter(at.focus)


def keep_filter(host: Host, _: Situation) -> None:
    host.keep_filter()


def clear_filter(host: Host, _: Situation) -> None:
    host.clear_filter()


def sort(host: Host, at: Situation) -> None:
    host.sort(at.focus)


def mark(host: Host, _: Situation) -> None:
    host.mark()


def palette(host: Host, _: Situation) -> None:
    host.open_palette()


def show_help(host: Host, _: Situation) -> None:
    host.open_help()


def back(host: Host, _: Situation) -> None:
    host.go_back()


def leave(host: Host, _: Situation) -> None:
    host.leave()


async def review(host: WritingHost, _: Situation) -> None:
    await host.review()


def straighten(host: WritingHost, _: Situation) -> None:
    host.straighten()


async def send(host: WritingHost, _: Situation) -> None:
    await host.send()


def _always(words: str) -> Callable[[Situation], str]:
    return lambda _: words


REMIND = Action(
    "remind",
    "r",
    "r",
    remind_label,
    "Remind those who have not read it, or those you marked.",
    remind,
    can_remind,
)
UNDO = Action("undo", "u", "u", _always("Undo"), "Stop what the bar says, while it waits.", undo, can_undo)
PAUSE = Action(
    "pause", "p", "p", pause_label, "Keep back what has not left; again, it goes on.", pause, can_pause,
    drop=1,
)  # fmt: skip
CANCEL = Action(
    "cancel", "x", "x", cancel_label, "Call it off, tell those who had it; it asks first.",
    cancel, can_cancel, drop=2,
)  # fmt: skip
NEW = Action("new", "n", "n", _always("New"), "Write a message.", write, may_send)
OPEN = Action(
    "open", "enter", "enter", _always("Open"), "Open the message: everybody, why, and what happened.",
    open_message, can_open, drop=3, by_list=True,
)  # fmt: skip
FILTER = Action(
    "filter", "slash", "/", _always("Filter"), "Narrow the list as you type; esc clears.", start_filter,
    on_a_list, drop=4,
)  # fmt: skip
SORT = Action("sort", "s", "s", _always("Sort"), "Sort the list another way.", sort, on_a_list, drop=6)
MARK = Action("mark", "space", "space", _always("Mark"), "Mark a person; r then reminds only those marked.",
              mark, on_people, drop=7)  # fmt: skip
PALETTE = Action("palette", "colon", ":", _always("Commands"), "Find a command by its name (also ctrl+p).",
                 palette, drop=5)  # fmt: skip
HELP = Action("help", "question_mark", "?", _always("Help"), "Show all keys.", show_help)
QUIT = Action("quit", "q", "q", _always("Quit"), "Leave; it says first what would be left undone.", leave)
BACK = Action("back", "escape", "esc", _always("Back"), "Go back to where you came from.", back)

KEEP = Action("keep", "enter", "enter", _always("Keep"), "Back to the list; it stays narrowed.", keep_filter,
              by_list=True)  # fmt: skip
CLEAR = Action("clear", "escape", "esc", _always("Clear"), "Back to the whole list.", clear_filter,
               by_list=True)  # fmt: skip
FILTER_ACTIONS = (KEEP, CLEAR)
"""While a filter is typed every other key types."""

CENTER_ACTIONS = (REMIND, UNDO, PAUSE, CANCEL, NEW, OPEN, FILTER, SORT, MARK, PALETTE, HELP, QUIT)
MESSAGE_ACTIONS = (BACK, REMIND, UNDO, PAUSE, CANCEL, FILTER, SORT, MARK, PALETTE, HELP, QUIT)

REVIEW = Action(
    "review",
    "f5",
    "f5",
    _always("Review"),
    "See who gets it, who does not and why, before it is sent.",
    review,
    may_send,
)
STRAIGHTEN = Action(
    "straighten", "f4", "f4", _always("Straighten"), "Replace curly quotes and long dashes that double the texts.",
    straighten, drop=1,
)  # fmt: skip
SEND = Action(
    "send", "f9", "f9", _always("Send"), "Send it; u undoes it until the bar is empty.", send, may_send
)
BACK_TO_TEXT = Action("back", "escape", "esc", _always("Back to the text"), "Change the message.", back)

KEYS = Action("help", "f1", "f1", _always("Keys"), "Show all keys.", show_help, drop=2)

COMPOSE_ACTIONS = (REVIEW, STRAIGHTEN, KEYS, BACK)
REVIEW_ACTIONS = (SEND, BACK_TO_TEXT, FILTER)


@dataclass(frozen=True, slots=True)
class Moving:
    """Keys that the lists and fields of a screen take themselves, and what they do."""

    keys: str
    words: str


LIST_KEYS = (
    Moving("up down", "Move; j and k do the same."),
    Moving("g G", "Go to the first or the last."),
    Moving("tab", "Go to the next list."),
)
FIELD_KEYS = (
    Moving("tab", "Go to the next field; shift+tab to the one before."),
    Moving("left right", "Choose in the lines Kind and Priority; move in the lines By and Reply."),
    Moving("space", "Switch on or off in the lines By and Reply."),
)
