"""The figures of the day: its texts, its answers, and who has not read what is URGENT."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.buckets import IN_QUEUE, NON_READERS, ChannelFigures, ChannelState, Waits
from app.domain.evidence import Work
from app.domain.messages import GOES_OUT, MessageStatus
from app.domain.priorities import Priority
from app.store import accounts
from app.store import tables as t
from app.store.rollup import WAITS
from providers.contract import Channel


@dataclass(frozen=True, slots=True)
class Day:
    """The statistics of the day. Figures count people, each once for every message of theirs: two who share a
    number, and so a text, are two."""

    planned: int
    sent: int
    delivered: int
    failed: int
    replies: int
    mean_response_ms: int | None
    done: int
    """For whom nothing of a text of today is still to leave; less again while a reminder waits for them."""
    queued: int
    """For whom something waits that was never handed over."""
    later: int
    """For whom it is tried again, after a try that failed."""
    held: int
    """For whom it waits for the end of quiet hours."""
    waiting: int
    """For whom anything of this production waits in the queue, whatever day and channel."""
    waiting_held: int
    """For whom anything of this production is held for quiet hours."""
    segments_per_second: int

    @property
    def to_do(self) -> int:
        """All of today, but for those whose text was called off."""
        return self.done + self.queued + self.later + self.held


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
    waits_today: Counter[Waits] = Counter()
    stopped_today: Counter[Waits] = Counter()
    waits: Counter[Waits] = Counter()
    for one in await connection.execute(
        select(
            c.bucket,
            m.status,
            func.sum(c.people).label("people"),
            func.sum(case((m.created_at >= since_ms, c.people), else_=0)).label("today"),
        )
        .join(t.messages, m.id == c.message_id)
        .where(m.production_id == production_id, c.dimension == WAITS)
        .group_by(c.bucket, m.status)
    ):
        what, goes = Waits(one.bucket), one.status in GOES_OUT
        (waits_today if goes else stopped_today)[what] += one.today
        if goes:
            waits[what] += one.people
    routed = [*IN_QUEUE, Waits.HELD]
    waiting_today = sum(some[what] for some in (waits_today, stopped_today) for what in routed)
    rate, _ = await accounts.pace(connection, Channel.SMS, production_id, now_ms)
    return Day(
        planned=figures.planned,
        sent=figures.sent,
        delivered=figures.delivered,
        failed=figures.failed,
        replies=int(response[1]),
        mean_response_ms=round(response[0]) if response[0] is not None else None,
        done=figures.planned - states.get(ChannelState.LEFT_OUT, 0) - waiting_today,
        queued=waits_today[Waits.QUEUED],
        later=waits_today[Waits.RETRY],
        held=waits_today[Waits.HELD],
        waiting=sum(waits[what] for what in IN_QUEUE),
        waiting_held=waits[Waits.HELD],
        segments_per_second=rate,
    )


async def held_until(connection: AsyncConnection, production_id: int) -> int | None:
    """When the first of what is held for quiet hours goes out. Read when somebody asks, not while figures are live:
    it looks at deliveries."""
    d, m = t.deliveries.c, t.messages.c
    found = await connection.execute(
        select(d.due_at)
        .join(t.messages, m.id == d.message_id)
        .where(
            d.work == Work.HELD.value,
            d.carried_by.is_(None),
            m.production_id == production_id,
            m.status.in_([one.value for one in GOES_OUT]),
        )
        .order_by(d.due_at)
        .limit(1)
    )
    return found.scalar_one_or_none()


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
