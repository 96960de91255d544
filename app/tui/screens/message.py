"""One message: how many stand where, who they are and why, and everything that happened to one of them."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical

from app.domain import times
from app.domain.buckets import Bucket
from app.services.watching import NON_READER
from app.store.board import Summary
from app.store.standings import Standing
from app.store.timeline import Happening
from app.tui import board_rows
from app.tui.actions import MESSAGE_ACTIONS, PEOPLE, Situation, bindings
from app.tui.board_rows import CHANNEL_WORDS
from app.tui.program import Program
from app.tui.screens.board import BoardScreen
from app.tui.ticker import read_message
from app.tui.view_models import MessageView, Part
from providers.contract import Channel
from widgets.cells import Tone, Words
from widgets.columns import Column
from widgets.pane_title import PaneTitle
from widgets.status_line import Fact, StatusLine
from widgets.virtual_table import Row, VirtualTable

BUCKETS, TIMELINE = "buckets", "timeline"

BUCKET_COLUMNS = (Column("", 14, grow=1, most=26), Column("People", 6, right=True))

TIMELINE_COLUMNS = (
    Column("Time", 8),
    Column("What", 18, grow=1, most=28),
    Column("By", 10, drop=1),
    Column("Try", 3, right=True, drop=2),
    Column("", 20, grow=4),
)

STILL_AFTER = "Not read"
"""The first entry: everybody we are still after, whatever the reason."""


SHORT = {Bucket.NO_RECEIPT: "No receipt"}
"""Labels too long for the list of buckets; the title of the people says them in full."""


def bucket_rows(summary: Summary) -> list[Row]:
    """Everybody we are still after, then every bucket with its number of people."""
    alarm = Tone.WARN if summary.non_readers else Tone.DIM
    rows = [Row(NON_READER, (Words(STILL_AFTER, Tone.STRONG), Words(f"{summary.non_readers:,}", alarm)))]
    for bucket in Bucket:
        count = summary.buckets.get(bucket, 0)
        tone = board_rows.BUCKET_TONES.get(bucket, Tone.PLAIN) if count else Tone.DIM
        rows.append(
            Row(bucket.value, (Words(SHORT.get(bucket, bucket.label), tone), Words(f"{count:,}", tone)))
        )
    return rows


def halted(summary: Summary) -> Fact | None:
    """That it was decided to hold or call off the message: that stays, however narrow the terminal."""
    quiet = summary.status in board_rows.QUIET_STATUS
    return None if quiet else Fact(summary.status.value, Tone.WARN)


def timeline_row(place: int, line: Happening, zone: str) -> Row:
    """One thing that happened to the person under the cursor."""
    by = line.provider or (CHANNEL_WORDS[Channel(line.channel)] if line.channel else "")
    return Row(
        key=(place, line.at, line.what),
        cells=(
            Words(times.wall(line.at, zone).strftime("%H:%M:%S"), Tone.DIM),
            line.what,
            Words(by, Tone.DIM),
            f"{line.attempt}" if line.attempt else "",
            line.detail,
        ),
    )


class MessageScreen(BoardScreen):
    """A message, opened from the Center. The bucket under the cursor decides which people are listed."""

    ACTIONS = MESSAGE_ACTIONS
    BINDINGS: ClassVar[list[BindingType]] = bindings("message", MESSAGE_ACTIONS)

    def __init__(self, callboard: Program, summary: Summary) -> None:
        super().__init__(callboard)
        self.view = MessageView(summary, chosen=NON_READER)

    async def _read(self) -> None:
        summary = self.callboard.view.messages.get(self.view.summary.id)
        if summary:
            self.view.take(summary)
        await read_message(self.office, self.view)

    def compose(self) -> ComposeResult:
        glyphs = self.callboard.glyphs
        yield StatusLine(glyphs=glyphs, id="head")
        yield StatusLine(glyphs=glyphs, id="figures")
        with Container(id="panes"):
            with Vertical(id="buckets-pane"):
                yield PaneTitle("Where they stand", glyphs=glyphs, id="buckets-title")
                yield VirtualTable(BUCKET_COLUMNS, glyphs=glyphs, id=BUCKETS)
            with Vertical(id="people-pane"):
                yield PaneTitle("People", glyphs=glyphs, id="people-title")
                yield VirtualTable(board_rows.PEOPLE_COLUMNS, glyphs=glyphs, id=PEOPLE)
                yield StatusLine(most=2, glyphs=glyphs, id="why")
        with Vertical(id="timeline-pane"):
            yield PaneTitle("What happened", glyphs=glyphs, id="timeline-title")
            yield VirtualTable(
                TIMELINE_COLUMNS, empty="Put the cursor on a person.", glyphs=glyphs, id=TIMELINE
            )
        yield from self.compose_foot()

    def on_mount(self) -> None:
        self.callboard.ticker.readers.append(self._read)
        self.table(BUCKETS).focus()
        self.callboard.look()

    def on_unmount(self) -> None:
        self.callboard.ticker.readers.remove(self._read)

    def situation(self) -> Situation:
        now = self.now_ms
        return Situation(
            now_ms=now,
            read_only=self.callboard.read_only,
            may_send=self.actor.may_send,
            message=self.view.summary,
            can_be_reminded=self.callboard.view.reminded_of(self.view.summary.id),
            held=self.held_message(now),
            marked=frozenset(key for key in self.table(PEOPLE).marks if isinstance(key, int)),
            focus=self.focus_name,
        )

    def held_message(self, now_ms: int) -> Summary | None:
        messages = self.callboard.view.messages.values()
        return board_rows.held_message(messages, self.view.summary.id, now_ms)

    def sort(self, _: str) -> None:
        self.say(f"People sorted by {self.view.next_order().name}.")
        self.flush()

    def filtered(self) -> None:
        self._titles()

    # ---------------------------------------------------------------------------------------------- drawing

    def flush(self) -> None:
        if not self.ready:
            return
        parts, summary = self.view.drawn(), self.view.summary
        if Part.MESSAGES in parts:
            self.table(BUCKETS).set_rows(bucket_rows(summary))
        if Part.PEOPLE in parts:
            self.table(PEOPLE).set_empty(
                "Nobody stands here." if self.view.people_of else "Reading who stands here."
            )
            people = [board_rows.as_told(one, summary, self.now_ms) for one in self.view.sorted_people()]
            self.table(PEOPLE).set_rows([board_rows.person_row(one) for one in people])
            self._person()
        if Part.TIMELINE in parts:
            zone = self.office.production.time_zone
            self.table(TIMELINE).set_rows(
                [
                    timeline_row(place, line, zone)
                    for place, line in reversed([*enumerate(self.view.timeline)])
                ]
            )
        self._titles()
        self.each_tick(self.now_ms)

    def each_tick(self, now_ms: int) -> None:
        super().each_tick(now_ms)
        summary, zone = self.view.summary, self.office.production.time_zone
        tone = board_rows.PRIORITY_TONES[summary.priority]
        self.query_one("#head", StatusLine).show(
            [
                Fact(f"{summary.priority.symbol} {summary.priority.label}", tone),
                Fact(summary.code, Tone.DIM),
                Fact(summary.headline, Tone.STRONG),
                Fact(times.clock_text(now_ms, zone), right=True),
            ]
        )
        figures = summary.figures
        channels = ", ".join(board_rows.CHANNEL_WORDS[one] for one in self.view.channels)
        self.query_one("#figures", StatusLine).show(
            [
                Fact(f"{figures.delivered:,} of {figures.recipients:,} delivered"),
                Fact(f"{figures.read:,} read", Tone.GOOD),
                Fact(f"{figures.confirmed:,} confirmed", Tone.GOOD),
                halted(summary) or Fact(summary.word, Tone.DIM, drop=2),
                Fact(f"by {channels}" if channels else "", Tone.DIM, drop=3),
                Fact(f"{times.clock_text(summary.created_at, zone)} written", Tone.DIM, drop=4),
            ]
        )

    def _titles(self) -> None:
        label = STILL_AFTER if self.view.chosen == NON_READER else Bucket(self.view.chosen).label
        self.query_one("#people-title", PaneTitle).show(
            f"{label} {self.table(PEOPLE).counted}", f"sorted by {self.view.order.name}"
        )
        name = f" to {self.view.person.name}" if self.view.person else ""
        self.query_one("#timeline-title", PaneTitle).show(f"What happened{name}", "newest first")

    # --------------------------------------------------------------------------------------------- movement

    @on(VirtualTable.Highlighted)
    def cursor_moved(self, event: VirtualTable.Highlighted) -> None:
        if event.table.id == PEOPLE:
            self._person()
        elif event.table.id == BUCKETS and event.key is not None and event.key != self.view.chosen:
            self.view.chosen = str(event.key)
            self.view.people, self.view.people_of = {}, None
            self.table(PEOPLE).clear_marks()
            self.callboard.look()

    def _person(self) -> None:
        key = self.table(PEOPLE).cursor_key
        before: Standing | None = self.view.person
        self.view.look_at(key if isinstance(key, int) else None)
        person = self.view.person
        told = board_rows.as_told(person, self.view.summary, self.now_ms) if person else None
        self.query_one("#why", StatusLine).show(board_rows.why_facts(told))
        if (self.view.person and self.view.person.recipient_id) != (before and before.recipient_id):
            self.callboard.look()
