"""Compose: a message is written, its size and its reach counted while it is typed."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.suggester import Suggester
from textual.widgets import Input, Static, TextArea

from app.domain import sms
from app.domain.message_types import MessageType
from app.domain.messages import SUBJECT_LIMIT, problem_of
from app.domain.priorities import Priority
from app.domain.problem import Problem, Refused
from app.domain.sms import HARD_LIMIT
from app.services import sending, watching
from app.tui.actions import COMPOSE_ACTIONS, FIELD_KEYS, Situation, bindings
from app.tui.board_rows import CHANNEL_WORDS, people_words
from app.tui.drafts import (
    NO_PROVIDER,
    Draft,
    link_words,
    no_provider,
    nothing_on,
    priority_words,
    size_facts,
    text_of,
)
from app.tui.program import Program
from app.tui.screens.board import BoardScreen
from providers.contract import Channel
from widgets.cells import Tone
from widgets.choice import Checks, Choice, OptionLine, Turn
from widgets.pane_title import PaneTitle
from widgets.status_line import Fact, StatusLine

KINDS = tuple((kind.value, kind.label) for kind in MessageType)
PRIORITIES = tuple((one.value, f"{one.symbol} {one.label}") for one in Priority)
CHANNELS = tuple((one.value, CHANNEL_WORDS[one]) for one in Channel)
ASK = "ask"


class AudienceSuggester(Suggester):
    """Completes the last word of an audience; the right arrow takes it."""

    def __init__(self, words: list[str]) -> None:
        super().__init__(case_sensitive=True)
        self._words = words

    async def get_suggestion(self, value: str) -> str | None:
        begun, comma, last = value.rpartition(",")
        word = last.strip()
        bare = word.removeprefix("-")
        if not bare:
            return None
        for known in self._words:
            if known.casefold().startswith(bare.casefold()) and known.casefold() != bare.casefold():
                gap = last[: len(last) - len(last.lstrip())]
                minus = word[: len(word) - len(bare)]
                return f"{begun}{comma}{gap}{minus}{known}"
        return None


class ComposeScreen(BoardScreen):
    """Writes a message. Bare keys type, so what a key does here are function keys."""

    ACTIONS = COMPOSE_ACTIONS
    MOVING = FIELD_KEYS
    BINDINGS: ClassVar[list[BindingType]] = bindings("compose", COMPOSE_ACTIONS)

    def __init__(self, callboard: Program) -> None:
        super().__init__(callboard)
        self._available: frozenset[Channel] | None = None
        """The channels that can be sent on, as soon as it is known."""
        self._shown: frozenset[Channel] | None = None

    @property
    def draft(self) -> Draft:
        return self.callboard.draft

    def compose(self) -> ComposeResult:
        glyphs, draft = self.callboard.glyphs, self.draft
        yield StatusLine(glyphs=glyphs, id="head")
        with Vertical(id="form"):
            with Horizontal(classes="field"):
                yield Static("Kind", classes="label", markup=False)
                yield Turn(KINDS, id="kind")
            with Horizontal(classes="field"):
                yield Static("Priority", classes="label", markup=False)
                yield Choice(PRIORITIES, id="priority")
            yield Static("", id="priority-words", classes="note", markup=False)
            with Horizontal(classes="field"):
                yield Static("By", classes="label", markup=False)
                yield Checks(CHANNELS, id="channels")
            with Horizontal(classes="field"):
                yield Static("To", classes="label", markup=False)
                yield Input(draft.to, id="to", compact=True, placeholder="all, dept:Camera, -person:Ada Lund")
            yield Static("", id="count", classes="note", markup=False)
            with Horizontal(classes="field"):
                yield Static("Subject", classes="label", markup=False)
                yield Input(draft.subject, id="subject", compact=True, max_length=SUBJECT_LIMIT)
                yield Static("", id="subject-count", markup=False)
            yield Static("Message", classes="label", id="body-label", markup=False)
            yield TextArea(
                draft.body,
                id="body",
                compact=True,
                tab_behavior="focus",
                placeholder="What people must know.",
            )
            with Horizontal(classes="field"):
                yield Static("Reply", classes="label", markup=False)
                yield Checks(((ASK, "ask: 1 to confirm, 2 if there is a problem"),), id="ask")
            yield StatusLine(glyphs=glyphs, id="size")
            yield Static("", id="problem", markup=False)
            yield PaneTitle("The text", glyphs=glyphs, id="preview-title")
            yield Static("", id="preview", markup=False)
        yield from self.compose_foot()

    def on_mount(self) -> None:
        draft = self.draft
        self.callboard.ticker.readers.append(self._read)
        self.callboard.look()
        self.query_one("#kind", Turn).choose(draft.type.value)
        self.query_one("#ask", Checks).switch([ASK] if draft.asks else [])
        self._follow_draft()
        self.query_one("#subject" if draft.subject or draft.to == "all" else "#to").focus()
        self.callboard.start(self._count())
        self.callboard.start(self._offer_departments())

    def on_unmount(self) -> None:
        self.callboard.ticker.readers.remove(self._read)

    async def _read(self) -> None:
        self._available = await sending.channels(self.office)

    def flush(self) -> None:
        if self.ready and self._available != self._shown:
            self._shown = self._available
            self._follow_draft()

    async def _offer_departments(self) -> None:
        departments = await watching.departments(self.office)
        words = ["all", *(f"dept:{name}" for name, _ in departments if name)]
        if not self.is_open:
            return
        self.query_one("#to", Input).suggester = AudienceSuggester(words)

    def situation(self) -> Situation:
        return Situation(self.now_ms, self.callboard.read_only, self.actor.may_send)

    def each_tick(self, now_ms: int) -> None:
        super().each_tick(now_ms)
        self.query_one("#head", StatusLine).show(
            [
                Fact("New message", Tone.STRONG),
                Fact(self.office.production.name, Tone.DIM, drop=1),
                Fact("tab next field", Tone.DIM, right=True),
            ]
        )

    # ------------------------------------------------------------------------------------------ the fields

    @on(OptionLine.Changed)
    def chosen(self, event: OptionLine.Changed) -> None:
        draft, line = self.draft, event.line
        if isinstance(line, Checks) and line.id == "channels":
            draft.channels = tuple(Channel(one) for one in line.values)
            draft.channels_chosen = True
        elif isinstance(line, Checks):
            draft.asks = ASK in line.values
        elif isinstance(line, Choice) and line.id == "kind":
            draft.set_type(MessageType(line.value))
        elif isinstance(line, Choice):
            draft.set_priority(Priority(line.value))
        self._follow_draft()

    @on(Checks.Closed)
    def not_available(self, event: Checks.Closed) -> None:
        if self._available is not None:
            self.say(str(no_provider(Channel(event.value))), warn=True)

    @on(Input.Changed, "#subject")
    def subject_typed(self, event: Input.Changed) -> None:
        self.draft.subject = event.value
        self._follow_draft()

    @on(TextArea.Changed, "#body")
    def body_typed(self, event: TextArea.Changed) -> None:
        self.draft.body = event.text_area.text
        self._follow_draft()

    @on(Input.Changed, "#to")
    def audience_typed(self, event: Input.Changed) -> None:
        self.draft.to = event.value
        self.run_worker(self._count(), group="count", exclusive=True, exit_on_error=False)

    def _follow_draft(self) -> None:
        draft, available = self.draft, self._available or frozenset()
        self.query_one("#priority", Choice).choose(draft.priority.value)
        channels, why = (
            self.query_one("#channels", Checks),
            NO_PROVIDER if self._available is not None else "",
        )
        channels.keep_off({one.value: why for one in Channel if one not in available})
        channels.switch([one.value for one in draft.channels])
        self.query_one("#priority-words", Static).update(priority_words(draft.priority))
        self.query_one("#subject-count", Static).update(f" {len(draft.subject)}/{SUBJECT_LIMIT}")
        by_text = Channel.SMS in draft.by(available)
        composed = draft.composed(available)
        text = text_of(self.office, composed) if by_text else ""
        too_long = problem_of(composed, self.office.production.name) if draft.subject or draft.body else None
        self.query_one("#size", StatusLine).show(self._size_of(text, too_long))
        self.query_one("#preview", Static).update(text[:HARD_LIMIT])
        title = self.query_one("#preview-title", PaneTitle)
        title.set_class(not text, "-nothing")
        title.show("The text", link_words(text))
        self._problem("")

    def _size_of(self, text: str, too_long: Problem | None) -> list[Fact]:
        """What the text takes, or why there is none."""
        if self._available is None:
            return []
        if text:
            return [Fact(str(too_long), Tone.WARN)] if too_long else size_facts(text)
        if self.draft.by(self._available):
            return [Fact("Not sent as a text.", Tone.DIM)]
        return [Fact(str(nothing_on(self._available)), Tone.WARN)]

    async def _count(self) -> None:
        """How many people the audience means, as it is typed."""
        words = self.draft.audience
        try:
            count = await watching.head_count(self.office, words)
            said = people_words(count) if count else "Nobody is meant by this."
        except Refused as refused:
            said = str(refused.problem)
        if self.is_open:
            self.query_one("#count", Static).update(said)

    def _problem(self, words: str) -> None:
        if not self.is_open:
            return
        problem = self.query_one("#problem", Static)
        problem.set_class(bool(words), "-shown")
        problem.update(f"! {words}" if words else "")

    # ----------------------------------------------------------------------------------- what actions ask for

    async def review(self) -> None:
        from app.tui.screens.review import ReviewScreen  # noqa: PLC0415 - only when it is opened

        available = await sending.channels(self.office)
        composed = self.draft.composed(available)
        if available and not composed.channels:
            self._problem(str(nothing_on(available)))
            return
        try:
            sheet = await sending.preflight(self.office, composed)
        except Refused as refused:
            self._problem(str(refused.problem))
            return
        self._problem("")
        if not self.is_active:  # f5 was pressed twice, or the person went on
            return
        self.app.push_screen(ReviewScreen(self.callboard, composed, sheet, self.send_failed))

    def send_failed(self, problem: Problem) -> None:
        """The review came back without having sent: say why where it can be mended."""
        self._problem(str(problem))

    def straighten(self) -> None:
        subject, body = self.query_one("#subject", Input), self.query_one("#body", TextArea)
        subject.value = sms.straighten(subject.value)
        straight = sms.straighten(body.text)
        if straight != body.text:
            body.replace(straight, (0, 0), body.document.end)
