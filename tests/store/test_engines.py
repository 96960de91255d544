"""Which engines send from a database that several may share."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.store import engines
from app.store import tables as t
from app.store.engines import BEAT_MS, FORGET_MS, FRESH_MS, AtWork
from app.store.lease import FileLease
from tests.house import HandClock, Ledger, opened

HERE = socket.gethostname()


@pytest.fixture
async def shared(home_on_server: Path, clock: HandClock) -> AsyncIterator[Ledger]:
    async with opened(home_on_server, clock) as here:
        yield here


async def beat(ledger: Ledger, worker: str, what: str = "serve") -> None:
    await ledger.do(lambda connection: engines.beat(connection, worker, what, ledger.now))


async def test_an_engine_counts_as_long_as_its_heartbeat_is_fresh(shared: Ledger, clock: HandClock) -> None:
    assert await engines.at_work(shared.database) == []
    await beat(shared, "first")
    clock.advance((FRESH_MS - 1) / 1000)
    assert await engines.at_work(shared.database) == [AtWork("serve", HERE, os.getpid())]
    clock.advance(0.001)
    assert await engines.at_work(shared.database) == []
    await beat(shared, "first")
    assert len(await engines.at_work(shared.database)) == 1


async def test_several_are_told_the_longest_running_first_until_they_leave(
    shared: Ledger, clock: HandClock
) -> None:
    await beat(shared, "later in the alphabet", "serve")
    clock.advance(1)
    await beat(shared, "earlier", "terminal")
    clock.advance(1)
    await beat(shared, "later in the alphabet", "serve")
    assert [one.what for one in await engines.at_work(shared.database)] == ["serve", "terminal"]
    await shared.do(lambda connection: engines.leave(connection, "later in the alphabet"))
    assert [one.what for one in await engines.at_work(shared.database)] == ["terminal"]


async def test_a_heartbeat_from_before_the_clock_was_set_back_does_not_count(
    shared: Ledger, clock: HandClock
) -> None:
    await beat(shared, "first")
    clock.advance(-3600)
    assert await engines.at_work(shared.database) == []


@pytest.fixture
def ended() -> int:
    """A process that is no longer there."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


async def test_a_process_of_this_computer_that_has_ended_does_not_count(shared: Ledger, ended: int) -> None:
    await beat(shared, "first")
    await shared.do(lambda connection: connection.execute(update(t.engines).values(pid=ended)))
    assert await engines.at_work(shared.database) == []


async def test_of_another_computer_only_the_heartbeat_can_tell(
    shared: Ledger, clock: HandClock, ended: int
) -> None:
    await beat(shared, "first")
    elsewhere = update(t.engines).values(host="stage4.example", pid=ended)
    await shared.do(lambda connection: connection.execute(elsewhere))
    (one,) = await engines.at_work(shared.database)
    assert str(one) == f"serve, process {ended} on stage4.example"
    clock.advance(FRESH_MS / 1000)
    assert await engines.at_work(shared.database) == []


async def test_who_was_killed_long_ago_is_cleared_away(shared: Ledger, clock: HandClock) -> None:
    await beat(shared, "killed")
    clock.advance((FORGET_MS + BEAT_MS) / 1000)
    await beat(shared, "alive")
    await shared.do(lambda connection: engines.forget_old(connection, shared.now))
    assert [row.worker for row in await shared.ask(select(t.engines.c.worker))] == ["alive"]


async def test_on_a_file_the_lease_is_the_truth(home: Path, clock: HandClock) -> None:
    lease = FileLease(home / "callboard.db")
    async with opened(home, clock) as ledger:
        await beat(ledger, "a row that means nothing here")
        assert await engines.at_work(ledger.database) == []
        assert lease.take("terminal") is None
        clock.advance(86_400)
        assert await engines.at_work(ledger.database) == [AtWork("terminal", HERE, os.getpid())]
        lease.release()
        assert await engines.at_work(ledger.database) == []
