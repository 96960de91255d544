"""From what was read to what is drawn: the words and cells of the lists, the head and the statistics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from app.domain import times
from app.domain.buckets import Bucket
from app.domain.messages import MessageStatus
from app.domain.priorities import Priority, StepKind
from app.domain.problem import Problem
from app.services import hearing
from app.services.watching import Center
from app.store.board import FeedRow, OpenStep, Summary
from app.store.day import Day
from app.store.standings import Standing
from app.tui.view_models import Pace
from providers.contract import Channel
from widgets.bars import Bar, percent
from widgets.cells import Cell, Tone, Words
from widgets.columns import Column
from widgets.feed import Line
from widgets.hold_bar import Hold
from widgets.status_line import Fact
from widgets.virtual_table import Row

CHANNEL_WORDS: dict[Channel, str] = {
    Channel.SMS: "text",
    Channel.VOICE: "call",
    Channel.PUSH: "push",
    Channel.EMAIL: "e-mail",
    Channel.IN_APP: "in-app",
}

MESSAGE_COLUMNS = (
    Column("", 2),
    Column("Message", 24, grow=3, most=60, least=12),
    Column("Code", 6, drop=3),
    Column("People", 6, right=True, drop=1),
    Column("Delivered", 11, grow=1, most=24, least=9),
    Column("Read", 11, grow=1, most=24, least=8),
    Column("Not read", 8, right=True),
    Column("Age", 4, right=True),
)

PRIORITY_TONES = {
    Priority.URGENT: Tone.URGENT,
    Priority.IMPORTANT: Tone.STRONG,
    Priority.INFO: Tone.PLAIN,
    Priority.ROUTINE: Tone.DIM,
}

QUIET_STATUS = frozenset({MessageStatus.SENDING})
"""The status that is not worth a word: the bars say it."""


def message_row(summary: Summary, now_ms: int) -> Row:
    """A message in the list of the Center."""
    figures = summary.figures
    tone = PRIORITY_TONES[summary.priority]
    delivered: Cell = Bar(figures.delivered, figures.recipients, Tone.GOOD)
    read: Cell = Bar(figures.read, figures.recipients, Tone.GOOD)
    if not_yet_out(summary, now_ms):
        delivered, read = Words("not sent yet", Tone.DIM), Words("")
    if summary.status not in QUIET_STATUS:
        delivered = Words(summary.status.value, Tone.WARN)
    called_off = summary.status is MessageStatus.CANCELLED
    not_read = "" if called_off else f"{summary.non_readers:,}"
    alarm = Tone.URGENT if summary.priority is Priority.URGENT and summary.non_readers else Tone.STRONG
    return Row(
        key=summary.id,
        cells=(
            Words(summary.priority.symbol, tone),
            Words(summary.headline, Tone.DIM if called_off else tone),
            Words(summary.code, Tone.DIM),
            f"{figures.recipients:,}",
            delivered,
            read,
            Words(not_read, alarm if summary.non_readers else Tone.DIM),
            Words(age_of(summary, now_ms), Tone.DIM),
        ),
        words=f"{summary.headline} {summary.code} {summary.priority.label} {summary.word}",
    )


def age_of(summary: Summary, now_ms: int) -> str:
    """How long ago a message was written."""
    return times.ago(max(now_ms - summary.created_at, 0))


PEOPLE_COLUMNS = (
    Column("Name", 16, grow=2, most=30, least=14),
    Column("Department", 10, grow=1, drop=1, most=18),
    Column("State", 12, drop=5, most=25),
    Column("Why", 20, grow=4, most=60, least=10),
    Column("Next", 18, grow=3, drop=6, most=50),
    Column("Last", 6, drop=4),
    Column("Tries", 5, right=True, drop=3),
    Column("Phone", 6, right=True, drop=2),
)

BUCKET_TONES = {
    Bucket.NEEDS_HELP: Tone.WARN,
    Bucket.DECLINED: Tone.WARN,
    Bucket.CONFIRMED: Tone.GOOD,
    Bucket.READ: Tone.GOOD,
    Bucket.NOT_REACHED: Tone.WARN,
    Bucket.UNCERTAIN: Tone.WARN,
    Bucket.HELD: Tone.DIM,
    Bucket.SUPPRESSED: Tone.DIM,
}


WAITS_FOR_UNDO = ("Not sent yet.", "It goes out when the undo window ends; u undoes it.")


def as_told(person: Standing, summary: Summary | None, now_ms: int) -> Standing:
    """Somebody of a message whose first undo window is open: nothing is on its way to them yet."""
    if person.bucket is not Bucket.ON_THE_WAY or not not_yet_out(summary, now_ms):
        return person
    why, following = WAITS_FOR_UNDO
    return replace(person, why=why, next=following)


def not_yet_out(summary: Summary | None, now_ms: int) -> bool:
    """Whether the first undo window of a message is open."""
    step = open_step(summary, now_ms) if summary else None
    return step is not None and step.kind is StepKind.FIRST


def person_row(person: Standing) -> Row:
    """A recipient with the reason and the next step."""
    tone = BUCKET_TONES.get(person.bucket, Tone.PLAIN)
    last = CHANNEL_WORDS[person.last_channel] if person.last_channel else ""
    return Row(
        key=person.recipient_id,
        cells=(
            person.name,
            person.department,
            Words(person.bucket.label, tone),
            Words(person.why, tone),
            person.next,
            Words(last, Tone.DIM),
            f"{person.tries}",
            Words(tail_words(person.tail), Tone.DIM),
        ),
        words=f"{person.name} {person.department} {person.position} {person.bucket.label} {person.why}",
    )


def tail_words(tail: str) -> str:
    """The end of a number, "…41", as it is spoken of; an e-mail address brings its own dots."""
    return f"…{tail}" if tail.isdigit() else tail


def why_facts(person: Standing | None) -> list[Fact]:
    """The line below a list of people: the whole reason of the one under the cursor."""
    if person is None:
        return []
    return [
        Fact(person.name, Tone.STRONG, drop=2),
        Fact(person.position, Tone.DIM, drop=3),
        Fact(f"{person.why} {person.next}".strip(), BUCKET_TONES.get(person.bucket, Tone.PLAIN)),
    ]


FEED_WORDS: dict[str, tuple[str, Tone]] = {
    Bucket.NEEDS_HELP.value: ("NEEDS HELP", Tone.URGENT),
    Bucket.DECLINED.value: ("DECLINED", Tone.WARN),
    Bucket.CONFIRMED.value: ("confirmed", Tone.GOOD),
    Bucket.READ.value: ("read", Tone.GOOD),
    Bucket.DELIVERED.value: ("delivered", Tone.PLAIN),
    Bucket.NO_RECEIPT.value: ("sent", Tone.PLAIN),
    Bucket.UNCERTAIN.value: ("UNCERTAIN", Tone.WARN),
    Bucket.ON_THE_WAY.value: ("on the way", Tone.DIM),
    Bucket.NOT_REACHED.value: ("NOT REACHED", Tone.WARN),
    Bucket.HELD.value: ("held", Tone.DIM),
    Bucket.SUPPRESSED.value: ("left out", Tone.DIM),
}
"""What happened, in a word; trouble in capitals."""


@dataclass(frozen=True, slots=True)
class ReplyWords:
    """How a reply that somebody must look at is told: a word, who it is from if that is not known, what to do."""

    word: str
    nobody: str
    look: str


REPLIES: dict[str, ReplyWords] = {
    hearing.FLAG_FREE: ReplyWords("WROTE", "somebody", "in their own words, read it there"),
    hearing.FLAG_LEFT_ALONE: ReplyWords("OPT OUT?", "somebody", "asks to be left alone, ask them"),
    hearing.FLAG_HELP: ReplyWords("ASKS HELP", "somebody", "asks what these texts are (HELP)"),
    hearing.FLAG_SHARED: ReplyWords("WHO WROTE?", "a shared number", "two people have it, ask both"),
    hearing.FLAG_STRANGER: ReplyWords("STRANGER", "unknown number", "had no message; on the crew list?"),
}
"""By what a reply was taken for. Its own words are read on the screen of the message, where its writer is known."""


def feed_line(row: FeedRow, zone: str) -> Line:
    """Something that happened, in a line; a reply to look at with who wrote, about what, and what to do."""
    at = times.wall(row.at, zone).strftime("%H:%M:%S")
    if row.kind == hearing.REPLY:
        words = REPLIES.get(row.detail, ReplyWords("REPLY", "somebody", row.detail))
        look = ": ".join(one for one in (row.code, words.look) if one)
        return Line(row.id, at, words.word, row.person or words.nobody, more=look, tone=Tone.WARN)
    word, tone = FEED_WORDS.get(row.kind, (row.kind.replace("_", " "), Tone.PLAIN))
    text = "  ".join(one for one in (row.person, row.detail) if one)
    return Line(row.id, at, word, text, row.code, tone=tone)


def head_facts(
    center: Center | None, production: str, now_ms: int, zone: str, *, demo: bool, read_only: bool
) -> list[Fact]:
    """The first line: where we are, what time it is, whether anything is sent, and who has not read it."""
    facts = [
        Fact(production, Tone.STRONG),
        Fact(times.wall(now_ms, zone).strftime("%a %d %b"), Tone.DIM, drop=4),
        Fact(times.clock_text(now_ms, zone)),
    ]
    if demo:
        facts.append(Fact("DEMO", Tone.WARN))
        if center:
            facts.append(Fact(f"{center.day.segments_per_second} segments/s", Tone.DIM, drop=3))
    if read_only:
        facts.append(Fact("READ-ONLY", Tone.WARN))
    if center is None:
        return facts
    facts.append(
        Fact("sending", Tone.GOOD, drop=2) if center.dispatching else Fact("NOTHING IS SENDING", Tone.WARN)
    )
    if center.unread_urgent:
        facts.append(Fact(urgent_words(center, now_ms), Tone.URGENT, right=True))
    return facts


def urgent_words(center: Center, now_ms: int) -> str:
    """The count of unread URGENT, as the head and a tiny terminal show it."""
    since = center.unread_urgent_since
    age = f" {times.ago(max(now_ms - since, 0))}" if since is not None else ""
    return f"!! {center.unread_urgent:,} unread URGENT{age}"


def banner_words(center: Center | None, not_stored: Problem | None, old: str, standing: str) -> str:
    """Trouble that needs an act stays on screen until it is over; what stops everything else comes first.

    ``old`` says why what is on screen is old, ``standing`` what is so for as long as this terminal is open.
    """
    open_incidents = [f"{one.sentence} {one.next}".strip() for one in center.incidents] if center else []
    sentences = [
        one for one in (str(not_stored) if not_stored else "", old, *open_incidents, standing) if one
    ]
    more = f" ({len(sentences) - 1} more)" if len(sentences) > 1 else ""
    return f"{sentences[0]}{more}" if sentences else ""


def in_window(messages: Iterable[Summary], now_ms: int) -> int:
    """How many people somebody could still be spared: those of all open undo windows."""
    return sum(step.people for step in (open_step(one, now_ms) for one in messages) if step)


def statistics(day: Day, pace: Pace, in_window: int) -> tuple[list[Fact], list[Fact]]:
    """The two lines of figures: to how many people today's texts got how far, and how fast it goes
    on. ``in_window`` people are of
    steps whose undo window is open."""
    success = f" ({percent(day.delivered, day.planned)}%)" if day.planned else ""
    texts = [
        Fact("Texts today", Tone.DIM),
        Fact(f"{day.planned:,} planned", drop=3),
        Fact(f"{day.sent:,} sent"),
        Fact(f"{day.delivered:,} delivered{success}", Tone.GOOD),
        Fact(f"{day.failed:,} failed", Tone.WARN if day.failed else Tone.DIM),
    ]
    answers = [
        Fact("Replies", Tone.DIM),
        Fact(f"{day.replies:,}"),
        Fact(
            f"on average after {times.spell(day.mean_response_ms)}"
            if day.mean_response_ms is not None
            else "none yet to average",
            Tone.DIM,
            drop=3,
        ),
        *progress(day, pace, in_window),
    ]
    return texts, answers


def progress(day: Day, pace: Pace, in_window: int = 0) -> list[Fact]:
    """Progress with a number: how many of how many, how fast, how long still."""
    apart = [
        Fact(f"{count:,} {words}", Tone.DIM, drop=4)
        for count, words in (
            (in_window, "in their undo window"),
            (day.later, "to be tried again"),
            (day.held, "held for quiet hours"),
        )
        if count
    ]
    if not day.queued:
        return apart or [Fact("nothing waits", Tone.DIM, drop=2)]
    facts = [Fact(f"{day.done:,} of {people_words(day.to_do)}", Tone.STRONG)]
    speed = pace.per_second()
    if speed > 0:
        left = -(-day.queued // max(speed, 0.001))
        facts += [
            Fact(f"{speed:.0f}/s" if speed >= 1 else "slow"),
            Fact(f"about {times.spell(round(left) * 1000)} left"),
        ]
    else:
        facts.append(Fact(f"{day.queued:,} wait", Tone.WARN))
    return facts + apart


# ------------------------------------------------------------------------------------------------ holds

EFFECTS: dict[StepKind, str] = {
    StepKind.FIRST: "Sending {code} to {people}",
    StepKind.REMINDER: "Reminding {people} of {code}",
    StepKind.LADDER: "Trying {people} again for {code}",
    StepKind.CALL: "Calling {people} about {code}",
    StepKind.DISREGARD: "Telling {people} to disregard {code}",
    StepKind.CORRECTION: "Correcting {code} for {people}",
}
"""What the hold bar says of each step: the effect in numbers."""


def people_words(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def open_step(summary: Summary, now_ms: int) -> OpenStep | None:
    """The step that leaves when its undo window ends; what was read a moment ago may have ended since. Nothing of a
    paused message leaves then."""
    step = summary.open_step
    leaves = step is not None and step.not_before > now_ms and summary.status is not MessageStatus.PAUSED
    return step if leaves else None


def held_message(messages: Iterable[Summary], chosen: int | None, now_ms: int) -> Summary | None:
    """Which undo window the bar shows: that of the message under the cursor, else the youngest."""
    waiting = [one for one in messages if open_step(one, now_ms)]
    here = [one for one in waiting if one.id == chosen]
    return next(iter(here or sorted(waiting, key=_asked_at, reverse=True)), None)


def _asked_at(summary: Summary) -> int:
    return summary.open_step.created_at if summary.open_step else 0


def hold_of(held: Summary | None, messages: Sequence[Summary], now_ms: int) -> Hold | None:
    """The hold bar of a message whose undo window is open."""
    step = open_step(held, now_ms) if held else None
    if held is None or step is None:
        return None
    others = sum(1 for one in messages if one.id != held.id and open_step(one, now_ms))
    return Hold(
        effect=EFFECTS[step.kind].format(code=held.code, people=people_words(step.people)),
        beside=f"{step.unreachable:,} cannot be reached" if step.unreachable else "",
        left_ms=step.not_before - now_ms,
        whole_ms=step.not_before - step.created_at,
        also=others,
    )


ANSWERS = (Bucket.CONFIRMED, Bucket.NEEDS_HELP, Bucket.DECLINED)


def answer_words(summary: Summary, dot: str) -> str:
    """What those who answered said: "confirmed 171, needs help 2"; nothing while nobody has."""
    said = [(bucket.label.lower(), summary.buckets.get(bucket, 0)) for bucket in ANSWERS]
    return f" {dot} ".join(f"{label} {count:,}" for label, count in said if count)
