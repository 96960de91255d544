"""A table of text read as a crew list."""

from __future__ import annotations

from datetime import date
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.crew_person import HALF_QUIET, NO_NAME, NO_TEXTS, NO_WAY, NOT_GIVEN_OUT, CrewPhone
from app.domain.crew_rows import HEADING, HEADING_OF_NOBODY, CrewReading, read_rows
from app.domain.crew_table import Table, TableRow, clean
from app.domain.problem import Problem
from app.integrations.crew_files import read_table

Row = tuple[str, ...]


def reading(*rows: Row, region: str = "US") -> CrewReading:
    """What ``rows`` give, the first being row 1."""
    read = read_rows(table(*rows), region, "America/Los_Angeles")
    assert isinstance(read, CrewReading), read
    return read


def table(*rows: Row) -> Table:
    return Table(tuple(TableRow(number, cells) for number, cells in enumerate(rows, start=1) if any(cells)))


HEAD = ("Name", "Dept.", "Title", "Cell", "E-mail")
JANE = ("Jane Doe", "Camera", "1st AC", "(626) 555-0162", "jane@example.com")


def test_the_sample_crew_is_read_whole() -> None:
    data = files("app.rehearsal").joinpath("sample/crew.csv").read_bytes()
    found = read_table("crew.csv", data)
    assert isinstance(found, Table)
    read = read_rows(found, "US", "America/Los_Angeles")
    assert isinstance(read, CrewReading)
    assert len(read.rows) == 156
    assert (read.rejected, read.notes) == ((), ())
    whys = [warning.why for warning in read.warnings]
    assert whys.count(NOT_GIVEN_OUT) == 2
    assert sum("has the same phone number" in why for why in whys) == 3
    assert whys.count(NO_WAY) == sum(not person.reachable for person in read.rows) == 1
    assert len(whys) == 6
    assert sum(person.department_head for person in read.rows) == 34
    assert sum(person.sms_consent == "opted_out" for person in read.rows) == 3
    assert sum(person.dnd_start == 22 * 60 and person.dnd_end == 6 * 60 for person in read.rows) == 7
    assert sum(phone.kind == "landline" for person in read.rows for phone in person.phones) == 4


def test_everything_a_row_says_is_read() -> None:
    head = (
        "First", "Last", "Department", "Position", "HOD", "Unit", "Cell", "Home", "E-mail", "Language", "Time zone",
        "Offset", "Start", "Wrap", "Day status", "Consent", "Quiet from", "Quiet until", "ICE", "ICE phone",
    )  # fmt: skip
    row = (
        "Jane", "Doe", "Camera", "1st AC", "x", "2nd", "626 555 0162", "323 555 0111 x4", "Jane@Example.com", "Spanish",
        "ET", "-18", "10/11/2026", "11/30/2026", "hold", "Y", "10pm", "6:00", "Jon Doe", "213 555 0183",
    )  # fmt: skip
    (person,) = reading(head, row).rows
    assert person.name == "Jane Doe"
    assert (person.department, person.position, person.department_head, person.unit) == (
        "Camera",
        "1st AC",
        True,
        "2nd",
    )
    assert person.phones == (
        CrewPhone("+16265550162", kind="mobile"),
        CrewPhone("+13235550111", "4", "landline"),
    )
    assert person.email == "Jane@example.com"
    assert (person.language, person.time_zone, person.call_offset_min) == ("es", "America/New_York", -18)
    assert (person.start_date, person.finish_date) == (date(2026, 10, 11), date(2026, 11, 30))
    assert (person.day_status, person.sms_consent) == ("hold", "yes")
    assert (person.dnd_start, person.dnd_end) == (1320, 360)
    assert (person.emergency_contact, person.emergency_phone) == ("Jon Doe", "+12135550183")


def test_empty_cells_leave_the_defaults() -> None:
    (person,) = reading((*HEAD, "Offset", "Zone"), ("Jane Doe", "", "", "626 555 0162", "n/a", "", "")).rows
    assert person.time_zone == "America/Los_Angeles"
    assert (person.unit, person.language, person.sms_consent, person.email) == ("Main", "en", "unknown", None)


BAD_CELLS = [
    ("Cell", "626 555", "too short"),
    ("E-mail", "jane", "@ is missing"),
    ("Offset", "whenever", "call offset"),
    ("Start", "2026-02-30", "no such day"),
    ("Zone", "Mars", "time zone"),
    ("Quiet from", "late", "time of day"),
    ("Language", "Klingon", "language"),
    ("Day status", "banana", "day status"),
    ("Consent", "perhaps", "consent"),
    ("HOD", "perhaps", "head of a department"),
    ("Emergency phone", "ask Jon", "no digits"),
    ("Position", "#REF!", "formula"),
]


@pytest.mark.parametrize(("column", "value", "word"), BAD_CELLS, ids=[one[0] for one in BAD_CELLS])
def test_a_bad_cell_is_a_warning_and_the_person_stays(column: str, value: str, word: str) -> None:
    read = reading(("Name", "Main phone", column), ("Jane Doe", "626 555 0162", value))
    (warning,) = read.warnings
    assert (warning.row, warning.column, warning.value) == (2, column, value)
    assert word in warning.why
    assert len(read.rows) == 1


def test_an_emergency_number_that_cannot_be_read_is_kept_as_written() -> None:
    (person,) = reading((*HEAD, "ICE phone"), (*JANE, "ask Jon")).rows
    assert person.emergency_phone == "ask Jon"


def test_half_of_the_quiet_hours_are_none() -> None:
    read = reading((*HEAD, "Quiet from", "Quiet until"), (*JANE, "22:00", ""))
    assert (read.rows[0].dnd_start, read.rows[0].dnd_end) == (None, None)
    assert [warning.why for warning in read.warnings] == [HALF_QUIET]


def test_somebody_who_cannot_be_reached_is_kept_and_named() -> None:
    read = reading(HEAD, ("Jane Doe", "Camera", "1st AC", "tbd", ""))
    assert not read.rows[0].reachable
    assert [(one.row, one.value, one.why) for one in read.warnings] == [(2, "Jane Doe", NO_WAY)]


@pytest.mark.parametrize("name", ["", "  ", "TBD", "n/a", "-", "\u200b", "\x00"], ids=repr)
def test_a_row_without_a_name_is_rejected(name: str) -> None:
    read = reading(HEAD, (name, *JANE[1:]))
    assert read.rows == ()
    assert [(one.row, one.column, one.why) for one in read.rejected] == [(2, "Name", NO_NAME)]


def test_a_name_of_300_characters_is_whole_and_one_of_301_is_rejected() -> None:
    read = reading(HEAD, ("x" * 300, *JANE[1:]), ("y" * 301, *JANE[1:]))
    assert [person.name for person in read.rows] == ["x" * 300]
    (rejected,) = read.rejected
    assert (rejected.row, rejected.value) == (3, "y" * 80)
    assert "300" in rejected.why


AS_TEXT = [
    "=HYPERLINK(\"http://example.com\",\"Jane\")", "@jane", "-A12", "+Jane", "[red]Jane[/red]", "<b>Jane</b>", "Jane 🎬",
    "👨‍👩‍👧 Doe", "O'Neil", "José Peña", "李小龍", "{name}",
]  # fmt: skip


@pytest.mark.parametrize("name", AS_TEXT)
def test_a_cell_is_text_whatever_it_looks_like(name: str) -> None:
    (person,) = reading(HEAD, (name, *JANE[1:])).rows
    assert person.name == name


def test_invisible_characters_are_taken_out_of_names() -> None:
    (person,) = reading(HEAD, ("\ufeff Jane\x07\x1b[31m\u202e \n Jose\u0301 ", *JANE[1:])).rows
    assert person.name == "Jane[31m José"


def test_titles_and_empty_rows_above_the_headings_are_skipped_and_noted() -> None:
    read = reading(("NIGHTFALL S2 - CREW LIST",), ("",), ("Nearest hospital: 911 Main St", ""), HEAD, JANE)
    assert [person.row for person in read.rows] == [5]
    assert read.notes == ("Rows 1 to 3 above the headings: not read.",)


def test_rows_with_one_word_are_departments_when_there_is_no_such_column() -> None:
    head = ("Position", "Name", "Cell")
    read = reading(
        head, ("CAMERA",), ("DP", "Ada Bell", "626 555 0162"), ("1st AC", "Jo Cruz", "626 555 0163"),
        ("", "Set Lighting:", ""), ("Gaffer", "Al Day", "626 555 0164"), ("VFX",),
    )  # fmt: skip
    assert [person.department for person in read.rows] == ["Camera", "Camera", "Set Lighting"]
    assert [(one.row, one.value, one.why) for one in read.warnings] == [(7, "VFX", HEADING_OF_NOBODY)]


def test_a_heading_is_reported_when_there_is_a_department_column() -> None:
    read = reading(HEAD, ("CAMERA",), JANE)
    assert [person.department for person in read.rows] == ["Camera"]
    assert [(one.row, one.value, one.why) for one in read.warnings] == [(2, "CAMERA", HEADING)]


def test_a_name_alone_in_its_row_is_a_person_also_in_a_list_of_capitals() -> None:
    read = reading(
        HEAD, ("JANE DOE", *JANE[1:]), ("AL DAY", "Grip", "Key Grip", "626 555 0163", ""), ("MO FALL",)
    )
    assert [person.name for person in read.rows] == ["JANE DOE", "AL DAY", "MO FALL"]


def test_headings_repeated_on_the_next_page_are_no_person() -> None:
    read = reading(HEAD, JANE, ("Dept.", "Name", "Phone"), ("Grip", "Al Day", "626 555 0163"))
    assert [(person.name, person.department) for person in read.rows] == [
        ("Jane Doe", "Camera"),
        ("Al Day", "Grip"),
    ]
    assert read.notes == ("Row 3 names the columns again.",)


def test_the_same_person_twice_is_rejected_with_the_first_row() -> None:
    read = reading(
        HEAD, JANE, ("JANE  doe", "", "", "", "Jane@Example.com"), ("Jane Doe", "", "", "+16265550162", "")
    )
    assert [person.row for person in read.rows] == [2]
    assert [(one.row, one.why) for one in read.rejected] == [
        (3, "This is the same person as in row 2."),
        (4, "This is the same person as in row 2."),
    ]


def test_two_people_of_one_name_are_two_people() -> None:
    read = reading(HEAD, JANE, ("Jane Doe", "Grip", "Grip", "626 555 0199", "jd@example.com"))
    assert len(read.rows) == 2
    assert read.rejected == ()


def test_two_people_on_one_number_are_kept_and_the_second_names_the_first() -> None:
    read = reading(HEAD, JANE, ("Al Day", "Grip", "Key Grip", "1 626 555 0162", ""))
    assert len(read.rows) == 2
    assert [(one.row, one.column, one.value, one.why) for one in read.warnings] == [
        (3, "Cell", "1 626 555 0162", "Jane Doe in row 2 has the same phone number.")
    ]


def test_two_extensions_of_one_switchboard_are_two_numbers() -> None:
    read = reading(
        HEAD, ("Jane Doe", "", "", "626 555 0162 x1", ""), ("Al Day", "", "", "626 555 0162 x2", "")
    )
    assert [one.why for one in read.warnings] == [
        NO_TEXTS,
        NO_TEXTS,
    ]  # and none says that they share a number


def test_a_number_with_an_extension_is_kept_for_calls_and_the_list_is_told() -> None:
    read = reading(HEAD, ("Jane Doe", "Camera", "Operator", "310 555 0123 ext 4", "jane@example.com"))
    (jane,) = read.rows
    assert [(one.e164, one.extension, one.kind) for one in jane.phones] == [("+13105550123", "4", "landline")]
    assert [(one.row, one.column, one.value, one.why) for one in read.warnings] == [
        (2, "Cell", "310 555 0123 ext 4", NO_TEXTS)
    ]


@pytest.mark.parametrize(
    ("head", "row"),
    [
        (("Name", "Office Phone"), ("Jane Doe", "310 555 0123 ext 4")),
        (("Name", "Phone", "Phone Type"), ("Jane Doe", "310 555 0123 ext 4", "landline")),
    ],
    ids=["by its column", "by its type"],
)
def test_nobody_is_warned_of_an_extension_where_the_list_says_landline(
    head: tuple[str, ...], row: tuple[str, ...]
) -> None:
    read = reading(head, row)
    assert [one.kind for one in read.rows[0].phones] == ["landline"]
    assert read.warnings == ()


def test_a_column_that_names_the_head_marks_that_person_only() -> None:
    head = ("Name", "Cell", "Head of Department")
    read = reading(head, ("Jane Doe", "626 555 0162", "Jane Doe"), ("Al Day", "626 555 0163", "Jane Doe"))
    assert [person.department_head for person in read.rows] == [True, False]
    assert read.warnings == ()


def test_cells_that_no_heading_covers_are_never_lost_in_silence() -> None:
    read = reading(
        (*HEAD, "", "Notes"),
        (*JANE, "left-handed", "vegan"),
        ("Al Day", "", "", "626 555 0163", "", "", "", "!"),
    )
    assert read.notes == (
        "Columns that are not known here and were not read: “Notes”.",
        "Column 6 has no heading and was not read (1 row).",
    )
    assert [(one.row, one.value) for one in read.warnings] == [(3, "!")]


def test_a_list_of_nobody_is_refused() -> None:
    assert isinstance(read_rows(table(HEAD), "US", "UTC"), Problem)
    assert isinstance(read_rows(Table(()), "US", "UTC"), Problem)


def test_three_thousand_rows_are_three_thousand_people() -> None:
    rows = [
        (f"Person {n}", "Camera", "Operator", f"+1626555{n:04d}", f"p{n}@example.com") for n in range(3000)
    ]
    assert len(reading(HEAD, *rows).rows) == 3000


CELL = st.text(max_size=12) | st.sampled_from(
    ["Name", "Phone", "E-mail", "CAMERA", "Jane Doe", "626 555 0162", "=1", "#N/A"]
)


@given(st.lists(st.lists(CELL, max_size=5).map(tuple), max_size=6))
@settings(max_examples=150, deadline=None)
def test_every_row_below_the_headings_is_a_person_or_is_spoken_of(rows: list[Row]) -> None:
    whole = table(HEAD, *rows)
    read = read_rows(whole, "US", "UTC")
    if isinstance(read, Problem):
        return
    spoken = {person.row for person in read.rows} | {one.row for one in (*read.rejected, *read.warnings)}
    noted = " ".join(read.notes)
    headings = {row.number for row in whole.rows if f"Row {row.number} names" in noted} | {1}
    for row in whole.rows:
        filled = [cell for cell in row.cells if clean(cell)]
        # a word alone is a department where it stands in their column, or where the list has none for them
        alone = len(filled) == 1
        department = alone and (clean("".join(row.cells[1:2])) != "" or "columns again" in noted)
        assert not filled or department or row.number in spoken | headings
