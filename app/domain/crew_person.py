"""One row of a crew list read as one person: what each cell gives, and a warning for each that gives nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from app.domain.crew_headers import PHONE_FIELDS, ColumnMapping, CrewField
from app.domain.crew_names import is_number, is_remark, turned
from app.domain.crew_table import RowProblem, TableRow, clean, fold, shown
from app.domain.crew_values import (
    SPREADSHEET_ERRORS,
    CellProblem,
    Consent,
    DayStatus,
    is_empty,
    read_consent,
    read_date,
    read_day_status,
    read_language,
    read_offset,
    read_phone_type,
    read_time,
    read_yes,
    read_zone,
)
from app.domain.email_address import emails_in, same_mailbox
from app.domain.phone import Phone, PhoneKind, phones_in

LONGEST_TEXT = 300
"""Characters of a name, a position, a department. Screens and texts are built for at most that many."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CrewPhone:
    """One number of a person. ``kind`` comes from the numbering plan, else from the list's own words."""

    e164: str
    extension: str | None = None
    kind: PhoneKind = "unknown"
    valid: bool = True


@dataclass(frozen=True, slots=True)
class CrewRow:
    """One person of a crew list, as the list has them. ``row`` is the number the spreadsheet shows.

    ``phones`` stand in the order they are tried. ``call_offset_min`` is minutes from crew call, negative before
    it. ``dnd_start`` and ``dnd_end`` are minutes of the day in ``time_zone``; both or neither are set.
    ``emergency_phone`` is "+" and digits (with ";ext=" where there is an extension), or the text as written
    where it could not be read: somebody may have to dial it by hand.
    """

    row: int
    name: str
    department: str = ""
    position: str = ""
    department_head: bool = False
    unit: str = "Main"
    phones: tuple[CrewPhone, ...] = ()
    email: str | None = None
    language: str = "en"
    time_zone: str = "UTC"
    call_offset_min: int = 0
    start_date: date | None = None
    finish_date: date | None = None
    day_status: DayStatus = "work"
    sms_consent: Consent = "unknown"
    dnd_start: int | None = None
    dnd_end: int | None = None
    emergency_contact: str = ""
    emergency_phone: str = ""

    @property
    def reachable(self) -> bool:
        return bool(self.phones or self.email)


def contact_key(phone: CrewPhone) -> str:
    """Equal for two spellings of one number. Two extensions of one switchboard are two numbers."""
    return f"{phone.e164};{phone.extension}" if phone.extension else phone.e164


@dataclass(frozen=True, slots=True)
class ListContext:
    """What a row cannot know by itself: the country numbers and dates are written for, the zone of who names
    none, the department of the section, all names of the list (folded), and whether it writes "Last, First"."""

    region: str
    time_zone: str
    section: str = ""
    names: frozenset[str] = frozenset()
    last_first: bool = False


@dataclass(frozen=True, slots=True)
class PersonRead:
    """A person, or why the row is none; and what is wrong with single cells.

    ``places`` tells in which column each of the person's numbers and the address stands.
    """

    person: CrewRow | RowProblem
    warnings: tuple[RowProblem, ...] = ()
    places: Mapping[str, int] = dataclasses.field(default_factory=dict)
    of_section: bool = False
    """No department stands in the row itself: the section's was taken."""


NO_NAME = "There is no name in this row."
NO_LETTERS = "This is a number, not a name."
A_REMARK = "This is a total or a remark, not a person."
NAME_TOO_LONG = f"This name is longer than {LONGEST_TEXT} characters."
TEXT_TOO_LONG = f"This is longer than {LONGEST_TEXT} characters and was cut there."
NOT_GIVEN_OUT = "This number is not in use by its numbering plan; it was taken as written."
NO_TEXTS = "A number with an extension takes no texts: it is kept for calls. Add a mobile number for texts."
NO_WAY = "There is no way to reach this person: no phone number and no e-mail address."
SECOND_EMAIL = "Only one e-mail address is kept for a person: the first."
FORMULA_FAILED = "A formula of the spreadsheet failed here."
HALF_QUIET = "Quiet hours need a start and an end; only one is here."
ENDS_BEFORE = "The finish date is before the start date."
ANOTHER_HEAD = "Write yes for the head of a department and nothing for the others."


def read_person(row: TableRow, columns: ColumnMapping, context: ListContext) -> PersonRead:
    """Read one row. A row is no person when its name is missing, too long, a number, or a remark such as a total."""
    cells = _Cells(row, columns)
    name = _name(cells, context)
    if isinstance(name, RowProblem):
        return PersonRead(name)
    phones = _phones(cells, context.region)
    email = _email(cells)
    zone = cells.read(CrewField.TIME_ZONE, read_zone, context.time_zone)
    dates = [
        cells.read(each, lambda cell: read_date(cell, context.region), None)
        for each in (CrewField.START_DATE, CrewField.FINISH_DATE)
    ]
    if dates[0] and dates[1] and dates[1] < dates[0]:
        cells.warn(CrewField.FINISH_DATE, ENDS_BEFORE)
    quiet = _quiet_hours(cells)
    department = cells.text(CrewField.DEPARTMENT)
    person = CrewRow(
        row=row.number,
        name=name,
        department=department or context.section,
        position=cells.text(CrewField.POSITION),
        department_head=_leads(cells, name, context),
        unit=cells.text(CrewField.UNIT) or "Main",
        phones=phones,
        email=email,
        language=cells.read(CrewField.LANGUAGE, read_language, "en"),
        time_zone=zone,
        call_offset_min=cells.read(CrewField.CALL_OFFSET, read_offset, 0),
        start_date=dates[0],
        finish_date=dates[1],
        day_status=cells.read(CrewField.DAY_STATUS, read_day_status, "work"),
        sms_consent=cells.read(CrewField.SMS_CONSENT, read_consent, "unknown"),
        dnd_start=quiet[0],
        dnd_end=quiet[1],
        emergency_contact=cells.text(CrewField.EMERGENCY_CONTACT),
        emergency_phone=_emergency_phone(cells, context.region),
    )
    if not person.reachable:
        if is_remark(name):
            return PersonRead(cells.problem(cells.name_column(), A_REMARK))
        cells.warn_name(NO_WAY)
    return PersonRead(person, tuple(cells.warnings), cells.places, of_section=not department)


class _Cells:
    """The cells of one row by field, and the warnings about them."""

    def __init__(self, row: TableRow, columns: ColumnMapping) -> None:
        self._row = row
        self._columns = columns
        self.warnings: list[RowProblem] = []
        self.places: dict[str, int] = {}

    def filled(self, field: CrewField) -> list[tuple[int, str]]:
        """Position and text, as written, of each cell of this field that has something in it."""
        found = []
        for index in self._columns.columns(field):
            cell = self._row.cells[index] if index < len(self._row.cells) else ""
            text = clean(cell)
            if text.casefold() in SPREADSHEET_ERRORS:
                self.warn_at(index, FORMULA_FAILED)
            elif not is_empty(text):
                found.append((index, cell))
        return found

    def text(self, field: CrewField) -> str:
        for index, cell in self.filled(field):
            text = _unquoted(clean(cell))
            if len(text) > LONGEST_TEXT:
                self.warn_at(index, TEXT_TOO_LONG)
            return text[:LONGEST_TEXT]
        return ""

    def read(self, field: CrewField, reader: Callable[[str], T | CellProblem], default: T) -> T:
        for index, cell in self.filled(field):
            value = reader(_unquoted(clean(cell)))
            if not isinstance(value, CellProblem):
                return value
            self.warn_at(index, value.why)
        return default

    def problem(self, index: int | None, why: str) -> RowProblem:
        if index is None:
            return RowProblem(self._row.number, "", "", why)
        cell = self._row.cells[index] if index < len(self._row.cells) else ""
        return RowProblem(self._row.number, self._columns.heading(index), shown(cell), why)

    def warn_at(self, index: int | None, why: str) -> None:
        self.warnings.append(self.problem(index, why))

    def warn(self, field: CrewField, why: str) -> None:
        self.warn_at(next(iter(self._columns.columns(field)), None), why)

    def warn_name(self, why: str) -> None:
        self.warn_at(self.name_column(), why)

    def name_column(self) -> int | None:
        names = (CrewField.NAME, CrewField.FIRST_NAME, CrewField.LAST_NAME)
        return next((index for field in names for index in self._columns.columns(field)), None)


def _unquoted(text: str) -> str:
    """Without the apostrophe that Excel puts before text that would otherwise be a formula or a number."""
    return text[1:] if len(text) > 1 and text[0] == "'" and text[1] in "=+-@0123456789" else text


def _name(cells: _Cells, context: ListContext) -> str | RowProblem:
    whole, first, last = (
        next((_unquoted(clean(cell)) for _, cell in cells.filled(field)), "")
        for field in (CrewField.NAME, CrewField.FIRST_NAME, CrewField.LAST_NAME)
    )
    if not whole:
        name = f"{first} {last}".strip()
    elif first or not last or set(fold(last).split()) <= set(fold(whole).split()):
        name = turned(whole) if context.last_first else whole
    else:
        name = f"{whole} {last}"  # beside a column for the surname, "Name" holds the rest
    if is_number(name):
        return cells.problem(cells.name_column(), NO_LETTERS)
    if not any(character.isprintable() and not character.isspace() for character in name):
        return cells.problem(cells.name_column(), NO_NAME)
    if len(name) > LONGEST_TEXT:
        return cells.problem(cells.name_column(), NAME_TOO_LONG)
    return name


def _phones(cells: _Cells, region: str) -> tuple[CrewPhone, ...]:
    """Numbers of mobile columns first: a text goes to the first number, the second is for a call."""
    unsaid: PhoneKind = "unknown"
    said = cells.read(CrewField.PHONE_TYPE, read_phone_type, unsaid)
    by_heading: dict[CrewField, PhoneKind] = {
        CrewField.MOBILE_PHONE: "mobile",
        CrewField.LANDLINE_PHONE: "landline",
        CrewField.PHONE: said,
    }
    found: dict[tuple[str, str | None], CrewPhone] = {}
    for field in PHONE_FIELDS:
        for index, cell in cells.filled(field):
            for number in phones_in(cell, region):
                if not isinstance(number, Phone):
                    cells.warn_at(index, number.why)
                    continue
                if not number.valid:
                    cells.warn_at(index, NOT_GIVEN_OUT)
                if number.extension and by_heading[field] != "landline":
                    cells.warn_at(
                        index, NO_TEXTS
                    )  # where the list itself says landline, nobody expects a text
                phone = CrewPhone(
                    number.e164, number.extension, _kind(number, by_heading[field]), number.valid
                )
                found.setdefault((phone.e164, phone.extension), phone)
                cells.places.setdefault(contact_key(phone), index)
    return tuple(sorted(found.values(), key=lambda phone: phone.kind == "landline"))


def _kind(number: Phone, said: PhoneKind) -> PhoneKind:
    if number.kind != "unknown":
        return number.kind
    # an extension hangs on a switchboard: no text can arrive there, whatever the column is called
    return "landline" if number.extension else said


def _email(cells: _Cells) -> str | None:
    kept: str | None = None
    for index, cell in cells.filled(CrewField.EMAIL):
        for address in emails_in(cell):
            if not isinstance(address, str):
                cells.warn_at(index, address.why)
            elif kept is None:
                kept = address
                cells.places[same_mailbox(address)] = index
            elif same_mailbox(address) != same_mailbox(kept):
                cells.warn_at(index, SECOND_EMAIL)
    return kept


def _leads(cells: _Cells, name: str, context: ListContext) -> bool:
    """A column "head of department" says yes or no, or names the head of the department this person is in."""
    for index, cell in cells.filled(CrewField.DEPARTMENT_HEAD):
        text = clean(cell)
        answer = read_yes(text)
        if isinstance(answer, bool):
            return answer
        written = fold(turned(text) if context.last_first else text)
        if written in {fold(name), "hod", "head", "department head", "key"}:
            return True
        if not {written, fold(text)} & context.names:
            cells.warn_at(index, ANOTHER_HEAD)
    return False


def _quiet_hours(cells: _Cells) -> tuple[int, int] | tuple[None, None]:
    start = cells.read(CrewField.DND_START, read_time, None)
    end = cells.read(CrewField.DND_END, read_time, None)
    if start is not None and end is not None:
        return start, end
    if start is not None or end is not None:
        cells.warn(CrewField.DND_START if start is not None else CrewField.DND_END, HALF_QUIET)
    return None, None


def _emergency_phone(cells: _Cells, region: str) -> str:
    for index, cell in cells.filled(CrewField.EMERGENCY_PHONE):
        numbers = phones_in(cell, region)
        for number in numbers:
            if isinstance(number, Phone):
                if not number.valid:
                    cells.warn_at(index, NOT_GIVEN_OUT)
                return number.e164 + (f";ext={number.extension}" if number.extension else "")
        cells.warn_at(index, numbers[0].why if not isinstance(numbers[0], Phone) else "")
        return clean(cell)[:LONGEST_TEXT]
    return ""
