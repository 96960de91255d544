"""What was queued and must not be sent after all: its person has answered, has opted out, or the address is dead.

Whatever brings a delivery into the queue (routing, a retry, the end of quiet hours), what holds in the moment of
sending is looked at once more, here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.evidence import Work
from app.domain.priorities import StepKind
from app.domain.routing import Reason, left_out
from app.store import tables as t
from app.store.rollup import roll_up, with_carried
from app.store.statements import chunks
from providers.contract import Channel

WAITING = (Work.QUEUED.value, Work.HELD.value, Work.CLAIMED.value)
"""Nothing of these has been handed to a provider."""

ANSWERED = ("They have answered.", "")

FOR_EVERYBODY = frozenset({StepKind.DISREGARD.value, StepKind.CORRECTION.value})
"""Steps that also go to those who have answered: they say something new."""


async def needless(connection: AsyncConnection, rows: Sequence[Any]) -> dict[int, tuple[str, str]]:
    """Which of these deliveries must not be sent, with the words for each: why, and what to do.

    A row has ``id``, ``channel``, ``kind`` (of the step), ``answer`` (of the recipient), and of the contact point
    ``lookup``, ``production_id`` and ``problem``.
    """
    opted_out = await _opted_out(connection, {row.lookup for row in rows})
    found: dict[int, tuple[str, str]] = {}
    for row in rows:
        scopes = opted_out.get((row.lookup, row.channel), frozenset())
        if None in scopes or row.production_id in scopes:
            obstacle = left_out(Reason.OPTED_OUT, Channel(row.channel))
            found[row.id] = (obstacle.why, obstacle.next)
        elif row.problem:
            obstacle = left_out(Reason.BAD_ADDRESS, Channel(row.channel), row.problem)
            found[row.id] = (obstacle.why, obstacle.next)
        elif row.answer is not None and row.kind not in FOR_EVERYBODY:
            found[row.id] = ANSWERED
    return found


async def _opted_out(
    connection: AsyncConnection, lookups: Collection[str]
) -> dict[tuple[str, str], frozenset[int | None]]:
    """The productions for which these addresses are opted out, by address and channel."""
    found: dict[tuple[str, str], frozenset[int | None]] = {}
    for some in chunks(sorted(lookups)):
        for row in await connection.execute(_SUPPRESSED, {"lookups": some}):
            key = (row.lookup, row.channel)
            found[key] = found.get(key, frozenset()) | {row.production_id}
    return found


async def call_off(connection: AsyncConnection, words: Mapping[int, tuple[str, str]], now_ms: int) -> None:
    """queued, held or claimed → cancelled, with the words for each delivery.

    A delivery that its own person does not need any more, but that also carries somebody else, is handed on to
    them: their message still goes out.
    """
    if not words:
        return
    touched = await with_carried(connection, words)
    await connection.execute(
        _CALL_OFF,
        [{"key": key, "to_why": why, "to_next": following} for key, (why, following) in words.items()],
    )
    await _hand_on(connection, [key for key, said in words.items() if said == ANSWERED])
    await roll_up(connection, touched, now_ms)


async def cancel_queued(connection: AsyncConnection, recipient_id: int, now_ms: int) -> None:
    """Stop on confirm: whatever is queued or held for this recipient is not sent any more."""
    waiting = await connection.execute(
        select(t.deliveries.c.id).where(
            t.deliveries.c.recipient_id == recipient_id, t.deliveries.c.work.in_(WAITING)
        )
    )
    await call_off(connection, dict.fromkeys(waiting.scalars(), ANSWERED), now_ms)


async def stop_address(
    connection: AsyncConnection, lookup: str, channel: Channel, *, production_id: int | None, now_ms: int
) -> None:
    """Whatever waits for this address on this channel is not sent any more: its owner has opted out."""
    points = select(t.contact_points.c.id).where(t.contact_points.c.lookup == lookup)
    if production_id is not None:
        points = points.where(t.contact_points.c.production_id == production_id)
    waiting = await connection.execute(
        select(t.deliveries.c.id).where(
            t.deliveries.c.contact_point_id.in_(points),
            t.deliveries.c.channel == channel.value,
            t.deliveries.c.work.in_(WAITING),
        )
    )
    words = left_out(Reason.OPTED_OUT, channel)
    await call_off(connection, dict.fromkeys(waiting.scalars(), (words.why, words.next)), now_ms)


async def _hand_on(connection: AsyncConnection, delivery_ids: Collection[int]) -> None:
    """Everybody these deliveries carried, and who still waits for the message, is carried by the first of them."""
    d = t.deliveries.c
    heirs: dict[int, list[int]] = {}
    for some in chunks(sorted(delivery_ids)):
        for row in await connection.execute(
            select(d.id, d.carried_by)
            .where(d.carried_by.in_(some), or_(d.work == Work.QUEUED.value, d.work == Work.HELD.value))
            .order_by(d.id)
        ):
            heirs.setdefault(row.carried_by, []).append(row.id)
    for first, *others in heirs.values():
        await connection.execute(update(t.deliveries).where(d.id == first).values(carried_by=None))
        if others:
            await connection.execute(update(t.deliveries).where(d.id.in_(others)).values(carried_by=first))


_SUPPRESSED = select(t.suppressions.c.lookup, t.suppressions.c.channel, t.suppressions.c.production_id).where(
    t.suppressions.c.lookup.in_(bindparam("lookups", expanding=True)), t.suppressions.c.lifted_at.is_(None)
)

_CALL_OFF = (
    update(t.deliveries)
    .where(t.deliveries.c.id == bindparam("key"), or_(*(t.deliveries.c.work == work for work in WAITING)))
    .values(
        work=Work.CANCELLED.value,
        worker=None,
        lease_until=None,
        why=bindparam("to_why"),
        next=bindparam("to_next"),
    )
)
