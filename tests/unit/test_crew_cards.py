"""Address-book cards as crew lists."""

from __future__ import annotations

import pytest
import vobject
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.crew_person import CrewRow
from app.domain.crew_rows import CrewReading, read_rows
from app.domain.crew_table import Table
from app.integrations.crew_files import read_table


def crew(*lines: str, encoding: str = "utf-8") -> CrewReading:
    table = read_table("crew.vcf", "\r\n".join(lines).encode(encoding))
    assert isinstance(table, Table), table
    read = read_rows(table, "US", "America/Los_Angeles")
    assert isinstance(read, CrewReading), read
    return read


def card(*lines: str, version: str = "3.0") -> tuple[str, ...]:
    return ("BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD")


def one(*lines: str, version: str = "3.0") -> CrewRow:
    (person,) = crew(*card(*lines, version=version)).rows
    return person


def test_a_card_gives_a_person() -> None:
    person = one(
        "N:Doe;Jane;;;", "FN:Jane Doe", "ORG:Nightfall;Camera", "TITLE:1st", "  AC", "TEL;TYPE=CELL:(626) 555-0162",
        'TEL;TYPE="voice,work":+1 323 555 0111', "EMAIL;TYPE=INTERNET:jane@example.com",
    )  # fmt: skip
    assert (person.row, person.name, person.department, person.position) == (
        1,
        "Jane Doe",
        "Camera",
        "1st AC",
    )
    assert [(phone.e164, phone.kind) for phone in person.phones] == [
        ("+16265550162", "mobile"),
        ("+13235550111", "landline"),
    ]
    assert person.email == "jane@example.com"


NAMES = [
    ("3.0", ["FN:Jane Doe", "N:Doe;J;;;"], "Jane Doe"),
    ("3.0", ["N:Doe;Jane;Mary;Dr.;Jr."], "Dr. Jane Mary Doe Jr."),
    ("3.0", [r"FN:Doe\, Jane\; DP"], "Doe, Jane; DP"),
    ("2.1", ["N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BC=", "ller;J=C3=B6rg;;;"], "Jörg Müller"),
    ("2.1", ["FN;CHARSET=ISO-8859-1;QUOTED-PRINTABLE:J=F6rg"], "Jörg"),
    ("2.1", ["FN;CHARSET=X-NONE;QUOTED-PRINTABLE:J=C3=B6rg"], "Jörg"),
    ("4.0", ["FN:Jane", "\tDoe"], "JaneDoe"),
    ("3.0", ["fn:[b]Jane[/b] 🎬"], "[b]Jane[/b] 🎬"),
]


@pytest.mark.parametrize(("version", "lines", "name"), NAMES, ids=[entry[2] for entry in NAMES])
def test_a_name_is_read_in_every_version(version: str, lines: list[str], name: str) -> None:
    assert one(*lines, "TEL:6265550162", version=version).name == name


TELEPHONES = [
    (["TEL;CELL:6265550162"], "mobile"),
    (["TEL;TYPE=cell,voice:6265550162"], "mobile"),
    (["TEL;TYPE=HOME;TYPE=VOICE:6265550162"], "landline"),
    (["item1.TEL;TYPE=pref:6265550162", "item1.X-ABLabel:_$!<Mobile>!$_"], "mobile"),
    (["TEL;VALUE=uri;TYPE=cell:tel:+1-626-555-0162"], "mobile"),
    (["TEL:6265550162"], "unknown"),
]


@pytest.mark.parametrize(("lines", "kind"), TELEPHONES, ids=[entry[0][0] for entry in TELEPHONES])
def test_the_kind_of_a_number_is_read_from_its_label(lines: list[str], kind: str) -> None:
    (phone,) = one("FN:Jane", *lines).phones
    assert (phone.e164, phone.kind) == ("+16265550162", kind)


def test_cards_with_more_numbers_than_others_lose_none() -> None:
    numbers = [f"TEL;TYPE=CELL:626555010{n}" for n in range(4)]
    read = crew(*card("FN:Al", "TEL;TYPE=CELL:6265550199"), *card("FN:Jane", *numbers))
    assert [len(person.phones) for person in read.rows] == [1, 4]


def test_a_picture_does_not_hide_the_lines_after_it() -> None:
    folded = ("PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ", " SkZJ=", "TEL:6265550162")
    unfolded = ("PHOTO;BASE64:", "/9j/4AAQ", "SkZJ", "", "TEL:6265550162")
    for lines in (folded, unfolded):
        read = crew(*card("FN:Jane", *lines))
        assert len(read.rows[0].phones) == 1
        assert read.warnings == ()


def test_a_broken_card_is_rejected_and_the_others_are_kept() -> None:
    read = crew(
        *card("FN:Jane", "TEL:6265550162"), "BEGIN:VCARD", "FN:Lost", *card("TEL:6265550163"), *card("FN:Al")
    )
    assert [(person.row, person.name) for person in read.rows] == [(1, "Jane"), (4, "Al")]
    assert [(problem.row, problem.value) for problem in read.rejected] == [(2, "Lost"), (3, "VERSION:3.0")]


def test_a_line_that_cannot_be_read_costs_nobody_the_card() -> None:
    read = crew(*card("FN:Jane", "ADR;HOME;A" + "=C3" * 60, "TEL:6265550162"), "stray")
    assert len(read.rows) == 1
    assert [(problem.row, problem.column) for problem in read.warnings] == [(1, ""), (1, "")]


def test_what_is_not_read_is_named() -> None:
    read = crew(*card("FN:Jane", "TEL:6265550162", "TEL;TYPE=FAX:6265550163", "BDAY:1980-01-01", "UID:1"))
    assert read.notes == (
        "Not read from the cards: BDAY.",
        "Columns that are not known here and were not read: “Fax”.",
    )


def test_cards_in_utf_16_are_cards() -> None:
    assert crew(*card("FN:Jörg", "TEL:6265550162"), encoding="utf-16").rows[0].name == "Jörg"


WRITTEN = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=120)


@given(WRITTEN, WRITTEN)
@settings(max_examples=60, deadline=None)
def test_what_another_program_writes_is_read_back(name: str, position: str) -> None:
    written = vobject.vCard()
    written.add("n").value = vobject.vcard.Name(family=name)
    written.add("fn").value = f"x{name}"
    written.add("title").value = f"x{position}"
    written.add("tel").value = "+16265550162"
    table = read_table("crew.vcf", written.serialize().encode())
    assert isinstance(table, Table)
    row = dict(zip(table.rows[0].cells, table.rows[1].cells, strict=True))
    assert (row["Name"], row["Position"]) == (composed(f"x{name}"), composed(f"x{position}"))


def composed(text: str) -> str:
    from app.domain.crew_table import clean

    return clean(text)


@given(
    st.lists(
        st.sampled_from(
            [
                "BEGIN:VCARD",
                "END:VCARD",
                "FN:A",
                "N:;;;",
                "TEL",
                "TEL:1=",
                " x",
                "=",
                ":",
                'A;B="',
                "PHOTO;BASE64:",
            ]
        )
        | st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=12),
        max_size=14,
    )
)
@settings(max_examples=200, deadline=None)
def test_every_card_is_a_person_or_a_rejection(lines: list[str]) -> None:
    table = read_table(
        "crew.vcf", "\n".join(["BEGIN:VCARD", "VERSION:3.0", *lines]).encode("utf-8", "replace")
    )
    assert isinstance(table, Table)
    numbers = sorted([row.number for row in table.rows[1:]] + [problem.row for problem in table.rejected])
    assert numbers == list(range(1, len(numbers) + 1))
    assert numbers
