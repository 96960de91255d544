"""Looking: what the screens and the commands show. Nothing here changes anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, time
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import times
from app.domain.buckets import NON_READERS, Bucket, ChannelFigures
from app.domain.problem import Refused
from app.services import chasing
from app.services.office import Office, find_message
from app.store import audience, board, incidents, standings, timeline, trouble
from app.store import day as days
from app.store import replies as store_replies
from app.store import tables as t
from app.store.board import FeedRow, Summary
from app.store.day import Day
from app.store.incidents import Incident
from app.store.replies import Reply
from app.store.standings import Standing
from app.store.timeline import Happening
from app.store.trouble import Stopped
from providers.contract import Channel

NON_READER = "non_reader"
"""The state that stands for everybody we are still after."""


@dataclass(frozen=True, slots=True)
class Center:
    """Everything the Center shows at one moment, read in one transaction."""

    now_ms: int
    messages: tuple[Summary, ...]
    day: Day
    feed: tuple[FeedRow, ...]
    unread_urgent: int
    unread_urgent_since: int | None
    incidents: tuple[Incident, ...]
    people: int
    dispatching: bool
    chosen: Chosen | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """The message that is looked at, at the same moment as everything else: list and counters agree."""

    message_id: int
    non_readers: tuple[Standing, ...] | None
    """Everybody we are still after; None where they have not changed."""
    can_be_reminded: int | None
    """How many a reminder would go to; None where none can be sent, or that is not worked out."""


class Choice(Protocol):
    """Says which of the messages that were read is looked at, and whether its people must be read again."""

    def __call__(self, messages: Sequence[Summary], /) -> tuple[Summary, bool] | None: ...


async def center(
    office: Office, choice: Choice | None = None, *, feed_rows: int = 100, messages_limit: int = 500
) -> Center:
    """The Center as it is now, with the people of the message that is looked at."""
    now = office.clock.now_ms()
    midnight = midnight_ms(office, now)
    async with office.database.read() as connection:
        summaries = await board.summaries(connection, office.production.id, now, limit=messages_limit)
        day = await days.day(connection, office.production.id, midnight, now)
        feed = await board.feed(connection, office.production.id, limit=feed_rows)
        unread, since = await days.unread_urgent(connection, office.production.id, midnight)
        open_incidents = await incidents.standing(connection)
        people = await audience.head_count(connection, office.production.id, ["all"])
        wanted = choice(summaries) if choice else None
        chosen = await _chosen(connection, *wanted, now) if wanted else None
    return Center(
        now_ms=now,
        messages=tuple(summaries),
        day=day,
        feed=tuple(feed),
        unread_urgent=unread,
        unread_urgent_since=since,
        incidents=tuple(open_incidents),
        people=people,
        dispatching=await office.is_dispatching(),
        chosen=chosen,
    )


async def _chosen(connection: AsyncConnection, summary: Summary, changed: bool, now_ms: int) -> Chosen:
    people = await standings.standings(connection, summary.id, NON_READERS) if changed else None
    return Chosen(
        summary.id,
        None if people is None else tuple(people),
        await chasing.can_be_reminded(connection, summary, now_ms),
    )


async def held_until(office: Office) -> int | None:
    """When the first of what is held for quiet hours goes out, None while nothing is."""
    async with office.database.read() as connection:
        return await days.held_until(connection, office.production.id)


def midnight_ms(office: Office, now_ms: int) -> int:
    """The start of the production's day."""
    here: datetime = times.wall(now_ms, office.production.time_zone)
    return times.at_wall(here.date(), time(0), office.production.time_zone)


async def can_be_reminded(office: Office, summary: Summary) -> int | None:
    """How many people a reminder would go to now; None where none can be sent, or that is not worked out."""
    async with office.database.read() as connection:
        return await chasing.can_be_reminded(connection, summary, office.clock.now_ms())


async def departments(office: Office) -> list[tuple[str, int]]:
    """Every department with its head-count."""
    async with office.database.read() as connection:
        return await audience.departments(connection, office.production.id)


async def head_count(office: Office, words: list[str]) -> int:
    """How many people an audience means. Raises :class:`Refused` for what is no audience."""
    async with office.database.read() as connection:
        return await audience.head_count(connection, office.production.id, words)


@dataclass(frozen=True, slots=True)
class Status:
    """One message with all its figures."""

    summary: Summary
    channels: Mapping[Channel, ChannelFigures]
    departments: Mapping[str, Mapping[Bucket, int]]
    replies: int
    unreachable: tuple[Standing, ...]
    stopped: tuple[Stopped, ...] = ()
    """Why nothing goes out on channels of this message just now."""


async def status(office: Office, name: str | None = None) -> Status:
    """The figures of a message, the newest one if none is named. Raises :class:`Refused`."""
    now = office.clock.now_ms()
    if name is None:
        async with office.database.read() as connection:
            newest = await board.summaries(connection, office.production.id, now, limit=1)
        if not newest:
            raise Refused("There are no messages yet.", "Send one: callboard send --to all …")
        name = newest[0].public_id
    message = await find_message(office, name)
    async with office.database.read() as connection:
        summary = (await board.summaries(connection, office.production.id, now, only=message.id))[0]
        return Status(
            summary=summary,
            channels=await board.by_channel(connection, message.id),
            departments=await board.by_department(connection, message.id),
            replies=await board.replies(connection, message.id),
            unreachable=tuple(
                await standings.standings(connection, message.id, [Bucket.NOT_REACHED, Bucket.SUPPRESSED])
            ),
            stopped=tuple(
                why
                for channel, why in (await trouble.stopped_channels(connection, office.production.id)).items()
                if channel in message.channels
            ),
        )


async def people(office: Office, name: str, state: str) -> list[Standing]:
    """The recipients of a message in one state. Raises :class:`Refused` for a state there is not."""
    message = await find_message(office, name)
    states = {bucket.value: [bucket] for bucket in Bucket} | {NON_READER: list(NON_READERS)}
    if state not in states:
        raise Refused(f"“{state}” is no state.", f"There is: {', '.join(states)}.")
    async with office.database.read() as connection:
        return await standings.standings(connection, message.id, states[state])


async def by_channel(office: Office, message_id: int) -> Mapping[Channel, ChannelFigures]:
    """How far each channel of a message (by its internal key) got; only channels it was planned on."""
    async with office.database.read() as connection:
        return await board.by_channel(connection, message_id)


async def explain(office: Office, name: str, person: str | None = None) -> list[Happening]:
    """Everything that happened to a message, or to one person of it. Raises :class:`Refused`."""
    message = await find_message(office, name)
    async with office.database.read() as connection:
        recipient_id = None
        if person is not None:
            if not person.strip():
                raise Refused("Nobody is named.", "Leave the name out, or look it up: callboard crew list.")
            found = await connection.execute(
                select(t.recipients.c.id, t.people.c.public_id, t.people.c.position)
                .join(t.people, t.people.c.id == t.recipients.c.person_id)
                .where(
                    t.recipients.c.message_id == message.id,
                    audience.condition(office.production.id, [f"person:{person}"]),
                )
            )
            rows = found.all()
            if not rows:
                raise Refused(
                    f"“{person}” is not among the recipients of {message.code}.",
                    "Look the name up: callboard crew list.",
                )
            if len(rows) > 1:
                ids = ", ".join(sorted(f"{row.public_id} ({row.position or '–'})" for row in rows))
                raise Refused(
                    f"There are {len(rows)} people of the name {person} in {message.code}.",
                    f"Name one by the id: {ids}.",
                )
            recipient_id = rows[0].id
        return await timeline.of_message(connection, office.vault, message.id, recipient_id)


async def replies(office: Office, name: str) -> list[Reply]:
    """What people wrote and chose about a message, newest last. Raises :class:`Refused`."""
    message = await find_message(office, name)
    async with office.database.read() as connection:
        return await store_replies.of_message(connection, office.vault, message.id)


@asynccontextmanager
async def following(office: Office) -> AsyncIterator[asyncio.Event]:
    """A bell that rings when something this process shows may have changed."""
    with office.database.listening() as bell:
        yield bell
