"""The schema of a database: bring it up to date, and refuse one that a newer program made."""

from __future__ import annotations

import shutil
import sqlite3
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, inspect, select
from sqlalchemy.exc import DBAPIError

from app.domain.problem import Refused
from app.store import engines
from app.store import tables as t
from app.store.engine import Database

MIGRATIONS = "app.store:migrations"


def _config(location: str) -> Config:
    config = Config()
    config.set_main_option("script_location", location)
    return config


@cache
def _scripts(location: str) -> ScriptDirectory:
    """The migrations, read once: reading them is most of the time it takes to see that nothing is to be done."""
    return ScriptDirectory.from_config(_config(location))


def head() -> str:
    """The revision this program knows."""
    found = _scripts(MIGRATIONS).get_current_head()
    assert found is not None
    return found


def _revision_of(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


async def revision(database: Database) -> str | None:
    """The revision of the database, None for an empty one."""
    async with database.read() as connection:
        return await connection.run_sync(_revision_of)


async def upgrade(database: Database) -> bool:
    """Bring the schema up to date. Returns whether anything had to be done.

    A SQLite file with data is copied first, beside itself. Raises :class:`Refused` for a database that a newer
    Callboard made, while another process sends from it, and where its server cannot be used.
    """
    current = await _first_look(database)
    if current == head():
        return False
    known = {script.revision for script in _scripts(MIGRATIONS).walk_revisions()}
    if current is not None and current not in known:
        raise Refused(
            "This database was made by a newer Callboard.", "Update Callboard; the data is left as it is."
        )
    if current is not None:
        if await _somebody_sends(database):
            raise Refused(
                "Another Callboard is sending from this database, so it cannot be brought up to date.",
                "Quit that one first.",
            )
        if database.path:
            _copy(database.path, _copy_name(database.path, current))
    async with database.write() as connection:
        if database.path is None:
            await connection.execute(_ONE_AT_A_TIME)
        await connection.run_sync(_run)
    return True


async def _first_look(database: Database) -> str | None:
    """The revision; or a sentence why the server takes nobody in, which is where a wrong address shows."""
    if database.path is not None:
        return await revision(database)
    try:
        return await revision(database)
    except OSError:
        raise Refused(
            "The database server does not answer.",
            "Start it, or correct its address (CALLBOARD_DATABASE_URL, or database_url in the configuration).",
        ) from None
    except DBAPIError as error:
        said = str(error.orig.args[0]) if error.orig and error.orig.args else "without a reason"
        raise Refused(
            f"The database server takes nobody in: {said.rpartition('>: ')[2]}.",
            "Correct its address (CALLBOARD_DATABASE_URL, or database_url in the configuration), or ask who runs it.",
        ) from None


async def _somebody_sends(database: Database) -> bool:
    """Whether an engine runs on this database, of which only the first schema keeps no list."""
    if database.path is None and not await _keeps_a_list(database):
        return False
    return bool(await engines.at_work(database))


async def _keeps_a_list(database: Database) -> bool:
    async with database.read() as connection:
        return await connection.run_sync(lambda one: inspect(one).has_table(t.engines.name))


_ONE_AT_A_TIME = select(func.pg_advisory_xact_lock(0xCA11))
"""Two programs that are started together: the second finds that there is nothing left to do."""


def _copy_name(path: Path, current: str) -> Path:
    return path.with_name(f"{path.name}.before-{head()}-from-{current}")


def _copy(path: Path, copy: Path) -> None:
    """The whole database, with what a killed process left in the log beside the file."""
    source, target = sqlite3.connect(path), sqlite3.connect(copy)
    try:
        source.backup(target)
    finally:
        target.close()
        source.close()
    shutil.copymode(path, copy)


def _run(connection: Connection) -> None:
    config = _config(MIGRATIONS)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def running_config(context: Any) -> Connection:
    """The connection a migration runs on, for the migrations' own environment."""
    connection = context.config.attributes["connection"]
    assert isinstance(connection, Connection)
    return connection
