"""What is learned about an address: that it does not work, or that its owner wants no more."""

from __future__ import annotations

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import stopping
from app.store import tables as t
from providers.contract import Channel


async def note_problem(connection: AsyncConnection, contact_point_id: int, sentence: str) -> None:
    """Nothing more is sent to this address until somebody corrects it, whoever else of the production has it."""
    other = t.contact_points.alias("other")
    same = select(other.c.id).where(other.c.id == contact_point_id)
    await connection.execute(
        update(t.contact_points)
        .where(
            same.where(
                other.c.production_id == t.contact_points.c.production_id,
                other.c.kind == t.contact_points.c.kind,
                other.c.lookup == t.contact_points.c.lookup,
            ).exists()
        )
        .values(problem=sentence.rstrip("."))
    )


async def suppress(
    connection: AsyncConnection,
    contact_point_id: int,
    channel: Channel,
    *,
    reason: str,
    source: str,
    now_ms: int,
) -> None:
    """Write an opt-out of the address behind a contact point, for its production. Written once."""
    point = (
        await connection.execute(
            select(t.contact_points.c.lookup, t.contact_points.c.production_id).where(
                t.contact_points.c.id == contact_point_id
            )
        )
    ).one()
    await suppress_address(
        connection,
        point.lookup,
        channel,
        production_id=point.production_id,
        reason=reason,
        source=source,
        now_ms=now_ms,
    )


async def suppress_address(
    connection: AsyncConnection,
    lookup: str,
    channel: Channel,
    *,
    production_id: int | None,
    reason: str,
    source: str,
    now_ms: int,
) -> bool:
    """Write an opt-out by hashed address, and stop what waits for it. Returns False where it stands already."""
    s = t.suppressions.c
    standing = await connection.execute(
        select(s.id).where(
            s.lookup == lookup,
            s.channel == channel.value,
            s.production_id.is_(None) if production_id is None else s.production_id == production_id,
            s.lifted_at.is_(None),
        )
    )
    if standing.first():
        return False
    await connection.execute(
        t.suppressions.insert().values(
            lookup=lookup,
            channel=channel.value,
            production_id=production_id,
            reason=reason,
            source=source,
            created_at=now_ms,
        )
    )
    await stopping.stop_address(connection, lookup, channel, production_id=production_id, now_ms=now_ms)
    return True


async def has_opted_out(
    connection: AsyncConnection,
    lookup: str,
    channel: Channel,
    *,
    production_id: int | None = None,
) -> bool:
    """Whether the owner of an address, by its hash, wants nothing on this channel: from the whole company or this
    production; with None, from any production at all."""
    s = t.suppressions.c
    query = select(s.id).where(s.lookup == lookup, s.channel == channel.value, s.lifted_at.is_(None))
    if production_id is not None:
        query = query.where(or_(s.production_id.is_(None), s.production_id == production_id))
    return (await connection.execute(query.limit(1))).first() is not None


async def lift(
    connection: AsyncConnection, lookup: str, channel: Channel, *, production_id: int | None, now_ms: int
) -> bool:
    """End an opt-out: its owner opted in again. Returns False where there was none."""
    s = t.suppressions.c
    done = await connection.execute(
        update(t.suppressions)
        .where(
            s.lookup == lookup,
            s.channel == channel.value,
            s.production_id.is_(None) if production_id is None else s.production_id == production_id,
            s.lifted_at.is_(None),
        )
        .values(lifted_at=now_ms)
        .returning(s.id)
    )
    return bool(done.all())
