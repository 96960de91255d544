"""What no outcome ever moved on: leases that ran out, and deliveries that became too old."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import evidence as ev
from app.domain.evidence import AttemptEvidence, Evidence, Work
from app.domain.priorities import PRIORITY_OF_RANK
from app.domain.retries import unknown_wait_ms
from app.store import tables as t
from app.store.outcomes import attempts_of
from app.store.rollup import roll_up, with_carried


async def expire(
    connection: AsyncConnection, *, now_ms: int, worker: str | None = None, in_flight: Collection[int] = ()
) -> tuple[int, int]:
    """Take back leases that ran out. Returns how many were requeued and how many became unknown.

    claimed → queued: nothing was called. sending → done with evidence unknown: the call may have been made, so
    it never goes straight back to the queue. With ``worker`` (this process alone has the database) every lease
    of anybody else counts as run out; ``in_flight`` are calls of this process that are still open.
    """
    d = t.deliveries.c
    ran_out = d.lease_until <= now_ms
    if worker is not None:
        ran_out = or_(ran_out, d.worker != worker)
    over = and_(ran_out, d.lease_until.is_not(None))
    if in_flight:
        over = and_(over, d.id.not_in(list(in_flight)))
    requeued = await connection.execute(
        update(t.deliveries)
        .where(d.work == Work.CLAIMED.value, over)
        .values(work=Work.QUEUED.value, worker=None, lease_until=None)
        .returning(d.id)
    )
    requeued_count = len(requeued.all())
    lost = (
        await connection.execute(
            select(d.id, d.attempt, d.priority).where(d.work == Work.SENDING.value, over).limit(5000)
        )
    ).all()
    if lost:
        await _to_unknown(connection, lost, now_ms)
    return requeued_count, len(lost)


UNKNOWN_WORDS = (
    "Callboard was interrupted while sending: nobody knows yet whether it went out.",
    "Wait a moment: the provider is asked.",
)


async def _to_unknown(connection: AsyncConnection, lost: Sequence[Any], now_ms: int) -> None:
    known = await attempts_of(connection, [row.id for row in lost], to_change=True)
    attempt_rows, delivery_rows = [], []
    for row in lost:
        attempt = known.get((row.id, row.attempt))
        raised = ev.raised(Evidence(attempt.evidence) if attempt else Evidence.NONE, Evidence.UNKNOWN)
        if attempt:
            unknown = raised is Evidence.UNKNOWN
            # What was on its way when the process ended may arrive a moment later: no question before its time.
            look = max(now_ms, attempt.started_at + unknown_wait_ms(PRIORITY_OF_RANK[row.priority]))
            attempt_rows.append({"key": attempt.id, "to": raised.value, "look": look if unknown else None})
        evidence = ev.of_delivery(
            [
                AttemptEvidence(number, raised if number == row.attempt else Evidence(other.evidence))
                for (delivery, number), other in known.items()
                if delivery == row.id
            ]
        )
        why, following = UNKNOWN_WORDS if evidence is Evidence.UNKNOWN else (None, None)
        delivery_rows.append(
            {
                "key": row.id,
                "to": evidence.value,
                "rank": ev.RANK[evidence],
                "to_why": why,
                "to_next": following,
            }
        )
    await connection.execute(
        update(t.attempts)
        .where(t.attempts.c.id == bindparam("key"))
        .values(evidence=bindparam("to"), look_at=bindparam("look")),
        attempt_rows,
    )
    await connection.execute(
        update(t.deliveries)
        .where(t.deliveries.c.id == bindparam("key"))
        .values(
            work=Work.DONE.value,
            evidence=bindparam("to"),
            evidence_rank=bindparam("rank"),
            worker=None,
            lease_until=None,
            why=func.coalesce(bindparam("to_why"), t.deliveries.c.why),
            next=func.coalesce(bindparam("to_next"), t.deliveries.c.next),
        ),
        delivery_rows,
    )
    await roll_up(connection, await with_carried(connection, [row.id for row in lost]), now_ms)


async def give_up(connection: AsyncConnection, now_ms: int) -> int:
    """queued → expired, for deliveries whose time has passed. Returns how many."""
    d = t.deliveries.c
    old = (
        (
            await connection.execute(
                update(t.deliveries)
                .where(d.work == Work.QUEUED.value, d.carried_by.is_(None), d.give_up_at <= now_ms)
                .values(
                    work=Work.EXPIRED.value,
                    why="It was too old to send when its turn came.",
                    next="Send a new message.",
                )
                .returning(d.id)
            )
        )
        .scalars()
        .all()
    )
    if old:
        await roll_up(connection, await with_carried(connection, old), now_ms)
    return len(old)
