"""Everything that happened to a message, or to one person of it, in order."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.priorities import StepKind
from app.store import tables as t
from app.store.vault import Vault

INBOUND_TEXT = "inbound.text"
"""The field name that what people wrote is encrypted for."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a timeline."""

    at: int
    what: str
    person: str | None = None
    channel: str | None = None
    provider: str | None = None
    attempt: int | None = None
    detail: str = ""


STEP_WORDS: dict[StepKind, str] = {
    StepKind.FIRST: "message",
    StepKind.REMINDER: "reminder",
    StepKind.LADDER: "escalation",
    StepKind.CALL: "call",
    StepKind.DISREGARD: "disregard message",
    StepKind.CORRECTION: "correction",
}


async def of_message(
    connection: AsyncConnection, vault: Vault, message_id: int, recipient_id: int | None = None
) -> list[Happening]:
    """Steps, plans, attempts, receipts, answers and replies (in their own words), oldest first.

    Raises :class:`Refused` when the key file is not the one the replies were encrypted with.
    """
    lines = [
        *await _steps(connection, message_id),
        *await _planned(connection, message_id, recipient_id),
        *await _attempts(connection, message_id, recipient_id),
        *await _receipts(connection, message_id, recipient_id),
        *await _answers(connection, message_id, recipient_id),
        *await _replies(connection, vault, message_id, recipient_id),
    ]
    return sorted(lines, key=lambda line: line.at)


async def _steps(connection: AsyncConnection, message_id: int) -> list[Happening]:
    rows = await connection.execute(select(t.steps).where(t.steps.c.message_id == message_id))
    lines = []
    for row in rows:
        words = STEP_WORDS[StepKind(row.kind)]
        lines.append(
            Happening(row.created_at, f"{words} asked for", detail=f"by {row.actor}, {row.people} people")
        )
        if row.undone_at:
            lines.append(Happening(row.undone_at, f"{words} undone"))
    return lines


async def _planned(connection: AsyncConnection, message_id: int, recipient_id: int | None) -> list[Happening]:
    d = t.deliveries.c
    query = (
        select(d.created_at, d.channel, d.work, d.carried_by, t.people.c.name, t.contact_points.c.tail)
        .join(t.recipients, t.recipients.c.id == d.recipient_id)
        .join(t.people, t.people.c.id == t.recipients.c.person_id)
        .join(t.contact_points, t.contact_points.c.id == d.contact_point_id)
        .where(d.message_id == message_id)
    )
    if recipient_id is not None:
        query = query.where(d.recipient_id == recipient_id)
    lines = [
        Happening(
            row.created_at,
            "planned",
            row.name,
            row.channel,
            detail=f"to {_spoken(row.tail)}"
            + (", shares the number with somebody" if row.carried_by else ""),
        )
        for row in await connection.execute(query)
    ]
    suppressed = (
        select(t.recipients.c.why, t.people.c.name, t.messages.c.created_at)
        .join(t.people, t.people.c.id == t.recipients.c.person_id)
        .join(t.messages, t.messages.c.id == t.recipients.c.message_id)
        .where(t.recipients.c.message_id == message_id, t.recipients.c.suppression.is_not(None))
    )
    if recipient_id is not None:
        suppressed = suppressed.where(t.recipients.c.id == recipient_id)
    lines += [
        Happening(row.created_at, "suppressed", row.name, detail=row.why)
        for row in await connection.execute(suppressed)
    ]
    return lines


def _spoken(tail: str) -> str:
    """The end of a number as it is spoken of, "…41"; an e-mail address brings its own dots."""
    return f"…{tail}" if tail.isdigit() else tail


async def _attempts(
    connection: AsyncConnection, message_id: int, recipient_id: int | None
) -> list[Happening]:
    a, d = t.attempts.c, t.deliveries.c
    query = (
        select(t.attempts, d.channel, t.people.c.name.label("person"), t.accounts.c.name.label("provider"))
        .join(t.deliveries, d.id == a.delivery_id)
        .join(t.recipients, t.recipients.c.id == d.recipient_id)
        .join(t.people, t.people.c.id == t.recipients.c.person_id)
        .join(t.accounts, t.accounts.c.id == a.account_id)
        .where(d.message_id == message_id)
    )
    if recipient_id is not None:
        query = query.where(d.recipient_id == recipient_id)
    lines = []
    for row in await connection.execute(query):
        common = (row.person, row.channel, row.provider, row.number)
        lines.append(Happening(row.started_at, "handed to the provider", *common, detail=row.reference))
        if row.finished_at:
            # What failed after the provider took it is told by the receipt, at its own time.
            said, detail = ("accepted", row.provider_id) if row.provider_id else ("not accepted", row.error)
            lines.append(Happening(row.finished_at, said, *common, detail=detail or ""))
        if row.conflict:
            lines.append(
                Happening(row.finished_at or row.started_at, "conflict", *common, detail=row.conflict)
            )
    return lines


async def _receipts(
    connection: AsyncConnection, message_id: int, recipient_id: int | None
) -> list[Happening]:
    a, d, r = t.attempts.c, t.deliveries.c, t.receipts.c
    query = (
        select(
            r.received_at,
            r.fact,
            r.error,
            r.account_id,
            d.channel,
            a.number,
            t.people.c.name.label("person"),
            t.accounts.c.name.label("provider"),
        )
        .join(t.attempts, a.id == r.attempt_id)
        .join(t.deliveries, d.id == a.delivery_id)
        .join(t.recipients, t.recipients.c.id == d.recipient_id)
        .join(t.people, t.people.c.id == t.recipients.c.person_id)
        .outerjoin(t.accounts, t.accounts.c.id == r.account_id)
        .where(d.message_id == message_id)
    )
    if recipient_id is not None:
        query = query.where(d.recipient_id == recipient_id)
    return [
        Happening(
            row.received_at,
            f"receipt: {row.fact}",
            row.person,
            row.channel,
            row.provider or "crew page",
            row.number,
            (row.error or "").partition("|")[2],
        )
        for row in await connection.execute(query)
    ]


async def _answers(connection: AsyncConnection, message_id: int, recipient_id: int | None) -> list[Happening]:
    query = (
        select(t.answers, t.people.c.name.label("person"))
        .join(t.recipients, t.recipients.c.id == t.answers.c.recipient_id)
        .join(t.people, t.people.c.id == t.recipients.c.person_id)
        .where(t.recipients.c.message_id == message_id)
    )
    if recipient_id is not None:
        query = query.where(t.recipients.c.id == recipient_id)
    return [
        Happening(row.at, "answered", row.person, row.channel, detail=f"{row.option}: {row.meaning}")
        for row in await connection.execute(query)
    ]


async def _replies(
    connection: AsyncConnection, vault: Vault, message_id: int, recipient_id: int | None
) -> list[Happening]:
    """What they wrote. Of a number two people share it is not known whose words they are: they stand in the
    timeline of the message, and of each of the two, under no name."""
    i, p = t.inbound.c, t.contact_points.c
    query = (
        select(i.received_at, i.channel, i.text, i.flag, t.people.c.name.label("person"))
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
        Happening(
            row.received_at,
            "replied",
            row.person,
            row.channel,
            detail=" ".join(one for one in (f"“{vault.decrypt(INBOUND_TEXT, row.text)}”", row.flag) if one),
        )
        for row in await connection.execute(query)
    ]
