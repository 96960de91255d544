"""Which rehearsal takes the orders: the one that runs, whatever notes lie about."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.clock import SystemClock
from app.domain.problem import Refused
from app.listener.server import listening_socket
from app.rehearsal import whereabouts
from app.rehearsal.carrier import Carrier
from app.rehearsal.whereabouts import Whereabouts


@pytest.fixture
async def running() -> AsyncIterator[Whereabouts]:
    """A rehearsal that takes orders."""
    carrier = Carrier(SystemClock())
    await carrier.start()
    yield Whereabouts(carrier.base_url, carrier.control_url)
    await carrier.close()


@pytest.fixture
def gone() -> Whereabouts:
    """Where nobody is any more."""
    closed = listening_socket(0)
    address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    closed.close()
    return Whereabouts(address, address)


@pytest.fixture
def demonstration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The throw-away home of a demonstration."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"{whereabouts.DEMO_FOLDER}1"


async def test_the_note_of_a_rehearsal_that_is_gone_hides_no_demonstration(
    tmp_path: Path, demonstration: Path, running: Whereabouts, gone: Whereabouts
) -> None:
    whereabouts.leave_note(tmp_path / "home", gone)
    whereabouts.leave_note(demonstration, running)
    assert await asyncio.to_thread(whereabouts.find, tmp_path / "home") == running
    assert await asyncio.to_thread(whereabouts.running_at, tmp_path / "home") is None
    assert await asyncio.to_thread(whereabouts.running_at, demonstration) == running


def test_where_only_notes_are_left_nobody_takes_orders(
    tmp_path: Path, demonstration: Path, gone: Whereabouts
) -> None:
    whereabouts.leave_note(tmp_path / "home", gone)
    whereabouts.leave_note(demonstration, gone)
    with pytest.raises(Refused, match="No rehearsal is running"):
        whereabouts.find(tmp_path / "home")


def test_a_rehearsal_takes_only_its_own_note_away(tmp_path: Path, gone: Whereabouts) -> None:
    other = Whereabouts("http://127.0.0.1:2", "http://127.0.0.1:2")
    whereabouts.leave_note(tmp_path, other)
    whereabouts.withdraw_note(tmp_path, gone)
    assert (tmp_path / whereabouts.FILE).exists()
    whereabouts.withdraw_note(tmp_path, other)
    assert not (tmp_path / whereabouts.FILE).exists()
