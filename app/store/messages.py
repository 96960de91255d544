"""Messages and their versions: what was decided to be sent, to whom."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, desc, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.messages import Composed, MessageStatus
from app.domain.priorities import Priority, Purpose
from app.domain.replies import Meaning, ReplyOption
from app.store import rollup
from app.store import tables as t
from providers.contract import Channel


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message with its current version."""

    id: int
    public_id: str
    code: str
    production_id: int
    production: str
    version_id: int
    type: str
    priority: Priority
    purpose: Purpose
    status: MessageStatus
    channels: tuple[Channel, ...]
    subject: str
    body: str
    options: tuple[ReplyOption, ...]
    location: str
    asks: bool
    created_at: int


def options_text(options: Sequence[ReplyOption]) -> str:
    return json.dumps(
        [{"digit": one.digit, "label": one.label, "meaning": one.meaning.value} for one in options],
        ensure_ascii=False,
    )


def options_of(text: str) -> tuple[ReplyOption, ...]:
    return tuple(ReplyOption(one["digit"], one["label"], Meaning(one["meaning"])) for one in json.loads(text))


_MESSAGE = (
    select(
        t.messages,
        t.productions.c.name.label("production"),
        t.message_versions.c.id.label("version_id"),
        t.message_versions.c.subject,
        t.message_versions.c.body,
        t.message_versions.c.options,
        t.message_versions.c.location,
    )
    .join(t.productions, t.productions.c.id == t.messages.c.production_id)
    .join(t.message_versions, t.message_versions.c.message_id == t.messages.c.id)
    .order_by(desc(t.message_versions.c.number))
)


_BY_ID = _MESSAGE.where(t.messages.c.id == bindparam("message_id"))


def _stored(row: object) -> StoredMessage:
    r: dict[str, object] = dict(row._mapping)  # type: ignore[attr-defined]
    return StoredMessage(
        id=int(str(r["id"])),
        public_id=str(r["public_id"]),
        code=str(r["code"]),
        production_id=int(str(r["production_id"])),
        production=str(r["production"]),
        version_id=int(str(r["version_id"])),
        type=str(r["type"]),
        priority=Priority(str(r["priority"])),
        purpose=Purpose(str(r["purpose"])),
        status=MessageStatus(str(r["status"])),
        channels=tuple(Channel(one) for one in json.loads(str(r["channels"]))),
        subject=str(r["subject"]),
        body=str(r["body"]),
        options=options_of(str(r["options"])),
        location=str(r["location"]),
        asks=bool(r["asks"]),
        created_at=int(str(r["created_at"])),
    )


async def by_name(connection: AsyncConnection, production_id: int, name: str) -> StoredMessage | None:
    """A message of this production by its public id or its short code."""
    word = name.strip().upper()
    row = (
        await connection.execute(
            _MESSAGE.where(
                t.messages.c.production_id == production_id,
                or_(t.messages.c.public_id == word, t.messages.c.code == word),
            )
        )
    ).first()
    return _stored(row) if row else None


async def by_id(connection: AsyncConnection, message_id: int) -> StoredMessage:
    """The message. It must exist."""
    return _stored((await connection.execute(_BY_ID, {"message_id": message_id})).first())


async def version(connection: AsyncConnection, version_id: int) -> StoredMessage:
    """A message in one of its versions. It must exist."""
    return _stored((await connection.execute(_MESSAGE.where(t.message_versions.c.id == version_id))).one())


async def create(
    connection: AsyncConnection,
    composed: Composed,
    *,
    production_id: int,
    public_id: str,
    code: str,
    actor: str,
    now_ms: int,
) -> tuple[int, int]:
    """A new message and its first version. Returns both keys."""
    message_id = (
        await connection.execute(
            t.messages.insert()
            .values(
                public_id=public_id,
                code=code,
                production_id=production_id,
                type=composed.type.value,
                priority=composed.priority.value,
                purpose=composed.purpose.value,
                status=MessageStatus.SENDING.value,
                channels=json.dumps([channel.value for channel in composed.channels]),
                audience=json.dumps(list(composed.audience), ensure_ascii=False),
                asks=bool(composed.options),
                actor=actor,
                created_at=now_ms,
            )
            .returning(t.messages.c.id)
        )
    ).scalar_one()
    version_id = (
        await connection.execute(
            t.message_versions.insert()
            .values(
                message_id=message_id,
                number=1,
                subject=composed.subject,
                body=composed.body,
                options=options_text(composed.options),
                location=composed.location,
                created_at=now_ms,
            )
            .returning(t.message_versions.c.id)
        )
    ).scalar_one()
    return message_id, version_id


async def next_number(connection: AsyncConnection, production_id: int) -> int:
    """The number of the next message of a production, counted up in this transaction."""
    return int(
        (
            await connection.execute(
                update(t.productions)
                .where(t.productions.c.id == production_id)
                .values(message_count=t.productions.c.message_count + 1)
                .returning(t.productions.c.message_count)
            )
        ).scalar_one()
    )


async def move_status(
    connection: AsyncConnection, message_id: int, to: MessageStatus, *, among: Collection[MessageStatus]
) -> bool:
    """Decide something else about a message whose status is among these. False where it is another one by now."""
    m = t.messages.c
    moved = await connection.execute(
        update(t.messages)
        .where(m.id == message_id, m.status.in_([one.value for one in among]))
        .values(status=to.value, dirty=m.dirty + 1)
        .returning(m.id)
    )
    return moved.first() is not None


async def set_status(connection: AsyncConnection, message_id: int, status: MessageStatus) -> None:
    await connection.execute(
        update(t.messages).where(t.messages.c.id == message_id).values(status=status.value)
    )
    await rollup.touch(connection, [message_id])
