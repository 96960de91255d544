"""Lists saved as Excel workbooks (.xlsx, .xlsm). Formulas are never calculated: their saved results are read."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

from app.domain.crew_headers import ColumnMapping, recognise
from app.domain.crew_rows import HEADER_WITHIN
from app.domain.crew_table import RowProblem, Table, TableRow, shown
from app.domain.problem import Problem
from app.integrations.crew_files.kinds import DAMAGED, EMPTY
from app.integrations.crew_files.text_tables import MOST_COLUMNS, MOST_ROWS, TOO_MANY_ROWS

LAST_ROW = 1_048_576
"""The last row of a sheet in Excel. A row that claims a higher number would be counted up to for ever."""

NO_RESULT = (
    "This cell is a formula whose result is not saved in the file: open it in Excel, save it, import again."
)


def read_workbook(data: bytes) -> Table | Problem:
    """The sheet with the crew list: the first whose columns are recognised, else the first that is not empty."""
    try:
        if _declares_entities(data):
            return DAMAGED
        with warnings.catch_warnings():
            # the library warns of drop-down lists and styles it does not know; they do not matter here
            warnings.simplefilter("ignore")
            return _read(data)
    except Exception:  # a damaged workbook makes the library raise nearly anything
        return DAMAGED


def _declares_entities(data: bytes) -> bool:
    """No spreadsheet program writes a document type; one that unfolds without end needs it."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for part in archive.infolist():
            if part.filename.endswith((".xml", ".rels")):
                with archive.open(part) as file:
                    beginning = file.read(2048).replace(b"\x00", b"")
                if b"<!DOCTYPE" in beginning or b"<!ENTITY" in beginning:
                    return True
    return False


def _read(data: bytes) -> Table | Problem:
    import openpyxl  # noqa: PLC0415  a tenth of a second, needed only here

    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    try:
        first: tuple[str, list[TableRow]] | None = None
        # a hidden sheet is often last week's list
        sheets = sorted(book.worksheets, key=lambda sheet: sheet.sheet_state != "visible")
        for sheet in sheets:
            beginning = _rows(sheet, HEADER_WITHIN)
            if not beginning:
                continue
            first = first or (sheet.title, beginning)
            if any(isinstance(recognise(row.cells), ColumnMapping) for row in beginning):
                first = (sheet.title, beginning)
                break
        if first is None:
            return EMPTY
        title = first[0]
        rows = _rows(book[title], MOST_ROWS + 1)
        others = [sheet.title for sheet in sheets if sheet.title != title and _rows(sheet, 1)]
    finally:
        book.close()
    if len(rows) > MOST_ROWS:
        return TOO_MANY_ROWS
    notes = (_others(title, others),) if others else ()
    return Table(tuple(rows), warnings=_formulas_without_result(data, title, rows), notes=notes)


def _others(title: str, others: list[str]) -> str:
    names = ", ".join(f'"{shown(name)}"' for name in others[:10])
    more = f" and {len(others) - 10} more" if len(others) > 10 else ""
    return f'Only the sheet "{shown(title)}" was read, not {names}{more}.'


def _rows(sheet: Any, most: int) -> list[TableRow]:
    """The first ``most`` rows of a sheet that have something in them."""
    rows: list[TableRow] = []
    for number, values in _values(sheet):
        cells = [_text(value) for value in values]
        while cells and not cells[-1].strip():
            cells.pop()
        if cells:
            rows.append(TableRow(number, tuple(cells)))
            if len(rows) >= most:
                break
    return rows


def _values(sheet: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
    # many programs write a wrong size into the sheet, and the library would believe it
    sheet.reset_dimensions()
    rows = sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS)
    yield from enumerate(islice(rows, LAST_ROW), start=1)


def _text(value: Any) -> str:
    """A cell as the person who typed it would write it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        # a phone number or a count that the spreadsheet keeps as a number
        return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat("minutes")
    if isinstance(value, timedelta):
        minutes = round(value.total_seconds() / 60)
        sign = "-" if minutes < 0 else ""
        return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    return str(value)


def _formulas_without_result(data: bytes, title: str, rows: list[TableRow]) -> tuple[RowProblem, ...]:
    """Formulas that were never calculated look like empty cells; nobody should be lost behind one.

    A program that calculates saves all results, also empty ones: one result in the sheet means that it did.
    """
    if not _has_formulas(data):
        return ()
    import openpyxl  # noqa: PLC0415

    filled = {(row.number, index): cell for row in rows for index, cell in enumerate(row.cells) if cell}
    found: list[RowProblem] = []
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=False)
    try:
        for number, values in _values(book[title]):
            for index, value in enumerate(values):
                formula = getattr(value, "text", value)
                if not isinstance(formula, str) or not formula.startswith("="):
                    continue
                # text that only looks like a formula is its own result
                if filled.get((number, index), formula) != formula:
                    return ()
                if (number, index) not in filled and len(found) < MOST_ROWS:
                    column = openpyxl.utils.get_column_letter(index + 1)
                    found.append(RowProblem(number, f"column {column}", shown(formula), NO_RESULT))
    finally:
        book.close()
    return tuple(found)


def _has_formulas(data: bytes) -> bool:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return any(
            b"<f>" in text or b"<f " in text
            for part in archive.infolist()
            if part.filename.startswith("xl/worksheets/sheet")
            for text in (archive.read(part),)
        )
