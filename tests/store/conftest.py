"""Everything the store does is tried on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.house import HandClock, Ledger, opened


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    with postgres.running() as here:
        yield here


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
