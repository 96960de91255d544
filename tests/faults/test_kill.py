"""Killed with -9 at random, again and again: nothing is lost, and nobody gets it twice who is known to have it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from app.domain.priorities import Priority
from tests.faults.ending import Settled, examine
from tests.faults.report import SIEGE
from tests.faults.siege import (
    ANYWHERE,
    CALLBACK_NOT_ANSWERED,
    CALLBACK_NOT_STORED,
    NEVER_TAKEN,
    TAKEN_UNANSWERED,
    besieged,
)

Besiege = Callable[..., Awaitable[dict[str, int]]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each on a file; and on a server with the long proofs, where what a sender held is free when its lease is
    over."""
    databases = ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)]
    metafunc.parametrize("home", databases, indirect=True)


@pytest.fixture
def home(home: Path, request: pytest.FixtureRequest) -> Path:
    """A home with its database in a file, or on a server."""
    if request.param == "postgresql":
        request.getfixturevalue("server").furnish(home)
    return home


@pytest.fixture
def besiege(home: Path, record_property: Callable[[str, object], None]) -> Besiege:
    """Let a message outlive some deaths, examine the ending, and keep the figures for the last line of the run."""

    async def figures(seed: int, **siege: Any) -> dict[str, int]:
        async with besieged(home, seed, **siege) as outlived:
            found = {"kills": len(siege["deaths"]), **await examine(outlived)}
        record_property(SIEGE, found)
        return found

    return figures


@pytest.mark.proof
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("seed", "priority"), [(1, Priority.IMPORTANT), (2, Priority.URGENT)])
async def test_killed_six_times_while_sending(besiege: Besiege, seed: int, priority: Priority) -> None:
    await besiege(seed, priority=priority, people=300, deaths=[ANYWHERE] * 6)


@pytest.mark.proof
@pytest.mark.timeout(300)
async def test_killed_in_the_middle_of_a_callback_which_is_then_told_again(besiege: Besiege) -> None:
    deaths = [CALLBACK_NOT_STORED, CALLBACK_NOT_ANSWERED]
    await besiege(3, priority=Priority.URGENT, people=120, deaths=deaths)


@pytest.mark.proof
@pytest.mark.timeout(300)
async def test_where_callbacks_are_lost_the_provider_is_asked_and_what_it_does_not_know_is_left_to_the_coordinator(
    besiege: Besiege,
) -> None:
    deaths = [TAKEN_UNANSWERED, NEVER_TAKEN, ANYWHERE]
    found = await besiege(4, priority=Priority.IMPORTANT, people=300, deaths=deaths, deaf=True)
    assert found[Settled.BY_LOOK_UP]
    assert found[Settled.UNCERTAIN]


@pytest.mark.proof
@pytest.mark.timeout(300)
async def test_where_callbacks_are_lost_an_urgent_text_the_provider_does_not_know_goes_again(
    besiege: Besiege,
) -> None:
    deaths = [NEVER_TAKEN, TAKEN_UNANSWERED, ANYWHERE]
    found = await besiege(5, priority=Priority.URGENT, people=300, deaths=deaths, deaf=True)
    assert found[Settled.BY_LOOK_UP]
    assert found[Settled.SENT_AGAIN]
    assert not found["sent twice"]


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("seed", "priority"), [(11, Priority.IMPORTANT), (12, Priority.URGENT), (13, Priority.ROUTINE)]
)
async def test_killed_twenty_times_while_sending(besiege: Besiege, seed: int, priority: Priority) -> None:
    await besiege(seed, priority=priority, people=900, deaths=[ANYWHERE] * 20)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("seed", "priority"), [(14, Priority.IMPORTANT), (15, Priority.URGENT)])
async def test_killed_in_the_middle_of_ten_callbacks(besiege: Besiege, seed: int, priority: Priority) -> None:
    deaths = [CALLBACK_NOT_STORED, CALLBACK_NOT_ANSWERED] * 5
    await besiege(seed, priority=priority, people=600, deaths=deaths)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("seed", "priority"), [(16, Priority.IMPORTANT), (17, Priority.URGENT)])
async def test_killed_twelve_times_while_callbacks_are_lost(
    besiege: Besiege, seed: int, priority: Priority
) -> None:
    deaths = [TAKEN_UNANSWERED, NEVER_TAKEN, ANYWHERE] * 4
    found = await besiege(seed, priority=priority, people=1500, deaths=deaths, deaf=True)
    assert found[Settled.BY_LOOK_UP]
