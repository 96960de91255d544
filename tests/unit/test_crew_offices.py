"""Crew lists as production offices write them: titles, sections, totals, joined cells, names turned round."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import openpyxl

from app.domain.crew_person import A_REMARK, NO_LETTERS, NO_NAME, CrewRow
from app.domain.crew_rows import SECOND_LIST, CrewReading, read_rows
from app.domain.crew_table import Table
from app.integrations.crew_files import read_table


def reading(name: str, data: bytes) -> CrewReading:
    table = read_table(name, data)
    assert isinstance(table, Table), table
    read = read_rows(table, "US", "America/Los_Angeles")
    assert isinstance(read, CrewReading), read
    return read


def csv(*lines: str) -> CrewReading:
    return reading("crew.csv", "\n".join(lines).encode())


def workbook(*rows: list[Any], join: tuple[str, ...] = ()) -> CrewReading:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for cells in join:
        book.active.merge_cells(cells)
    data = io.BytesIO()
    book.save(data)
    return reading("crew.xlsx", data.getvalue())


def numbers(person: CrewRow) -> list[str]:
    return [one.e164 for one in person.phones]


def test_a_list_with_titles_sections_and_totals_gives_its_people_and_speaks_of_the_rest() -> None:
    read = workbook(
        ["NIGHTFALL S2"],
        ["CREW LIST - as of 11/14/2026 - CONFIDENTIAL"],
        ["Production Office: 310-555-0100   Fax 310-555-0101"],
        [],
        ["POSITION", "NAME", "CELL", "E-MAIL", "START"],
        ["CAMERA DEPARTMENT"],
        ["Director of Photography", "Lund, Ada", "(310) 555-0111", "ada@example.com", date(2026, 10, 11)],
        ["1st AC", "Okafor, Jon", "310.555.0112", "jon@example.com", "10/12/2026"],
        [],
        ["GRIP & ELECTRIC"],
        ["Key Grip", "Reyes, Sam Jr.", 3105550114.0, "sam@example.com", "13-Oct-26"],
        ["Best Boy", "TBD"],
        ["Gaffer", "VACANT"],
        [],
        ["TOTAL CREW:", 3],
        ["Page 1 of 1"],
        join=("A1:E1", "A2:E2", "A3:E3", "A6:E6", "A10:E10"),
    )
    assert [(one.name, one.department, one.position) for one in read.rows] == [
        ("Ada Lund", "Camera", "Director of Photography"),
        ("Jon Okafor", "Camera", "1st AC"),
        ("Sam Reyes Jr.", "Grip & Electric", "Key Grip"),
    ]
    assert [numbers(one) for one in read.rows] == [["+13105550111"], ["+13105550112"], ["+13105550114"]]
    assert [one.start_date for one in read.rows] == [date(2026, 10, day) for day in (11, 12, 13)]
    assert [(one.row, one.value, one.why) for one in read.rejected] == [
        (12, "TBD", NO_NAME),
        (13, "VACANT", NO_NAME),
        (15, "3", NO_LETTERS),
    ]
    assert [(one.row, one.value) for one in read.warnings] == [(16, "Page 1 of 1")]
    assert read.notes == (
        "Rows 1 to 3 above the headings: not read.",
        "Names are written “Last, First” and were turned round: “Lund, Ada” is Ada Lund.",
    )


def test_totals_at_the_bottom_are_no_people() -> None:
    read = csv(
        "Department,Position,Name,Phone",
        "Camera,DoP,Ada Lund,310 555 0111",
        "Total,,1,",
        ",,Total crew: 1,",
        "Crew count,1,,",
    )
    assert [one.name for one in read.rows] == ["Ada Lund"]
    assert [(one.row, one.why) for one in read.rejected] == [(3, NO_LETTERS), (4, A_REMARK), (5, NO_NAME)]


def test_two_rows_of_headings_are_read_as_one() -> None:
    read = workbook(
        ["Name", None, "Phone", None, "E-mail", "Dept."],
        ["First", "Last", "Cell", "Home"],
        ["Ada", "Lund", "310 555 0111", "310 555 0199", "ada@example.com", "Camera"],
        join=("A1:B1", "C1:D1"),
    )
    (ada,) = read.rows
    assert (ada.name, ada.department, ada.email) == ("Ada Lund", "Camera", "ada@example.com")
    assert [(one.e164, one.kind) for one in ada.phones] == [
        ("+13105550111", "mobile"),
        ("+13105550199", "landline"),
    ]


def test_headings_repeated_after_people_stand_for_themselves() -> None:
    read = csv(
        "Name,Phone,E-mail",
        "Ada Lund,310 555 0111,ada@example.com",
        "Name,Dept,",
        "Jon Okafor,Camera,left-handed",
    )
    assert [(one.name, one.department, one.email) for one in read.rows] == [
        ("Ada Lund", "", "ada@example.com"),
        ("Jon Okafor", "Camera", None),
    ]


def test_a_name_beside_a_surname_is_the_first_name_unless_it_holds_both() -> None:
    read = csv(
        "Name,Surname,Phone", "Ada,Lund,310 555 0111", "Jon Okafor,Okafor,310 555 0112", "Mei,,310 555 0113"
    )
    assert [one.name for one in read.rows] == ["Ada Lund", "Jon Okafor", "Mei"]


def test_a_department_joined_down_its_rows_holds_for_all_of_them() -> None:
    read = workbook(
        ["Department", "Position", "Name", "Phone"],
        ["Camera", "DoP", "Ada Lund", "310 555 0111"],
        [None, "1st AC", "Jon Okafor", "310 555 0112"],
        [None, "2nd AC", "Mei Tanaka", "310 555 0113"],
        ["Grip", "Key Grip", "Sam Reyes", "310 555 0114"],
        [None, "Grip", "Uma Bell", "310 555 0115"],
        join=("A2:A4", "A5:A6"),
    )
    assert [one.department for one in read.rows] == ["Camera", "Camera", "Camera", "Grip", "Grip"]
    assert read.notes == ("3 rows without a department took that of the row above.",)


def test_where_most_rows_name_their_department_those_without_have_none() -> None:
    read = csv(
        "Department,Name,Phone",
        "Camera,Ada Lund,310 555 0111",
        "Grip,Sam Reyes,310 555 0112",
        ",Acme Trucks,310 555 0113",
    )
    assert [one.department for one in read.rows] == ["Camera", "Grip", ""]


def test_a_department_alone_in_its_column_heads_the_rows_below() -> None:
    read = csv(
        "Department,Name,Phone", "Camera,,", ",Ada Lund,310 555 0111", ",Jon Okafor,310 555 0112", "Grip Dept.,,",
        ",Sam Reyes,310 555 0113",
    )  # fmt: skip
    assert [(one.name, one.department) for one in read.rows] == [
        ("Ada Lund", "Camera"),
        ("Jon Okafor", "Camera"),
        ("Sam Reyes", "Grip"),
    ]
    assert (read.rejected, read.warnings) == ((), ())


def test_the_number_of_somebody_in_the_next_columns_is_not_this_persons() -> None:
    read = csv("Name,Phone,,Name,Phone", "Ada Lund,310 555 0111,,Sam Reyes,310 555 0114")
    (ada,) = read.rows
    assert numbers(ada) == ["+13105550111"]
    assert read.notes == (SECOND_LIST.format(column=4),)


def test_dates_in_three_notations_are_the_same_days() -> None:
    read = csv(
        "Name,Phone,Start,Finish",
        "A One,310 555 0111,10/11/2026,12/1/26",
        "B Two,310 555 0112,2026-10-11,2026-12-01",
        "C Three,310 555 0113,11 Oct 2026,1st December 2026",
    )
    days = {(one.start_date, one.finish_date) for one in read.rows}
    assert days == {(date(2026, 10, 11), date(2026, 12, 1))}


def test_a_hidden_sheet_is_named_and_not_read() -> None:
    book = openpyxl.Workbook()
    book.active.title = "Last week"
    book.active.append(["Name", "Phone"])
    book.active.append(["Old Person", "310 555 0150"])
    book.active.sheet_state = "hidden"
    current = book.create_sheet("Current")
    current.append(["Name", "Phone"])
    current.append(["Ada Lund", "310 555 0111"])
    data = io.BytesIO()
    book.active = 1
    book.save(data)
    read = reading("crew.xlsx", data.getvalue())
    assert [one.name for one in read.rows] == ["Ada Lund"]
    assert read.notes == ('Only the sheet "Current" was read, not "Last week".',)


def test_the_head_of_a_department_is_found_also_where_names_are_turned_round() -> None:
    read = csv(
        "Name,Dept,Head,Phone", '"Lund, Ada",Camera,"Lund, Ada",310 555 0111', '"Okafor, Jon",Camera,"Lund, Ada",310 555 0112'
    )  # fmt: skip
    assert [(one.name, one.department_head) for one in read.rows] == [
        ("Ada Lund", True),
        ("Jon Okafor", False),
    ]
    assert read.warnings == ()


def test_a_department_alone_that_nobody_below_needs_is_shown() -> None:
    read = csv(
        "Department,Name,Phone", "SHOW CREW,,", "Camera,Ada Lund,310 555 0111", "Grip,Jon Okafor,310 555 0112"
    )
    assert [one.department for one in read.rows] == ["Camera", "Grip"]
    assert [(one.row, one.value) for one in read.warnings] == [(2, "SHOW CREW")]
