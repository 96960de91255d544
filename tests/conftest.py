"""Fixtures that every test may use."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.store import schema
from app.store.engine import open_database
from tests import postgres
from tests.faults.report import SIEGE, line_of
from tests.house import HandClock, Ledger, copy_of, opened

WHOLE = ("dispatch", "listener")
"""Folders whose tests play whole nights: what they run is counted in the tests of its parts, and counting it again
would double their time."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are processors: many tests wait for a disk or a screen now and then."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the proofs that take minutes to who asks for them: pytest -m long."""
    for one in items:
        if one.path.parent.name in WHOLE:
            one.add_marker(pytest.mark.proof)
    if config.option.markexpr:
        return
    long = [one for one in items if one.get_closest_marker("long")]
    config.hook.pytest_deselected(items=long)
    items[:] = [one for one in items if one not in long]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line about the senders that were killed, wherever their tests ran."""
    passed = terminalreporter.getreports("passed")
    sieges = [figures for one in passed for name, figures in one.user_properties if name == SIEGE]
    if sieges:
        terminalreporter.write_line(f"Senders killed with -9: {line_of(sieges)}.")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a migrated, empty database: copying it is quicker than migrating again."""
    home = tmp_path_factory.mktemp("template")

    async def make() -> None:
        database = open_database(f"sqlite:///{home / 'callboard.db'}", HandClock())
        try:
            await schema.upgrade(database)
        finally:
            await database.close()

    asyncio.run(make())
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    """A fresh home of its own."""
    return copy_of(template, tmp_path / "home")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def ledger(home: Path, clock: HandClock) -> AsyncIterator[Ledger]:
    """A production with an account and nobody on its crew list, on a clock moved by hand."""
    async with opened(home, clock) as here:
        yield here


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    """A PostgreSQL server, where there is one."""
    with postgres.running() as here:
        yield here


@pytest.fixture
def home_on_server(home: Path, server: postgres.Server) -> Path:
    """A fresh home whose database is on the server."""
    return server.furnish(home)
