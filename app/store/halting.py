"""What a coordinator who halts a message must know: what waits of it, what is in flight, and who had it already."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.evidence import HANDED_OVER, Evidence, Work
from app.domain.priorities import StepKind
from app.store import tables as t
from app.store.carriers import WITH_CARRIER, through
from app.store.rollup import WAITS
from app.store.stopping import WAITING

WITH_THEM = tuple(one.value for one in (*HANDED_OVER, Evidence.UNKNOWN))
"""They have it, or may have it: nothing says that it failed."""


async def waiting(connection: AsyncConnection, message_id: int) -> int:
    """For how many people something of a message is still to leave."""
    c = t.counters.c
    found = await connection.execute(
        select(func.coalesce(func.sum(c.people), 0)).where(c.message_id == message_id, c.dimension == WAITS)
    )
    return int(found.scalar_one())


async def in_flight(connection: AsyncConnection, message_id: int) -> int:
    """How many calls for a message are with a provider at this moment: they can go out whatever is decided."""
    d = t.deliveries.c
    found = await connection.execute(
        select(func.count()).where(
            d.message_id == message_id, d.work == Work.SENDING.value, d.carried_by.is_(None)
        )
    )
    return int(found.scalar_one())


async def had_it(connection: AsyncConnection, message_id: int) -> dict[int, int]:
    """The recipients who have a message, may have it or are being sent it at this moment, each with their person, and
    who were not told to disregard it."""
    r = t.recipients.c
    rows = await connection.execute(
        select(r.id, r.person_id).where(
            r.message_id == message_id,
            or_(
                r.answer.is_not(None),
                r.read_at.is_not(None),
                _has(
                    t.steps.c.kind != StepKind.DISREGARD.value,
                    or_(through("evidence").in_(WITH_THEM), through("work") == Work.SENDING.value),
                ),
            ),
            ~_has(
                t.steps.c.kind == StepKind.DISREGARD.value,
                or_(
                    through("evidence").in_(WITH_THEM),
                    through("work").in_([Work.SENDING.value, *WAITING]),
                ),
            ),
        )
    )
    return {row.id: row.person_id for row in rows}


def _has(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """A recipient has a delivery of which this holds."""
    return (
        select(t.deliveries.c.id)
        .select_from(WITH_CARRIER.join(t.steps, t.steps.c.id == t.deliveries.c.step_id))
        .where(and_(t.deliveries.c.recipient_id == t.recipients.c.id, *conditions))
        .correlate(t.recipients)
        .exists()
    )
