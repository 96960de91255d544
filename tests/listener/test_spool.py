"""When the database takes no writes, callbacks wait on disk: answered at once, stored later, never lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from app.clock import SystemClock
from app.dispatch.writer import Writer
from app.domain.buckets import Bucket
from app.listener.intake import Intake
from app.listener.spool import Spool, Spooled
from app.store import incidents
from app.store import tables as t
from app.store.receipts import Incoming
from app.store.vault import Vault, open_vault
from providers.contract import CallbackBatch, Channel, Fact, Inbound, ProviderError
from tests.house import SENDER, HandClock, Ledger, number, opened
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


@contextlib.asynccontextmanager
async def listening(ledger: Ledger, spool: Spool) -> AsyncIterator[Intake]:
    """The way in, with the writer of an engine behind it."""
    writer = Writer(ledger.database, "tests")
    running = asyncio.create_task(writer.run())
    try:
        yield Intake(writer, spool, ledger.vault, ledger.clock)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def text_from(sender: str, words: str, sid: str) -> Inbound:
    return Inbound(Channel.SMS, sid, sender, SENDER, words, f"{sid}:received")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not what was written", id="damaged"),
        pytest.param(Vault(b"x" * 32).encrypt("spool", "{}"), id="another key"),
        pytest.param(Vault(b"k" * 32).encrypt("spool", "[]"), id="another shape"),
        pytest.param(Vault(b"k" * 32).encrypt("spool", "{"), id="cut"),
    ],
)
def test_a_file_that_cannot_be_read_is_set_aside_and_holds_up_nothing(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "spool"
    spool = Spool(folder, Vault(b"k" * 32))
    spool.keep(FULL, 2_000)
    (folder / "000000000000001-1-000001.callback").write_bytes(content)
    assert [spooled for _, spooled in spool.waiting()] == [FULL]
    assert (folder / "000000000000001-1-000001.unreadable").read_bytes() == content
    assert spool.unreadable() == 1


def test_the_name_of_a_file_is_on_the_disk_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "spool"
    named: list[bool] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if os.path.samestat(os.fstat(descriptor), folder.stat()):
            named.append(bool(list(folder.glob("*.callback"))))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    Spool(folder, Vault(b"k" * 32)).keep(FULL, 1)
    assert named == [True]


async def test_one_incident_stands_while_there_are_files_that_cannot_be_read(
    ledger: Ledger, tmp_path: Path
) -> None:
    folder = tmp_path / "spool"
    spool = Spool(folder, ledger.vault)
    spool.keep(Spooled(inbound=((ledger.account_id, text_from(number(1), "hello", "SM1")),)), 2_000)
    (folder / "000000000000001-1-000001.callback").write_bytes(b"damaged")
    async with listening(ledger, spool) as intake:
        assert await intake.flush() == 1
        assert await intake.flush() == 0
        assert len(await ledger.ask(select(t.inbound))) == 1
        assert [one.kind for one in await ledger.database.reading(incidents.standing)] == ["spool"]
        next(folder.glob("*.unreadable")).unlink()
        await intake.flush()
        assert await ledger.database.reading(incidents.standing) == []
    assert len(await ledger.ask(select(t.incidents))) == 1


async def test_a_callback_that_cannot_be_stored_stays_and_holds_up_nothing(
    ledger: Ledger, tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "spool", ledger.vault)
    no_account: Any = None
    spool.keep(Spooled(inbound=((no_account, text_from(number(2), "at fault", "SM2")),)), 1_000)
    spool.keep(Spooled(inbound=((ledger.account_id, text_from(number(1), "behind it", "SM1")),)), 2_000)
    async with listening(ledger, spool) as intake:
        with pytest.raises(IntegrityError):
            await intake.flush()
    assert len(await ledger.ask(select(t.inbound))) == 1
    assert len(list(spool.waiting())) == 1


async def test_a_reply_to_a_database_that_cannot_be_written_is_stored_at_the_next_start(
    home: Path, clock: HandClock
) -> None:
    spool = Spool(home / "spool", open_vault(home / "callboard.key"))
    reply = text_from(number(1), "STOP", "SM1")
    async with opened(home, clock) as ledger, listening(ledger, spool) as intake:
        await ledger.do(lambda connection: connection.execute(text("PRAGMA query_only = 1")))
        await intake.take(ledger.account_id, CallbackBatch(inbound=(reply,)))
        assert [spooled.inbound for _, spooled in spool.waiting()] == [((ledger.account_id, reply),)]
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await intake.flush()
        assert len(list(spool.waiting())) == 1
    async with opened(home, clock) as ledger, listening(ledger, spool) as intake:
        assert await intake.flush() == 1
        assert len(await ledger.ask(select(t.suppressions))) == 1
    assert list(spool.waiting()) == []
