"""The figures of the day: its texts, its answers, and who has not read what is URGENT."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.buckets import NON_READERS, ChannelFigures, ChannelState
from app.domain.evidence import Work
from app.domain.messages import MessageStatus
from app.domain.priorities import Priority
from app.store import accounts
from app.store import tables as t
from app.store.board import IN_QUEUE
from providers.contract import Channel


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
    rate, _ = await accounts.pace(connection, Channel.SMS, production_id, now_ms)
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
