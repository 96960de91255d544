"""How a crew list is written, seen over all of its rows: what one row alone does not tell."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.crew_headers import NAME_PARTS, ColumnMapping, CrewField
from app.domain.crew_names import is_last_first, turned
from app.domain.crew_table import Table, clean, fold
from app.domain.crew_values import is_empty


@dataclass(frozen=True, slots=True)
class Habits:
    """``names`` and ``departments`` are all that stand in their columns, folded."""

    names: frozenset[str]
    departments: frozenset[str]
    capitals: bool
    """Names are written in capitals, so that capitals do not make a heading."""
    last_first: bool
    """Names are written "Last, First"."""
    department_once: bool
    """A department stands in the first of its rows only, as cells that are joined downwards are saved."""
    example: tuple[str, str] | None = None
    """A name as it is written "Last, First", and turned round."""


def habits_of(table: Table, columns: ColumnMapping) -> Habits:
    """The habits of the rows below the header."""
    whole = [cell for index in columns.columns(CrewField.NAME) for cell in _cells(table, columns, index)]
    heading = next((columns.heading(index) for index in columns.columns(CrewField.NAME)), "")
    last_first = is_last_first(heading, whole)
    names = {fold(name) for name in whole}
    if last_first:
        names |= {fold(turned(name)) for name in whole}
    return Habits(
        names=frozenset(names),
        departments=frozenset(
            fold(cell)
            for index in columns.columns(CrewField.DEPARTMENT)
            for cell in _cells(table, columns, index)
        ),
        capitals=_written_in_capitals(table, columns),
        last_first=last_first,
        department_once=_stands_once(table, columns),
        example=next(((name, turned(name)) for name in whole if last_first and turned(name) != name), None),
    )


def _cells(table: Table, columns: ColumnMapping, index: int) -> list[str]:
    """What stands in a column, without the empty cells."""
    found = [
        clean(row.cells[index])
        for row in table.rows
        if row.number > columns.header_row and index < len(row.cells)
    ]
    return [cell for cell in found if not is_empty(cell)]


def _written_in_capitals(table: Table, columns: ColumnMapping) -> bool:
    names = [
        row.cells[index]
        for row in table.rows
        for field in NAME_PARTS
        for index in columns.columns(field)
        if row.number > columns.header_row and index < len(row.cells)
        if sum(bool(cell.strip()) for cell in row.cells) > 1
    ]
    return sum(name.isupper() for name in names) * 2 > len(names)


def _stands_once(table: Table, columns: ColumnMapping) -> bool:
    """No department comes twice, and most people have none beside them: it means all rows down to the next."""
    places = columns.columns(CrewField.DEPARTMENT)
    names = [index for field in NAME_PARTS for index in columns.columns(field)]
    if not places or not names:
        return False
    written = [
        clean(row.cells[places[0]]) if places[0] < len(row.cells) else ""
        for row in table.rows
        if row.number > columns.header_row
        if any(index < len(row.cells) and clean(row.cells[index]) for index in names)
    ]
    filled = [fold(one) for one in written if not is_empty(one)]
    return (
        len(filled) >= 2
        and not is_empty(written[0])
        and len(set(filled)) == len(filled)
        and len(written) >= 2 * len(filled)
    )
