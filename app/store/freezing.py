"""Freezing: an audience becomes the recipients of a message, or those a later step is for."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from sqlalchemy import bindparam, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.buckets import NON_READERS, NOT_YET_LEFT, Bucket, Waits
from app.domain.routing import LeftOut, Reason
from app.store import audience, rollup, steps
from app.store import tables as t
from app.store.statements import chunks

FREEZE_ROWS = {"sqlite": 2_000, "postgresql": 20_000}
"""Recipients frozen in one transaction: a block holds the write lock of SQLite for some 10 ms."""


async def freeze_block(connection: AsyncConnection, step_id: int, now_ms: int) -> bool:
    """Freeze the next block of a first step's audience into recipients. True when the audience is whole.

    Can be repeated and resumed: the cursor moves in the same transaction, a recipient exists once.
    """
    this = await steps.taken(connection, step_id)
    if this.frozen_at is not None or this.undone_at is not None:
        return True
    row = (
        await connection.execute(
            select(t.messages.c.production_id, t.messages.c.audience).where(
                t.messages.c.id == this.message_id
            )
        )
    ).one()
    meant = audience.condition(row.production_id, json.loads(row.audience))
    size = FREEZE_ROWS[connection.dialect.name]
    block = (
        (
            await connection.execute(
                select(t.people.c.id)
                .where(meant, t.people.c.id > this.freeze_cursor)
                .order_by(t.people.c.id)
                .limit(size)
            )
        )
        .scalars()
        .all()
    )
    if block:
        selection = select(
            t.people.c.production_id,
            literal(this.message_id, t.recipients.c.message_id.type),
            t.people.c.id,
            t.people.c.department,
            literal(Bucket.ON_THE_WAY.value, t.recipients.c.bucket.type),
            literal(Waits.TO_ROUTE.value, t.recipients.c.waits.type),
        ).where(meant, t.people.c.id > this.freeze_cursor, t.people.c.id <= block[-1])
        await connection.execute(
            t.recipients.insert().from_select(
                ["production_id", "message_id", "person_id", "department", "bucket", "waits"], selection
            )
        )
        counts = await connection.execute(
            select(t.recipients.c.department, func.count().label("people"))
            .where(
                t.recipients.c.message_id == this.message_id,
                t.recipients.c.person_id > this.freeze_cursor,
                t.recipients.c.person_id <= block[-1],
            )
            .group_by(t.recipients.c.department)
        )
        departments = {row.department: row.people for row in counts}
        await rollup.add_to_counters(connection, rollup.of_new_recipients(this.message_id, departments))
        await rollup.touch(connection, [this.message_id])
    whole = len(block) < size
    await connection.execute(
        update(t.steps)
        .where(t.steps.c.id == step_id)
        .values(
            freeze_cursor=block[-1] if block else this.freeze_cursor,
            people=t.steps.c.people + len(block),
            frozen_at=now_ms if whole else None,
        )
    )
    return whole


async def to_remind(connection: AsyncConnection, message_id: int) -> dict[int, int]:
    """The recipients of a message who have not read it, each with their person. Nobody is among them for whom
    something is still to leave: they are not reminded of what they have not got. The counters say how many they are
    (``Summary.to_remind``)."""
    r = t.recipients.c
    rows = await connection.execute(
        select(r.id, r.person_id).where(
            r.message_id == message_id,
            r.bucket.in_([bucket.value for bucket in NON_READERS]),
            or_(r.waits.is_(None), r.waits.not_in([what.value for what in NOT_YET_LEFT])),
        )
    )
    return {row.id: row.person_id for row in rows}


async def left_out(connection: AsyncConnection, message_id: int) -> dict[int, int]:
    """The recipients of a message who had no path when it went out, each with their person: somebody may have
    corrected the crew list since."""
    r = t.recipients.c
    rows = await connection.execute(
        select(r.id, r.person_id).where(
            r.message_id == message_id,
            r.bucket == Bucket.SUPPRESSED.value,
            r.suppression.is_not(None),
            r.suppression != Reason.CANCELLED.value,
        )
    )
    return {row.id: row.person_id for row in rows}


async def freeze_non_readers(
    connection: AsyncConnection,
    step_id: int,
    message_id: int,
    now_ms: int,
    only: Collection[int] | None = None,
    unreachable: int = 0,
) -> int:
    """Freeze those who have not read into a later step; returns how many they are.

    ``only`` limits it to these recipients, who may have been left out so far; ``unreachable`` more were meant, and
    have no path.
    """
    r = t.recipients.c
    meant = NON_READERS if only is None else NON_READERS | {Bucket.SUPPRESSED}
    query = select(literal(step_id, r.id.type), r.id).where(
        r.message_id == message_id, r.bucket.in_([bucket.value for bucket in meant])
    )
    parts = [query] if only is None else [query.where(r.id.in_(some)) for some in chunks(sorted(only))]
    for part in parts:
        await connection.execute(t.step_people.insert().from_select(["step_id", "recipient_id"], part))
    people = (
        await connection.execute(select(func.count()).where(t.step_people.c.step_id == step_id))
    ).scalar_one()
    await connection.execute(
        update(t.steps)
        .where(t.steps.c.id == step_id)
        .values(people=people, unreachable=unreachable, frozen_at=now_ms)
    )
    return int(people)


async def freeze_these(
    connection: AsyncConnection,
    step_id: int,
    now_ms: int,
    recipients: Sequence[int],
    unreachable: int,
) -> None:
    """Freeze exactly these recipients into a later step; ``unreachable`` more were meant, and have no path."""
    await connection.execute(
        t.step_people.insert(), [{"step_id": step_id, "recipient_id": one} for one in sorted(recipients)]
    )
    await connection.execute(
        update(t.steps)
        .where(t.steps.c.id == step_id)
        .values(people=len(recipients), unreachable=unreachable, frozen_at=now_ms)
    )


async def note_left_out(connection: AsyncConnection, left: Sequence[tuple[int, LeftOut]]) -> None:
    """Say beside these recipients why nothing more goes out to them, until something does."""
    if left:
        await connection.execute(
            update(t.recipients)
            .where(t.recipients.c.id == bindparam("key"))
            .values(why=bindparam("said"), next=bindparam("then")),
            [{"key": recipient, "said": one.why, "then": one.next} for recipient, one in left],
        )
