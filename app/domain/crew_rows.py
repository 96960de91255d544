"""A table of text read as a crew list: people, and everything that is wrong with it, row by row.

Nothing is dropped in silence. A row that cannot be a person is rejected with the reason; a cell that cannot be
read leaves its field at the default and is a warning; what concerns the whole file is a note.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import zip_longest

from app.domain.crew_departments import is_department
from app.domain.crew_habits import habits_of
from app.domain.crew_headers import (
    NAME_PARTS,
    NO_HEADER,
    ColumnMapping,
    CrewField,
    known_columns,
    recognise,
)
from app.domain.crew_person import CrewRow, ListContext, contact_key, read_person
from app.domain.crew_table import RowProblem, Table, TableRow, clean, fold, shown
from app.domain.email_address import same_mailbox
from app.domain.problem import Problem

HEADER_WITHIN = 60
"""Rows with something in them before the header is given up: titles, addresses and hospitals come first."""

MOST_NAMED = 20
"""Headings that one note names."""

NOBODY = Problem(
    "This file names its columns, but there is nobody in it.",
    "Check that the list was saved with its rows, and import it again.",
)
HEADING = "This row was taken for a heading, not for a person."
HEADING_OF_NOBODY = "This row was taken for the name of a department, but nobody stands under it."
SECOND_LIST = (
    "From column {column} on people are named a second time: nothing was read from there. "
    "Give each of them a row of their own."
)
TOO_MANY_CELLS = "There are more cells here than headings; a comma in a name or a number may have moved them."


@dataclass(frozen=True, slots=True)
class CrewReading:
    """A crew list that was read. Every row of the table is a person, a rejection, a warning, or in a note; so is
    every column that was not read."""

    rows: tuple[CrewRow, ...]
    rejected: tuple[RowProblem, ...]
    warnings: tuple[RowProblem, ...]
    notes: tuple[str, ...]


def find_header(table: Table) -> ColumnMapping | Problem:
    """What the columns hold, from the first row that names them; rows above it are titles."""
    nearest: tuple[int, Problem] = (0, NO_HEADER)
    for row in table.rows[:HEADER_WITHIN]:
        found = recognise(row.cells, header_row=row.number)
        if isinstance(found, ColumnMapping):
            return found
        nearest = max(nearest, (known_columns(row.cells), found), key=lambda one: one[0])
    return nearest[1]


def read_rows(table: Table, region: str, default_time_zone: str) -> CrewReading | Problem:
    """Read a table as a crew list.

    ``region`` is the two-letter code of the country whose phone numbers and dates are written without saying so;
    ``default_time_zone`` is for rows that name none. A :class:`Problem` says why the table is no crew list.
    """
    columns = find_header(table)
    if isinstance(columns, Problem):
        return columns
    reading = _Reading(table, columns, region, default_time_zone)
    for row in table.rows:
        reading.take(row)
    return reading.result()


class _Reading:
    """One pass over a table: where we are, and the lists that grow."""

    def __init__(self, table: Table, columns: ColumnMapping, region: str, zone: str) -> None:
        self._header_row = columns.header_row
        self._columns = columns
        self._region = region
        self._zone = zone
        self._rows: list[CrewRow] = []
        self._rejected = list(table.rejected)
        self._warnings = list(table.warnings)
        self._notes = list(table.notes)
        self._unknown = dict.fromkeys(columns.unknown())
        self._above: list[int] = []
        self._beyond: list[RowProblem] = []
        self._headless: dict[int, int] = {}
        self._section: RowProblem | None = None
        self._section_name = ""
        self._met = _People()
        self._habits = habits_of(table, columns)
        self._took_over = 0
        self._heading_cells: tuple[str, ...] = ()
        """The cells of the row above, where it names columns: a second such row completes it."""

    def take(self, row: TableRow) -> None:
        filled = [index for index, cell in enumerate(row.cells) if clean(cell)]
        if not filled:
            return
        if row.number == self._header_row:
            self._heading_cells = row.cells
        elif row.number < self._header_row:
            self._above.append(row.number)
        elif self._names_columns_again(row):
            self._notes.append(f"Row {row.number} names the columns again.")
            self._heading_cells = row.cells
        else:
            self._heading_cells = ()
            self._take_person_or_heading(row, filled)

    def _take_person_or_heading(self, row: TableRow, filled: list[int]) -> None:
        if len(filled) == 1 and self._is_heading(row.cells[filled[0]], filled[0]):
            self._open_section(row, filled[0])
        else:
            self._read_person(row)
            self._look_beside(row, filled)

    def _names_columns_again(self, row: TableRow) -> bool:
        """A list of several pages names its columns on each, and not always in the same order."""
        if known_columns(row.cells) < 2:
            return False
        cells = [cell or above for cell, above in zip_longest(row.cells, self._heading_cells, fillvalue="")]
        again = recognise(cells, header_row=row.number)
        if isinstance(again, Problem):
            return False
        self._columns = again
        self._unknown |= dict.fromkeys(again.unknown())
        return True

    def _is_heading(self, cell: str, index: int) -> bool:
        text = clean(cell)
        field = self._columns.fields[index] if index < len(self._columns.fields) else None
        if field not in NAME_PARTS:
            return field in {None, CrewField.DEPARTMENT, CrewField.POSITION, CrewField.UNIT}
        return (
            is_department(text)
            or fold(text) in self._habits.departments
            or text.endswith(":")
            or (len(text) > 1 and text.isupper() and not self._habits.capitals)
        )

    def _open_section(self, row: TableRow, index: int) -> None:
        heading = RowProblem(row.number, self._columns.heading(index), shown(row.cells[index]), HEADING)
        if self._columns.has(CrewField.DEPARTMENT) and index not in self._columns.columns(
            CrewField.DEPARTMENT
        ):
            self._warnings.append(heading)
            return
        self._close_section()
        text = _without_the_word(clean(row.cells[index]).rstrip(":").rstrip())
        self._section = heading
        # "CAMERA" is shown as "Camera"; VFX, SFX and DIT stay as they are
        self._section_name = text.title() if text.isupper() and len(text) > 3 else text

    def _close_section(self) -> None:
        """A heading nobody stands under was perhaps a person, or a remark: it is shown."""
        if self._section is not None:
            heading = self._section
            self._warnings.append(RowProblem(heading.row, heading.column, heading.value, HEADING_OF_NOBODY))
            self._section = None

    def _read_person(self, row: TableRow) -> None:
        habits = self._habits
        context = ListContext(
            self._region, self._zone, self._section_name, habits.names, last_first=habits.last_first
        )
        read = read_person(row, self._columns, context)
        if isinstance(read.person, RowProblem):
            self._rejected.append(read.person)
            return
        if read.of_section:
            self._section = None
        if habits.department_once:
            self._took_over += read.of_section and bool(self._section_name)
            self._section_name = read.person.department
        name = _name_cell(row, self._columns)
        if (twin := self._met.same_person(read.person)) is not None:
            self._rejected.append(
                RowProblem(row.number, *name, f"This is the same person as in row {twin.row}.")
            )
            return
        self._warnings.extend(read.warnings)
        self._warnings.extend(self._shared(read.person, row, read.places))
        self._met.add(read.person)
        self._rows.append(read.person)

    def _shared(self, person: CrewRow, row: TableRow, places: Mapping[str, int]) -> list[RowProblem]:
        """Two people on one number, or at one address, is allowed and never unnoticed."""
        found = []
        for key, word in _contacts(person).items():
            other = self._met.at(key)
            if other is not None:
                why = f"{shown(other.name)} in row {other.row} has the same {word}."
                index = places[key]
                found.append(
                    RowProblem(row.number, self._columns.heading(index), shown(row.cells[index]), why)
                )
        return found

    def _look_beside(self, row: TableRow, filled: list[int]) -> None:
        """Cells that stand in no named column."""
        width = len(self._columns.fields)
        beyond = [row.cells[index] for index in filled if index >= width]
        if beyond:
            self._beyond.append(RowProblem(row.number, "", shown(", ".join(beyond)), TOO_MANY_CELLS))
        for index in filled:
            if index < width and self._columns.fields[index] is None and not self._columns.headings[index]:
                self._headless[index] = self._headless.get(index, 0) + 1

    def _tell_habits(self) -> None:
        if self._habits.example:
            written, turned = (shown(one) for one in self._habits.example)
            self._notes.append(
                f"Names are written “Last, First” and were turned round: “{written}” is {turned}."
            )
        if self._took_over:
            rows = "1 row" if self._took_over == 1 else f"{self._took_over} rows"
            self._notes.append(f"{rows} without a department took that of the row above.")

    def result(self) -> CrewReading | Problem:
        self._close_section()
        if not self._rows and not self._rejected:
            return NOBODY
        self._tell_habits()
        if self._above:
            which = (
                f"Row {self._above[0]}"
                if len(self._above) == 1
                else f"Rows {self._above[0]} to {self._above[-1]}"
            )
            self._notes.insert(0, f"{which} above the headings: not read.")
        if len(self._beyond) * 2 > len(self._rows):
            # most rows have them: a column that was never given a heading, not a slip in one row
            self._notes.append("Cells to the right of the last heading were not read.")
        else:
            self._warnings.extend(self._beyond)
        if self._columns.beside is not None:
            self._notes.append(SECOND_LIST.format(column=self._columns.beside + 1))
        if self._unknown:
            self._notes.append(f"Columns that are not known here and were not read: {_names(self._unknown)}.")
        for index, count in sorted(self._headless.items()):
            rows = "1 row" if count == 1 else f"{count} rows"
            self._notes.append(f"Column {index + 1} has no heading and was not read ({rows}).")
        return CrewReading(
            rows=tuple(self._rows),
            rejected=tuple(sorted(self._rejected, key=lambda problem: problem.row)),
            warnings=tuple(sorted(self._warnings, key=lambda problem: problem.row)),
            notes=tuple(self._notes),
        )


def _names(headings: Collection[str]) -> str:
    """Headings in quotation marks, as many as fit into a note."""
    named = ", ".join(f"“{shown(one)}”" for one in list(headings)[:MOST_NAMED])
    return named + (f" and {len(headings) - MOST_NAMED} more" if len(headings) > MOST_NAMED else "")


def _without_the_word(heading: str) -> str:
    """ "Camera Department" is the department "Camera"."""
    return _THE_WORD.sub("", heading) or heading


_THE_WORD = re.compile(r"\s+(?:department|dept)\b\.?$", re.IGNORECASE)


class _People:
    """The people met so far in this list, found by number, address or name."""

    def __init__(self) -> None:
        self._first_at: dict[str, CrewRow] = {}
        self._named_at: dict[tuple[str, str], CrewRow] = {}
        self._unreachable: dict[tuple[str, str, str], CrewRow] = {}

    def at(self, contact: str) -> CrewRow | None:
        return self._first_at.get(contact)

    def same_person(self, person: CrewRow) -> CrewRow | None:
        name = fold(person.name) or person.name
        for contact in _contacts(person):
            if twin := self._named_at.get((name, contact)):
                return twin
        return None if person.reachable else self._unreachable.get(_place(person))

    def add(self, person: CrewRow) -> None:
        name = fold(person.name) or person.name
        for contact in _contacts(person):
            self._first_at.setdefault(contact, person)
            self._named_at.setdefault((name, contact), person)
        if not person.reachable:
            self._unreachable.setdefault(_place(person), person)


def _contacts(person: CrewRow) -> dict[str, str]:
    """Each number and address of a person, in a form that is equal for equal ones, and what to call it."""
    contacts = {contact_key(phone): "phone number" for phone in person.phones}
    return contacts | ({same_mailbox(person.email): "e-mail address"} if person.email else {})


def _place(person: CrewRow) -> tuple[str, str, str]:
    return fold(person.name) or person.name, fold(person.department), fold(person.position)


def _name_cell(row: TableRow, columns: ColumnMapping) -> tuple[str, str]:
    for field in (CrewField.NAME, CrewField.FIRST_NAME, CrewField.LAST_NAME):
        for index in columns.columns(field):
            if index < len(row.cells) and clean(row.cells[index]):
                return columns.heading(index), shown(row.cells[index])
    return "", ""
