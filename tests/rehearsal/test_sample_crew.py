"""The sample crew, and the people that are invented where more are wanted."""

from __future__ import annotations

import csv
import io

import pytest

from app.cli.rehearsing import MOST_PEOPLE
from app.rehearsal.sample_crew import PHONES, SENDER, crew_of, sample_file


def _people(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode())))


@pytest.mark.parametrize("people", [156, MOST_PEOPLE])
def test_the_number_the_demonstration_sends_from_is_nobodys(people: int) -> None:
    crew = _people(crew_of(people))
    assert len(crew) == people
    assert SENDER not in {one[column] for one in crew for column in PHONES}


def test_the_number_it_sends_from_is_kept_free_for_fiction() -> None:
    assert SENDER[-7:-2] == "55501"


def test_whoever_is_invented_has_a_number_and_a_name_of_their_own() -> None:
    sample = len(_people(sample_file()))
    crew = _people(crew_of(MOST_PEOPLE))
    invented = [one["phone"] for one in crew[sample:] if one["phone"]]
    assert len(set(invented)) == len(invented) > MOST_PEOPLE * 0.9
    assert not set(invented) & {one[column] for one in crew[:sample] for column in PHONES}
    assert len({one["name"] for one in crew}) == MOST_PEOPLE


def test_a_smaller_crew_is_the_beginning_of_the_sample() -> None:
    assert _people(crew_of(12)) == _people(sample_file())[:12]
