"""What every screen with lists shares: the actions, the footer made from them, the filter, and a notice when the
terminal is too small."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Input, Static

from app.domain.actor import Actor
from app.services.halting import Outlook
from app.services.office import Office
from app.store.board import Summary
from app.tui import board_rows
from app.tui.actions import FILTER_ACTIONS, LIST_KEYS, PEOPLE, Action, Moving, Situation
from app.tui.program import Program
from widgets.hold_bar import HoldBar
from widgets.keys_footer import KeyHint, KeysFooter
from widgets.virtual_table import VirtualTable

SMALLEST = (60, 16)
"""Columns and lines. Below this nothing fits that could be trusted."""

BLIND = frozenset({"quit", "back"})
"""The keys that work in a terminal too small to show what they would do."""

BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (160, "-wide")]

LOW = [(0, "-flat"), (20, "-low"), (28, "-tall")]
"""Below 28 lines the feed gives way, so that both lists keep five rows beside a banner and a hold bar; below 20 all
but the lists does."""


class BoardScreen(Screen[None]):
    """A screen whose keys are actions of the registry."""

    ACTIONS: ClassVar[Sequence[Action]] = ()
    MOVING: ClassVar[Sequence[Moving]] = LIST_KEYS
    HORIZONTAL_BREAKPOINTS = BREAKPOINTS
    VERTICAL_BREAKPOINTS = LOW

    def __init__(self, callboard: Program) -> None:
        super().__init__()
        self.callboard = callboard

    @property
    def office(self) -> Office:
        return self.callboard.office

    @property
    def actor(self) -> Actor:
        return self.callboard.actor

    @property
    def now_ms(self) -> int:
        return self.office.clock.now_ms()

    @property
    def is_open(self) -> bool:
        """Whether it has not been closed: what was waited for may come too late."""
        return self in self.app.screen_stack

    # ----------------------------------------------------------------------------- shared parts of a screen

    def compose_foot(self) -> ComposeResult:
        """The lines at the bottom: filter, hold bar, keys."""
        with Horizontal(id="filter"):
            yield Static("Filter", id="filter-name", markup=False)
            yield Input(id="filter-words", compact=True, placeholder="type to narrow")
            yield Static("", id="filter-count", markup=False)
        yield HoldBar(glyphs=self.callboard.glyphs, id="hold")
        yield KeysFooter(id="keys")
        yield Static("", id="tiny", markup=False)

    def on_resize(self, event: events.Resize) -> None:
        width, height = SMALLEST
        self.set_class(event.size.width < width or event.size.height < height, "-tiny")
        if self.ready:
            self.show_tiny()

    def show_tiny(self) -> None:
        """The one line of a terminal that is too small, with the number that matters even there."""
        width, height = SMALLEST
        center = self.callboard.view.center
        urgent = board_rows.urgent_words(center, self.now_ms) if center and center.unread_urgent else ""
        self.query_one("#tiny", Static).update(
            f"{urgent or '0 unread URGENT'}; too small, needs {width}x{height}"
        )

    ready = False
    """Whether all parts are there: a screen is asked to draw before it is whole."""

    def on_mount(self) -> None:
        self.ready = True
        self.show_tiny()
        self.each_tick(self.now_ms)

    def on_screen_resume(self) -> None:
        if self.ready:
            self.flush()

    def flush(self) -> None:
        """Draw what has changed since it was drawn last."""

    def each_tick(self, now_ms: int) -> None:
        """Draw what depends on the time alone."""
        messages = list(self.callboard.view.messages.values())
        held = self.held_message(now_ms)
        self.query_one("#hold", HoldBar).show(board_rows.hold_of(held, messages, now_ms))
        self.show_keys()
        self.show_count()

    def held_message(self, now_ms: int) -> Summary | None:
        """The message whose undo window the hold bar shows."""
        view = self.callboard.view
        return board_rows.held_message(view.messages.values(), view.message_id, now_ms)

    # ---------------------------------------------------------------------------------------------- actions

    def situation(self) -> Situation:
        """What a key would act on now."""
        raise NotImplementedError

    def action_do(self, action_id: str) -> None:
        """Do what a key stands for, to what is under the cursor at this moment."""
        self.do(self.find_action(action_id), self.situation())

    def find_action(self, action_id: str) -> Action:
        return next(one for one in (*self.ACTIONS, *FILTER_ACTIONS) if one.id == action_id)

    def do(self, action: Action, at: Situation) -> None:
        """Run an action, or say why it is off."""
        if self.callboard.leaving or (self.has_class("-tiny") and action.id not in BLIND):
            return
        if problem := action.check(at):
            self.say(str(problem), warn=True)
            return
        if waiting := action.run(self, at):
            self.callboard.start(waiting)

    def show_keys(self) -> None:
        """The footer, with labels and reasons as they are now."""
        at = self.situation()
        self.query_one("#keys", KeysFooter).show(
            [
                KeyHint(one.id, one.shown, one.label(at), one.check(at) is None, one.drop)
                for one in (FILTER_ACTIONS if self.filtering else self.ACTIONS)
            ]
        )

    @on(KeysFooter.Pressed)
    def hint_clicked(self, event: KeysFooter.Pressed) -> None:
        self.action_do(event.action)

    # -------------------------------------------------------------------------------- what actions ask for

    def say(self, sentence: str, *, warn: bool = False) -> None:
        self.callboard.say(sentence, warn=warn)

    def table(self, name: str) -> VirtualTable:
        return self.query_one(f"#{name}", VirtualTable)

    @property
    def focus_name(self) -> str:
        """The name of the list that has the focus, or nothing."""
        return (self.focused.id or "") if isinstance(self.focused, VirtualTable) else ""

    def clear_marks(self) -> None:
        self.table(PEOPLE).clear_marks()

    def mark(self) -> None:
        table = self.table(PEOPLE)
        table.toggle_mark()
        table.action_move(1)
        self.show_keys()

    def sort(self, _: str) -> None:
        raise NotImplementedError

    def write_message(self) -> None:
        if self.is_active:
            self.callboard.write_message()

    def open_message(self, message: Summary) -> None:
        if self.is_active:
            self.callboard.open_message(message)

    def ask_cancel(self, outlook: Outlook) -> None:
        if self.is_active:
            self.callboard.ask_cancel(outlook)

    def open_palette(self) -> None:
        self.app.action_command_palette()

    def open_help(self) -> None:
        if self.is_active:
            self.callboard.open_help(self.ACTIONS, self.MOVING, self.situation())

    def go_back(self) -> None:
        """Close this screen. It is not there any more when a second key or click comes."""
        if self.is_active:
            self.app.pop_screen()

    def leave(self) -> None:
        self.callboard.leave()

    # ----------------------------------------------------------------------------------------------- filter

    def start_filter(self, focus: str) -> None:
        """Open the filter's line for this list."""
        self.filtering = focus
        words = self.query_one("#filter-words", Input)
        self.query_one("#filter").add_class("-open")
        self.query_one("#filter-name", Static).update(f" Filter {focus}:")
        words.value = self.table(focus).narrowed_by
        words.focus()
        self.show_count()
        self.show_keys()

    filtering = ""
    """The list that the open filter narrows."""

    def show_count(self) -> None:
        if self.filtering:
            counted = self.table(self.filtering).counted
            self.query_one("#filter-count", Static).update(f"{counted} ")

    @on(Input.Changed, "#filter-words")
    def narrow(self, event: Input.Changed) -> None:
        if self.filtering:
            self.table(self.filtering).set_filter(event.value)
            self.show_count()
            self.filtered()

    def filtered(self) -> None:
        """A list was narrowed: its title counts."""

    @on(Input.Submitted, "#filter-words")
    def keep_filter(self) -> None:
        name, self.filtering = self.filtering, ""
        self.query_one("#filter").remove_class("-open")
        if name:
            self.table(name).focus()
        self.show_keys()

    def clear_filter(self) -> None:
        """The whole list again: the one the filter's line is open for, else the one that has the focus."""
        self.table(self.filtering or self.focus_name).set_filter("")
        if self.filtering:
            self.keep_filter()
        self.filtered()

    def on_key(self, event: events.Key) -> None:
        narrowed = self.focus_name and self.table(self.focus_name).narrowed_by
        if event.key == "escape" and (self.filtering or narrowed):
            self.clear_filter()
            event.stop()
            event.prevent_default()
