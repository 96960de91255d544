"""The crew list: importing it, and looking at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

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
    reading = _read(office, name, data)
    now = office.clock.now_ms()
    rejected = list(reading.rejected)
    added = updated = unchanged = 0
    async with office.database.write() as connection:
        members = {
            member.id: member for member in await crew.members(connection, office.vault, office.production.id)
        }
        matches = match_all(reading.rows, [_known(member) for member in members.values()])
        for row, match in zip(reading.rows, matches, strict=True):
            if isinstance(match, Ambiguous):
                names = ", ".join(f"{one.name} ({one.position})" for one in match.candidates[:3])
                rejected.append(RowProblem(row.row, "", row.name, AMBIGUOUS.format(names=names)))
                continue
            listed = _listed(row, days_later)
            if match is None:
                added += 1
                if not dry_run:
                    public_id = ids.ulid(now, office.random_bytes)
                    await crew.add(
                        connection,
                        office.vault,
                        office.production.id,
                        public_id=public_id,
                        now_ms=now,
                        **listed,
                    )
            elif _differs(members[match.id], listed):
                updated += 1
                if not dry_run:
                    await crew.change(
                        connection,
                        office.vault,
                        office.production.id,
                        members[match.id],
                        now_ms=now,
                        **listed,
                    )
            else:
                unchanged += 1
        if not dry_run and added + updated:
            await audit.record(
                connection,
                actor,
                "crew import",
                "crew",
                now,
                production_id=office.production.id,
                detail={"added": added, "updated": updated, "rejected": len(rejected)},
            )
    return Imported(
        added,
        updated,
        unchanged,
        tuple(sorted(rejected, key=lambda one: one.row)),
        reading.warnings,
        reading.notes,
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
