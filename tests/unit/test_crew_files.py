"""Crew lists as files: what comes out of the bytes that programs write."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.crew_rows import CrewReading, read_rows
from app.domain.crew_table import Table
from app.domain.problem import Problem
from app.integrations.crew_files import read_table
from app.integrations.crew_files.kinds import LARGEST_FILE, OLE
from app.integrations.crew_files.workbooks import NO_RESULT

HEAD = "Name,Dept.,Cell"


def cells(data: bytes | str, name: str = "crew.csv") -> list[tuple[str, ...]]:
    return [row.cells for row in whole(data, name).rows]


def whole(data: bytes | str, name: str = "crew.csv") -> Table:
    table = read_table(name, data.encode() if isinstance(data, str) else data)
    assert isinstance(table, Table), table
    return table


def crew(data: bytes | str) -> CrewReading:
    read = read_rows(whole(data), "US", "America/Los_Angeles")
    assert isinstance(read, CrewReading), read
    return read


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "bar"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
def test_the_separator_is_found_out(separator: str, ending: str) -> None:
    rows = [("Name", "Dept.", "Cell"), ("Doe, Jane; Jr.|x\ty", "Camera", "626 555 0162")]
    text = ending.join(separator.join(f'"{cell}"' for cell in row) for row in rows)
    assert cells(text) == rows


def test_excels_own_first_line_names_the_separator_and_is_no_row() -> None:
    table = whole("sep=;\r\nName;Cell\r\nJane, Doe;626 555 0162\r\n")
    assert [(row.number, row.cells) for row in table.rows] == [
        (1, ("Name", "Cell")),
        (2, ("Jane, Doe", "626 555 0162")),
    ]


def test_row_numbers_are_those_of_the_spreadsheet() -> None:
    table = whole('TITLE\n\nName,Cell\n"Jane\nDoe",1\n,\nAl Day,2\n')
    assert [row.number for row in table.rows] == [1, 3, 4, 6]


def test_the_ending_of_the_name_decides_where_the_cells_do_not() -> None:
    text = "a, b\tc\nd, e\tf\n"
    assert cells(text, "list.TSV") == [("a, b", "c"), ("d, e", "f")]


NAME = "José Peña-Müller, “Élodie”"
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "mac_roman"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_names_keep_their_accents_in_every_encoding(encoding: str) -> None:
    assert cells(f'{HEAD}\n"{NAME}",Camera,626 555 0162\n'.encode(encoding))[1][0] == NAME


NAMES_WITH_ACCENTS = [
    "O’Brien",
    "Renée",
    "François",
    "Señor Núñez",
    "Jürgen Groß",
    "Åsa Öberg",
    "ANDRÉ",
    "Élodie",
]


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman"])
@pytest.mark.parametrize("name", NAMES_WITH_ACCENTS)
def test_windows_and_old_macintosh_letters_are_told_apart(name: str, encoding: str) -> None:
    others = "François Beauséjour,Grip,1\nRenée Núñez,Grip,2\nJürgen Weiß,Grip,3\n"
    table = whole(f"{HEAD}\n{others}{name},Camera,4\n".encode(encoding))
    assert table.rows[4].cells[0] == name
    assert len(table.notes) == 1


UNCLOSED = [
    ('Name,Dept.,Cell\n"Jane,Camera,1\nAl,Grip,2\n', "row 2"),
    ('Name,Dept.,Cell\nJane,Camera,1\nAl,"Grip,2\n', "row 3"),
    ('Name,Dept.,Cell\n"Jane,Camera,1\nAl,Grip,2\nBo,Grip,3\n"Cy",Grip,4\n', "row 2"),
    ('Name,Cell\n"Jane,1\nAl,2\nBo,3\n"Cy",4\n', "row 2"),
    ('Name,Dept.,Cell\n"Jane' + "x" * 200_000, "row 2"),
]


@pytest.mark.parametrize(
    ("text", "where"), UNCLOSED, ids=["to the end", "second row", "to the next mark", "two columns", "huge"]
)
def test_a_quotation_mark_that_is_never_closed_swallows_nobody(text: str, where: str) -> None:
    problem = read_table("crew.csv", text.encode())
    assert isinstance(problem, Problem)
    assert where in problem.sentence


def test_quotation_marks_inside_a_name_are_letters() -> None:
    assert cells(f'{HEAD}\nJim "Bo" Smith,Grip,1\n"Jim ""Bo"" Smith",Grip,2\n')[1:] == [
        ('Jim "Bo" Smith', "Grip", "1"),
        ('Jim "Bo" Smith', "Grip", "2"),
    ]


def workbook(fill: Callable[[openpyxl.Workbook], None]) -> bytes:
    book = openpyxl.Workbook()
    fill(book)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_a_workbook_gives_what_the_person_typed() -> None:
    def fill(book: openpyxl.Workbook) -> None:
        sheet = book.active
        sheet.append(["NIGHTFALL S2"])
        sheet.merge_cells("A1:F1")
        sheet.append([])
        sheet.append(["Name", "Cell", "Start", "Wrap", "Quiet from", "HOD"])
        sheet.append(
            [
                "Jane Doe",
                6265550162.0,
                date(2026, 10, 11),
                datetime.fromisoformat("2026-11-30"),
                time(22, 0),
                True,
            ]
        )

    table = whole(workbook(fill))
    assert [row.number for row in table.rows] == [1, 3, 4]
    assert table.rows[2].cells == ("Jane Doe", "6265550162", "2026-10-11", "2026-11-30", "22:00", "yes")


def test_the_sheet_with_the_crew_is_found_and_the_others_are_named() -> None:
    def fill(book: openpyxl.Workbook) -> None:
        book.active.title = "Cover"
        book.active.append(["NIGHTFALL"])
        old = book.create_sheet("Last week")
        old.sheet_state = "hidden"
        old.append(["Name", "Cell"])
        crew_sheet = book.create_sheet("Crew")
        crew_sheet.append(["Name", "Cell"])
        crew_sheet.append(["Jane Doe", "626 555 0162"])
        book.create_sheet("Empty")

    table = whole(workbook(fill))
    assert table.rows[1].cells[0] == "Jane Doe"
    assert table.notes == ('Only the sheet "Crew" was read, not "Cover", "Last week".',)


def test_text_that_looks_like_a_formula_is_read_as_text() -> None:
    def fill(book: openpyxl.Workbook) -> None:
        book.active.append(["Name", "Cell"])
        book.active.append(["x", "+16265550162"])
        book.active["A2"].value = "=HYPERLINK(1)"
        book.active["A2"].data_type = "s"

    table = whole(workbook(fill))
    assert table.rows[1].cells == ("=HYPERLINK(1)", "+16265550162")
    assert table.warnings == ()


def test_a_formula_gives_its_saved_result_and_one_without_is_reported() -> None:
    def fill(book: openpyxl.Workbook) -> None:
        book.active.append(["Name", "Cell", "E-mail"])
        book.active.append(["Jane Doe", "626 555 0162", '="jane"&"@example.com"'])

    never_calculated = workbook(fill)
    (warning,) = whole(never_calculated).warnings
    assert (warning.row, warning.column, warning.why) == (2, "column C", NO_RESULT)
    calculated = rewritten(
        never_calculated, "xl/worksheets/sheet1.xml", lambda text: text.replace(b"<v></v>", b"<v>jane@example.com</v>")
        .replace(b"<v />", b"<v>jane@example.com</v>").replace(b"<v/>", b"<v>jane@example.com</v>")
        .replace(b'r="C2"', b'r="C2" t="str"'),
    )  # fmt: skip
    table = whole(calculated)
    assert table.rows[1].cells[2] == "jane@example.com"
    assert table.warnings == ()


def test_a_wrong_size_written_in_the_sheet_hides_no_rows() -> None:
    def fill(book: openpyxl.Workbook) -> None:
        for row in (["Name", "Cell"], ["Jane Doe", "1"], ["Al Day", "2"]):
            book.active.append(row)

    data = rewritten(
        workbook(fill), "xl/worksheets/sheet1.xml", lambda text: text.replace(b'ref="A1:B3"', b'ref="A1"')
    )
    assert len(whole(data).rows) == 3


def rewritten(data: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The archive ``data`` with one part changed."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            before = old.read(name)
            after = change(before) if name == part else before
            assert name != part or after != before
            new.writestr(name, after)
    return file.getvalue()


def archive(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in parts.items():
            new.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return file.getvalue()


def plain_workbook() -> bytes:
    return workbook(lambda book: book.active.append(["Name", "Cell"]))


REFUSED: list[tuple[str, Callable[[], bytes], str]] = [
    ("empty", lambda: b"", "empty"),
    ("only a mark", lambda: b"\xef\xbb\xbf\r\n", "empty"),
    ("pdf", lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "PDF"),
    ("png", lambda: b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, "picture"),
    ("jpeg", lambda: b"\xff\xd8\xff\xe0\x00\x10JFIF", "picture"),
    ("heic", lambda: b"\x00\x00\x00\x18ftypheic", "picture"),
    ("web page", lambda: b"<!DOCTYPE html><table>", "web page"),
    ("old excel", lambda: OLE + b"\x00" * 600, "old Excel"),
    ("password", lambda: OLE + "EncryptedPackage".encode("utf-16-le"), "password"),
    ("zip", lambda: archive(a_dot_txt=b"hello"), "zip archive"),
    ("word", lambda: archive(word__document_dot_xml=b"<x/>"), "Word"),
    ("open document", lambda: archive(content_dot_xml=b"<x/>"), "OpenDocument"),
    ("numbers", lambda: archive(Index__Document_dot_iwa=b"x"), "Numbers"),
    ("broken zip", lambda: b"PK\x03\x04" + b"x" * 100, "damaged"),
    ("cut workbook", lambda: plain_workbook()[:-30], "damaged"),
    ("workbook of nothing", lambda: archive(xl__workbook_dot_xml=b"<x/>"), "damaged"),
    ("zip bomb", lambda: archive(xl__workbook_dot_xml=b"<x/>", b=b"\x00" * 90_000_000), "unfolds"),
    ("entities", lambda: rewritten(plain_workbook(), "xl/worksheets/sheet1.xml", lambda text: b"<!DOCTYPE x>" + text), "damaged"),
    ("empty workbook", lambda: workbook(lambda book: None), "empty"),
    ("too large", lambda: b"x" * (LARGEST_FILE + 1), "20 MB"),
    ("too many rows", lambda: b"Name,Dept.,Cell\n" + b"Jane,Grip,1\n" * 50_001, "50,000"),
    ("junk", lambda: bytes(range(256)) * 8, "not a list of text"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "word"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
def test_what_is_no_list_is_refused_by_its_own_name_with_a_next_step(
    make: Callable[[], bytes], word: str
) -> None:
    problem = read_table("crew.csv", make())
    assert isinstance(problem, Problem)
    assert word in problem.sentence
    assert problem.next.endswith(".")


@given(
    st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
@settings(max_examples=200, deadline=None)
def test_no_bytes_raise(data: bytes) -> None:
    table = read_table("crew.csv", data)
    if isinstance(table, Table):
        read_rows(table, "US", "UTC")


@given(
    st.sampled_from(
        [b"%PDF", b"PK\x03\x04", OLE, b"BEGIN:VCARD\n", b"Name,Phone\n", b"sep=", b"\xff\xfe", b"\xfe\xff"]
    ),
    st.binary(max_size=200) | st.text("\"',;\n\t=:ABN", max_size=80).map(str.encode),
)
@settings(max_examples=200, deadline=None)
def test_no_bytes_raise_after_a_familiar_beginning(beginning: bytes, rest: bytes) -> None:
    table = read_table("crew.csv", beginning + rest)
    if isinstance(table, Table):
        read_rows(table, "US", "UTC")


WORKBOOK = plain_workbook()


@given(st.integers(0, len(WORKBOOK) - 1), st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_no_damage_to_a_workbook_raises(place: int, byte: int) -> None:
    damaged = WORKBOOK[:place] + bytes([byte]) + WORKBOOK[place + 1 :]
    assert isinstance(read_table("crew.xlsx", damaged), Table | Problem)


def test_three_thousand_rows_of_a_workbook_are_all_read() -> None:
    def fill(book: openpyxl.Workbook) -> None:
        book.active.append(["Name", "Cell"])
        for number in range(3000):
            book.active.append([f"Person {number}", 6265550000 + number])

    assert len(crew(workbook(fill)).rows) == 3000


def test_a_line_without_end_is_called_what_it_is() -> None:
    for line in (b"a" * 200_000, b"Ada Lund," + b"a" * 200_000):
        problem = read_table("crew.csv", b"Name,Phone\n" + line)
        assert isinstance(problem, Problem)
        assert problem.sentence == "Row 2 has a cell of 200,000 characters: this is no list."
