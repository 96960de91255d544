"""What screens and commands read: messages with their counters, people with their reason, the feed, the day."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, desc, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.buckets import (
    NON_READERS,
    Bucket,
    ChannelFigures,
    ChannelState,
    Figures,
)
from app.domain.evidence import Evidence, Work
from app.domain.messages import MessageStatus
from app.domain.priorities import Priority, StepKind
from app.store import accounts
from app.store import tables as t
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
    priority: Priority
    status: MessageStatus
    channels: tuple[Channel, ...]
    asks: bool
    created_at: int
    buckets: Mapping[Bucket, int]
    open_step: OpenStep | None
    last_reminder_at: int | None
    dirty: int
    under_way: bool = False
    """Whether a step is still to be routed, or something of it is queued or being sent."""

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


_NOTHING_YET = {Bucket.HELD, Bucket.NOT_REACHED, Bucket.SUPPRESSED}

IN_QUEUE = (Work.QUEUED.value, Work.CLAIMED.value, Work.SENDING.value)
"""Work that the program still has to do, or is doing."""

_subject = (
    select(t.message_versions.c.subject)
    .where(t.message_versions.c.message_id == t.messages.c.id)
    .order_by(desc(t.message_versions.c.number))
    .limit(1)
    .scalar_subquery()
    .label("subject")
)


async def summaries(
    connection: AsyncConnection, production_id: int, now_ms: int, *, limit: int = 500, only: int | None = None
) -> list[Summary]:
    """The messages of a production, newest first, with counters that equal a recount."""
    m = t.messages.c
    query = (
        select(t.messages, _subject)
        .where(m.production_id == production_id)
        .order_by(desc(m.created_at), desc(m.id))
        .limit(limit)
    )
    if only is not None:
        query = query.where(m.id == only)
    rows = (await connection.execute(query)).all()
    ids = [row.id for row in rows]
    counts: dict[int, dict[Bucket, int]] = {}
    c = t.counters.c
    for row in await connection.execute(
        select(c.message_id, c.bucket, func.sum(c.people).label("people"))
        .where(c.message_id.in_(ids), c.dimension == "all")
        .group_by(c.message_id, c.bucket)
    ):
        counts.setdefault(row.message_id, {})[Bucket(row.bucket)] = row.people
    open_steps: dict[int, OpenStep] = {}
    reminded: dict[int, int] = {}
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
        if row.kind == StepKind.REMINDER.value:
            reminded[row.message_id] = row.created_at
    d = t.deliveries.c
    in_queue = await connection.execute(
        select(d.message_id)
        .where(d.message_id.in_(ids), d.work.in_(IN_QUEUE), d.carried_by.is_(None))
        .distinct()
    )
    under_way |= set(in_queue.scalars())
    return [
        Summary(
            id=row.id,
            public_id=row.public_id,
            code=row.code,
            subject=row.subject,
            priority=Priority(row.priority),
            status=MessageStatus(row.status),
            channels=tuple(Channel(one) for one in json.loads(row.channels)),
            asks=row.asks,
            created_at=row.created_at,
            buckets=counts.get(row.id, {}),
            open_step=open_steps.get(row.id),
            last_reminder_at=reminded.get(row.id),
            dirty=row.dirty,
            under_way=row.id in under_way,
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


@dataclass(frozen=True, slots=True)
class Standing:
    """One recipient: where they stand, why, and what to do next."""

    recipient_id: int
    person_public_id: str
    name: str
    department: str
    position: str
    bucket: Bucket
    tries: int
    last_channel: Channel | None
    last_evidence: Evidence | None
    tail: str
    why: str
    next: str


_tried = t.deliveries.alias("tried")
_tries = (
    select(func.count())
    .select_from(t.attempts.join(_tried, _tried.c.id == t.attempts.c.delivery_id))
    .where(_tried.c.recipient_id == t.recipients.c.id)
    .correlate(t.recipients)
    .scalar_subquery()
)


def _people(message_id: int, buckets: Collection[Bucket]) -> Select[tuple[object, ...]]:
    carrier = t.deliveries.alias("carrier")
    d, r, p = t.deliveries.c, t.recipients.c, t.people.c
    newest = (
        select(d.recipient_id, func.max(d.id).label("id"))
        .where(d.message_id == message_id)
        .group_by(d.recipient_id)
        .subquery()
    )
    return (
        select(
            r.id,
            p.public_id,
            p.name,
            r.department,
            p.position,
            r.bucket,
            _tries.label("tries"),
            d.channel,
            func.coalesce(carrier.c.evidence, d.evidence).label("evidence"),
            func.coalesce(carrier.c.work, d.work).label("work"),
            func.coalesce(carrier.c.due_at, d.due_at).label("due_at"),
            t.contact_points.c.tail,
            func.coalesce(carrier.c.why, d.why).label("why"),
            func.coalesce(carrier.c.next, d.next).label("next"),
            r.why.label("left_out_why"),
            r.next.label("left_out_next"),
        )
        .join(t.people, p.id == r.person_id)
        .outerjoin(newest, newest.c.recipient_id == r.id)
        .outerjoin(t.deliveries, d.id == newest.c.id)
        .outerjoin(carrier, carrier.c.id == d.carried_by)
        .outerjoin(t.contact_points, t.contact_points.c.id == d.contact_point_id)
        .where(r.message_id == message_id, r.bucket.in_([bucket.value for bucket in buckets]))
    )


WORDS: dict[Bucket, tuple[str, str]] = {
    Bucket.NEEDS_HELP: ("Answered that there is a problem.", "Call them."),
    Bucket.DECLINED: ("Declined.", "Find a replacement."),
    Bucket.CONFIRMED: ("Confirmed.", ""),
    Bucket.READ: ("Read it, has not answered.", ""),
    Bucket.DELIVERED: ("Delivered, not read.", "r reminds them."),
    Bucket.NO_RECEIPT: ("Sent; this carrier never says whether it arrived.", "r reminds them."),
    Bucket.UNCERTAIN: ("Nobody knows yet whether it was sent.", "r reminds them, with a new text."),
    Bucket.ON_THE_WAY: ("On its way.", "Wait a moment."),
    Bucket.NOT_REACHED: ("It could not be delivered.", "Reach them another way."),
    Bucket.HELD: ("Held for their quiet hours.", "It goes out when they end."),
    Bucket.SUPPRESSED: ("Nothing was sent.", "Reach them another way."),
}
"""Where a delivery has no words of its own: what to say, and what to do."""

WAITING_FOR_CARRIER = ("Sent; the carrier has not reported yet.", "r reminds them.")


async def standings(
    connection: AsyncConnection,
    message_id: int,
    buckets: Collection[Bucket],
    *,
    text: str = "",
    limit: int | None = None,
) -> list[Standing]:
    """The recipients in these buckets, by department and name. ``text`` narrows by name or department."""
    query = _people(message_id, buckets)
    if text:
        like = f"%{text.lower().replace('%', '')}%"
        query = query.where(
            or_(func.lower(t.people.c.name).like(like), func.lower(t.recipients.c.department).like(like))
        )
    query = query.order_by(t.recipients.c.department, t.people.c.name, t.recipients.c.id)
    if limit is not None:
        query = query.limit(limit)
    return [_standing(row) for row in await connection.execute(query)]


def _standing(row: object) -> Standing:
    r = row._mapping  # type: ignore[attr-defined]
    bucket = Bucket(r["bucket"])
    why, following = _words(r, bucket)
    return Standing(
        recipient_id=r["id"],
        person_public_id=r["public_id"],
        name=r["name"],
        department=r["department"],
        position=r["position"],
        bucket=bucket,
        tries=r["tries"],
        last_channel=Channel(r["channel"]) if r["channel"] else None,
        last_evidence=Evidence(r["evidence"]) if r["evidence"] else None,
        tail=r["tail"] or "",
        why=why,
        next=following,
    )


def _words(r: Mapping[str, Any], bucket: Bucket) -> tuple[str, str]:
    """Why they stand there and what to do: the delivery's own words, else routing's, else the bucket's."""
    why, following = WORDS[bucket]
    if bucket is Bucket.ON_THE_WAY and r["evidence"] == Evidence.SENT.value:
        why, following = WAITING_FOR_CARRIER
    if bucket in NON_READERS or bucket is Bucket.SUPPRESSED:
        why = r["why"] or r["left_out_why"] or why
        following = r["next"] or r["left_out_next"] or following
    if bucket is Bucket.NOT_REACHED and r["work"] == Work.QUEUED.value:
        following = "It is tried again in a few minutes."
    return why, following


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


@dataclass(frozen=True, slots=True)
class Day:
    """The statistics of the day. ``planned`` to ``failed`` count people by text; the rest counts texts, of which
    two people on one number share one."""

    planned: int
    sent: int
    delivered: int
    failed: int
    replies: int
    mean_response_ms: int | None
    done: int
    """Texts of today that are out of our hands."""
    queued: int
    """Texts of today that leave within a minute."""
    later: int
    """Texts of today that are tried again later."""
    held: int
    """Texts of today that wait for the end of quiet hours."""
    waiting: int
    """Everything of this production that is queued, whatever day and channel."""
    waiting_held: int
    """Everything of this production that is held for quiet hours."""
    held_until: int | None
    """When the first of those held goes out."""
    segments_per_second: int

    @property
    def texts(self) -> int:
        """All texts of today that are not called off."""
        return self.done + self.queued + self.later + self.held


SOON_MS = 60_000
"""What is due within a minute leaves now, as far as a person is concerned; a retry may be many minutes away."""


_goes_out_itself = func.coalesce(t.deliveries.c.carried_by, 0) == 0
"""Nobody else's delivery carries it. Said so that no index on ``carried_by`` is taken, which nearly all rows share:
the index on message and work finds the few that are meant."""


async def day(connection: AsyncConnection, production_id: int, since_ms: int, now_ms: int) -> Day:
    """The texts of all messages since ``since_ms``."""
    m, c = t.messages.c, t.counters.c
    today = select(m.id).where(m.production_id == production_id, m.created_at >= since_ms)
    states: dict[ChannelState, int] = {}
    for row in await connection.execute(
        select(c.bucket, func.sum(c.people).label("people"))
        .where(c.message_id.in_(today), c.dimension == "channel", c.key == Channel.SMS.value)
        .group_by(c.bucket)
    ):
        states[ChannelState(row.bucket)] = row.people
    figures = ChannelFigures.of(states)
    first = (
        select(
            t.answers.c.recipient_id,
            func.min(t.answers.c.at).label("answered"),
            t.recipients.c.message_id,
        )
        .join(t.recipients, t.recipients.c.id == t.answers.c.recipient_id)
        .where(t.recipients.c.message_id.in_(today))
        .group_by(t.answers.c.recipient_id, t.recipients.c.message_id)
        .subquery()
    )
    began = (
        select(t.steps.c.message_id, func.min(t.steps.c.not_before).label("began"))
        .where(t.steps.c.message_id.in_(today))
        .group_by(t.steps.c.message_id)
        .subquery()
    )
    response = (
        await connection.execute(
            select(func.avg(first.c.answered - began.c.began), func.count()).join(
                began, began.c.message_id == first.c.message_id
            )
        )
    ).one()
    d = t.deliveries.c
    done = (
        await connection.execute(
            select(func.count()).where(
                d.message_id.in_(today),
                d.work == Work.DONE.value,
                d.channel == Channel.SMS.value,
                _goes_out_itself,
            )
        )
    ).scalar_one()
    held = d.work == Work.HELD.value
    soon = or_(d.work != Work.QUEUED.value, d.due_at <= now_ms + SOON_MS)
    text_of_today = and_(m.created_at >= since_ms, d.channel == Channel.SMS.value)
    waiting = (
        await connection.execute(
            select(
                _count_of(text_of_today, ~held, soon).label("queued"),
                _count_of(text_of_today, ~held, ~soon).label("later"),
                _count_of(text_of_today, held).label("held"),
                _count_of(~held).label("waiting"),
                _count_of(held).label("waiting_held"),
                func.min(case((held, d.due_at))).label("held_until"),
            )
            .join(t.messages, m.id == d.message_id)
            .where(
                m.production_id == production_id,
                m.status == MessageStatus.SENDING.value,
                d.work.in_((*IN_QUEUE, Work.HELD.value)),
                _goes_out_itself,
            )
        )
    ).one()
    rate, _ = await accounts.pace(connection, Channel.SMS, now_ms)
    return Day(
        planned=figures.planned,
        sent=figures.sent,
        delivered=figures.delivered,
        failed=figures.failed,
        replies=int(response[1]),
        mean_response_ms=round(response[0]) if response[0] is not None else None,
        done=int(done),
        queued=int(waiting.queued),
        later=int(waiting.later),
        held=int(waiting.held),
        waiting=int(waiting.waiting),
        waiting_held=int(waiting.waiting_held),
        held_until=waiting.held_until,
        segments_per_second=rate,
    )


def _count_of(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((and_(*conditions), 1), else_=0)), 0)


async def unread_urgent(
    connection: AsyncConnection, production_id: int, since_ms: int
) -> tuple[int, int | None]:
    """How many people have not read an URGENT message since ``since_ms``, and since when the oldest waits."""
    m, c = t.messages.c, t.counters.c
    row = (
        await connection.execute(
            select(func.coalesce(func.sum(c.people), 0), func.min(m.created_at))
            .join(t.messages, m.id == c.message_id)
            .where(
                and_(
                    m.production_id == production_id,
                    m.created_at >= since_ms,
                    m.priority == Priority.URGENT.value,
                    m.status != MessageStatus.CANCELLED.value,
                    c.dimension == "all",
                    c.people > 0,
                    c.bucket.in_([bucket.value for bucket in NON_READERS]),
                )
            )
        )
    ).one()
    return int(row[0]), row[1]


async def replies(connection: AsyncConnection, message_id: int) -> int:
    """How many people have answered a message."""
    found = await connection.execute(
        select(func.count(func.distinct(t.answers.c.recipient_id)))
        .join(t.recipients, t.recipients.c.id == t.answers.c.recipient_id)
        .where(t.recipients.c.message_id == message_id)
    )
    return int(found.scalar_one())


PRECEDENCE = case({bucket.value: place for place, bucket in enumerate(Bucket)}, value=t.recipients.c.bucket)
"""Buckets in their order of precedence, for sorting."""
