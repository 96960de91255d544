"""The crew list as a file that can be read by a spreadsheet, and imported again without a change."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.actor import Actor
from app.domain.crew_headers import CrewField
from app.domain.routing import AddressKind
from app.services.office import Office, may_send
from app.store import audit, crew
from app.store.crew import Address, Member

PHONES = {
    "mobile": CrewField.MOBILE_PHONE,
    "unknown": CrewField.PHONE,
    "landline": CrewField.LANDLINE_PHONE,
}
"""The column of each kind of number, in the order in which they are tried."""

WORDS = (
    CrewField.NAME, CrewField.DEPARTMENT, CrewField.POSITION, CrewField.DEPARTMENT_HEAD, CrewField.UNIT,
)  # fmt: skip
REST = (
    CrewField.EMAIL, CrewField.LANGUAGE, CrewField.TIME_ZONE, CrewField.CALL_OFFSET, CrewField.START_DATE,
    CrewField.FINISH_DATE, CrewField.DAY_STATUS, CrewField.SMS_CONSENT, CrewField.DND_START, CrewField.DND_END,
    CrewField.EMERGENCY_CONTACT, CrewField.EMERGENCY_PHONE,
)  # fmt: skip

FORMULA = ("=", "+", "-", "@")
"""A cell that begins with one of these is worked out by a spreadsheet; an apostrophe makes it text again."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A crew list as text (CSV), and how many people are in it."""

    text: str
    people: int


async def export_crew(office: Office, actor: Actor) -> Exported:
    """The whole crew list with its numbers and addresses. Written to the audit. Raises :class:`Refused`."""
    may_send(actor)
    async with office.database.write() as connection:
        members = await crew.members(connection, office.vault, office.production.id)
        await audit.record(
            connection,
            actor,
            "crew export",
            "crew",
            office.clock.now_ms(),
            production_id=office.production.id,
            detail={"people": len(members)},
        )
    return Exported(as_csv(members), len(members))


def as_csv(members: Sequence[Member]) -> str:
    """The members as CSV with our own headings; a kind of number has as many columns as somebody has numbers."""
    most = {kind: max((len(_numbers(one, kind)) for one in members), default=0) for kind in PHONES}
    phones = [PHONES[kind] for kind, columns in most.items() for _ in range(columns)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([field.value for field in (*WORDS, *phones, *REST)])
    for member in members:
        numbers = []
        for kind, columns in most.items():
            found = _numbers(member, kind)
            numbers += found + [""] * (columns - len(found))
        said = _said(member)
        writer.writerow([*(said[one] for one in WORDS), *numbers, *(said[one] for one in REST)])
    return out.getvalue()


def _numbers(member: Member, kind: str) -> list[str]:
    return [
        number_text(one) for one in member.addresses if one.kind is AddressKind.PHONE and _kind(one) == kind
    ]


def _kind(address: Address) -> str:
    return address.line_type if address.line_type in PHONES else "unknown"


def number_text(address: Address) -> str:
    """A number with its extension as people write it."""
    return address.value.replace(";ext=", " ext. ").replace(";", " ext. ")


def _said(member: Member) -> dict[CrewField, str]:
    values = member.values
    email = member.first(AddressKind.EMAIL)
    contact, number = member.emergency
    return {
        CrewField.NAME: _text(values["name"]),
        CrewField.DEPARTMENT: _text(values["department"]),
        CrewField.POSITION: _text(values["position"]),
        CrewField.DEPARTMENT_HEAD: "yes" if values["department_head"] else "no",
        CrewField.UNIT: _text(values["unit"]),
        CrewField.EMAIL: email.value if email else "",
        CrewField.LANGUAGE: _text(values["language"]),
        CrewField.TIME_ZONE: _text(values["time_zone"]),
        CrewField.CALL_OFFSET: str(values["call_offset_min"]),
        CrewField.START_DATE: str(values["start_date"] or ""),
        CrewField.FINISH_DATE: str(values["finish_date"] or ""),
        CrewField.DAY_STATUS: _text(values["day_status"]),
        CrewField.SMS_CONSENT: member.sms_consent.replace("_", " ")
        if member.sms_consent != "unknown"
        else "",
        CrewField.DND_START: _clock(values["quiet_start"]),
        CrewField.DND_END: _clock(values["quiet_end"]),
        CrewField.EMERGENCY_CONTACT: _text(contact),
        CrewField.EMERGENCY_PHONE: number.replace(";ext=", " ext. "),
    }


def _text(value: Any) -> str:
    text = str(value or "")
    return f"'{text}" if text.startswith(FORMULA) else text


def _clock(minutes: int | None) -> str:
    return "" if minutes is None else f"{minutes // 60:02}:{minutes % 60:02}"
