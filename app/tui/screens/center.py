"""The Center: what is out tonight, who has not read it and why, what happens, and how it goes."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical

from app.domain.messages import MessageStatus
from app.tui import board_rows
from app.tui.actions import CENTER_ACTIONS, MESSAGES, PEOPLE, Situation, bindings
from app.tui.program import Program
from app.tui.screens.board import BoardScreen
from app.tui.view_models import Part
from widgets.banner import Banner
from widgets.feed import Feed
from widgets.pane_title import PaneTitle
from widgets.status_line import StatusLine
from widgets.virtual_table import Row, VirtualTable

NO_MESSAGES = "No messages yet: n writes one."
NO_CREW = "Nobody is on the crew list yet. Import it first: callboard crew import FILE."
ALL_READ = "Everybody has read it."
CALLED_OFF = "Called off: we are after nobody."
NOBODY_LEFT = "Nobody is left to read it: enter shows where everybody stands."
NO_PEOPLE = "Here stands who has not read the message under the cursor, and why."


class CenterScreen(BoardScreen):
    """The first screen."""

    ACTIONS = CENTER_ACTIONS
    BINDINGS: ClassVar[list[BindingType]] = bindings("center", CENTER_ACTIONS)

    def __init__(self, callboard: Program) -> None:
        super().__init__(callboard)
        self._rows: dict[int, tuple[str, Row]] = {}

    def compose(self) -> ComposeResult:
        glyphs = self.callboard.glyphs
        yield StatusLine(glyphs=glyphs, id="head")
        yield Banner(glyphs=glyphs, id="banner")
        with Container(id="panes"):
            with Container(id="lists"):
                with Vertical(id="messages-pane"):
                    yield PaneTitle("Messages", glyphs=glyphs, id="messages-title")
                    yield VirtualTable(board_rows.MESSAGE_COLUMNS, glyphs=glyphs, id=MESSAGES)
                with Vertical(id="people-pane"):
                    yield PaneTitle("Not read", glyphs=glyphs, id="people-title")
                    yield VirtualTable(board_rows.PEOPLE_COLUMNS, empty=NO_PEOPLE, glyphs=glyphs, id=PEOPLE)
                    yield StatusLine(most=2, glyphs=glyphs, id="why")
            with Vertical(id="feed-pane"):
                yield PaneTitle("What happens", glyphs=glyphs, id="feed-title")
                yield Feed(empty="Nothing has happened yet.", glyphs=glyphs, id="feed")
        with Vertical(id="statistics"):
            yield StatusLine(glyphs=glyphs, id="texts")
            yield StatusLine(glyphs=glyphs, id="answers")
        yield from self.compose_foot()

    def on_mount(self) -> None:
        self.table(MESSAGES).focus()

    def situation(self) -> Situation:
        view, now = self.callboard.view, self.now_ms
        key = self.table(MESSAGES).cursor_key
        marks = self.table(PEOPLE).marks if key == view.message_id else frozenset()
        return Situation(
            now_ms=now,
            read_only=self.callboard.read_only,
            may_send=self.actor.may_send,
            message=view.messages.get(key) if isinstance(key, int) else None,
            can_be_reminded=view.reminded_of(key) if isinstance(key, int) else None,
            held=self.held_message(now),
            marked=frozenset(one for one in marks if isinstance(one, int)),
            focus=self.focus_name,
        )

    def sort(self, focus: str) -> None:
        order = self.callboard.view.next_order(Part.PEOPLE if focus == PEOPLE else Part.MESSAGES)
        self.say(f"Sorted by {order.name}.")
        self.flush()

    def filtered(self) -> None:
        self._titles()

    # ---------------------------------------------------------------------------------------------- drawing

    def each_tick(self, now_ms: int) -> None:
        super().each_tick(now_ms)
        app, view = self.callboard, self.callboard.view
        production = self.office.production
        self.query_one("#head", StatusLine).show(
            board_rows.head_facts(
                view.center,
                production.name,
                now_ms,
                production.time_zone,
                demo=app.demo,
                read_only=app.read_only,
            )
        )
        self.query_one("#banner", Banner).show(
            board_rows.banner_words(view.center, self.office.trouble(), app.trouble, app.banner)
        )

    def flush(self) -> None:
        if not self.ready:
            return
        view, now = self.callboard.view, self.now_ms
        parts, changed = view.drawn()
        if Part.HEAD in parts:
            self.show_tiny()
        if view.center is not None:
            self._messages(now, changed)
        if Part.PEOPLE in parts:
            self._people()
        if Part.FEED in parts and view.center:
            zone = self.office.production.time_zone
            self.query_one("#feed", Feed).show([board_rows.feed_line(row, zone) for row in view.center.feed])
        if parts & {Part.STATISTICS, Part.MESSAGES} and view.center:
            waiting = board_rows.in_window(view.messages.values(), now)
            texts, answers = board_rows.statistics(view.center.day, view.pace, waiting)
            self.query_one("#texts", StatusLine).show(texts)
            self.query_one("#answers", StatusLine).show(answers)
        self._titles()
        self.each_tick(now)

    def _messages(self, now_ms: int, changed: frozenset[int]) -> None:
        """The list of messages. A row is made anew when its message changed, or its age reads otherwise."""
        view = self.callboard.view
        rows: dict[int, tuple[str, Row]] = {}
        for summary in view.sorted_messages():
            made, age = self._rows.get(summary.id), board_rows.age_of(summary, now_ms)
            if made is None or made[0] != age or summary.id in changed or summary.open_step:
                made = (age, board_rows.message_row(summary, now_ms))
            rows[summary.id] = made
        self._rows = rows
        table = self.table(MESSAGES)
        table.set_empty(NO_MESSAGES if view.center and view.center.people else NO_CREW)
        table.set_rows([row for _, row in rows.values()])
        if view.message and view.message.public_id == view.go_to:
            view.go_to = None
            table.move_to(view.message_id)

    def _people(self) -> None:
        view, table = self.callboard.view, self.table(PEOPLE)
        if view.message is None or view.people_of is None:
            table.set_empty(NO_PEOPLE)
        elif view.message.status is MessageStatus.CANCELLED:
            table.set_empty(CALLED_OFF)
        else:
            table.set_empty(ALL_READ if view.message.figures.read else NOBODY_LEFT)
        people = [board_rows.as_told(one, view.message, self.now_ms) for one in view.sorted_people()]
        table.set_rows([board_rows.person_row(one) for one in people])
        self._why()

    def _why(self) -> None:
        view = self.callboard.view
        key = self.table(PEOPLE).cursor_key
        person = view.people.get(key) if isinstance(key, int) else None
        if person:
            person = board_rows.as_told(person, view.message, self.now_ms)
        self.query_one("#why", StatusLine).show(board_rows.why_facts(person))

    def _titles(self) -> None:
        view, dot = self.callboard.view, self.callboard.glyphs.dot
        messages, people = self.table(MESSAGES), self.table(PEOPLE)
        self.query_one("#messages-title", PaneTitle).show(
            f"Messages {messages.counted}", f"sorted by {view.message_order.name}"
        )
        message = view.message
        title = f"Not read {people.counted}"
        note = f"sorted by {view.people_order.name}"
        if message:
            title += f" {dot} {message.code} {message.headline}"
            note = board_rows.answer_words(message, dot) or note
        self.query_one("#people-title", PaneTitle).show(title, note)

    # --------------------------------------------------------------------------------------------- movement

    @on(VirtualTable.Highlighted)
    def cursor_moved(self, event: VirtualTable.Highlighted) -> None:
        if event.table.id == PEOPLE:
            self._why()
            return
        if isinstance(event.key, int) and event.key != self.callboard.view.message_id:
            self.callboard.view.choose(event.key)
            self.table(PEOPLE).clear_marks()
            self.flush()
            self.callboard.look()

    @on(VirtualTable.Selected)
    def row_selected(self) -> None:
        self.action_do("open")
