"""Attempts whose fate is not known: which are to be looked up, and what their look-up settled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import evidence as ev
from app.domain.evidence import Evidence, Work
from app.domain.priorities import PRIORITY_OF_RANK, Priority
from app.domain.unknowns import Resolution, Verdict
from app.store import receipts, stopping
from app.store import tables as t
from app.store.receipts import Incoming
from app.store.rollup import roll_up, with_carried
from providers.contract import Channel, Fact, Found

LOOK_UP = "look-up:"
"""How the key of a receipt begins that is an answer to our own question."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """An attempt to ask the provider about, with what rendering its text needs."""

    attempt_id: int
    number: int
    reference: str
    delivery_id: int
    recipient_id: int
    account_id: int
    sender: str
    channel: Channel
    priority: Priority
    started_at: int
    looks: int
    person_has_evidence: bool
    """It has arrived by some path, with everybody who shares the address."""
    cipher: bytes = field(repr=False)
    text: bytes | None = field(repr=False)
    """What was sent, encrypted; None on a channel where it is rendered anew."""


DUE_ROWS = 50
"""Asked about in one go."""


async def due(connection: AsyncConnection, now_ms: int, limit: int = DUE_ROWS) -> Sequence[Unknown]:
    """Attempts whose look-up is due, most urgent first."""
    a, d = t.attempts.c, t.deliveries.c
    other, sharer = t.deliveries.alias("other"), t.deliveries.alias("sharer")
    arrived = (
        select(other.c.id)
        .where(
            other.c.recipient_id == sharer.c.recipient_id,
            other.c.evidence_rank >= ev.RANK[Evidence.DELIVERED],
        )
        .where(other.c.evidence != Evidence.BOUNCED_AFTER_ACCEPTANCE.value)
        .exists()
    )
    without = (
        select(func.count())
        .select_from(sharer.join(t.recipients, t.recipients.c.id == sharer.c.recipient_id))
        .where(or_(sharer.c.id == d.id, sharer.c.carried_by == d.id))
        .where(t.recipients.c.read_at.is_(None), ~arrived)
        .scalar_subquery()
    )
    rows = await connection.execute(
        select(
            a.id,
            a.number,
            a.reference,
            a.delivery_id,
            d.recipient_id,
            a.account_id,
            t.senders.c.address,
            d.channel,
            d.priority,
            a.started_at,
            a.looks,
            without.label("without"),
            t.contact_points.c.cipher,
            d.text,
        )
        .join(t.deliveries, d.id == a.delivery_id)
        .join(t.senders, t.senders.c.id == a.sender_id)
        .join(t.contact_points, t.contact_points.c.id == a.contact_point_id)
        .where(a.look_at <= now_ms, a.evidence == Evidence.UNKNOWN.value)
        .order_by(d.priority, a.look_at)
        .limit(limit)
    )
    return [
        Unknown(
            attempt_id=row.id,
            number=row.number,
            reference=row.reference,
            delivery_id=row.delivery_id,
            recipient_id=row.recipient_id,
            account_id=row.account_id,
            sender=row.address,
            channel=Channel(row.channel),
            priority=PRIORITY_OF_RANK[row.priority],
            started_at=row.started_at,
            looks=row.looks,
            person_has_evidence=row.without == 0,
            cipher=row.cipher,
            text=row.text,
        )
        for row in rows
    ]


async def settle(
    connection: AsyncConnection, unknown: Unknown, resolution: Resolution, found: Found | None, now_ms: int
) -> None:
    """Write down what a look-up settled. Does nothing where a receipt was faster."""
    attempt = (
        await connection.execute(select(t.attempts).where(t.attempts.c.id == unknown.attempt_id))
    ).one()
    if Evidence(attempt.evidence) is not Evidence.UNKNOWN:
        await _set_attempt(connection, unknown, look_at=None)
        return
    await _set_attempt(connection, unknown, look_at=resolution.look_at)
    match resolution.verdict:
        case Verdict.ACCEPTED:
            assert found is not None
            facts = dict.fromkeys((Fact.ACCEPTED, found.fact))
            await take_found(connection, unknown.account_id, unknown.reference, found, facts, now_ms)
        case Verdict.SEND_AGAIN:
            await _send_again(connection, unknown, now_ms)
        case Verdict.ASK_AGAIN | Verdict.UNCERTAIN:
            await connection.execute(
                update(t.deliveries)
                .where(t.deliveries.c.id == unknown.delivery_id)
                .values(why=resolution.why, next=resolution.next)
            )
            await roll_up(connection, [unknown.recipient_id], now_ms)


async def take_found(
    connection: AsyncConnection,
    account_id: int,
    reference: str,
    found: Found,
    facts: Iterable[Fact],
    now_ms: int,
) -> None:
    """Take what a provider said of an attempt when it was asked, as if it had told these facts by itself."""
    await receipts.take(
        connection,
        [
            Incoming(
                account_id=account_id,
                dedupe_key=f"{LOOK_UP}{reference}:{fact.value}",
                fact=fact,
                reference=reference,
                provider_id=found.provider_id,
                error=found.error if fact is found.fact else None,
                raw=b"",
                received_at=now_ms,
            )
            for fact in facts
        ],
        now_ms,
    )


async def _set_attempt(connection: AsyncConnection, unknown: Unknown, *, look_at: int | None) -> None:
    await connection.execute(
        update(t.attempts)
        .where(t.attempts.c.id == unknown.attempt_id)
        .values(look_at=look_at, looks=t.attempts.c.looks + 1)
    )


async def _send_again(connection: AsyncConnection, unknown: Unknown, now_ms: int) -> None:
    """URGENT only: queue the next attempt. The old one keeps its evidence; a late receipt for it still counts."""
    d = t.deliveries.c
    await connection.execute(
        update(t.deliveries)
        .where(
            d.id == unknown.delivery_id,
            d.work == Work.DONE.value,
            d.attempt == unknown.number,
            d.evidence_rank < ev.CLAIMABLE_BELOW,
        )
        .values(work=Work.QUEUED.value, attempt=unknown.number + 1, due_at=now_ms, why="", next="")
    )
    await roll_up(connection, await with_carried(connection, [unknown.delivery_id]), now_ms)
    await stopping.call_off_cancelled(connection, [unknown.delivery_id], now_ms)
