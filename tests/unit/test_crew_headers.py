"""What the columns of a crew list are called, and what they mean."""

from __future__ import annotations

import pytest

from app.domain.crew_headers import WORDINGS, ColumnMapping, CrewField, meaning, recognise
from app.domain.problem import Problem

F = CrewField

HEADINGS = [
    ("Cell", F.MOBILE_PHONE), ("Cell Phone", F.MOBILE_PHONE), ("CELL #", F.MOBILE_PHONE), ("Mobile", F.MOBILE_PHONE),
    ("Cell\nPhone", F.MOBILE_PHONE), ("Mobile No.", F.MOBILE_PHONE), ("Móvil", F.MOBILE_PHONE), ("Handy", F.MOBILE_PHONE),
    ("Phone #", F.PHONE), ("Tel.", F.PHONE), ("Phone 2", F.PHONE), ("Teléfono", F.PHONE), ("Téléphone", F.PHONE),
    ("Home Phone", F.LANDLINE_PHONE), ("Office", F.LANDLINE_PHONE), ("Festnetz", F.LANDLINE_PHONE),
    ("E-mail", F.EMAIL), ("Email Address", F.EMAIL), ("E-MAIL 1", F.EMAIL), ("Correo electrónico", F.EMAIL),
    ("Courriel", F.EMAIL), ("Dept.", F.DEPARTMENT), ("Department", F.DEPARTMENT), ("Département", F.DEPARTMENT),
    ("Abteilung", F.DEPARTMENT), ("Title", F.POSITION), ("Position", F.POSITION), ("Job", F.POSITION),
    ("Poste", F.POSITION), ("Funktion", F.POSITION), ("First", F.FIRST_NAME), ("First Name", F.FIRST_NAME),
    ("Prénom", F.FIRST_NAME), ("Last", F.LAST_NAME), ("Surname", F.LAST_NAME), ("Apellidos", F.LAST_NAME),
    ("Name", F.NAME), ("Crew Member", F.NAME), ("Unit", F.UNIT), ("HOD", F.DEPARTMENT_HEAD),
    ("Head of Department", F.DEPARTMENT_HEAD), ("Start", F.START_DATE), ("Start Date", F.START_DATE),
    ("Wrap", F.FINISH_DATE), ("Finish", F.FINISH_DATE), ("Language", F.LANGUAGE), ("Sprache", F.LANGUAGE),
    ("Time Zone", F.TIME_ZONE), ("TimeZone", F.TIME_ZONE), ("Offset", F.CALL_OFFSET), ("Call offset", F.CALL_OFFSET),
    ("call_offset_min", F.CALL_OFFSET), ("OK to text?", F.SMS_CONSENT), ("Emergency Contact", F.EMERGENCY_CONTACT),
    ("ICE", F.EMERGENCY_CONTACT), ("ICE Phone", F.EMERGENCY_PHONE), ("Emergency Contact #", F.EMERGENCY_CONTACT),
    ("Alt. Cell", F.MOBILE_PHONE), ("2nd Phone", F.PHONE), ("Best Phone", F.PHONE), ("Mobile / Cell", F.MOBILE_PHONE),
    ("Cell/Home", F.PHONE), ("Phone (cell)", F.MOBILE_PHONE), ("Mobile (UK)", F.MOBILE_PHONE), ("Email Addr.", F.EMAIL),
    ("Phone (C)", F.PHONE), ("Role / Job Title", F.POSITION), ("Start Dt", F.START_DATE), ("Start (mm/dd/yy)", F.START_DATE),
    ("Emerg. Contact", F.EMERGENCY_CONTACT), ("Emerg. Phone", F.EMERGENCY_PHONE), ("Name (Last, First)", F.NAME),
    ("First Name Last Name", F.NAME), ("Legal Name", F.NAME), ("Second Name", F.LAST_NAME),
    ("Phone (agent)", None), ("Agent Phone", None), ("Email (emergency)", None), ("Dept/Position", None), ("Other", None),
    ("Fax", None), ("Notes", None), ("Home Address", None), ("#", None), ("No.", None), ("", None), ("🎬", None),
]  # fmt: skip


@pytest.mark.parametrize(("heading", "field"), HEADINGS, ids=[one[0] or "empty" for one in HEADINGS])
def test_a_heading_means_the_field_an_office_means_by_it(heading: str, field: CrewField | None) -> None:
    assert meaning(heading) is field


def test_every_field_is_recognised_by_its_own_name() -> None:
    for field in CrewField:
        own = field.value.replace("mobile_phone", "mobile phone").replace("landline_phone", "landline")
        assert meaning(own) is field


def test_no_wording_means_two_fields() -> None:
    seen: dict[str, CrewField] = {}
    for field, wordings in WORDINGS.items():
        for wording in wordings.split(";"):
            key = wording.replace(" ", "").strip()
            assert seen.setdefault(key, field) is field, key


BESIDE = [
    (("Nom", "Prénom", "Poste"), (F.LAST_NAME, F.FIRST_NAME, F.POSITION)),
    (("Nom", "Poste"), (F.NAME, F.POSITION)),
    (("Nombre", "Apellidos", "Tel"), (F.FIRST_NAME, F.LAST_NAME, F.PHONE)),
    (("Nombre", "Tel"), (F.NAME, F.PHONE)),
    (("Name", "Vorname", "Tel"), (F.LAST_NAME, F.FIRST_NAME, F.PHONE)),
    (("Name", "Surname", "Tel"), (F.NAME, F.LAST_NAME, F.PHONE)),
    (("Name", "Preferred Name", "Tel"), (F.NAME, None, F.PHONE)),
    (("Preferred Name", "Last Name", "Tel"), (F.FIRST_NAME, F.LAST_NAME, F.PHONE)),
    (("First", "Last", "Preferred Name", "Tel"), (F.FIRST_NAME, F.LAST_NAME, None, F.PHONE)),
    (("First", "Tel", "Last"), (F.FIRST_NAME, F.PHONE, F.LAST_NAME)),
    (("Name", "Tel", "Name", "Tel"), (F.NAME, F.PHONE, None, None)),
    (("Name", "First", "Last", "Tel"), (F.NAME, F.FIRST_NAME, F.LAST_NAME, F.PHONE)),
]


@pytest.mark.parametrize(("headings", "fields"), BESIDE, ids=[" ".join(one[0]) for one in BESIDE])
def test_a_heading_is_understood_from_the_ones_beside_it(
    headings: tuple[str, ...], fields: tuple[CrewField | None, ...]
) -> None:
    columns = recognise(headings)
    assert isinstance(columns, ColumnMapping)
    assert columns.fields == fields


def test_a_second_column_for_a_single_value_is_reported_as_not_read() -> None:
    columns = recognise(("Name", "Dept", "Department", "Cell", "Phone", "Shoe size"))
    assert isinstance(columns, ColumnMapping)
    assert columns.unknown() == ("Department", "Shoe size")
    assert columns.columns(F.DEPARTMENT) == (1,)


@pytest.mark.parametrize(
    ("headings", "word"),
    [
        ((), "No row"),
        (("CREW LIST",), "No row"),
        (("Phone", "E-mail"), "names of the people"),
        (("Name",), "Beside the names"),
    ],
    ids=["nothing", "a title", "no names", "only names"],
)
def test_what_is_no_header_is_refused_with_the_next_step(headings: tuple[str, ...], word: str) -> None:
    problem = recognise(headings)
    assert isinstance(problem, Problem)
    assert word in problem.sentence
    assert problem.next.endswith(".")


def test_a_column_that_is_not_known_is_named_and_one_without_a_heading_is_numbered() -> None:
    columns = recognise(("Name", "Wo", "", "Phone"), header_row=2)
    assert isinstance(columns, ColumnMapping)
    assert columns.fields == (F.NAME, None, None, F.PHONE)
    assert (columns.heading(0), columns.heading(2), columns.header_row) == ("Name", "column 3", 2)
    assert columns.unknown() == ("Wo",)
