"""Quiet hours in the queue: they may have begun since a delivery was planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.actor import ENGINE
from app.domain.evidence import Work
from app.domain.priorities import PRIORITY_OF_RANK, Purpose
from app.domain.quiet_hours import Window
from app.domain.routing import HELD, Routable, quiet_until
from app.store import audit, holding
from app.store import tables as t
from app.store.holding import Hold
from app.store.statements import chunks


async def hold(connection: AsyncConnection, rows: Sequence[Any], now_ms: int) -> set[int]:
    """claimed → held, for deliveries whose people have gone to sleep since they were planned. Returns which.

    A row is a delivery with its message's ``purpose`` and ``public_id`` and its person's ``time_zone``,
    ``quiet_start`` and ``quiet_end``. Where URGENT pierces quiet hours that began since, that is written to the
    audit, as routing writes down those it found.
    """
    asleep: dict[int, int] = {}
    for row in rows:
        message = Routable(PRIORITY_OF_RANK[row.priority], Purpose(row.purpose), ())
        quiet = window_of(row)
        until, pierced = quiet_until(message, row.time_zone, quiet, now_ms)
        if until is not None:
            asleep[row.id] = until
        elif pierced and quiet_until(message, row.time_zone, quiet, row.created_at)[1] is None:
            await _note_override(connection, row, pierced, now_ms)
    if not asleep:
        return set()
    held = await _while_all_sleep(connection, {row.id: row for row in rows}, asleep, now_ms)
    await holding.hold(connection, held, now_ms)
    return {one.delivery_id for one in held}


async def _while_all_sleep(
    connection: AsyncConnection, rows: Mapping[int, Any], asleep: Mapping[int, int], now_ms: int
) -> list[Hold]:
    """Nobody waits for the quiet hours of somebody else on the same number: a delivery is held only while all it
    carries are asleep too, and until the first of them wakes."""
    first: dict[int, int | None] = dict(asleep)
    for some in chunks(list(asleep)):
        for one in await connection.execute(_CARRIED, {"ids": some}):
            row = rows[one.carried_by]
            message = Routable(PRIORITY_OF_RANK[row.priority], Purpose(row.purpose), ())
            until, _ = quiet_until(message, one.time_zone, window_of(one), now_ms)
            known = first[row.id]
            first[row.id] = min(until, known) if until is not None and known is not None else None
    return [
        Hold(key, until, *HELD, rows[key].give_up_at, rows[key].created_at)
        for key, until in first.items()
        if until is not None
    ]


def window_of(row: Any) -> Window | None:
    """The quiet hours of a person, from ``quiet_start`` and ``quiet_end``."""
    if row.quiet_start is None or row.quiet_end is None:
        return None
    return Window(row.quiet_start, row.quiet_end)


async def _note_override(connection: AsyncConnection, row: Any, words: str, now_ms: int) -> None:
    await audit.record(
        connection,
        ENGINE,
        "override",
        f"recipient:{row.recipient_id}",
        now_ms,
        production_id=row.production_id,
        detail={"message": row.public_id, "what": words},
    )


_CARRIED = (
    select(t.deliveries.c.carried_by, t.people.c.time_zone, t.people.c.quiet_start, t.people.c.quiet_end)
    .join(t.recipients, t.recipients.c.id == t.deliveries.c.recipient_id)
    .join(t.people, t.people.c.id == t.recipients.c.person_id)
    .where(
        t.deliveries.c.carried_by.in_(bindparam("ids", expanding=True)),
        t.deliveries.c.work.in_([Work.QUEUED.value, Work.HELD.value]),
    )
)
