"""The engine is tried on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

IN_EVERY_RUN = ("test_engine",)
"""What is tried on a server in every run; the others are tried there with the long proofs."""

DATABASES = ("sqlite", "postgresql")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test that uses a home, on each of the databases it is about."""
    if "home" in metafunc.fixturenames:
        of_a_file = metafunc.definition.get_closest_marker("of_a_file")
        metafunc.parametrize("home", DATABASES[:1] if of_a_file else DATABASES, indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for one in items:
        on_a_server = "postgresql" in one.name and Path(__file__).parent in one.path.parents
        if on_a_server and one.path.stem not in IN_EVERY_RUN:
            one.add_marker(pytest.mark.long)


@pytest.fixture
def home(home: Path, request: pytest.FixtureRequest) -> Path:
    """A home with its database in a file, or on a server."""
    if request.param == "postgresql":
        request.getfixturevalue("server").furnish(home)
    return home
