"""Everything that happened to a message, or to one person of it, in order."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import times
from app.domain.evidence import Evidence, Work
from app.domain.priorities import StepKind
from app.domain.routing import HELD
from app.store import replies
from app.store import tables as t
from app.store.routed import REPLACED
from app.store.statements import chunks
from app.store.stopping import ANSWERED, CANCELLED, NOT_AGAIN
from app.store.unknowns import LOOK_UP
from app.store.vault import Vault
from providers.contract import Fact

OVERRIDE, OF_RECIPIENT = "override", "recipient:"
"""How the audit names a rule that was broken on purpose, and for whom."""


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
    reference: str = ""
    """What machines call it: our reference of an attempt, or the provider's id. Nobody reads it at night."""


STEP_WORDS: dict[StepKind, str] = {
    StepKind.FIRST: "message",
    StepKind.REMINDER: "reminder",
    StepKind.LADDER: "escalation",
    StepKind.CALL: "call",
    StepKind.DISREGARD: "disregard message",
    StepKind.CORRECTION: "correction",
}


FACT_WORDS: dict[Fact, str] = {
    Fact.ACCEPTED: "accepted",
    Fact.DELIVERED: "delivered",
    Fact.FAILED: "failed",
    Fact.BOUNCED: "bounced",
    Fact.BOUNCED_AFTER_ACCEPTANCE: "taken, then returned",
    Fact.OPTED_OUT: "opted out",
    Fact.OPENED: "opened",
    Fact.READ: "read",
}


async def of_message(
    connection: AsyncConnection, vault: Vault, message_id: int, recipient_id: int | None = None
) -> list[Happening]:
    """Steps, decisions, plans, overrides, holds, attempts, receipts, look-ups, answers, replies (in their own words) and what
    was called off, oldest first.

    Raises :class:`Refused` when the key file is not the one the replies were encrypted with.
    """
    lines = [
        *await _decisions(connection, message_id),
        *await _steps(connection, message_id),
        *await _planned(connection, message_id, recipient_id),
        *await _suppressed(connection, message_id, recipient_id),
        *await _overrides(connection, message_id, recipient_id),
        *await _held(connection, message_id, recipient_id),
        *await _attempts(connection, message_id, recipient_id),
        *await _receipts(connection, message_id, recipient_id),
        *await _answers(connection, message_id, recipient_id),
        *await _replies(connection, vault, message_id, recipient_id),
        *await _called_off(connection, message_id, recipient_id),
    ]
    return sorted(lines, key=lambda line: line.at)


async def _steps(connection: AsyncConnection, message_id: int) -> list[Happening]:
    rows = await connection.execute(
        select(t.steps).where(t.steps.c.message_id == message_id).order_by(t.steps.c.id)
    )
    lines = []
    for row in rows:
        words = STEP_WORDS[StepKind(row.kind)]
        lines.append(
            Happening(
                row.created_at,
                f"{words} asked for",
                detail=f"by {row.actor}, {'1 person' if row.people == 1 else f'{row.people:,} people'}",
            )
        )
        if row.undone_at:
            lines.append(Happening(row.undone_at, f"{words} undone"))
    return lines


DECISIONS = {"pause": "paused", "resume": "resumed", "cancel": "cancelled"}
"""What the audit calls the decisions about a whole message, and what the timeline calls them."""


async def _decisions(connection: AsyncConnection, message_id: int) -> list[Happening]:
    """When the message was paused, resumed or cancelled, and by whom. The audit names it by public id."""
    u = t.audit.c
    rows = await connection.execute(
        select(u.at, u.action, u.actor)
        .join(t.messages, _about_it)
        .where(t.messages.c.id == message_id, u.action.in_(DECISIONS))
        .order_by(u.id)
    )
    return [Happening(row.at, f"message {DECISIONS[row.action]}", detail=f"by {row.actor}") for row in rows]


_about_it = and_(
    t.audit.c.production_id == t.messages.c.production_id,
    t.audit.c.subject == "message:" + t.messages.c.public_id,
)


async def _planned(connection: AsyncConnection, message_id: int, recipient_id: int | None) -> list[Happening]:
    d = t.deliveries.c
    query = (
        select(d.created_at, d.channel, d.work, d.carried_by, t.people.c.name, t.contact_points.c.tail)
        .join(t.recipients, t.recipients.c.id == d.recipient_id)
        .join(t.people, t.people.c.id == t.recipients.c.person_id)
        .join(t.contact_points, t.contact_points.c.id == d.contact_point_id)
        .where(d.message_id == message_id)
        .order_by(d.id)
    )
    if recipient_id is not None:
        query = query.where(d.recipient_id == recipient_id)
    return [
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


async def _suppressed(
    connection: AsyncConnection, message_id: int, recipient_id: int | None
) -> list[Happening]:
    """Who was left out, when it was decided: as the last step they were meant in was routed, or undone."""
    r, s, of = t.recipients.c, t.steps.c, t.step_people.c
    meant = select(of.recipient_id).where(of.step_id == s.id, of.recipient_id == r.id).exists()
    decided = (
        select(func.max(func.coalesce(s.routed_at, s.undone_at)))
        .where(s.message_id == r.message_id, or_(s.kind == StepKind.FIRST.value, meant))
        .correlate(t.recipients)
        .scalar_subquery()
    )
    query = (
        select(r.why, t.people.c.name, func.coalesce(decided, t.messages.c.created_at).label("at"))
        .join(t.people, t.people.c.id == r.person_id)
        .join(t.messages, t.messages.c.id == r.message_id)
        .where(r.message_id == message_id, r.suppression.is_not(None))
        .order_by(r.id)
    )
    if recipient_id is not None:
        query = query.where(r.id == recipient_id)
    return [
        Happening(row.at, "suppressed", row.name, detail=row.why) for row in await connection.execute(query)
    ]


async def _overrides(
    connection: AsyncConnection, message_id: int, recipient_id: int | None
) -> list[Happening]:
    """Where a rule was broken on purpose. The audit names the recipient by key and the message by public id."""
    u, m = t.audit.c, t.messages.c
    query = (
        select(u.at, u.subject, u.detail, m.public_id)
        .join(t.messages, m.production_id == u.production_id)
        .where(m.id == message_id, u.action == OVERRIDE, u.at >= m.created_at)
        .order_by(u.id)
    )
    if recipient_id is not None:
        query = query.where(u.subject == f"{OF_RECIPIENT}{recipient_id}")
    found = []
    for row in await connection.execute(query):
        detail = json.loads(row.detail)
        if detail.get("message") == row.public_id:
            found.append((row.at, int(row.subject.removeprefix(OF_RECIPIENT)), detail.get("what", "")))
    names: dict[int, str] = {}
    for some in chunks(sorted({recipient for _, recipient, _ in found})):
        people = await connection.execute(
            select(t.recipients.c.id, t.people.c.name)
            .join(t.people, t.people.c.id == t.recipients.c.person_id)
            .where(t.recipients.c.id.in_(some))
        )
        names |= {one.id: one.name for one in people}
    return [Happening(at, "override", names.get(recipient), detail=what) for at, recipient, what in found]


async def _held(connection: AsyncConnection, message_id: int, recipient_id: int | None) -> list[Happening]:
    """What waits, and what waited for quiet hours to end and was not tried again since: its time to go still stands."""
    d = t.deliveries.c
    waited = and_(d.attempt == 1, d.due_at > d.created_at)
    query = (
        select(d.created_at, d.due_at, d.work, d.why, d.channel, t.people.c.name, t.productions.c.time_zone)
        .join(t.recipients, t.recipients.c.id == d.recipient_id)
        .join(t.people, t.people.c.id == t.recipients.c.person_id)
        .join(t.productions, t.productions.c.id == d.production_id)
        .where(d.message_id == message_id, or_(d.work == Work.HELD.value, waited))
        .order_by(d.id)
    )
    if recipient_id is not None:
        query = query.where(d.recipient_id == recipient_id)
    return [
        Happening(
            row.created_at,
            f"held until {_moment(row.created_at, row.due_at, row.time_zone)}",
            row.name,
            row.channel,
            detail=row.why if row.work == Work.HELD.value else HELD[0],
        )
        for row in await connection.execute(query)
    ]


def _moment(now_ms: int, at_ms: int, zone: str) -> str:
    """A time of the day, with its day where that is not within the next 24 hours."""
    if at_ms - now_ms < times.DAY_MS:
        return times.clock_text(at_ms, zone)
    return f"{times.wall(at_ms, zone):%a %d %b %H:%M}"


async def _called_off(
    connection: AsyncConnection, message_id: int, recipient_id: int | None
) -> list[Happening]:
    """What was queued and was not sent after all. The queue keeps why, and not when: that is told by the answer, the
    opt-out, the reminder or the decision that ended it, else by when it was due."""
    d, p, s = t.deliveries.c, t.suppressions.c, t.steps.c
    answered = (
        select(func.min(t.answers.c.at))
        .where(t.answers.c.recipient_id == d.recipient_id, t.answers.c.at >= d.created_at)
        .correlate(t.deliveries)
        .scalar_subquery()
    )
    opted_out = (
        select(func.min(p.created_at))
        .where(
            p.lookup == t.contact_points.c.lookup,
            p.channel == d.channel,
            or_(p.production_id.is_(None), p.production_id == d.production_id),
            p.created_at >= d.created_at,
        )
        .correlate(t.deliveries, t.contact_points)
        .scalar_subquery()
    )
    replaced = (
        select(func.min(s.routed_at))
        .where(s.message_id == d.message_id, s.id > d.step_id, s.kind == StepKind.REMINDER.value)
        .correlate(t.deliveries)
        .scalar_subquery()
    )
    cancelled = (
        select(func.min(t.audit.c.at))
        .join(t.messages, _about_it)
        .where(t.messages.c.id == d.message_id, t.audit.c.action == "cancel")
        .correlate(t.deliveries)
        .scalar_subquery()
    )
    query = (
        select(
            d.work,
            d.why,
            d.channel,
            d.due_at,
            d.give_up_at,
            t.people.c.name,
            case(
                (d.why == ANSWERED[0], answered),
                (d.why == REPLACED[0], replaced),
                (d.why.in_([CANCELLED.why, NOT_AGAIN[0]]), cancelled),
                else_=opted_out,
            ).label("ended_at"),
        )
        .join(t.recipients, t.recipients.c.id == d.recipient_id)
        .join(t.people, t.people.c.id == t.recipients.c.person_id)
        .join(t.contact_points, t.contact_points.c.id == d.contact_point_id)
        .where(d.message_id == message_id, d.work.in_([work.value for work in _NOT_SENT]))
        .order_by(d.id)
    )
    if recipient_id is not None:
        query = query.where(d.recipient_id == recipient_id)
    lines = []
    for row in await connection.execute(query):
        work = Work(row.work)
        ended_at = row.give_up_at if work is Work.EXPIRED else row.ended_at or row.due_at
        lines.append(Happening(ended_at, _NOT_SENT[work], row.name, row.channel, detail=row.why))
    return lines


_NOT_SENT = {Work.CANCELLED: "called off", Work.EXPIRED: "expired"}


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
        .order_by(a.id)
    )
    if recipient_id is not None:
        query = query.where(d.recipient_id == recipient_id)
    lines = []
    for row in await connection.execute(query):
        common = (row.person, row.channel, row.provider, row.number)
        lines.append(Happening(row.started_at, "handed to the provider", *common, reference=row.reference))
        if row.finished_at:
            # What failed after the provider took it is told by the receipt, at its own time.
            if row.looks or Evidence(row.evidence) is Evidence.UNKNOWN:
                lines.append(Happening(row.finished_at, "no clear answer", *common, detail=row.error or ""))
            elif row.provider_id:
                lines.append(Happening(row.finished_at, "accepted", *common, reference=row.provider_id))
            else:
                lines.append(Happening(row.finished_at, "not accepted", *common, detail=row.error or ""))
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
            r.dedupe_key,
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
        .order_by(r.id)
    )
    if recipient_id is not None:
        query = query.where(d.recipient_id == recipient_id)
    return [
        Happening(
            row.received_at,
            f"{_heard(row.dedupe_key)}: {FACT_WORDS[Fact(row.fact)]}",
            row.person,
            row.channel,
            row.provider or "crew page",
            row.number,
            (row.error or "").partition("|")[2],
        )
        for row in await connection.execute(query)
    ]


def _heard(dedupe_key: str) -> str:
    """Whether the provider told us by itself, or because it was asked."""
    return "asked, and heard" if dedupe_key.startswith(LOOK_UP) else "receipt"


async def _answers(connection: AsyncConnection, message_id: int, recipient_id: int | None) -> list[Happening]:
    return [
        Happening(one.at, "answered", one.person, one.channel, detail=f"{one.option}: {one.meaning}")
        for one in await replies.chosen(connection, message_id, recipient_id)
    ]


async def _replies(
    connection: AsyncConnection, vault: Vault, message_id: int, recipient_id: int | None
) -> list[Happening]:
    """What they wrote. Of a number two people share it is not known whose words they are: they stand in the
    timeline of the message, and of each of the two, under no name."""
    return [
        Happening(
            one.at,
            "replied",
            one.person,
            one.channel,
            detail=" ".join(part for part in (f"“{one.text}”", one.flag) if part),
        )
        for one in await replies.written(connection, vault, message_id, recipient_id)
    ]
