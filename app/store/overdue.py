"""Attempts that a provider took and has not spoken of since: which are to be asked about, and what it said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import evidence as ev
from app.domain.evidence import Evidence
from app.domain.overdue import next_look
from app.store import tables as t
from app.store.unknowns import DUE_ROWS, take_found
from providers.contract import Channel, Found


@dataclass(frozen=True, slots=True)
class Overdue:
    """An attempt to ask the provider about, by the provider's own id."""

    attempt_id: int
    reference: str
    account_id: int
    provider_id: str
    channel: Channel
    sender: str
    started_at: int
    accepted_at: int
    looks: int
    cipher: bytes = field(repr=False)


async def due(connection: AsyncConnection, now_ms: int) -> Sequence[Overdue]:
    """Attempts whose receipt is overdue, most urgent first."""
    rows = await connection.execute(_DUE, {"now": now_ms})
    return [
        Overdue(
            attempt_id=row.id,
            reference=row.reference,
            account_id=row.account_id,
            provider_id=row.provider_id,
            channel=Channel(row.channel),
            sender=row.address,
            started_at=row.started_at,
            accepted_at=row.finished_at,
            looks=row.looks,
            cipher=row.cipher,
        )
        for row in rows
    ]


async def settle(connection: AsyncConnection, one: Overdue, found: Found | None, now_ms: int) -> None:
    """Write down what the provider said (None: nothing), and when it is asked again. A receipt that was faster
    ends the asking."""
    looks = one.looks + 1
    await connection.execute(
        _ASKED,
        {"key": one.attempt_id, "to_look_at": next_look(one.accepted_at, looks, now_ms), "to_looks": looks},
    )
    if found is None or ev.RANK[ev.OF_FACT[found.fact]] <= ev.RANK[Evidence.SENT]:
        return
    await take_found(connection, one.account_id, one.reference, found, [found.fact], now_ms)


_DUE = (
    select(
        t.attempts.c.id,
        t.attempts.c.reference,
        t.attempts.c.account_id,
        t.attempts.c.provider_id,
        t.deliveries.c.channel,
        t.senders.c.address,
        t.attempts.c.started_at,
        t.attempts.c.finished_at,
        t.attempts.c.looks,
        t.contact_points.c.cipher,
    )
    .join(t.deliveries, t.deliveries.c.id == t.attempts.c.delivery_id)
    .join(t.senders, t.senders.c.id == t.attempts.c.sender_id)
    .join(t.contact_points, t.contact_points.c.id == t.attempts.c.contact_point_id)
    .where(
        t.attempts.c.look_at <= bindparam("now"),
        t.attempts.c.evidence == Evidence.SENT.value,
        t.attempts.c.provider_id.is_not(None),
        t.attempts.c.finished_at.is_not(None),
    )
    .order_by(t.deliveries.c.priority, t.attempts.c.look_at, t.attempts.c.id)
    .limit(DUE_ROWS)
)
_ASKED = (
    update(t.attempts)
    .where(t.attempts.c.id == bindparam("key"))
    .values(look_at=bindparam("to_look_at"), looks=bindparam("to_looks"))
)
