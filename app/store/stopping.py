"""What was queued and must not be sent after all: its message is cancelled, its person has answered or has opted out,
or the address is dead.

Whatever brings a delivery into the queue (routing, a retry, the end of quiet hours), what holds in the moment of
sending is looked at once more, here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.buckets import READERS, Bucket
from app.domain.evidence import Work
from app.domain.messages import MessageStatus
from app.domain.priorities import PRIORITY_OF_RANK, Purpose, StepKind
from app.domain.routing import Reason, Routable, left_out, obstacle_now
from app.store import tables as t
from app.store.addressees import Listed
from app.store.rollup import roll_up, with_carried
from app.store.statements import chunks
from providers.contract import Channel

WAITING = (Work.QUEUED.value, Work.HELD.value, Work.CLAIMED.value)
"""Nothing of these has been handed to a provider."""

ANSWERED = ("They have answered.", "")

FOR_EVERYBODY = frozenset({StepKind.DISREGARD.value, StepKind.CORRECTION.value})
"""Steps that also go to those who have answered: they say something new."""


CANCELLED = left_out(Reason.CANCELLED)
NOT_AGAIN = ("Cancelled before it was tried again.", "Nothing to do.")

READ_IT = ("They have read it.", "")
REPLACED = ("A later message took its place.", "")

THEIR_OWN = frozenset({Reason.NO_CONSENT, Reason.CORRECTED})
"""Reasons that hold for one person and not for others on the same number."""


@dataclass(frozen=True, slots=True)
class Needless:
    """Why a delivery must not be sent: the words, and whether others it carries still need it."""

    words: tuple[str, str]
    hand_on: bool
    corrected: bool = False


def needless(rows: Sequence[Any], people: Mapping[int, Listed]) -> dict[int, Needless]:
    """Which of these deliveries must not be sent, from what holds now.

    A row is a delivery with its step's ``kind``, its message's ``purpose`` and ``status``, its ``person_id``, of the
    recipient ``answer`` and ``bucket``, and ``later``: whether something later of the message went out on the same
    channel.
    """
    found: dict[int, Needless] = {}
    for row in rows:
        message = Routable(PRIORITY_OF_RANK[row.priority], Purpose(row.purpose), ())
        obstacle = obstacle_now(
            people[row.person_id].addressee, message, Channel(row.channel), row.contact_point_id
        )
        again = row.attempt > 1 and row.kind not in FOR_EVERYBODY
        if row.status == MessageStatus.CANCELLED.value and row.kind != StepKind.DISREGARD.value:
            found[row.id] = Needless(cancelled(row.attempt), hand_on=False)
        elif obstacle:
            found[row.id] = Needless(
                (obstacle.why, obstacle.next),
                hand_on=obstacle.reason in THEIR_OWN,
                corrected=obstacle.reason is Reason.CORRECTED,
            )
        elif row.answer is not None and row.kind not in FOR_EVERYBODY:
            found[row.id] = Needless(ANSWERED, hand_on=True)
        elif again and Bucket(row.bucket) in READERS:
            found[row.id] = Needless(READ_IT, hand_on=True)
        elif again and row.later:
            found[row.id] = Needless(REPLACED, hand_on=True)
    return found


async def call_off(
    connection: AsyncConnection,
    words: Mapping[int, tuple[str, str]],
    now_ms: int,
    *,
    hand_on: Collection[int] = (),
) -> None:
    """queued, held or claimed → cancelled, with the words for each delivery.

    A delivery that its own person does not need any more, but that also carries somebody else (``hand_on``), is
    handed on to them: their message still goes out.
    """
    if not words:
        return
    touched = await with_carried(connection, words)
    await connection.execute(
        _CALL_OFF,
        [{"key": key, "to_why": why, "to_next": following} for key, (why, following) in words.items()],
    )
    await give_on(connection, hand_on)
    await roll_up(connection, touched, now_ms)


async def cancel_queued(connection: AsyncConnection, recipient_id: int, now_ms: int) -> None:
    """Stop on confirm: whatever is queued or held for this recipient is not sent any more, but for what is new to
    those who have answered too."""
    waiting = await connection.execute(_WAITING_FOR, {"recipient": recipient_id})
    keys = waiting.scalars().all()
    await call_off(connection, dict.fromkeys(keys, ANSWERED), now_ms, hand_on=keys)


def cancelled(attempt: int) -> tuple[str, str]:
    """What to say of a delivery whose message was cancelled before this attempt."""
    return NOT_AGAIN if attempt > 1 else (CANCELLED.why, CANCELLED.next)


async def call_off_message(connection: AsyncConnection, message_id: int, now_ms: int) -> int:
    """Nothing that waits of this message is sent any more. Returns how many deliveries were called off."""
    waiting = await connection.execute(_WAITING_OF_MESSAGE, {"message": message_id})
    words = {row.id: cancelled(row.attempt) for row in waiting}
    await call_off(connection, words, now_ms)
    return len(words)


async def call_off_cancelled(connection: AsyncConnection, delivery_ids: Collection[int], now_ms: int) -> None:
    """Of these deliveries, which are to be tried again, those whose message was cancelled meanwhile are not."""
    words: dict[int, tuple[str, str]] = {}
    for some in chunks(sorted(delivery_ids)):
        for row in await connection.execute(_CANCELLED_MEANWHILE, {"ids": some}):
            words[row.id] = cancelled(row.attempt)
    await call_off(connection, words, now_ms)


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


async def give_on(connection: AsyncConnection, delivery_ids: Collection[int]) -> None:
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
_WAITING_FOR = (
    select(t.deliveries.c.id)
    .join(t.steps, t.steps.c.id == t.deliveries.c.step_id)
    .where(
        t.deliveries.c.recipient_id == bindparam("recipient"),
        t.deliveries.c.work.in_(WAITING),
        t.steps.c.kind.not_in(FOR_EVERYBODY),
    )
)
_WAITING_OF_MESSAGE = select(t.deliveries.c.id, t.deliveries.c.attempt).where(
    t.deliveries.c.message_id == bindparam("message"),
    t.deliveries.c.work.in_(WAITING),
    t.deliveries.c.carried_by.is_(None),
)
_CANCELLED_MEANWHILE = (
    select(t.deliveries.c.id, t.deliveries.c.attempt)
    .join(t.messages, t.messages.c.id == t.deliveries.c.message_id)
    .join(t.steps, t.steps.c.id == t.deliveries.c.step_id)
    .where(
        t.deliveries.c.id.in_(bindparam("ids", expanding=True)),
        t.deliveries.c.work.in_(WAITING),
        t.messages.c.status == MessageStatus.CANCELLED.value,
        t.steps.c.kind != StepKind.DISREGARD.value,
    )
)
