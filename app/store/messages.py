"""Messages, their versions and steps: what was decided to be sent, to whom, and from when."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, case, desc, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.buckets import NON_READERS
from app.domain.messages import Composed, MessageStatus
from app.domain.priorities import Priority, Purpose, StepKind
from app.domain.replies import Meaning, ReplyOption
from app.domain.routing import LeftOut, Reason, left_out
from app.store import audience, rollup
from app.store import tables as t
from app.store.statements import chunks
from providers.contract import Channel

FREEZE_ROWS = {"sqlite": 2_000, "postgresql": 20_000}
"""Recipients frozen in one transaction: a block holds the write lock of SQLite for some 10 ms."""


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
    return _stored((await connection.execute(_MESSAGE.where(t.messages.c.id == message_id))).first())


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


# ------------------------------------------------------------------------------------------------ steps


@dataclass(frozen=True, slots=True)
class Step:
    """One round of sending."""

    id: int
    public_id: str
    message_id: int
    version_id: int
    kind: StepKind
    channels: tuple[Channel, ...]
    people: int
    unreachable: int
    created_at: int
    not_before: int
    undone_at: int | None
    frozen_at: int | None
    freeze_cursor: int
    routed_at: int | None
    route_cursor: int


def _step(row: object) -> Step:
    r = row._mapping  # type: ignore[attr-defined]
    return Step(
        id=r["id"],
        public_id=r["public_id"],
        message_id=r["message_id"],
        version_id=r["version_id"],
        kind=StepKind(r["kind"]),
        channels=tuple(Channel(one) for one in json.loads(r["channels"])),
        people=r["people"],
        unreachable=r["unreachable"],
        created_at=r["created_at"],
        not_before=r["not_before"],
        undone_at=r["undone_at"],
        frozen_at=r["frozen_at"],
        freeze_cursor=r["freeze_cursor"],
        routed_at=r["routed_at"],
        route_cursor=r["route_cursor"],
    )


async def add_step(
    connection: AsyncConnection,
    *,
    public_id: str,
    message_id: int,
    version_id: int,
    kind: StepKind,
    actor: str,
    channels: Sequence[Channel],
    now_ms: int,
    not_before: int,
) -> int:
    """A new step for nobody yet. Returns its key."""
    return int(
        (
            await connection.execute(
                t.steps.insert()
                .values(
                    public_id=public_id,
                    message_id=message_id,
                    version_id=version_id,
                    kind=kind.value,
                    actor=actor,
                    channels=json.dumps([channel.value for channel in channels]),
                    people=0,
                    created_at=now_ms,
                    not_before=not_before,
                )
                .returning(t.steps.c.id)
            )
        ).scalar_one()
    )


async def step(connection: AsyncConnection, step_id: int) -> Step:
    return _step((await connection.execute(select(t.steps).where(t.steps.c.id == step_id))).one())


async def latest_step(
    connection: AsyncConnection, message_id: int, kind: StepKind | None = None
) -> Step | None:
    """The newest step of a message that was not undone, of this kind if one is named."""
    query = select(t.steps).where(t.steps.c.message_id == message_id, t.steps.c.undone_at.is_(None))
    if kind:
        query = query.where(t.steps.c.kind == kind.value)
    row = (await connection.execute(query.order_by(desc(t.steps.c.id)).limit(1))).first()
    return _step(row) if row else None


async def unfrozen(connection: AsyncConnection) -> list[int]:
    """First steps whose audience is not frozen whole: their process was killed while freezing."""
    rows = await connection.execute(
        select(t.steps.c.id).where(
            t.steps.c.frozen_at.is_(None),
            t.steps.c.undone_at.is_(None),
            t.steps.c.kind == StepKind.FIRST.value,
        )
    )
    return list(rows.scalars())


async def due_steps(connection: AsyncConnection, now_ms: int) -> list[Step]:
    """Steps whose undo window is over and that are not routed whole, most urgent first."""
    s = t.steps.c
    rows = await connection.execute(
        select(t.steps)
        .join(t.messages, t.messages.c.id == s.message_id)
        .where(
            s.routed_at.is_(None),
            s.undone_at.is_(None),
            s.frozen_at.is_not(None),
            s.not_before <= now_ms,
            t.messages.c.status == MessageStatus.SENDING.value,
        )
        .order_by(case({one.value: one.rank for one in Priority}, value=t.messages.c.priority), s.not_before)
    )
    return [_step(row) for row in rows]


async def freeze_block(connection: AsyncConnection, step_id: int, now_ms: int) -> bool:
    """Freeze the next block of a first step's audience into recipients. True when the audience is whole.

    Can be repeated and resumed: the cursor moves in the same transaction, a recipient exists once.
    """
    this = await step(connection, step_id)
    if this.frozen_at is not None or this.undone_at is not None:
        return True
    row = (
        await connection.execute(
            select(t.messages.c.production_id, t.messages.c.audience).where(
                t.messages.c.id == this.message_id
            )
        )
    ).one()
    meant = audience.condition(row.production_id, json.loads(row.audience))
    size = FREEZE_ROWS[connection.dialect.name]
    block = (
        (
            await connection.execute(
                select(t.people.c.id)
                .where(meant, t.people.c.id > this.freeze_cursor)
                .order_by(t.people.c.id)
                .limit(size)
            )
        )
        .scalars()
        .all()
    )
    if block:
        selection = select(
            t.people.c.production_id,
            literal(this.message_id, t.recipients.c.message_id.type),
            t.people.c.id,
            t.people.c.department,
            literal("on_the_way", t.recipients.c.bucket.type),
        ).where(meant, t.people.c.id > this.freeze_cursor, t.people.c.id <= block[-1])
        await connection.execute(
            t.recipients.insert().from_select(
                ["production_id", "message_id", "person_id", "department", "bucket"], selection
            )
        )
        counts = await connection.execute(
            select(t.recipients.c.department, func.count())
            .where(
                t.recipients.c.message_id == this.message_id,
                t.recipients.c.person_id > this.freeze_cursor,
                t.recipients.c.person_id <= block[-1],
            )
            .group_by(t.recipients.c.department)
        )
        moves: dict[rollup.CounterKey, int] = {}
        for department, people in counts:
            moves[(this.message_id, "department", department, "on_the_way")] = people
        moves[(this.message_id, *rollup.ALL, "on_the_way")] = len(block)
        await rollup.add_to_counters(connection, moves)
        await rollup.touch(connection, [this.message_id])
    whole = len(block) < size
    await connection.execute(
        update(t.steps)
        .where(t.steps.c.id == step_id)
        .values(
            freeze_cursor=block[-1] if block else this.freeze_cursor,
            people=t.steps.c.people + len(block),
            frozen_at=now_ms if whole else None,
        )
    )
    return whole


async def non_readers(connection: AsyncConnection, message_id: int) -> dict[int, int]:
    """The recipients of a message who have not read it, each with their person."""
    r = t.recipients.c
    rows = await connection.execute(
        select(r.id, r.person_id).where(
            r.message_id == message_id, r.bucket.in_([bucket.value for bucket in NON_READERS])
        )
    )
    return {row.id: row.person_id for row in rows}


async def freeze_non_readers(
    connection: AsyncConnection,
    step_id: int,
    message_id: int,
    now_ms: int,
    only: Collection[int] | None = None,
    unreachable: int = 0,
) -> int:
    """Freeze those who have not read into a later step; returns how many they are.

    ``only`` limits it to these recipients; ``unreachable`` more were meant, and have no path.
    """
    r = t.recipients.c
    query = select(literal(step_id, r.id.type), r.id).where(
        r.message_id == message_id, r.bucket.in_([bucket.value for bucket in NON_READERS])
    )
    parts = [query] if only is None else [query.where(r.id.in_(some)) for some in chunks(sorted(only))]
    for part in parts:
        await connection.execute(t.step_people.insert().from_select(["step_id", "recipient_id"], part))
    people = (
        await connection.execute(select(func.count()).where(t.step_people.c.step_id == step_id))
    ).scalar_one()
    await connection.execute(
        update(t.steps)
        .where(t.steps.c.id == step_id)
        .values(people=people, unreachable=unreachable, frozen_at=now_ms)
    )
    return int(people)


async def note_left_out(connection: AsyncConnection, left: Sequence[tuple[int, LeftOut]]) -> None:
    """Say beside these recipients why nothing more goes out to them, until something does."""
    if left:
        await connection.execute(
            update(t.recipients)
            .where(t.recipients.c.id == bindparam("key"))
            .values(why=bindparam("said"), next=bindparam("then")),
            [{"key": recipient, "said": one.why, "then": one.next} for recipient, one in left],
        )


async def undo_step(connection: AsyncConnection, step_id: int, now_ms: int) -> bool:
    """Call a step off while its undo window is open. False when it is too late.

    What has been routed cannot be called off any more, even where the clock was set back since.
    Without its first step a message goes to nobody: its recipients are left out, and the counters say so.
    """
    done = await connection.execute(
        update(t.steps)
        .where(
            t.steps.c.id == step_id,
            t.steps.c.undone_at.is_(None),
            t.steps.c.not_before > now_ms,
            t.steps.c.routed_at.is_(None),
            t.steps.c.route_cursor == 0,
        )
        .values(undone_at=now_ms)
        .returning(t.steps.c.message_id, t.steps.c.kind)
    )
    row = done.first()
    if row is not None and row.kind == StepKind.FIRST.value:
        await _leave_everybody_out(connection, row.message_id, now_ms)
    return row is not None


async def _leave_everybody_out(connection: AsyncConnection, message_id: int, now_ms: int) -> None:
    words = left_out(Reason.CANCELLED)
    out = await connection.execute(
        update(t.recipients)
        .where(t.recipients.c.message_id == message_id)
        .values(suppression=words.reason.value, why=words.why, next=words.next)
        .returning(t.recipients.c.id)
    )
    await rollup.roll_up(connection, out.scalars().all(), now_ms)


async def set_status(connection: AsyncConnection, message_id: int, status: MessageStatus) -> None:
    await connection.execute(
        update(t.messages).where(t.messages.c.id == message_id).values(status=status.value)
    )
    await rollup.touch(connection, [message_id])
