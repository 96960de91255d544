"""Incidents: trouble that needs an act, opened once and closed when it is over."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import tables as t
from app.store.statements import insert


@dataclass(frozen=True, slots=True)
class Incident:
    kind: str
    subject: str
    sentence: str
    next: str
    opened_at: int


async def open_once(
    connection: AsyncConnection, kind: str, subject: str, sentence: str, next: str, now_ms: int
) -> bool:
    """Open an incident unless it is open. Returns whether it is new."""
    new = await connection.execute(
        insert(connection, t.incidents)
        .values(kind=kind, subject=subject, sentence=sentence, next=next, opened_at=now_ms)
        .on_conflict_do_nothing(
            index_elements=["kind", "subject"], index_where=t.incidents.c.closed_at.is_(None)
        )
        .returning(t.incidents.c.id)
    )
    return new.first() is not None


async def note_past(
    connection: AsyncConnection,
    kind: str,
    sentence: str,
    next: str,
    *,
    opened_at: int,
    closed_at: int,
) -> None:
    """Write down an incident that is over: while it lasted nothing could be written."""
    await connection.execute(
        t.incidents.insert().values(
            kind=kind, subject=kind, sentence=sentence, next=next, opened_at=opened_at, closed_at=closed_at
        )
    )


async def opened_at(connection: AsyncConnection, kind: str, subject: str) -> int | None:
    """Since when an incident is open, or None."""
    i = t.incidents.c
    found = await connection.execute(
        select(i.opened_at).where(i.kind == kind, i.subject == subject, i.closed_at.is_(None))
    )
    return found.scalar()


async def close(connection: AsyncConnection, kind: str, subject: str, now_ms: int) -> bool:
    """Close an incident. Returns whether one was open."""
    i = t.incidents.c
    done = await connection.execute(
        update(t.incidents)
        .where(i.kind == kind, i.subject == subject, i.closed_at.is_(None))
        .values(closed_at=now_ms)
        .returning(i.id)
    )
    return bool(done.all())


async def standing(connection: AsyncConnection) -> list[Incident]:
    """Those that are open, oldest first."""
    i = t.incidents.c
    rows = await connection.execute(select(t.incidents).where(i.closed_at.is_(None)).order_by(i.id))
    return [Incident(row.kind, row.subject, row.sentence, row.next, row.opened_at) for row in rows]
