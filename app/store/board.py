"""What screens and commands read of messages: each with its counters, and what happened last."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, desc, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.buckets import (
    IN_QUEUE,
    NON_READERS,
    NOT_YET_LEFT,
    Bucket,
    ChannelFigures,
    ChannelState,
    Figures,
    Waits,
)
from app.domain.messages import MessageStatus, headline
from app.domain.priorities import Priority, StepKind
from app.store import tables as t
from app.store.rollup import ALL, WAITS
from providers.contract import Channel


@dataclass(frozen=True, slots=True)
class OpenStep:
    """A step whose undo window is still open."""

    public_id: str
    kind: StepKind
    people: int
    created_at: int
    not_before: int
    unreachable: int = 0
    """How many more were meant and cannot be reached."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A message with its live figures."""

    id: int
    public_id: str
    code: str
    subject: str
    headline: str
    """What it is called: the subject, else the beginning of the body."""
    priority: Priority
    status: MessageStatus
    channels: tuple[Channel, ...]
    asks: bool
    created_at: int
    buckets: Mapping[Bucket, int]
    open_step: OpenStep | None
    last_reminder_at: int | None
    last_disregard_at: int | None
    dirty: int
    under_way: bool = False
    """Whether a step is still to be routed, or something of it is queued or being sent."""
    still_to_leave: int = 0
    """How many of those who have not read it wait for something they have not got: to be routed, in the queue, or
    for quiet hours to end."""
    in_queue: int = 0
    """For how many people something goes out by itself, now or at its next try; not what is held."""

    @property
    def word(self) -> str:
        """Where the message stands, from its rows: "sending", "sent", "held", "failed", or what was decided."""
        if self.status is not MessageStatus.SENDING:
            return self.status.value
        if self.under_way:
            return MessageStatus.SENDING.value
        there = {bucket for bucket, people in self.buckets.items() if people}
        if there and there <= {Bucket.NOT_REACHED, Bucket.SUPPRESSED}:
            return "failed"
        return "held" if Bucket.HELD in there and there <= _NOTHING_YET else "sent"

    @property
    def figures(self) -> Figures:
        return Figures.of(self.buckets)

    @property
    def non_readers(self) -> int:
        return sum(self.buckets.get(bucket, 0) for bucket in NON_READERS)

    @property
    def to_remind(self) -> int:
        """Those who have not read it, and for whom nothing waits that is still to leave."""
        return self.non_readers - self.still_to_leave


_NOTHING_YET = {Bucket.HELD, Bucket.NOT_REACHED, Bucket.SUPPRESSED}


def _newest(column: ColumnElement[str], label: str) -> Any:
    """A column of the newest version of a message."""
    return (
        select(column)
        .where(t.message_versions.c.message_id == t.messages.c.id)
        .order_by(desc(t.message_versions.c.number))
        .limit(1)
        .scalar_subquery()
        .label(label)
    )


ENOUGH_OF_THE_BODY = 200
"""Characters read of a message that has no subject: more than any list shows."""

_subject = _newest(t.message_versions.c.subject, "subject")
_body = _newest(func.substr(t.message_versions.c.body, 1, ENOUGH_OF_THE_BODY), "body")


async def summaries(
    connection: AsyncConnection, production_id: int, now_ms: int, *, limit: int = 500, only: int | None = None
) -> list[Summary]:
    """The messages of a production, newest first, with counters that equal a recount."""
    m = t.messages.c
    query = (
        select(t.messages, _subject, _body)
        .where(m.production_id == production_id)
        .order_by(desc(m.created_at), desc(m.id))
        .limit(limit)
    )
    if only is not None:
        query = query.where(m.id == only)
    rows = (await connection.execute(query)).all()
    ids = [row.id for row in rows]
    counts: dict[int, dict[Bucket, int]] = {}
    still_to_leave: Counter[int] = Counter()
    in_queue: Counter[int] = Counter()
    c = t.counters.c
    for row in await connection.execute(
        select(c.message_id, c.dimension, c.key, c.bucket, func.sum(c.people).label("people"))
        .where(c.message_id.in_(ids), c.dimension.in_([ALL[0], WAITS]))
        .group_by(c.message_id, c.dimension, c.key, c.bucket)
    ):
        if row.dimension == ALL[0]:
            counts.setdefault(row.message_id, {})[Bucket(row.bucket)] = row.people
            continue
        if Bucket(row.key) in NON_READERS and Waits(row.bucket) in NOT_YET_LEFT:
            still_to_leave[row.message_id] += row.people
        if Waits(row.bucket) in IN_QUEUE:
            in_queue[row.message_id] += row.people
    open_steps: dict[int, OpenStep] = {}
    asked_for: dict[tuple[int, str], int] = {}
    under_way: set[int] = set()
    s = t.steps.c
    for row in await connection.execute(
        select(t.steps).where(s.message_id.in_(ids), s.undone_at.is_(None)).order_by(s.id)
    ):
        if row.not_before > now_ms:
            open_steps[row.message_id] = OpenStep(
                row.public_id, StepKind(row.kind), row.people, row.created_at, row.not_before, row.unreachable
            )
        if row.routed_at is None:
            under_way.add(row.message_id)
        asked_for[(row.message_id, row.kind)] = row.created_at
    return [
        Summary(
            id=row.id,
            public_id=row.public_id,
            code=row.code,
            subject=row.subject,
            headline=headline(row.subject, row.body),
            priority=Priority(row.priority),
            status=MessageStatus(row.status),
            channels=tuple(Channel(one) for one in json.loads(row.channels)),
            asks=row.asks,
            created_at=row.created_at,
            buckets=counts.get(row.id, {}),
            open_step=open_steps.get(row.id),
            last_reminder_at=asked_for.get((row.id, StepKind.REMINDER.value)),
            last_disregard_at=asked_for.get((row.id, StepKind.DISREGARD.value)),
            dirty=row.dirty,
            under_way=row.id in under_way or in_queue[row.id] > 0,
            still_to_leave=still_to_leave[row.id],
            in_queue=in_queue[row.id],
        )
        for row in rows
    ]


async def by_channel(connection: AsyncConnection, message_id: int) -> dict[Channel, ChannelFigures]:
    """How far each channel got, in people."""
    c = t.counters.c
    states: dict[Channel, dict[ChannelState, int]] = {}
    for row in await connection.execute(
        select(c.key, c.bucket, func.sum(c.people).label("people"))
        .where(c.message_id == message_id, c.dimension == "channel")
        .group_by(c.key, c.bucket)
    ):
        states.setdefault(Channel(row.key), {})[ChannelState(row.bucket)] = row.people
    return {channel: ChannelFigures.of(found) for channel, found in sorted(states.items())}


async def by_department(connection: AsyncConnection, message_id: int) -> dict[str, dict[Bucket, int]]:
    """The buckets of each department."""
    c = t.counters.c
    found: dict[str, dict[Bucket, int]] = {}
    for row in await connection.execute(
        select(c.key, c.bucket, func.sum(c.people).label("people"))
        .where(c.message_id == message_id, c.dimension == "department")
        .group_by(c.key, c.bucket)
        .order_by(c.key)
    ):
        if row.people:
            found.setdefault(row.key, {})[Bucket(row.bucket)] = row.people
    return found


async def replies(connection: AsyncConnection, message_id: int) -> int:
    """How many people have answered a message."""
    found = await connection.execute(
        select(func.count(func.distinct(t.answers.c.recipient_id)))
        .join(t.recipients, t.recipients.c.id == t.answers.c.recipient_id)
        .where(t.recipients.c.message_id == message_id)
    )
    return int(found.scalar_one())


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One thing that happened."""

    id: int
    at: int
    kind: str
    person: str
    code: str
    detail: str


async def feed(
    connection: AsyncConnection, production_id: int, *, after: int = 0, limit: int = 200
) -> list[FeedRow]:
    """What happened last, newest first."""
    e = t.events.c
    rows = await connection.execute(
        select(e.id, e.at, e.kind, e.detail, t.people.c.name, t.messages.c.code)
        .outerjoin(t.recipients, t.recipients.c.id == e.recipient_id)
        .outerjoin(t.people, t.people.c.id == t.recipients.c.person_id)
        .outerjoin(t.messages, t.messages.c.id == e.message_id)
        .where(e.production_id == production_id, e.id > after)
        .order_by(desc(e.id))
        .limit(limit)
    )
    return [FeedRow(row.id, row.at, row.kind, row.name or "", row.code or "", row.detail) for row in rows]
