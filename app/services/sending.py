"""Sending a message: what would happen, and making it happen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.dispatch import planner
from app.domain import ids, sms, texts
from app.domain.actor import Actor
from app.domain.messages import Composed, problem_of, wording_of
from app.domain.priorities import StepKind, undo_window_s
from app.domain.problem import Refused
from app.domain.routing import Routable, route
from app.services.office import Office, may_send
from app.store import accounts, addressees, audience, audit, messages, steps
from app.store import tables as t
from providers.contract import Channel, Money

SAMPLE_TOKEN = "x" * ids.LINK_TOKEN_LENGTH
"""Stands for a link's token where only the length of the text matters."""


@dataclass(frozen=True, slots=True)
class Excluded:
    """Somebody who will not be reached, why, and what to do about it."""

    person: str
    person_id: str
    department: str
    why: str
    next: str


@dataclass(frozen=True, slots=True)
class Preflight:
    """What sending would do, without doing it."""

    recipients: int
    excluded: tuple[Excluded, ...]
    channels: dict[Channel, int]
    segments: int
    offending: str
    """The character that halves the room of every text, or nothing."""
    held: int
    overrides: int
    shared: int
    cost: Money | None
    eta_seconds: int
    remarks: tuple[str, ...] = ()
    """What is odd about it, in sentences: an exclusion that leaves nobody out."""


async def channels(office: Office) -> frozenset[Channel]:
    """The channels that can be sent on now: those with a provider. One without is never planned."""
    async with office.database.read() as connection:
        return await accounts.channels_with_provider(connection, office.production.id)


async def preflight(office: Office, composed: Composed) -> Preflight:
    """The sheet before sending. Raises :class:`Refused` for a message that cannot be sent at all."""
    if problem := problem_of(composed, office.production.name):
        raise Refused(problem.sentence, problem.next)
    now = office.clock.now_ms()
    async with office.database.read() as connection:
        remarks = await audience.check(connection, office.production.id, composed.audience)
        remarks += await _namesakes(connection, office.production.id, composed.audience)
        meant = audience.condition(office.production.id, composed.audience)
        person_ids = list((await connection.execute(select(t.people.c.id).where(meant))).scalars())
        people = await addressees.of_people(connection, office.production.id, person_ids)
        available = await accounts.channels_with_provider(connection, office.production.id)
        kind = await accounts.preferred_kind(connection, Channel.SMS, office.production.id)
        paces = {
            channel: await accounts.pace(connection, channel, office.production.id, now)
            for channel in sorted(available)
        }
        crew = await audience.head_count(connection, office.production.id, ["all"])
    if not people:
        if crew:
            raise Refused("Everybody is left out again.", "Take away a word with - in front of it.")
        raise Refused("Nobody is addressed.", "Import the crew list first: callboard crew import FILE.")
    routable = Routable(composed.priority, composed.purpose, tuple(composed.channels))
    excluded: list[Excluded] = []
    planned: dict[Channel, int] = {}
    held = overrides = segments = 0
    numbers: set[str] = set()
    shared = 0
    wording = wording_of(composed, office.production.name)
    link = office.public().link(SAMPLE_TOKEN)
    by_opt_out = {
        words: sms.measure(texts.sms(wording, link=link, opt_out_words=words)) for words in (False, True)
    }
    for person in people.values():
        decision = route(person.addressee, routable, available, now)
        if reason := decision.suppression:
            excluded.append(
                Excluded(person.name, person.public_id, person.department, reason.why, reason.next)
            )
        for path in decision.paths:
            planned[path.channel] = planned.get(path.channel, 0) + 1
            held += path.held_until_ms is not None
            overrides += path.override is not None
            if path.channel is Channel.SMS:
                number = person.lookups[path.contact_point_id]
                if number in numbers:
                    shared += 1
                    continue
                numbers.add(number)
                segments += by_opt_out[path.contact_point_id not in person.texted].segments
    undo_s = undo_window_s(StepKind.FIRST, composed.priority)
    return Preflight(
        recipients=len(people),
        excluded=tuple(sorted(excluded, key=lambda one: (one.department, one.person))),
        channels=planned,
        segments=segments,
        offending="".join(sorted({character for _, character in by_opt_out[False].offending}))[:20],
        held=held,
        overrides=overrides,
        shared=shared,
        cost=office.price(kind, segments) if kind and planned else None,
        eta_seconds=undo_s
        + max(_takes_s(*paces[channel], {**planned, Channel.SMS: segments}[channel]) for channel in planned)
        if planned
        else 0,
        remarks=tuple(remarks),
    )


def _takes_s(rate: int, backlog_ms: int, segments: int) -> int:
    """Seconds until the last of so many segments has left, at so many a second and behind what is queued."""
    return round(backlog_ms / 1000) + (-(-segments // rate) if rate else 0)


async def _namesakes(connection: AsyncConnection, production_id: int, words: Sequence[str]) -> list[str]:
    """A remark for each name that more than one person has: all of them are meant."""
    remarks = []
    for who in (audience.parse_who(word) for word in words):
        if who.kind != "person":
            continue
        called = await audience.head_count(connection, production_id, [f"person:{who.name}"])
        if called > 1:
            what = "are left out" if who.excluded else "get it"
            remarks.append(
                f"{called} people are called {who.name}: all of them {what}. One alone is named by the id, "
                f"which callboard crew show tells."
            )
    return remarks


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that is on its way, or will be when its undo window is over."""

    message_id: str
    code: str
    step_id: str
    not_before: int
    sheet: Preflight
    dispatching: bool


async def send(office: Office, actor: Actor, composed: Composed) -> Sent:
    """Store the message, freeze its audience and let it go out after the undo window.

    Raises :class:`Refused` where there is nothing to send, nobody to send to, or the actor may not.
    """
    may_send(actor)
    sheet = await preflight(office, composed)
    if not sheet.channels:
        raise Refused(
            "Nobody can be reached by the channels of this message.",
            sheet.excluded[0].next
            if sheet.excluded
            else "Add or enable a provider: callboard provider list.",
        )
    now = office.clock.now_ms()
    public_id = ids.ulid(now, office.random_bytes)
    step_public = ids.ulid(now, office.random_bytes)
    not_before = now + undo_window_s(StepKind.FIRST, composed.priority) * 1000
    async with office.database.write() as connection:
        number = await messages.next_number(connection, office.production.id)
        code = ids.message_code(number)
        message_id, version_id = await messages.create(
            connection,
            composed,
            production_id=office.production.id,
            public_id=public_id,
            code=code,
            actor=actor.name,
            now_ms=now,
        )
        step_id = await steps.add(
            connection,
            public_id=step_public,
            message_id=message_id,
            version_id=version_id,
            kind=StepKind.FIRST,
            actor=actor.name,
            channels=composed.channels,
            now_ms=now,
            not_before=not_before,
        )
        await audit.record(
            connection,
            actor,
            "send",
            f"message:{public_id}",
            now,
            production_id=office.production.id,
            detail={
                "people": sheet.recipients,
                "priority": composed.priority.value,
                "type": composed.type.value,
            },
        )
    await planner.freeze(office.database, step_id)
    return Sent(public_id, code, step_public, not_before, sheet, await office.is_dispatching())
