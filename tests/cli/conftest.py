from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from app.rehearsal.carrier import AUTH_TOKEN
from tests.cli.counter import Counter, add_account, copied, furnish


@pytest.fixture(autouse=True)
def _nobodys_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without any setting of whoever runs the tests, and without the demonstrations they have open."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in list(os.environ):
        if name.startswith("CALLBOARD_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("A_TOKEN", AUTH_TOKEN)


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a production, a crew and an account, made once and never changed."""
    home = tmp_path_factory.mktemp("furnished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("A_TOKEN", AUTH_TOKEN)
        furnish(home)
        assert add_account(Counter(home)).code == 0
    return home


@pytest.fixture
def counter(furnished: Path, tmp_path: Path) -> Counter:
    """A counter at a furnished home of its own."""
    return Counter(copied(furnished, tmp_path / "home"))


@pytest.fixture
def empty(tmp_path: Path) -> Counter:
    """A counter at a home that does not exist yet."""
    return Counter(tmp_path / "home")
