"""Who is meant when a list is imported again."""

from __future__ import annotations

import dataclasses
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.crew_match import Ambiguous, KnownPerson, match_all
from app.domain.crew_person import CrewPhone, CrewRow, contact_key
from app.domain.crew_rows import CrewReading, read_rows
from app.domain.crew_table import Table, TableRow


def person(
    name: str,
    phone: str = "",
    email: str | None = None,
    department: str = "Camera",
    position: str = "Operator",
    row: int = 2,
) -> CrewRow:
    phones = (CrewPhone(phone),) if phone else ()
    return CrewRow(row=row, name=name, department=department, position=position, phones=phones, email=email)


def known(*rows: CrewRow) -> list[KnownPerson]:
    """``rows`` as they are known after their import, with the ids 1, 2, 3 …"""
    return [
        KnownPerson(
            number,
            row.name,
            row.department,
            row.position,
            frozenset(contact_key(one) for one in row.phones),
            row.email,
        )
        for number, row in enumerate(rows, start=1)
    ]


def ids(rows: list[CrewRow], existing: list[KnownPerson]) -> list[int | str | None]:
    return [
        "?" if isinstance(one, Ambiguous) else one.id if one else None for one in match_all(rows, existing)
    ]


JANE = person("Jane Doe", "+16265550162", "jane@example.com")
JON = person("Jon Doe", "+16265550162", None, "Grip", "Key Grip")

SAME = [
    ("nothing changed", JANE, JANE),
    ("married, same address", JANE, dataclasses.replace(JANE, name="Jane Bell", phones=())),
    ("a new number, same address", JANE, dataclasses.replace(JANE, phones=(CrewPhone("+16265550199"),))),
    ("a new address, same number", JANE, dataclasses.replace(JANE, email="jd@example.com")),
    ("another department", JANE, dataclasses.replace(JANE, department="Grip", position="Grip")),
    ("a new number, no address", JON, dataclasses.replace(JON, phones=(CrewPhone("+16265550199"),))),
    (
        "a new number and position, no address",
        JON,
        person("Jon Doe", "+16265550199", None, "Grip", "Best Boy"),
    ),
    ("a corrected spelling", person("Jon Smyth", "+16265550162"), person("John Smith", "+16265550162")),
    ("accents added", person("Jose Pena", "+16265550162"), person("José Peña", "+16265550162")),
    ("no way to reach them", person("Jane Doe"), person("Jane Doe")),
]


@pytest.mark.parametrize(("before", "now"), [one[1:] for one in SAME], ids=[one[0] for one in SAME])
def test_a_person_is_recognised_after_a_change(before: CrewRow, now: CrewRow) -> None:
    assert ids([now], known(before)) == [1]


OTHER = [
    ("nothing in common", JANE, person("Al Day", "+16265550163", "al@example.com")),
    ("only the name", JANE, person("Jane Doe", "+16265550199", "other@example.com", "Grip", "Grip")),
    ("the number was handed on", person("Jane Doe", "+16265550162"), person("Al Day", "+16265550162")),
    ("a couple on one number", person("Ana Diaz", "+16265550162"), person("Luis Diaz", "+16265550162")),
]


@pytest.mark.parametrize(("before", "now"), [one[1:] for one in OTHER], ids=[one[0] for one in OTHER])
def test_somebody_else_is_somebody_new(before: CrewRow, now: CrewRow) -> None:
    assert match_all((now,), known(before)) == (None,)


def test_two_people_on_one_number_stay_themselves() -> None:
    assert ids([JON, JANE], known(JANE, JON)) == [2, 1]


def test_two_people_of_one_name_stay_themselves() -> None:
    other = person("Jane Doe", "+16265550199", "jd@example.com", "Camera", "Operator")
    assert ids([other, JANE], known(JANE, other)) == [2, 1]


def test_a_namesake_who_is_new_does_not_take_the_place_of_the_first() -> None:
    other = person("Jane Doe", "+16265550199", "jd@example.com")
    assert ids([other, JANE], known(JANE)) == [None, 1]


def test_an_address_two_people_share_does_not_make_them_one() -> None:
    al = person("Al Day", "", "office@example.com")
    bo = person("Bo Day Fall", "", "office@example.com", "Grip")
    assert ids([al, bo], known(al)) == [1, None]
    assert ids([bo, al], known(al, bo)) == [2, 1]


def test_who_is_taken_leaves_others_without_a_choice() -> None:
    first = person("Jane Doe", "+16265550101", None, "Camera", "Operator")
    second = person("Jane Doe", "+16265550102", None, "Camera", "Operator")
    moved = dataclasses.replace(second, phones=(CrewPhone("+16265550103"),))
    assert ids([first, moved], known(first, second)) == [1, 2]


def test_a_choice_is_left_to_a_person() -> None:
    first = person("Jane Doe", "+16265550101")
    second = person("Jane Doe", "+16265550102")
    (found,) = match_all((person("Jane Doe", "+16265550103"),), known(first, second))
    assert isinstance(found, Ambiguous)
    assert [one.id for one in found.candidates] == [1, 2]


def test_two_rows_that_mean_one_person_are_both_left_to_a_person() -> None:
    rows = [person("Jane Doe", "+16265550101"), person("Jane Doe", "+16265550102")]
    assert ids(rows, known(person("Jane Doe", "+16265550103"))) == ["?", "?"]


NAMES = st.sampled_from(["Ana Diaz", "Ana Dias", "Luis Diaz", "Jo Bell", "TBC Grip"])
CELLS = st.tuples(
    NAMES,
    st.sampled_from(["", "626 555 0101", "626 555 0102", "626 555 0103 x2"]),
    st.sampled_from(["", "a@example.com", "A@example.com", "b@example.com"]),
    st.sampled_from(["Camera", "Grip"]),
    st.sampled_from(["Operator", "Loader"]),
)


@given(st.lists(CELLS, min_size=1, max_size=9), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_the_same_list_again_matches_everyone_to_themselves(
    cells: list[tuple[str, ...]], shuffle: random.Random
) -> None:
    head = ("Name", "Phone", "E-mail", "Department", "Position")
    table = Table(tuple(TableRow(number, row) for number, row in enumerate([head, *cells], start=1)))
    read = read_rows(table, "US", "UTC")
    assert isinstance(read, CrewReading)
    rows = list(read.rows)
    existing = known(*rows)
    expected: list[int | str | None] = list(range(1, len(rows) + 1))
    assert ids(rows, existing) == expected
    order = list(range(len(rows)))
    shuffle.shuffle(order)
    shuffle.shuffle(existing)
    assert ids([rows[place] for place in order], existing) == [place + 1 for place in order]


@given(st.lists(CELLS, max_size=7), st.lists(CELLS, max_size=7))
@settings(max_examples=150, deadline=None)
def test_nobody_is_taken_twice(now: list[tuple[str, ...]], before: list[tuple[str, ...]]) -> None:
    rows = [
        person(name, phone, email or None, department, position)
        for name, phone, email, department, position in now
    ]
    old = [
        person(name, phone, email or None, department, position)
        for name, phone, email, department, position in before
    ]
    taken = [one for one in ids(rows, known(*old)) if isinstance(one, int)]
    assert len(taken) == len(set(taken))
