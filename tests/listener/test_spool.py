"""When the database takes no writes, callbacks wait on disk: answered at once, stored later, never lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from app.clock import SystemClock
from app.domain.buckets import Bucket
from app.listener.spool import Spool, Spooled
from app.store import tables as t
from app.store.receipts import Incoming
from app.store.vault import Vault
from providers.contract import Channel, Fact, Inbound, ProviderError
from tests.listener.scene import Scene, play

FULL = Spooled(
    receipts=(
        Incoming(
            1,
            "SM1:failed",
            Fact.FAILED,
            "abc",
            "SM1",
            ProviderError("30003", "Off.", retryable=True),
            b"\x00\xff",
            5,
        ),
        Incoming(1, "SM2:sent", Fact.ACCEPTED, None, None, None, b"", 6),
    ),
    inbound=(
        (1, Inbound(Channel.SMS, "SM3", "+12025550143", "+12025550100", "1 – ok", "SM3", {"Body": "1"})),
    ),
)


def test_what_goes_into_the_spool_comes_out_the_same_and_in_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", Vault(b"k" * 32))
    spool.keep(FULL, 2_000)
    spool.keep(Spooled(), 1_000)
    assert [spooled for _, spooled in spool.waiting()] == [Spooled(), FULL]


def test_nothing_in_the_spool_can_be_read_without_the_key(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", Vault(b"k" * 32))
    spool.keep(FULL, 2_000)
    (file,) = (tmp_path / "spool").iterdir()
    assert b"2025550143" not in file.read_bytes()


def test_a_half_written_file_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    (folder / "000000000000001-1-000001.part").write_bytes(b"cut")
    assert list(Spool(folder, Vault(b"k" * 32)).waiting()) == []


def test_a_folder_that_cannot_be_written_is_an_error_the_provider_hears_of(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="spool"):
        Spool(tmp_path / "spool", Vault(b"k" * 32)).keep(FULL, 1)


def test_a_reply_that_comes_while_another_process_locks_the_database_is_not_lost(tmp_path: Path) -> None:
    """In real time: SQLite itself waits for the lock."""

    async def act(scene: Scene) -> None:
        number = await scene.number_of("Cruz Park")
        other = sqlite3.connect(tmp_path / "callboard.db", isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            answer = await scene.says(number, "1", "SM" + "1" * 32)
            assert answer.status == 200
            waiting = list((tmp_path / "spool").glob("*.callback"))
            assert len(waiting) == 1
            other.execute("ROLLBACK")
        finally:
            other.close()
        flush = scene.demo.house.engine.flush_spool if scene.demo.house.engine else None
        assert flush is not None
        assert await flush() == 1
        assert (await scene.standing("Cruz Park")).bucket is Bucket.CONFIRMED
        assert await scene.rows(t.answers) == 1
        assert await scene.counters_are_true()

    play(tmp_path, act, people=3, clock=SystemClock())
