"""The roll-up: where each recipient stands, and the counters, in the transaction of the change that moves them.

There is one way to change what is counted: change deliveries, answers or suppressions, then call
:func:`roll_up` with the recipients touched, before the transaction ends. The counters then equal a recount at
every commit.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import buckets
from app.domain.buckets import Bucket, ChannelState, DeliveryState, Waits
from app.domain.evidence import Evidence, Work
from app.domain.replies import Meaning
from app.store import tables as t
from app.store.carriers import WITH_CARRIER, through
from app.store.statements import INSERT, chunks
from providers.contract import Channel

ALL = ("all", "")
"""The dimension and key of the whole message."""

WAITS = "waits"
"""The dimension of what is still to leave: its key is the bucket of those who wait, its bucket what they wait for."""

CounterKey = tuple[int, str, str, str]
"""Message, dimension, key, bucket."""

_RECIPIENTS = select(
    t.recipients.c.id,
    t.recipients.c.message_id,
    t.recipients.c.production_id,
    t.recipients.c.department,
    t.recipients.c.bucket,
    t.recipients.c.channels,
    t.recipients.c.waits,
    t.recipients.c.answer,
    t.recipients.c.read_at,
    t.recipients.c.suppression,
).where(t.recipients.c.id.in_(bindparam("ids", expanding=True)))

_TAKEN = _RECIPIENTS.order_by(t.recipients.c.id).with_for_update()
"""Kept from every other writer until the transaction ends: two that rolled up the same person at once would each
miss what the other is about to store."""


_DELIVERIES = (
    select(
        t.deliveries.c.recipient_id,
        t.deliveries.c.channel,
        through("work"),
        through("evidence"),
        through("receipt_possible"),
        through("accepted_at"),
    )
    .select_from(WITH_CARRIER)
    .where(t.deliveries.c.recipient_id.in_(bindparam("ids", expanding=True)))
)

_CARRIED = select(t.deliveries.c.recipient_id).where(
    or_(
        t.deliveries.c.id.in_(bindparam("ids", expanding=True)),
        t.deliveries.c.carried_by.in_(bindparam("ids", expanding=True)),
    )
)

_MOVE = (
    update(t.recipients)
    .where(t.recipients.c.id == bindparam("key"))
    .values(bucket=bindparam("to_bucket"), channels=bindparam("to_channels"), waits=bindparam("to_waits"))
)

_TOUCH = (
    update(t.messages)
    .where(t.messages.c.id.in_(bindparam("ids", expanding=True)))
    .values(dirty=t.messages.c.dirty + 1)
)
# Statements are built once: building one costs more than running it.


def _channels_text(channels: Mapping[Channel, ChannelState]) -> str:
    return json.dumps({channel.value: channels[channel].value for channel in sorted(channels)})


def _cells(
    department: str, bucket: str, channels: Mapping[str, str], waits: str | None
) -> Iterable[tuple[str, str, str]]:
    """Every counter one recipient is part of."""
    yield (*ALL, bucket)
    yield ("department", department, bucket)
    for channel, state in channels.items():
        yield ("channel", channel, state)
    if waits is not None:
        yield (WAITS, bucket, waits)


async def roll_up(connection: AsyncConnection, recipient_ids: Collection[int], now_ms: int) -> None:
    """Bring the standing of these recipients and the counters of their messages up to date."""
    for some in chunks(sorted(set(recipient_ids))):
        await _roll_up(connection, some, now_ms)


async def with_carried(connection: AsyncConnection, delivery_ids: Collection[int]) -> set[int]:
    """The recipients of these deliveries and of those they carry."""
    found: set[int] = set()
    for some in chunks(sorted(set(delivery_ids))):
        found |= set((await connection.execute(_CARRIED, {"ids": some})).scalars())
    return found


async def _roll_up(connection: AsyncConnection, recipient_ids: Collection[int], now_ms: int) -> None:
    rows = (await connection.execute(_TAKEN, {"ids": list(recipient_ids)})).all()
    states = await _states(connection, recipient_ids)
    moves: Counter[CounterKey] = Counter()
    changed: list[dict[str, Any]] = []
    seen: list[dict[str, Any]] = []
    for row in rows:
        standing = _standing(row, states)
        channels = _channels_text(standing.channels)
        waits = standing.waits.value if standing.waits else None
        if (standing.bucket.value, channels, waits) == (row.bucket, row.channels, row.waits):
            continue
        for cell in _cells(row.department, row.bucket, json.loads(row.channels), row.waits):
            moves[(row.message_id, *cell)] -= 1
        for cell in _cells(row.department, standing.bucket.value, json.loads(channels), waits):
            moves[(row.message_id, *cell)] += 1
        changed.append(
            {
                "key": row.id,
                "to_bucket": standing.bucket.value,
                "to_channels": channels,
                "to_waits": waits,
            }
        )
        if standing.bucket.value != row.bucket:
            seen.append(
                {
                    "production_id": row.production_id,
                    "message_id": row.message_id,
                    "recipient_id": row.id,
                    "kind": standing.bucket.value,
                    "channel": None,
                    "detail": "",
                    "at": now_ms,
                }
            )
    if changed:
        await connection.execute(_MOVE, changed)
    if seen:
        await connection.execute(t.events.insert(), seen)
    await add_to_counters(connection, moves)
    await touch(connection, {row.message_id for row in rows})


async def _states(
    connection: AsyncConnection, recipient_ids: Collection[int]
) -> dict[int, list[DeliveryState]]:
    """The deliveries of these recipients as the roll-up sees them."""
    found: dict[int, list[DeliveryState]] = {}
    for one in await connection.execute(_DELIVERIES, {"ids": list(recipient_ids)}):
        found.setdefault(one.recipient_id, []).append(
            DeliveryState(
                Channel(one.channel),
                Work(one.work),
                Evidence(one.evidence),
                one.receipt_possible,
                one.accepted_at is not None,
            )
        )
    return found


def _standing(row: Any, states: Mapping[int, Sequence[DeliveryState]]) -> buckets.Standing:
    return buckets.of_recipient(
        states.get(row.id, ()),
        answer=Meaning(row.answer) if row.answer else None,
        read=row.read_at is not None,
        suppressed=row.suppression is not None,
    )


def of_new_recipients(message_id: int, people: Mapping[str, int]) -> dict[CounterKey, int]:
    """The counters of recipients who were frozen a moment ago: so many of each department, on the way, their paths
    still to be decided."""
    bucket, waits = Bucket.ON_THE_WAY.value, Waits.TO_ROUTE.value
    moves: Counter[CounterKey] = Counter()
    for department, count in people.items():
        for cell in _cells(department, bucket, {}, waits):
            moves[(message_id, *cell)] += count
    return moves


async def add_to_counters(connection: AsyncConnection, moves: Mapping[CounterKey, int]) -> None:
    """Add to counters, making those that are not there yet."""
    rows = [
        {
            "message_id": message,
            "dimension": dimension,
            "key": key,
            "bucket": bucket,
            "shard": 0,
            "people": people,
        }
        for (message, dimension, key, bucket), people in sorted(moves.items())  # one order: no deadlock
        if people
    ]
    if not rows:
        return
    await connection.execute(_add(connection.dialect.name), rows)


@cache
def _add(dialect: str) -> Any:
    new = INSERT[dialect](t.counters)
    return new.on_conflict_do_update(
        index_elements=["message_id", "dimension", "key", "bucket", "shard"],
        set_={"people": t.counters.c.people + new.excluded.people},
    )


async def touch(connection: AsyncConnection, message_ids: Collection[int]) -> None:
    """Mark messages as changed for everybody who watches them."""
    if message_ids:
        await connection.execute(_TOUCH, {"ids": list(message_ids)})


async def recount(connection: AsyncConnection, message_id: int) -> dict[CounterKey, int]:
    """The counters of a message counted afresh from deliveries, answers and suppressions. Reads nothing cached."""
    ids = (
        await connection.execute(select(t.recipients.c.id).where(t.recipients.c.message_id == message_id))
    ).scalars()
    fresh: Counter[CounterKey] = Counter()
    for some in chunks(list(ids)):
        states = await _states(connection, some)
        for row in await connection.execute(_RECIPIENTS, {"ids": some}):
            standing = _standing(row, states)
            plain = {channel.value: state.value for channel, state in standing.channels.items()}
            waits = standing.waits.value if standing.waits else None
            for cell in _cells(row.department, standing.bucket.value, plain, waits):
                fresh[(message_id, *cell)] += 1
    return dict(fresh)


async def counted(connection: AsyncConnection, message_id: int) -> dict[CounterKey, int]:
    """The counters of a message as they are kept."""
    c = t.counters.c
    found = await connection.execute(
        select(c.dimension, c.key, c.bucket, func.sum(c.people).label("people"))
        .where(and_(c.message_id == message_id))
        .group_by(c.dimension, c.key, c.bucket)
    )
    return {(message_id, row.dimension, row.key, row.bucket): row.people for row in found if row.people}
