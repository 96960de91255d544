"""The sheet before sending: who gets it, who does not and why, what it takes, and the text itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Static

from app.domain.messages import Composed, headline
from app.domain.problem import Problem, Refused
from app.services import sending
from app.services.sending import Excluded, Preflight
from app.tui.actions import PEOPLE, REVIEW_ACTIONS, Situation, bindings
from app.tui.board_rows import PRIORITY_TONES
from app.tui.drafts import Draft, caution_facts, cost_facts, link_words, reach_facts, text_of
from app.tui.program import Program
from app.tui.screens.board import BoardScreen
from providers.contract import Channel
from widgets.cells import Tone, Words
from widgets.columns import Column
from widgets.pane_title import PaneTitle
from widgets.status_line import Fact, StatusLine
from widgets.virtual_table import Row, VirtualTable

COLUMNS = (
    Column("Name", 16, grow=1, most=28),
    Column("Department", 10, drop=1, grow=1, most=18),
    Column("Why", 22, grow=2, most=50),
    Column("What to do", 22, grow=2, most=60),
)


def excluded_row(one: Excluded) -> Row:
    return Row(
        one.person_id,
        (one.person, one.department, Words(one.why, Tone.WARN), one.next),
        f"{one.person} {one.department} {one.why}",
    )


class ReviewScreen(BoardScreen):
    """Shows what sending would do. f9 does it."""

    ACTIONS = REVIEW_ACTIONS
    BINDINGS: ClassVar[list[BindingType]] = bindings("review", REVIEW_ACTIONS)

    def __init__(
        self, callboard: Program, composed: Composed, sheet: Preflight, failed: Callable[[Problem], None]
    ) -> None:
        super().__init__(callboard)
        self._composed = composed
        self._sheet = sheet
        self._failed = failed
        self._sending = False

    def compose(self) -> ComposeResult:
        glyphs = self.callboard.glyphs
        yield StatusLine(glyphs=glyphs, id="head")
        with Vertical(id="sheet-lines"):
            yield StatusLine(glyphs=glyphs, id="reach")
            yield StatusLine(glyphs=glyphs, id="cost")
            yield StatusLine(glyphs=glyphs, id="cautions")
        yield PaneTitle(glyphs=glyphs, id="text-title")
        yield Static(self._text, id="text", markup=False)
        yield PaneTitle(glyphs=glyphs, id="people-title")
        yield VirtualTable(COLUMNS, empty="Everybody is reached.", glyphs=glyphs, id=PEOPLE)
        yield StatusLine(most=2, glyphs=glyphs, id="why")
        yield from self.compose_foot()

    @property
    def _text(self) -> str:
        if Channel.SMS in self._composed.channels:
            return text_of(self.office, self._composed)
        return f"{self._composed.subject}\n{self._composed.body}".strip()

    def on_mount(self) -> None:
        priority = self._composed.priority
        self.query_one("#text-title", PaneTitle).show("The text", link_words(self._text))
        self.query_one("#head", StatusLine).show(
            [
                Fact("Review", Tone.STRONG),
                Fact(f"{priority.symbol} {priority.label}", PRIORITY_TONES[priority]),
                Fact(headline(self._composed.subject, self._composed.body)),
                Fact("nothing is sent yet", Tone.DIM, right=True, drop=1),
            ]
        )
        self.query_one("#reach", StatusLine).show(reach_facts(self._sheet))
        self.query_one("#cost", StatusLine).show(cost_facts(self._sheet, priority))
        cautions = caution_facts(self._sheet)
        self.query_one("#cautions", StatusLine).show(cautions)
        self.query_one("#cautions").display = bool(cautions)
        self.table(PEOPLE).set_rows([excluded_row(one) for one in self._sheet.excluded])
        self.table(PEOPLE).focus()
        self.filtered()

    def filtered(self) -> None:
        self.query_one("#people-title", PaneTitle).show(f"Not reached {self.table(PEOPLE).counted}")

    @on(VirtualTable.Highlighted)
    def cursor_moved(self) -> None:
        """The whole reason of the one under the cursor: a column has no room for it."""
        key = self.table(PEOPLE).cursor_key
        one = next((one for one in self._sheet.excluded if one.person_id == key), None)
        facts = [Fact(one.person, Tone.STRONG, drop=1), Fact(f"{one.why} {one.next}")] if one else []
        self.query_one("#why", StatusLine).show(facts)

    def situation(self) -> Situation:
        return Situation(self.now_ms, self.callboard.read_only, self.actor.may_send, focus=self.focus_name)

    async def send(self) -> None:
        if self._sending:
            return
        self._sending = True
        try:
            sent = await sending.send(self.office, self.actor, self._composed)
        except Refused as refused:
            self._sending = False
            self.go_back()
            self._failed(refused.problem)
            return
        self.callboard.draft = Draft()
        self.callboard.view.go_to = sent.message_id
        await self.callboard.show_center()
        if not sent.dispatching:
            self.callboard.say("It waits: nothing is sending. Start the engine: callboard serve.", warn=True)
