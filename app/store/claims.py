"""The queue: a delivery is claimed under a lease, and marked before its provider is called.

Each is one statement over many rows, and safe to repeat.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import evidence as ev
from app.domain.evidence import HANDED_OVER, Evidence, Work
from app.domain.messages import GOES_OUT, MessageStatus
from app.domain.priorities import PRIORITY_OF_RANK, Priority, Purpose, StepKind
from app.store import addressees, correcting, number_guard, quiet, stopping
from app.store import tables as t
from app.store.statements import chunks
from providers.contract import Channel

Keeper = Callable[[AsyncConnection, Sequence[Any], int], Awaitable[set[int]]]
"""Holds those of the claimed deliveries that must not leave now, and returns which."""

_PHONE: tuple[Keeper, ...] = (quiet.hold, number_guard.hold)
_OTHERS: tuple[Keeper, ...] = (quiet.hold,)
KEEPERS: dict[Channel, tuple[Keeper, ...]] = {
    one: _PHONE if one in (Channel.SMS, Channel.VOICE) else _OTHERS for one in Channel
}


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery this worker holds the lease of, with all that rendering it needs."""

    id: int
    message_id: int
    step_id: int
    kind: StepKind
    version_id: int
    recipient_id: int
    production_id: int
    contact_point_id: int
    channel: Channel
    priority: Priority
    attempt: int
    give_up_at: int
    lease_until: int
    opt_out_words: bool
    language: str
    cipher: bytes = field(repr=False)
    text: bytes | None = field(repr=False, default=None)
    """What was rendered at an earlier attempt, encrypted."""


async def waiting(
    connection: AsyncConnection,
    *,
    production_id: int,
    channel: Channel,
    priorities: Iterable[Priority],
    now_ms: int,
) -> set[Priority]:
    """The priorities of which something is due."""
    found = set()
    for priority in priorities:
        asked = {
            "production": production_id,
            "on_channel": channel.value,
            "rank": priority.rank,
            "now": now_ms,
        }
        if (await connection.execute(_ANY_DUE, asked)).first() is not None:
            found.add(priority)
    return found


@dataclass(frozen=True, slots=True)
class Taken:
    """What one claim took out of the queue: deliveries to be sent, and how many must not be, or not now."""

    claimed: list[Claimed]
    passed_over: int = 0


async def claim(
    connection: AsyncConnection,
    *,
    production_id: int,
    channel: Channel,
    quotas: Mapping[Priority, int],
    worker: str,
    now_ms: int,
    lease_until: int,
) -> Taken:
    """Take the lease of due deliveries of a production, up to so many of each priority, longest due first.

    Those that have become needless since they were queued are called off instead, and those whose quiet hours have
    begun are held.
    """
    ids: list[int] = []
    for priority, most in quotas.items():
        leased = await connection.execute(
            _LEASE_WHAT_IS_DUE,
            {
                "production": production_id,
                "on_channel": channel.value,
                "rank": priority.rank,
                "now": now_ms,
                "most": most,
                "to_worker": worker,
                "to_lease_until": lease_until,
            },
        )
        ids += leased.scalars().all()
    if not ids:
        return Taken([])
    rows = (await connection.execute(_LEASED, {"ids": ids})).all()
    people = await addressees.of_people(connection, production_id, {row.person_id for row in rows})
    needless = stopping.needless(rows, people)
    moved = await correcting.move(
        connection, [row for row in rows if row.id in needless and needless[row.id].corrected], people, now_ms
    )
    off = {key: one for key, one in needless.items() if key not in moved}
    await stopping.call_off(
        connection,
        {key: one.words for key, one in off.items()},
        now_ms,
        hand_on=[key for key, one in off.items() if one.hand_on],
    )
    stay = set(needless)
    for keeper in KEEPERS[channel]:
        stay |= await keeper(connection, [row for row in rows if row.id not in stay], now_ms)
    claimed = [
        Claimed(
            id=row.id,
            message_id=row.message_id,
            step_id=row.step_id,
            kind=StepKind(row.kind),
            version_id=row.version_id,
            recipient_id=row.recipient_id,
            production_id=row.production_id,
            contact_point_id=row.contact_point_id,
            channel=Channel(row.channel),
            priority=PRIORITY_OF_RANK[row.priority],
            attempt=row.attempt,
            give_up_at=row.give_up_at,
            lease_until=row.lease_until,
            opt_out_words=row.purpose == Purpose.PROMOTIONAL.value or row.first_text_at is None,
            language=row.language,
            cipher=row.cipher,
            text=row.text,
        )
        for row in rows
        if row.id not in stay
    ]
    return Taken(claimed, len(rows) - len(claimed))


_later = t.deliveries.alias("later")
_LATER = (
    select(_later.c.id)
    .where(
        _later.c.recipient_id == t.deliveries.c.recipient_id,
        _later.c.message_id == t.deliveries.c.message_id,
        _later.c.channel == t.deliveries.c.channel,
        _later.c.step_id > t.deliveries.c.step_id,
        _later.c.evidence.in_([one.value for one in HANDED_OVER]),
    )
    .exists()
)
"""A later step of the message has left for the same person on the same channel."""

_DUE_OF_RANK = (
    select(t.deliveries.c.id)
    .join(t.messages, t.messages.c.id == t.deliveries.c.message_id)
    .where(
        t.deliveries.c.work == Work.QUEUED.value,
        t.deliveries.c.carried_by.is_(None),
        t.deliveries.c.production_id == bindparam("production"),
        t.deliveries.c.channel == bindparam("on_channel"),
        t.deliveries.c.priority == bindparam("rank"),
        t.deliveries.c.due_at <= bindparam("now"),
        t.deliveries.c.give_up_at > bindparam("now"),
        t.deliveries.c.evidence_rank < ev.CLAIMABLE_BELOW,
        t.messages.c.status.in_([one.value for one in GOES_OUT]),
    )
)
_DUE = (
    _DUE_OF_RANK.order_by(t.deliveries.c.due_at, t.deliveries.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True, of=t.deliveries)
)
_ANY_DUE = _DUE_OF_RANK.limit(1)
_LEASE_WHAT_IS_DUE = (
    update(t.deliveries)
    .where(t.deliveries.c.id.in_(_DUE))
    .values(work=Work.CLAIMED.value, worker=bindparam("to_worker"), lease_until=bindparam("to_lease_until"))
    .returning(t.deliveries.c.id)
)
_LEASED = (
    select(
        t.deliveries,
        t.steps.c.version_id,
        t.steps.c.kind,
        t.recipients.c.answer,
        t.recipients.c.bucket,
        t.recipients.c.person_id,
        _LATER.label("later"),
        t.contact_points.c.cipher,
        t.contact_points.c.lookup,
        t.contact_points.c.first_text_at,
        t.people.c.language,
        t.people.c.time_zone,
        t.people.c.quiet_start,
        t.people.c.quiet_end,
        t.messages.c.purpose,
        t.messages.c.public_id,
        t.messages.c.status,
    )
    .join(t.steps, t.steps.c.id == t.deliveries.c.step_id)
    .join(t.messages, t.messages.c.id == t.deliveries.c.message_id)
    .join(t.recipients, t.recipients.c.id == t.deliveries.c.recipient_id)
    .join(t.contact_points, t.contact_points.c.id == t.deliveries.c.contact_point_id)
    .join(t.people, t.people.c.id == t.recipients.c.person_id)
    .where(t.deliveries.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(t.deliveries.c.priority, t.deliveries.c.due_at, t.deliveries.c.id)
)
# Statements are built once: building one costs more than running it.


async def keep_texts(connection: AsyncConnection, texts: Sequence[tuple[int, bytes]]) -> None:
    """Keep what these deliveries were rendered to (encrypted), for every later attempt and look-up."""
    if texts:
        await connection.execute(_KEEP_TEXT, [{"key": key, "to_text": text} for key, text in texts])


_KEEP_TEXT = (
    update(t.deliveries).where(t.deliveries.c.id == bindparam("key")).values(text=bindparam("to_text"))
)


@dataclass(frozen=True, slots=True)
class Mark:
    """What is written before a provider is called."""

    delivery_id: int
    contact_point_id: int
    attempt: int
    reference: str
    account_id: int
    sender_id: int
    receipt_possible: bool


async def mark(connection: AsyncConnection, marks: Sequence[Mark], *, worker: str, now_ms: int) -> set[int]:
    """claimed → sending, with the attempt row, only where the lease is still ours and nothing was called off.

    Returns the deliveries for which the provider may be called; for all others it must not be.
    """
    by_id = {one.delivery_id: one for one in marks}
    granted: set[int] = set()
    for some in chunks(list(by_id)):
        mine = await connection.execute(_BEGIN_SENDING, {"ids": some, "by": worker, "now": now_ms})
        granted |= {row.id for row in mine if row.attempt == by_id[row.id].attempt}
    if granted:
        await connection.execute(
            _NEW_ATTEMPT,
            [
                {
                    "delivery_id": one.delivery_id,
                    "number": one.attempt,
                    "reference": one.reference,
                    "contact_point_id": one.contact_point_id,
                    "account_id": one.account_id,
                    "sender_id": one.sender_id,
                    "evidence": Evidence.NONE.value,
                    "started_at": now_ms,
                }
                for one in marks
                if one.delivery_id in granted
            ],
        )
        await connection.execute(
            _SENT_THROUGH,
            [
                {
                    "key": one.delivery_id,
                    "account": one.account_id,
                    "sender": one.sender_id,
                    "possible": one.receipt_possible,
                }
                for one in marks
                if one.delivery_id in granted
            ],
        )
    return granted


_BEGIN_SENDING = (
    update(t.deliveries)
    .where(
        t.deliveries.c.id.in_(bindparam("ids", expanding=True)),
        t.deliveries.c.work == Work.CLAIMED.value,
        t.deliveries.c.worker == bindparam("by"),
        t.deliveries.c.lease_until > bindparam("now"),
        t.deliveries.c.evidence_rank < ev.CLAIMABLE_BELOW,
        or_(
            t.deliveries.c.message_id.not_in(
                select(t.messages.c.id).where(t.messages.c.status != MessageStatus.SENDING.value)
            ),
            t.deliveries.c.step_id.in_(
                select(t.steps.c.id)
                .join(t.messages, t.messages.c.id == t.steps.c.message_id)
                .where(
                    t.steps.c.kind == StepKind.DISREGARD.value,
                    t.messages.c.status == MessageStatus.CANCELLED.value,
                )
            ),
        ),
    )
    .values(work=Work.SENDING.value)
    .returning(t.deliveries.c.id, t.deliveries.c.attempt)
)
_NEW_ATTEMPT = t.attempts.insert()
_SENT_THROUGH = (
    update(t.deliveries)
    .where(t.deliveries.c.id == bindparam("key"))
    .values(
        account_id=bindparam("account"),
        sender_id=bindparam("sender"),
        receipt_possible=bindparam("possible"),
    )
)


async def release(connection: AsyncConnection, delivery_ids: Collection[int], *, worker: str) -> None:
    """claimed → queued, for deliveries this worker claimed and will not send after all."""
    await connection.execute(
        update(t.deliveries)
        .where(
            t.deliveries.c.id.in_(delivery_ids),
            t.deliveries.c.work == Work.CLAIMED.value,
            t.deliveries.c.worker == worker,
        )
        .values(work=Work.QUEUED.value, worker=None, lease_until=None)
    )


async def renew(
    connection: AsyncConnection,
    delivery_ids: Collection[int],
    *,
    worker: str,
    now_ms: int,
    lease_until: int,
) -> list[int]:
    """Keep the lease of these, as far as this worker holds it. Returns what it still held: a lease that has run out
    stays lost.

    Others in its name are left to run out: whoever claimed or marked them never heard that it was stored.
    """
    kept = await connection.execute(
        update(t.deliveries)
        .where(
            t.deliveries.c.id.in_(delivery_ids),
            t.deliveries.c.worker == worker,
            t.deliveries.c.work.in_([Work.CLAIMED.value, Work.SENDING.value]),
            t.deliveries.c.lease_until > now_ms,
        )
        .values(lease_until=lease_until)
        .returning(t.deliveries.c.id)
    )
    return [row.id for row in kept]
