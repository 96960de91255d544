"""``callboard status``, ``people``, ``replies``, ``explain``: looking. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import typer

from app.cli import output
from app.cli.desk import Desk, command, plain_typer
from app.cli.output import Answer
from app.cli.visit import NOTHING_SENDS, at_home
from app.composition import House
from app.domain import times
from app.domain.buckets import JSON_ORDER, Bucket, Figures
from app.services import watching
from app.services.watching import NON_READER, Status
from app.store.board import Summary
from providers.contract import Channel

commands = plain_typer()

NEWEST = 20
"""Messages that are listed when none is named."""

Message = Annotated[str, typer.Argument(metavar="MESSAGE", help="The code (M-7F3K) or the id of a message.")]


@command(commands, "status", example="callboard status M-7F3K --json")
def status(
    desk: Desk,
    message: Annotated[
        str | None,
        typer.Argument(metavar="[MESSAGE]", help="The code or the id of a message; the newest if left out."),
    ] = None,
) -> Answer:
    """How far a message got: delivered, read, confirmed, by channel and by department."""

    async def work(house: House) -> Answer:
        found = await watching.status(house.office, message)
        dispatching = await house.office.is_dispatching()
        document = roll_up(found) | {"dispatching": dispatching}
        zone = house.office.production.time_zone
        lines = status_lines(found, house.office.production.name, zone)
        if message is None:
            listed = (await watching.center(house.office, feed_rows=0, messages_limit=NEWEST)).messages
            document["messages"] = [_in_list(one) for one in listed]
            if len(listed) > 1:
                lines += ["", *_list_lines(listed, zone)]
        waits = found.summary.buckets.get(Bucket.ON_THE_WAY, 0) and not dispatching
        return Answer(document, lines, remarks=[NOTHING_SENDS] if waits else [])

    return at_home(desk, work)


def roll_up(found: Status) -> dict[str, Any]:
    """One message's figures in JSON. The buckets sum to the recipients; the other figures are cumulative."""
    summary, figures = found.summary, found.summary.figures
    return _in_list(summary) | {
        "buckets": {bucket.value: summary.buckets.get(bucket, 0) for bucket in JSON_ORDER},
        "replies": found.replies,
        "calls": found.channels[Channel.VOICE].sent if Channel.VOICE in found.channels else 0,
        "non_readers": summary.non_readers,
        "by_channel": {
            channel.value: {
                "planned": one.planned,
                "sent": one.sent,
                "delivered": one.delivered,
                "read": one.read,
                "failed": one.failed,
            }
            for channel, one in found.channels.items()
        },
        "by_department": {
            department: {
                "recipients": sum(buckets.values()),
                "confirmed": Figures.of(buckets).confirmed,
                "read": Figures.of(buckets).read,
                "delivered": Figures.of(buckets).delivered,
                "buckets": {bucket.value: buckets.get(bucket, 0) for bucket in JSON_ORDER},
            }
            for department, buckets in found.departments.items()
        },
        "unreachable": [
            {"person": one.name, "department": one.department, "why": one.why, "next": one.next}
            for one in found.unreachable
        ],
        "recipients": figures.recipients,
    }


def _in_list(summary: Summary) -> dict[str, Any]:
    figures = summary.figures
    return {
        "message_id": summary.public_id,
        "code": summary.code,
        "subject": summary.subject,
        "priority": summary.priority.value,
        "status": summary.word,
        "created_at": output.moment(summary.created_at),
        "recipients": figures.recipients,
        "confirmed": figures.confirmed,
        "read": figures.read,
        "delivered": figures.delivered,
    }


def bucket_rows(found: Status) -> list[tuple[str, int]]:
    """The buckets in which somebody is, with their words."""
    buckets = found.summary.buckets
    return [(one.label, buckets[one]) for one in JSON_ORDER if buckets.get(one)]


def status_lines(found: Status, production: str, zone: str) -> list[str]:
    """The same for a person."""
    summary, figures = found.summary, found.summary.figures
    at = times.clock_text(summary.created_at, zone)
    lines = [
        f"{production}  {summary.code}  {summary.priority.label}  {summary.headline}  ({summary.word}, {at})",
        f"Delivered {figures.delivered} of {figures.recipients}, read {figures.read}, "
        f"confirmed {figures.confirmed}. Still after: {summary.non_readers}.",
        "",
        *output.pairs(bucket_rows(found)),
    ]
    channels = [
        (channel.value, one.planned, one.sent, one.delivered, one.read, one.failed)
        for channel, one in found.channels.items()
    ]
    if channels:
        lines += ["", *output.table(("Channel", "Planned", "Sent", "Delivered", "Read", "Failed"), channels)]
    if found.departments:
        lines += ["", *_department_lines(found.departments)]
    if found.unreachable:
        rows = [(one.name, one.department, one.why, one.next) for one in found.unreachable]
        lines += [
            "",
            f"Not reached ({len(rows)})",
            *output.table(("Name", "Department", "Why", "Next"), rows),
        ]
    return lines


def _department_lines(departments: Mapping[str, Mapping[Bucket, int]]) -> list[str]:
    figures = [(name, Figures.of(buckets)) for name, buckets in departments.items()]
    return output.table(
        ("Department", "People", "Delivered", "Read", "Confirmed"),
        [(name or "–", one.recipients, one.delivered, one.read, one.confirmed) for name, one in figures],
    )


def _list_lines(listed: tuple[Summary, ...], zone: str) -> list[str]:
    rows = [
        (
            one.code,
            times.clock_text(one.created_at, zone),
            one.priority.label,
            one.headline,
            one.figures.recipients,
            one.figures.delivered,
            one.figures.read,
            one.figures.confirmed,
        )
        for one in listed
    ]
    return output.table(
        ("Message", "Time", "Priority", "Subject", "People", "Delivered", "Read", "Confirmed"), rows
    )


@command(commands, "people", example="callboard people M-7F3K --state non_reader")
def people(
    desk: Desk,
    message: Message,
    state: Annotated[
        str, typer.Option("--state", help=f"{', '.join(one.value for one in JSON_ORDER)} or {NON_READER}.")
    ] = NON_READER,
) -> Answer:
    """The people who stand in one state with a message, why, and what to do next."""

    async def work(house: House) -> Answer:
        found = await watching.people(house.office, message, _key(state))
        document = [
            {
                "person": one.name,
                "person_id": one.person_public_id,
                "department": one.department,
                "state": one.bucket.value,
                "why": one.why,
                "next": one.next,
            }
            for one in found
        ]
        rows = [(one.name, one.department, one.bucket.label, one.why, one.next) for one in found]
        lines = output.table(("Name", "Department", "State", "Why", "Next"), rows) if rows else ["Nobody."]
        return Answer(document, lines)

    return at_home(desk, work)


@command(commands, "replies", example="callboard replies M-7F3K")
def replies(desk: Desk, message: Message) -> Answer:
    """What people wrote about a message and what they chose, newest last."""

    async def work(house: House) -> Answer:
        zone = house.office.production.time_zone
        found = await watching.replies(house.office, message)
        document = [
            {
                "at": output.moment(one.at),
                "person": one.person,
                "channel": one.channel,
                "text": one.text,
                "option": one.option,
                "meaning": one.meaning,
                "flag": one.flag,
            }
            for one in found
        ]
        at = _clock_of([one.at for one in found], zone)
        rows = [
            (
                at(one.at),
                one.person or "somebody on a shared number",
                one.channel,
                "" if one.meaning is None else f"{one.option} {one.meaning.replace('_', ' ')}",
                "" if one.text is None else f"“{one.text}”",
            )
            for one in found
        ]
        heading = ("Time", "Person", "Channel", "Chose", "Wrote")
        return Answer(document, output.table(heading, rows) if rows else ["Nobody has replied yet."])

    return at_home(desk, work)


def _clock_of(moments: Sequence[int], zone: str) -> Callable[[int], str]:
    """How these moments are told: with the day where they are not all of one."""
    days = {times.wall(one, zone).date() for one in moments}
    form = "%H:%M:%S" if len(days) <= 1 else "%a %d %b %H:%M:%S"
    return lambda one: f"{times.wall(one, zone):{form}}"


def _key(state: str) -> str:
    """A state as it is written in JSON: “On the way” is on_the_way."""
    return "_".join(state.lower().replace("-", " ").replace("_", " ").split())


@command(commands, "explain", example="callboard explain M-7F3K 'Ada Lund'")
def explain(
    desk: Desk,
    message: Message,
    person: Annotated[str | None, typer.Argument(metavar="[PERSON]", help="A name or an id.")] = None,
) -> Answer:
    """Everything that happened to a message, or to one person of it: plan, attempts, receipts, answers."""

    async def work(house: House) -> Answer:
        zone = house.office.production.time_zone
        found = await watching.explain(house.office, message, person)
        document = [
            {
                "at": output.moment(one.at),
                "what": one.what,
                "person": one.person,
                "channel": one.channel,
                "provider": one.provider,
                "attempt": one.attempt,
                "detail": " ".join(part for part in (one.detail, one.reference) if part),
            }
            for one in found
        ]
        at = _clock_of([one.at for one in found], zone)
        rows = [
            (
                at(one.at),
                one.what,
                one.person or "",
                one.channel or "",
                one.provider or "",
                "" if one.attempt is None else str(one.attempt),
                one.detail,
            )
            for one in found
        ]
        heading = ("Time", "What", "Person", "Channel", "Provider", "Try", "Detail")
        return Answer(document, output.table(heading, rows))

    return at_home(desk, work)
