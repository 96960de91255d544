"""How a list writes names, and the lines that are no people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.crew_names import is_last_first, is_number, is_remark, turned

TURNED = [
    ("Lund, Ada", "Ada Lund"),
    ("Reyes, Sam Jr.", "Sam Reyes Jr."),
    ("O'Neil, Sam, Jr.", "Sam O'Neil Jr."),
    ("van der Berg, Mei", "Mei van der Berg"),
    ("Núñez-Pérez, José María", "José María Núñez-Pérez"),
    ("Lund, Ada (Addie)", "Ada (Addie) Lund"),
    # not written that way
    ("Ada Lund", "Ada Lund"),
    ("Ada Lund, ASC", "Ada Lund, ASC"),
    ("Sam Reyes, Jr.", "Sam Reyes, Jr."),
    ("Acme Grip, Inc.", "Acme Grip, Inc."),
    ("Ada, Jon, Mei", "Ada, Jon, Mei"),
    ("Lund,", "Lund,"),
    ('=HYPERLINK("x","Ada")', '=HYPERLINK("x","Ada")'),
]


@pytest.mark.parametrize(("written", "name"), TURNED, ids=[one[0] for one in TURNED])
def test_a_name_is_turned_round_only_where_it_is_written_last_first(written: str, name: str) -> None:
    assert turned(written) == name


@pytest.mark.parametrize(
    ("heading", "names", "last_first"),
    [
        ("Name", ["Lund, Ada", "Okafor, Jon", "Mei Tanaka"], True),
        ("Name", ["Ada Lund, ASC", "Jon Okafor", "Sam Reyes, Jr."], False),
        ("Name", ["Lund, Ada", "Jon Okafor"], False),
        ("Name (Last, First)", ["Lund, Ada", "Jon Okafor", "Mei Tanaka"], True),
        ("First and Last Name", ["Lund, Ada"], False),
        ("Name", [], False),
    ],
    ids=["most", "credits", "half", "the heading says so", "the heading says the other", "nobody"],
)
def test_most_names_or_the_heading_tell_how_a_list_is_written(
    heading: str, names: list[str], last_first: bool
) -> None:
    assert is_last_first(heading, names) is last_first


@pytest.mark.parametrize(
    "line", ["Total: 24", "TOTAL CREW:", "Grand Total 24", "Page 1 of 2", "Printed 11/14/2026"]
)
def test_the_lines_that_close_a_list_are_remarks(line: str) -> None:
    assert is_remark(line)


@pytest.mark.parametrize("name", ["Ada Lund", "Tony Total", "Paige Turner", "Countess Ada", "👩‍🎤", ""])
def test_a_name_is_no_remark(name: str) -> None:
    assert not is_remark(name)


@pytest.mark.parametrize(
    ("name", "number"),
    [("4", True), ("(310) 555-0111", True), ("Ada 2", False), ("👩‍🎤", False), ("東京", False)],
)
def test_a_number_is_no_name(name: str, number: bool) -> None:
    assert is_number(name) is number


@given(st.text(max_size=60))
def test_turning_loses_no_letter(name: str) -> None:
    after = turned(name)
    assert after == name or sorted(after.split()) == sorted(name.replace(",", " ").split())
