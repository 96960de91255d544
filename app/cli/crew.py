"""``callboard crew``: the crew list."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli import output
from app.cli.desk import Desk, command, command_group
from app.cli.output import Answer
from app.cli.visit import at_home
from app.composition import House
from app.domain.crew_table import RowProblem
from app.domain.problem import Refused
from app.domain.routing import AddressKind
from app.services import crew
from app.services.crew_export import export_crew, number_text
from app.store.crew import Member

commands = command_group("The crew list: import, list, show, export.", example="callboard crew list")

STANDARD = Path("-")
"""Standard input or output, in place of a file."""


@command(commands, "import", example="callboard crew import crew.csv --dry-run")
def import_file(
    desk: Desk,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", readable=False, help="CSV, TSV, XLSX or vCard; - reads it.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
) -> Answer:
    """Bring the crew up to date from a file. A file that is no crew list changes nothing."""

    async def work(house: House) -> Answer:
        done = await crew.import_crew(house.office, house.actor, file.name, data, dry_run=dry_run)
        document = {
            "added": done.added,
            "updated": done.updated,
            "unchanged": done.unchanged,
            "rejected": [_problem(one) for one in done.rejected],
            "warnings": [_problem(one) for one in done.warnings],
            "notes": list(done.notes),
            "dry_run": dry_run,
        }
        verb = "Would add" if dry_run else "Added"
        lines = [f"{verb} {done.added}, updated {done.updated}, unchanged {done.unchanged}."]
        lines += _problems("Rejected", done.rejected) + _problems("Warnings", done.warnings)
        return Answer(document, [*lines, *done.notes])

    data = sys.stdin.buffer.read() if file == STANDARD else file.expanduser().read_bytes()
    return at_home(desk, work)


def _problem(problem: RowProblem) -> dict[str, Any]:
    return {"row": problem.row, "column": problem.column, "value": problem.value, "why": problem.why}


def _problems(word: str, problems: Sequence[RowProblem]) -> list[str]:
    if not problems:
        return []
    rows = [(one.row, one.column, one.value, one.why) for one in problems]
    return ["", f"{word} ({len(problems)})", *output.table(("Row", "Column", "Value", "Why"), rows)]


@command(commands, "list", example="callboard crew list --json")
def list_crew(desk: Desk) -> Answer:
    """Everybody on the crew list, by department and name, with what keeps them from being reached."""

    async def work(house: House) -> Answer:
        members = await crew.list_crew(house.office)
        rows = [
            (
                one.name,
                one.values["department"],
                one.values["position"],
                _number(one),
                _email(one),
                " ".join(crew.problems_of(one)),
            )
            for one in members
        ]
        lines = output.table(("Name", "Department", "Position", "Phone", "E-mail", "Problems"), rows)
        if not members:
            lines = ["Nobody is on the crew list yet. Import it: callboard crew import FILE."]
        return Answer([_row(one) for one in members], lines)

    return at_home(desk, work)


def _number(member: Member) -> str:
    number = member.first(AddressKind.PHONE)
    return number_text(number) if number else ""


def _email(member: Member) -> str:
    email = member.first(AddressKind.EMAIL)
    return email.value if email else ""


def _row(member: Member) -> dict[str, Any]:
    return {
        "id": member.public_id,
        "name": member.name,
        "department": member.values["department"],
        "position": member.values["position"],
        "phone": _number(member),
        "email": _email(member),
        "time_zone": member.values["time_zone"],
        "language": member.values["language"],
        "problems": crew.problems_of(member),
    }


@command(commands, "show", example="callboard crew show 'Ada Lund'")
def show(
    desk: Desk, person: Annotated[str, typer.Argument(metavar="PERSON", help="A name or an id.")]
) -> Answer:
    """Everything the crew list says about one person."""

    async def work(house: House) -> Answer:
        member = _one_of(await crew.list_crew(house.office), person)
        contact, number = member.emergency
        document = _row(member) | {
            "department_head": bool(member.values["department_head"]),
            "unit": member.values["unit"],
            "call_offset_min": member.values["call_offset_min"],
            "start_date": member.values["start_date"],
            "finish_date": member.values["finish_date"],
            "day_status": member.values["day_status"],
            "quiet_hours": _quiet(member),
            "sms_consent": member.sms_consent,
            "phones": [number_text(one) for one in member.addresses if one.kind is AddressKind.PHONE],
            "emergency_contact": contact,
            "emergency_phone": number,
        }
        return Answer(
            document, output.pairs([(_label(word), _said(value)) for word, value in document.items()])
        )

    return at_home(desk, work)


def _one_of(members: Sequence[Member], person: str) -> Member:
    word = person.strip().casefold()
    found = [one for one in members if word in (one.public_id.casefold(), one.name.casefold())]
    if not found:
        raise Refused(f"Nobody on the crew list is “{person}”.", "Look the name up: callboard crew list.")
    if len(found) > 1:
        which = ", ".join(f"{one.public_id} ({one.values['position'] or '–'})" for one in found)
        raise Refused(f"{len(found)} people are called “{person}”.", f"Name one by id: {which}.")
    return found[0]


def _quiet(member: Member) -> list[str] | None:
    start, end = member.values["quiet_start"], member.values["quiet_end"]
    if start is None or end is None:
        return None
    return [f"{each // 60:02}:{each % 60:02}" for each in (start, end)]


def _label(word: str) -> str:
    return word.replace("_", " ").capitalize()


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return "" if value is None else str(value)


@command(commands, "export", example="callboard crew export crew.csv")
def export(
    desk: Desk,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it; - prints it.")],
) -> Answer:
    """Write the crew list with all numbers and addresses as CSV. The audit log keeps who did."""

    async def work(house: House) -> Answer:
        exported = await export_crew(house.office, house.actor)
        if file == STANDARD:
            return Answer({"people": exported.people, "csv": exported.text}, exported.text.splitlines())
        _write(file.expanduser(), exported.text)
        document = {"people": exported.people, "file": str(file)}
        return Answer(document, [f"{output.people(exported.people)} written to {file}."])

    return at_home(desk, work)


def _write(file: Path, text: str) -> None:
    """For the eyes of whoever exported it only, and never over a file that is there."""
    try:
        with open(file, "x", encoding="utf-8", opener=_private) as out:
            out.write(text)
    except FileExistsError:
        what = "folder" if file.is_dir() else "file"
        raise Refused(
            f"There is a {what} {file} already.", "Name another one, or move it away first."
        ) from None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
