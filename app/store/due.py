"""What is due and when: the questions the engine asks before it waits."""

from __future__ import annotations

from sqlalchemy import and_, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.evidence import Evidence, Work
from app.domain.messages import GOES_OUT
from app.store import tables as t
from app.store import trouble

SOON_MS = 60_000
"""A retry this far away or nearer still belongs to what is happening now."""


async def busy_until(connection: AsyncConnection, now_ms: int) -> int | None:
    """When the last thing of what is happening now will happen, or None when all is quiet.

    Steps to be routed, deliveries queued for soon, claimed or being sent, and attempts of unknown fate soon to be
    looked up. What a paused message keeps back is not happening, and neither is what waits for an account that has
    stopped.
    """
    d = t.deliveries.c
    soon = now_ms + SOON_MS
    going = select(t.messages.c.id).where(t.messages.c.status.in_([one.value for one in GOES_OUT]))
    leaves = tuple_(d.production_id, d.channel).in_(await trouble.working(connection))
    busy = await connection.execute(
        select(func.min(d.due_at)).where(
            d.carried_by.is_(None),
            or_(
                and_(
                    d.work == Work.QUEUED.value,
                    d.due_at <= soon,
                    leaves,
                    d.message_id.in_(going),
                ),
                d.work.in_([Work.CLAIMED.value, Work.SENDING.value]),
            ),
        )
    )
    look = await connection.execute(
        select(func.min(t.attempts.c.look_at)).where(
            t.attempts.c.look_at <= soon, t.attempts.c.evidence == Evidence.UNKNOWN.value
        )
    )
    step = await connection.execute(
        select(func.min(t.steps.c.not_before)).where(
            t.steps.c.routed_at.is_(None),
            t.steps.c.undone_at.is_(None),
            t.steps.c.not_before <= soon,
            t.steps.c.message_id.in_(going),
        )
    )
    found = [one.scalar() for one in (busy, look, step)]
    return min((one for one in found if one is not None), default=None)


async def next_due(connection: AsyncConnection, now_ms: int) -> int | None:
    """The earliest time after ``now_ms`` at which something queued, held, to be asked about or routed is due.

    What is due already must not hide what is due next: twenty thousand texts may be waiting for the sender's pace.
    """
    d = t.deliveries.c
    queued = await connection.execute(
        select(func.min(d.due_at)).where(
            d.work == Work.QUEUED.value, d.carried_by.is_(None), d.due_at > now_ms
        )
    )
    held = await connection.execute(
        select(func.min(d.due_at)).where(d.work == Work.HELD.value, d.due_at > now_ms)
    )
    look = await connection.execute(
        select(func.min(t.attempts.c.look_at)).where(t.attempts.c.look_at > now_ms)
    )
    step = await connection.execute(
        select(func.min(t.steps.c.not_before)).where(
            t.steps.c.routed_at.is_(None), t.steps.c.undone_at.is_(None), t.steps.c.not_before > now_ms
        )
    )
    found = [one.scalar() for one in (queued, held, look, step)]
    return min((one for one in found if one is not None), default=None)
