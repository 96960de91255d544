"""Everything the store does is tried on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.house import HandClock, Ledger, opened

IN_EVERY_RUN = (
    "test_queue",
    "test_receipts",
    "test_moment_of_sending",
    "test_taken_over",
    "test_audit",
    "test_timeline",
)
"""What is tried on a server in every run; the others are tried there with the long proofs."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for one in items:
        on_a_server = "postgresql" in one.name and Path(__file__).parent in one.path.parents
        if on_a_server and one.path.stem not in IN_EVERY_RUN:
            one.add_marker(pytest.mark.long)


@pytest.fixture(params=["sqlite", "postgresql"])
def either_home(home: Path, request: pytest.FixtureRequest) -> Path:
    """A home with its database in a file, or on a server."""
    if request.param == "postgresql":
        request.getfixturevalue("server").furnish(home)
    return home


@pytest.fixture
async def ledger(either_home: Path, clock: HandClock) -> AsyncIterator[Ledger]:
    async with opened(either_home, clock) as here:
        yield here
