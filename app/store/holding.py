"""Holding: what may leave, but not now, is put aside with its reason and goes back into the queue when its time has
come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.evidence import Work
from app.store import tables as t
from app.store.rollup import roll_up, with_carried

AT_MOST_MS = 7 * 24 * 3_600_000
"""A delivery is too old a week after it was planned, whatever it waits for."""


@dataclass(frozen=True, slots=True)
class Hold:
    """One delivery and until when (epoch ms) it waits, in words for the coordinator.

    ``give_up_at`` and ``created_at`` are the delivery's own: the time it may still be sent in moves with the wait.
    """

    delivery_id: int
    until: int
    why: str
    next: str
    give_up_at: int
    created_at: int


async def hold(connection: AsyncConnection, holds: Sequence[Hold], now_ms: int) -> None:
    """claimed → held."""
    if not holds:
        return
    await connection.execute(
        _HOLD,
        [
            {
                "key": one.delivery_id,
                "until": one.until,
                "give_up": min(one.give_up_at + one.until - now_ms, one.created_at + AT_MOST_MS),
                "to_why": one.why,
                "to_next": one.next,
            }
            for one in holds
        ],
    )
    await roll_up(connection, await with_carried(connection, [one.delivery_id for one in holds]), now_ms)


async def wake(connection: AsyncConnection, now_ms: int) -> int:
    """held → queued, for deliveries whose time has come. Returns how many."""
    awake = (await connection.execute(_WAKE, {"now": now_ms})).scalars().all()
    if awake:
        await roll_up(connection, await with_carried(connection, awake), now_ms)
    return len(awake)


_HOLD = (
    update(t.deliveries)
    .where(t.deliveries.c.id == bindparam("key"))
    .values(
        work=Work.HELD.value,
        due_at=bindparam("until"),
        give_up_at=bindparam("give_up"),
        worker=None,
        lease_until=None,
        why=bindparam("to_why"),
        next=bindparam("to_next"),
    )
)
_WAKE = (
    update(t.deliveries)
    .where(t.deliveries.c.work == Work.HELD.value, t.deliveries.c.due_at <= bindparam("now"))
    .values(work=Work.QUEUED.value, why="", next="")
    .returning(t.deliveries.c.id)
)
