"""What people wrote to us about a message and what they chose: by text, or on their page."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import tables as t
from app.store.vault import Vault

INBOUND_TEXT = "inbound.text"
"""The field name that what people wrote is encrypted for."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply. ``person`` is None on a number that two people share; ``text`` None where a button was pressed;
    ``option`` and ``meaning`` None where nothing was chosen, or the words could not be taken for a choice."""

    at: int
    recipient_id: int | None
    person: str | None
    channel: str
    text: str | None = field(default=None, repr=False)
    option: int | None = None
    meaning: str | None = None
    flag: str | None = None
    """What the coordinator should look at."""


async def of_message(connection: AsyncConnection, vault: Vault, message_id: int) -> list[Reply]:
    """Everything that was written and chosen, each once, newest last.

    Raises :class:`Refused` when the key file is not the one the replies were encrypted with.
    """
    texts = await written(connection, vault, message_id)
    by_text = {(one.recipient_id, one.at, one.option) for one in texts}
    buttons = [
        one
        for one in await chosen(connection, message_id)
        if (one.recipient_id, one.at, one.option) not in by_text
    ]
    return sorted([*texts, *buttons], key=lambda one: one.at)


async def chosen(
    connection: AsyncConnection, message_id: int, recipient_id: int | None = None
) -> list[Reply]:
    """The answers, in order: a choice made by text is among them, without its words."""
    query = (
        select(t.answers, t.people.c.name.label("person"))
        .join(t.recipients, t.recipients.c.id == t.answers.c.recipient_id)
        .join(t.people, t.people.c.id == t.recipients.c.person_id)
        .where(t.recipients.c.message_id == message_id)
        .order_by(t.answers.c.id)
    )
    if recipient_id is not None:
        query = query.where(t.recipients.c.id == recipient_id)
    return [
        Reply(row.at, row.recipient_id, row.person, row.channel, option=row.option, meaning=row.meaning)
        for row in await connection.execute(query)
    ]


async def written(
    connection: AsyncConnection, vault: Vault, message_id: int, recipient_id: int | None = None
) -> list[Reply]:
    """The texts that came in about a message, in order. With ``recipient_id`` those of one person, and those from a
    number they share: nobody knows whose those are."""
    i, p = t.inbound.c, t.contact_points.c
    answer = and_(
        t.answers.c.recipient_id == i.recipient_id,
        t.answers.c.at == i.received_at,
        t.answers.c.option == i.option,
    )
    meaning = select(t.answers.c.meaning).where(answer).limit(1).correlate(t.inbound).scalar_subquery()
    query = (
        select(t.inbound, t.people.c.name.label("person"), meaning.label("meaning"))
        .outerjoin(t.recipients, t.recipients.c.id == i.recipient_id)
        .outerjoin(t.people, t.people.c.id == t.recipients.c.person_id)
        .where(i.message_id == message_id)
        .order_by(i.id)
    )
    if recipient_id is not None:
        person = select(t.recipients.c.person_id).where(t.recipients.c.id == recipient_id)
        theirs = select(p.lookup).where(p.person_id == person.scalar_subquery())
        query = query.where(
            or_(i.recipient_id == recipient_id, and_(i.recipient_id.is_(None), i.lookup.in_(theirs)))
        )
    return [
        Reply(
            row.received_at,
            row.recipient_id,
            row.person,
            row.channel,
            vault.decrypt(INBOUND_TEXT, row.text),
            row.option,
            row.meaning,
            row.flag,
        )
        for row in await connection.execute(query)
    ]
