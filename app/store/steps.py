"""Steps: each round of sending a message, from when it may go out to when it was called off."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, case, desc, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.buckets import Waits
from app.domain.messages import MessageStatus
from app.domain.priorities import Priority, StepKind
from app.domain.routing import Reason, left_out
from app.store import rollup
from app.store import tables as t
from providers.contract import Channel


@dataclass(frozen=True, slots=True)
class Step:
    """One round of sending."""

    id: int
    public_id: str
    message_id: int
    version_id: int
    kind: StepKind
    channels: tuple[Channel, ...]
    people: int
    unreachable: int
    created_at: int
    not_before: int
    undone_at: int | None
    frozen_at: int | None
    freeze_cursor: int
    routed_at: int | None
    route_cursor: int


def _step(row: object) -> Step:
    r = row._mapping  # type: ignore[attr-defined]
    return Step(
        id=r["id"],
        public_id=r["public_id"],
        message_id=r["message_id"],
        version_id=r["version_id"],
        kind=StepKind(r["kind"]),
        channels=tuple(Channel(one) for one in json.loads(r["channels"])),
        people=r["people"],
        unreachable=r["unreachable"],
        created_at=r["created_at"],
        not_before=r["not_before"],
        undone_at=r["undone_at"],
        frozen_at=r["frozen_at"],
        freeze_cursor=r["freeze_cursor"],
        routed_at=r["routed_at"],
        route_cursor=r["route_cursor"],
    )


async def add(
    connection: AsyncConnection,
    *,
    public_id: str,
    message_id: int,
    version_id: int,
    kind: StepKind,
    actor: str,
    channels: Sequence[Channel],
    now_ms: int,
    not_before: int,
) -> int:
    """A new step for nobody yet. Returns its key."""
    return int(
        (
            await connection.execute(
                t.steps.insert()
                .values(
                    public_id=public_id,
                    message_id=message_id,
                    version_id=version_id,
                    kind=kind.value,
                    actor=actor,
                    channels=json.dumps([channel.value for channel in channels]),
                    people=0,
                    created_at=now_ms,
                    not_before=not_before,
                )
                .returning(t.steps.c.id)
            )
        ).scalar_one()
    )


async def by_id(connection: AsyncConnection, step_id: int) -> Step:
    return _step((await connection.execute(select(t.steps).where(t.steps.c.id == step_id))).one())


async def taken(connection: AsyncConnection, step_id: int) -> Step:
    """The step, kept from every other process until the transaction ends: nobody else freezes or routes it."""
    found = await connection.execute(select(t.steps).where(t.steps.c.id == step_id).with_for_update())
    return _step(found.one())


async def latest(connection: AsyncConnection, message_id: int, kind: StepKind | None = None) -> Step | None:
    """The newest step of a message that was not undone, of this kind if one is named."""
    query = select(t.steps).where(t.steps.c.message_id == message_id, t.steps.c.undone_at.is_(None))
    if kind:
        query = query.where(t.steps.c.kind == kind.value)
    row = (await connection.execute(query.order_by(desc(t.steps.c.id)).limit(1))).first()
    return _step(row) if row else None


async def unfrozen(connection: AsyncConnection) -> list[int]:
    """First steps whose audience is not frozen whole: their process was killed while freezing."""
    rows = await connection.execute(
        select(t.steps.c.id).where(
            t.steps.c.frozen_at.is_(None),
            t.steps.c.undone_at.is_(None),
            t.steps.c.kind == StepKind.FIRST.value,
        )
    )
    return list(rows.scalars())


async def due(connection: AsyncConnection, now_ms: int) -> list[Step]:
    """Steps whose undo window is over and that are not routed whole, most urgent first."""
    s = t.steps.c
    rows = await connection.execute(
        select(t.steps)
        .join(t.messages, t.messages.c.id == s.message_id)
        .where(
            s.routed_at.is_(None),
            s.undone_at.is_(None),
            s.frozen_at.is_not(None),
            s.not_before <= now_ms,
            or_(
                t.messages.c.status == MessageStatus.SENDING.value,
                and_(
                    t.messages.c.status == MessageStatus.CANCELLED.value, s.kind == StepKind.DISREGARD.value
                ),
            ),
        )
        .order_by(case({one.value: one.rank for one in Priority}, value=t.messages.c.priority), s.not_before)
    )
    return [_step(row) for row in rows]


async def undo(connection: AsyncConnection, step_id: int, now_ms: int) -> bool:
    """Call a step off while nothing of it is routed. False when it is too late.

    The undo window is the time that is promised; after it a step can be called off as long as no engine has come
    to it, and not a moment longer. Undoing and routing cannot both happen: routing keeps the row of the step from
    the look at it to its deliveries, in one transaction (:func:`taken`), so that this condition sees the row from
    before or from after. What has been routed, in part or whole, cannot be called off any more, whatever the clock
    says. Without its first step a message goes to nobody: its recipients are left out, and the counters say so.
    """
    done = await connection.execute(
        update(t.steps)
        .where(
            t.steps.c.id == step_id,
            t.steps.c.undone_at.is_(None),
            t.steps.c.routed_at.is_(None),
            t.steps.c.route_cursor == 0,
        )
        .values(undone_at=now_ms)
        .returning(t.steps.c.message_id, t.steps.c.kind)
    )
    row = done.first()
    if row is not None and row.kind == StepKind.FIRST.value:
        await _leave_everybody_out(connection, row.message_id, now_ms)
    return row is not None


async def end_all(connection: AsyncConnection, message_id: int, now_ms: int) -> None:
    """No step of this message goes any further. One that has not begun is undone, one that is routed in part ends
    there; those it had not come to are left out."""
    s = t.steps.c
    waiting = and_(s.message_id == message_id, s.routed_at.is_(None), s.undone_at.is_(None))
    await connection.execute(update(t.steps).where(waiting, s.route_cursor == 0).values(undone_at=now_ms))
    await connection.execute(update(t.steps).where(waiting).values(routed_at=now_ms))
    await _leave_everybody_out(connection, message_id, now_ms)


async def _leave_everybody_out(connection: AsyncConnection, message_id: int, now_ms: int) -> None:
    """Everybody whose paths are still to be decided."""
    words = left_out(Reason.CANCELLED)
    out = await connection.execute(
        update(t.recipients)
        .where(t.recipients.c.message_id == message_id, t.recipients.c.waits == Waits.TO_ROUTE.value)
        .values(suppression=words.reason.value, why=words.why, next=words.next)
        .returning(t.recipients.c.id)
    )
    await rollup.roll_up(connection, out.scalars().all(), now_ms)
