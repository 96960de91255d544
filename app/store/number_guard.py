"""The guard of a number, asked in the moment of sending: what has gone to it within the hour?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import number_guard
from app.domain.evidence import FAILURES
from app.domain.number_guard import Sent
from app.store import holding
from app.store import tables as t
from app.store.holding import Hold
from app.store.statements import chunks


async def hold(connection: AsyncConnection, rows: Sequence[Any], now_ms: int) -> set[int]:
    """claimed → held, for deliveries to numbers that have had too much within the hour, whoever sent it. Returns
    which.

    A row is a delivery with its number's ``lookup`` and its step's ``version_id``. Those that may leave count for
    the ones behind them.
    """
    sent: dict[str, list[Sent]] = {}
    for some in chunks(sorted({row.lookup for row in rows})):
        asked = {"lookups": some, "since": now_ms - number_guard.WINDOW_MS}
        for one in await connection.execute(_SENT, asked):
            sent.setdefault(one.lookup, []).append(Sent(one.started_at, one.version_id))
    holds = []
    for row in rows:
        had = sent.setdefault(row.lookup, [])
        wait = number_guard.held_until(had, row.version_id, now_ms)
        if wait is None:
            had.append(Sent(now_ms, row.version_id))
        else:
            until, why = wait
            holds.append(Hold(row.id, until, why, number_guard.NEXT, row.give_up_at, row.created_at))
    await holding.hold(connection, holds, now_ms)
    return {one.delivery_id for one in holds}


_SENT = (
    select(t.contact_points.c.lookup, t.attempts.c.started_at, t.steps.c.version_id)
    .join(t.deliveries, t.deliveries.c.contact_point_id == t.contact_points.c.id)
    .join(t.attempts, t.attempts.c.delivery_id == t.deliveries.c.id)
    .join(t.steps, t.steps.c.id == t.deliveries.c.step_id)
    .where(
        t.contact_points.c.lookup.in_(bindparam("lookups", expanding=True)),
        t.attempts.c.started_at > bindparam("since"),
        t.attempts.c.evidence.not_in([one.value for one in FAILURES]),
    )
)
