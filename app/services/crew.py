"""The crew list: importing it, and looking at it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import ids, phone
from app.domain.actor import Actor
from app.domain.crew_match import Ambiguous, KnownPerson, match_all
from app.domain.crew_person import CrewRow, contact_key
from app.domain.crew_rows import CrewReading, read_rows
from app.domain.crew_table import RowProblem
from app.domain.problem import Problem, Refused
from app.domain.routing import AddressKind
from app.integrations.crew_files import read_table
from app.services.office import Office, may_send
from app.store import audit, crew
from app.store.crew import Address, Member


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or would do."""

    added: int
    updated: int
    unchanged: int
    rejected: tuple[RowProblem, ...]
    warnings: tuple[RowProblem, ...]
    notes: tuple[str, ...]


AMBIGUOUS = "This could be more than one person who is already in the crew list: {names}."


async def import_crew(
    office: Office, actor: Actor, name: str, data: bytes, *, dry_run: bool = False, days_later: int = 0
) -> Imported:
    """Read a crew list and bring the crew up to date: all of it, or nothing.

    ``days_later`` moves start and finish dates (the sample's dates are moved to today). Raises
    :class:`Refused` for a file that cannot be read as a crew list; nothing has changed then.
    """
    may_send(actor)
    with office.clock.working():
        reading = await asyncio.to_thread(_read, office, name, data)
    now = office.clock.now_ms()

    async def bring_up_to_date(connection: AsyncConnection) -> Imported:
        members = await crew.members(connection, office.vault, office.production.id)
        changes = _changes(reading, members, days_later)
        if not dry_run:
            await _apply(connection, office, actor, changes, now)
        return _imported(reading, changes)

    database = office.database
    return await (database.reading if dry_run else database.writing)(bring_up_to_date)


@dataclass(frozen=True, slots=True)
class _Changes:
    """What a list changes: new people, people with what is new about them, those as they were, and the doubtful."""

    new: list[dict[str, Any]]
    changed: list[tuple[Member, dict[str, Any]]]
    unchanged: int
    doubtful: list[RowProblem]


def _changes(reading: CrewReading, members: Sequence[Member], days_later: int) -> _Changes:
    by_id = {member.id: member for member in members}
    found = _Changes([], [], 0, [])
    unchanged = 0
    for row, match in zip(
        reading.rows, match_all(reading.rows, [_known(member) for member in members]), strict=True
    ):
        listed = _listed(row, days_later)
        if match is None:
            found.new.append(listed)
        elif isinstance(match, Ambiguous):
            names = ", ".join(f"{one.name} ({one.position})" for one in match.candidates[:3])
            found.doubtful.append(RowProblem(row.row, "", row.name, AMBIGUOUS.format(names=names)))
        elif _differs(by_id[match.id], listed):
            found.changed.append((by_id[match.id], listed))
        else:
            unchanged += 1
    return replace(found, unchanged=unchanged)


async def _apply(
    connection: AsyncConnection, office: Office, actor: Actor, changes: _Changes, now: int
) -> None:
    production_id = office.production.id
    for listed in changes.new:
        public_id = ids.ulid(now, office.random_bytes)
        await crew.add(connection, office.vault, production_id, public_id=public_id, now_ms=now, **listed)
    for member, listed in changes.changed:
        await crew.change(connection, office.vault, production_id, member, now_ms=now, **listed)
    if changes.new or changes.changed:
        detail = {
            "added": len(changes.new),
            "updated": len(changes.changed),
            "rejected": len(changes.doubtful),
        }
        await audit.record(
            connection, actor, "crew import", "crew", now, production_id=production_id, detail=detail
        )


def _imported(reading: CrewReading, changes: _Changes) -> Imported:
    return Imported(
        added=len(changes.new),
        updated=len(changes.changed),
        unchanged=changes.unchanged,
        rejected=tuple(sorted((*reading.rejected, *changes.doubtful), key=lambda one: one.row)),
        warnings=reading.warnings,
        notes=reading.notes,
    )


def _read(office: Office, name: str, data: bytes) -> CrewReading:
    table = read_table(name, data)
    if isinstance(table, Problem):
        raise Refused(table.sentence, table.next)
    reading = read_rows(table, office.production.region, office.production.time_zone)
    if isinstance(reading, Problem):
        raise Refused(reading.sentence, reading.next)
    return reading


def _known(member: Member) -> KnownPerson:
    email = member.first(AddressKind.EMAIL)
    return KnownPerson(
        id=member.id,
        name=member.name,
        department=str(member.values["department"]),
        position=str(member.values["position"]),
        phones=frozenset(one.value for one in member.addresses if one.kind is AddressKind.PHONE),
        email=email.value if email else None,
    )


def _listed(row: CrewRow, days_later: int) -> dict[str, Any]:
    """A row as the store takes it."""
    shift = timedelta(days=days_later)
    phones = [
        Address(
            AddressKind.PHONE,
            contact_key(one),
            tail=phone.tail(one.e164),
            line_type="landline" if one.extension else one.kind,  # a switchboard takes no texts
        )
        for one in row.phones
    ]
    mail = [Address(AddressKind.EMAIL, row.email, tail=_email_tail(row.email))] if row.email else []
    values: Mapping[str, Any] = {
        "name": row.name,
        "department": row.department,
        "position": row.position,
        "department_head": row.department_head,
        "unit": row.unit,
        "language": row.language,
        "time_zone": row.time_zone,
        "call_offset_min": row.call_offset_min,
        "start_date": (row.start_date + shift).isoformat() if row.start_date else None,
        "finish_date": (row.finish_date + shift).isoformat() if row.finish_date else None,
        "day_status": row.day_status,
        "quiet_start": row.dnd_start,
        "quiet_end": row.dnd_end,
    }
    return {
        "values": values,
        "addresses": [*phones, *mail],
        "emergency": (row.emergency_contact, row.emergency_phone),
        "sms_consent": row.sms_consent if row.phones else "unknown",
    }


def _email_tail(address: str) -> str:
    local, _, domain = address.partition("@")
    return f"{local[:1]}…@{domain}"[:32]


def _differs(member: Member, listed: Mapping[str, Any]) -> bool:
    """Whether the list says anything new about somebody. A consent the list does not know is not new, and an
    opt-out is never taken back by a list."""
    consent = listed["sms_consent"]
    knows_better = consent == "unknown" or member.sms_consent == "opted_out"
    return (
        dict(member.values) != dict(listed["values"])
        or member.emergency != listed["emergency"]
        or [(one.kind, one.value.lower(), one.line_type) for one in member.addresses]
        != [(one.kind, one.value.lower(), one.line_type) for one in listed["addresses"]]
        or (consent != member.sms_consent and not knows_better)
    )


async def list_crew(office: Office) -> list[Member]:
    """The crew, by department and name, with addresses in clear."""
    async with office.database.read() as connection:
        return await crew.members(connection, office.vault, office.production.id)


def problems_of(member: Member) -> list[str]:
    """What keeps a person from being reached, in plain words."""
    found = []
    number = member.first(AddressKind.PHONE)
    if number is None:
        found.append("No phone number.")
    elif number.line_type == "landline":
        found.append("The number is a landline: no texts.")
    if member.first(AddressKind.EMAIL) is None:
        found.append("No e-mail address.")
    if member.sms_consent == "opted_out":
        found.append("Opted out of texts.")
    elif member.sms_consent == "no":
        found.append("Has not agreed to texts.")
    found += [f"{one.problem}." for one in member.addresses if one.problem]
    return found
