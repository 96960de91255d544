"""The engine's heartbeat: when one was last alive, and what follows if the clock shows an earlier time now.

What is queued is due at a moment of the old clock. Without help it would wait, in silence, until the new clock
comes to that moment.
"""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.evidence import Work
from app.store import incidents, productions
from app.store import tables as t
from app.store.accounts import MICROS

HEARTBEAT = "engine heartbeat"
"""The fact that holds when an engine was last alive (epoch ms)."""

CLOCK = "clock"
"""The kind and subject of the incident."""

BEAT_MS = 60_000
"""How often a running engine writes it down: each time wakes a sleeping disk."""

SLACK_MS = 60_000
"""Clocks that set themselves from the network move by less than this."""

NOTICE_MS = 3_600_000
"""How long a clock that was set back while nothing ran is spoken of."""


async def beat(connection: AsyncConnection, now_ms: int) -> None:
    await productions.set_fact(connection, HEARTBEAT, str(now_ms))


async def last(connection: AsyncConnection) -> int | None:
    """When an engine was last alive (epoch ms); None where none ever was."""
    told = await productions.fact(connection, HEARTBEAT)
    return int(told) if told is not None else None


async def set_back_by(connection: AsyncConnection, now_ms: int) -> int:
    """How far the clock is behind the last heartbeat, in milliseconds; 0 where that is no more than slack."""
    behind = (await last(connection) or 0) - now_ms
    return behind if behind > SLACK_MS else 0


async def follow_clock(connection: AsyncConnection, behind_ms: int, now_ms: int) -> None:
    """Move everything that waits for a moment of the old clock by as much as the clock was set back. What is held
    for quiet hours waits for a time of day and stays."""
    d, a, s = t.deliveries.c, t.attempts.c, t.steps.c
    await connection.execute(
        update(t.deliveries)
        .where(d.work == Work.QUEUED.value, d.due_at > now_ms)
        .values(due_at=d.due_at - behind_ms, give_up_at=d.give_up_at - behind_ms)
    )
    await connection.execute(
        update(t.attempts).where(a.look_at > now_ms).values(look_at=a.look_at - behind_ms)
    )
    for schedule in (t.senders.c.next_at, t.senders.c.urgent_at):
        await connection.execute(
            update(t.senders)
            .where(schedule > now_ms * MICROS)
            .values({schedule: schedule - behind_ms * MICROS})
        )
    await connection.execute(
        update(t.steps)
        .where(s.routed_at.is_(None), s.undone_at.is_(None), s.created_at > now_ms)
        .values(not_before=s.not_before - behind_ms)
    )


async def note_set_back(connection: AsyncConnection, words: str, now_ms: int) -> None:
    """Say once that the clock was set back by so much (``words``)."""
    await incidents.open_once(
        connection,
        CLOCK,
        CLOCK,
        f"This computer's clock was set back by {words}. Nothing waits longer because of it.",
        "Check the time of this computer: the times on this screen may be wrong.",
        now_ms,
    )


async def note_in_step(connection: AsyncConnection, now_ms: int) -> None:
    """Close the incident: the clock goes right, or it was spoken of for long enough."""
    await incidents.close(connection, CLOCK, CLOCK, now_ms)
