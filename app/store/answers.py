"""Answers and the crew page: what a person said or showed, found by the token of their link."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, desc, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import ids
from app.domain.evidence import FAILURES, Evidence
from app.domain.messages import MessageStatus
from app.domain.replies import ReplyOption
from app.store import receipts, stopping
from app.store import tables as t
from app.store.messages import StoredMessage, by_id
from app.store.rollup import roll_up
from providers.contract import Channel, Fact


@dataclass(frozen=True, slots=True)
class Sharer:
    """One of the people behind a link."""

    recipient_id: int
    public_id: str
    name: str
    answer: int | None


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link leads to: the message, and everybody it was ever sent to at that address.

    A reminder may be meant for one of two people on a number; the phone is still held by either.
    """

    delivery_id: int
    contact_point_id: int
    channel: Channel
    reference: str | None
    message: StoredMessage
    sharers: tuple[Sharer, ...]
    language: str
    time_zone: str


async def by_token(connection: AsyncConnection, token: str) -> Opened | None:
    """What the link with this token leads to, or None."""
    delivery = (await connection.execute(_BEHIND_LINK, {"token_hash": ids.token_hash(token)})).first()
    if delivery is None:
        return None
    reference = (await connection.execute(_LAST_REFERENCE, {"delivery_id": delivery.id})).scalar()
    people = await connection.execute(
        _SHARERS, {"message_id": delivery.message_id, "lookup": delivery.lookup}
    )
    rows = people.all()
    return Opened(
        delivery_id=delivery.id,
        contact_point_id=delivery.contact_point_id,
        channel=Channel(delivery.channel),
        reference=reference,
        message=await by_id(connection, delivery.message_id),
        sharers=tuple(Sharer(row.id, row.public_id, row.name, row.answer) for row in rows),
        language=rows[0].language,
        time_zone=rows[0].time_zone,
    )


_BEHIND_LINK = (
    select(
        t.deliveries.c.id,
        t.deliveries.c.contact_point_id,
        t.deliveries.c.channel,
        t.deliveries.c.message_id,
        t.contact_points.c.lookup,
    )
    .join(t.links, t.links.c.delivery_id == t.deliveries.c.id)
    .join(t.contact_points, t.contact_points.c.id == t.deliveries.c.contact_point_id)
    .where(t.links.c.token_hash == bindparam("token_hash"))
)
_LAST_REFERENCE = (
    select(t.attempts.c.reference)
    .where(t.attempts.c.delivery_id == bindparam("delivery_id"))
    .order_by(desc(t.attempts.c.number))
    .limit(1)
)
_LATEST_ANSWER = (
    select(t.answers.c.option)
    .where(t.answers.c.recipient_id == t.recipients.c.id)
    .order_by(desc(t.answers.c.id))
    .limit(1)
    .scalar_subquery()
)
_AT_THIS_ADDRESS = (
    select(t.deliveries.c.recipient_id)
    .join(t.contact_points, t.contact_points.c.id == t.deliveries.c.contact_point_id)
    .where(
        t.deliveries.c.message_id == bindparam("message_id"), t.contact_points.c.lookup == bindparam("lookup")
    )
)
_SHARERS = (
    select(
        t.recipients.c.id,
        t.people.c.public_id,
        t.people.c.name,
        t.people.c.language,
        t.people.c.time_zone,
        _LATEST_ANSWER.label("answer"),
    )
    .join(t.people, t.people.c.id == t.recipients.c.person_id)
    .where(t.recipients.c.message_id == bindparam("message_id"), t.recipients.c.id.in_(_AT_THIS_ADDRESS))
    .order_by(t.recipients.c.id)
)
_READ = (
    update(t.recipients)
    .where(t.recipients.c.id == bindparam("key"), t.recipients.c.read_at.is_(None))
    .values(read_at=bindparam("now"))
)
_NEW_ANSWER = t.answers.insert()
_ANSWER = (
    update(t.recipients).where(t.recipients.c.id == bindparam("key")).values(answer=bindparam("to_answer"))
)
# Statements are built once: building one costs more than running it.


async def note_page_fact(
    connection: AsyncConnection, opened: Opened, fact: Fact, *, raw: bytes, now_ms: int
) -> None:
    """The page was fetched (opened) or touched by a person (read). Told twice, it changes nothing."""
    if opened.reference is None:
        return
    await receipts.take(
        connection,
        [
            receipts.Incoming(
                account_id=receipts.OWN_PAGE,
                dedupe_key=f"page:{opened.delivery_id}:{fact.value}",
                fact=fact,
                reference=opened.reference,
                provider_id=None,
                error=None,
                raw=raw,
                received_at=now_ms,
            )
        ],
        now_ms,
    )


async def note_read(connection: AsyncConnection, recipient_id: int, now_ms: int) -> None:
    """Evidence of reading that belongs to the person: they said who they are on a shared page."""
    await connection.execute(_READ, {"key": recipient_id, "now": now_ms})
    await roll_up(connection, [recipient_id], now_ms)


async def record(
    connection: AsyncConnection,
    *,
    recipient_id: int,
    version_id: int,
    option: ReplyOption,
    channel: Channel,
    now_ms: int,
) -> None:
    """Store an answer and stop everything that is still queued for this person. The latest answer counts."""
    await connection.execute(
        _NEW_ANSWER,
        {
            "recipient_id": recipient_id,
            "version_id": version_id,
            "option": option.digit,
            "meaning": option.meaning.value,
            "channel": channel.value,
            "at": now_ms,
        },
    )
    await connection.execute(_ANSWER, {"key": recipient_id, "to_answer": option.meaning.value})
    await note_read(connection, recipient_id, now_ms)
    await stopping.cancel_queued(connection, recipient_id, now_ms)


@dataclass(frozen=True, slots=True)
class Open:
    """A message that somebody at an address may be answering, and the attempt that reached them last.

    ``sent_at`` is when that attempt began (epoch ms), ``failed`` whether it is known to have reached nobody.
    """

    recipient_id: int
    person_id: int
    message_id: int
    production_id: int
    asks: bool
    answered: bool
    sent_at: int
    reference: str
    failed: bool
    shared: bool


async def open_for(
    connection: AsyncConnection,
    lookup: str,
    channel: Channel,
    *,
    production_id: int | None = None,
) -> list[Open]:
    """The messages handed to a provider for this address, newest first and cancelled ones last, of this production
    (with None, of all). What is only queued was seen by nobody: no reply can mean it."""
    d, r, m, a = t.deliveries.c, t.recipients.c, t.messages.c, t.attempts.c
    query = (
        select(
            r.id,
            r.person_id,
            r.answer,
            m.id.label("message_id"),
            m.production_id,
            m.asks,
            a.reference,
            a.started_at,
            a.evidence,
        )
        .join(t.recipients, r.id == d.recipient_id)
        .join(t.messages, m.id == d.message_id)
        .join(t.contact_points, t.contact_points.c.id == d.contact_point_id)
        .outerjoin(t.attempts, a.delivery_id == d.id)
        .where(
            t.contact_points.c.lookup == lookup,
            d.channel == channel.value,
        )
    )
    if production_id is not None:
        query = query.where(m.production_id == production_id)
    cancelled_last = m.status == MessageStatus.CANCELLED.value
    newest_first = (cancelled_last, desc(m.created_at), desc(m.id), desc(d.id), desc(a.number))
    rows = (await connection.execute(query.order_by(*newest_first).limit(200))).all()
    people: dict[int, set[int]] = {}
    for row in rows:
        people.setdefault(row.message_id, set()).add(row.person_id)
    return [
        Open(
            recipient_id=row.id,
            person_id=row.person_id,
            message_id=row.message_id,
            production_id=row.production_id,
            asks=row.asks,
            answered=row.answer is not None,
            sent_at=row.started_at,
            reference=row.reference,
            failed=Evidence(row.evidence) in FAILURES,
            shared=len(people[row.message_id]) > 1,
        )
        for row in rows
        if row.reference is not None
    ]


async def production_of(connection: AsyncConnection, account_id: int, number: str) -> int | None:
    """The production one of our numbers belongs to, also where the provider chose it from the production's pool
    (a sender without an address). None for a number we do not know: it speaks for the whole company."""
    s = t.senders.c
    found = await connection.execute(
        select(s.production_id)
        .where(s.account_id == account_id, s.address.in_((number, "")))
        .order_by(desc(s.address))
        .limit(1)
    )
    return found.scalar()
