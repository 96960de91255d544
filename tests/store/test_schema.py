"""The schema: one way to make it, a copy before it changes, and no way back."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from app.domain.problem import Problem, Refused
from app.store import engines, schema
from app.store import tables as t
from app.store.engine import Database, open_database
from app.store.lease import FileLease
from app.store.tables import metadata
from tests.house import HandClock, Ledger, crew_of, opened
from tests.postgres import Server

SECOND = '''"""A second schema, for tests."""
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "tests", "{head}", None, None


def upgrade() -> None:
    op.add_column("productions", sa.Column("motto", sa.Text()))
'''


def database_of(home: Path) -> Database:
    return open_database(f"sqlite:///{home / 'callboard.db'}", HandClock())


def copies_in(home: Path) -> list[Path]:
    return list(home.glob("callboard.db.before-*"))


def test_the_migrations_make_exactly_the_tables_of_the_program(home: Path) -> None:
    engine = create_engine(f"sqlite:///{home / 'callboard.db'}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_migrations_make_the_same_statements_as_the_tables(home: Path, tmp_path: Path) -> None:
    """Checks, partial indexes and the like, which the comparison of columns does not see."""
    fresh = tmp_path / "fresh.db"
    engine = create_engine(f"sqlite:///{fresh}")
    metadata.create_all(engine)
    engine.dispose()
    made, meant = (_statements(path) for path in (home / "callboard.db", fresh))
    made.pop("alembic_version")
    assert made == meant


def _statements(path: Path) -> dict[str, list[str]]:
    """Every table and index with the parts of its statement, in no order."""
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    finally:
        connection.close()
    return {name: _parts(" ".join(sql.split())) for name, sql in rows}


def _parts(sql: str) -> list[str]:
    """What stands between the outermost brackets, comma by comma, and what stands after them."""
    opening = sql.index("(")
    parts, depth = [""], 0
    for character in sql[opening:]:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 1 and character in "(,":
            parts.append("")
        else:
            parts[-1] += character
    return sorted([sql[:opening].strip(), *(part.strip(" )") for part in parts)])


async def test_a_database_of_today_needs_nothing(home: Path) -> None:
    database = database_of(home)
    try:
        assert await schema.upgrade(database) is False
    finally:
        await database.close()
    assert not copies_in(home)


async def test_a_database_of_a_newer_program_is_refused_and_left_alone(home: Path) -> None:
    _set_revision(home, "9999")
    before = (home / "callboard.db").read_bytes()
    database = database_of(home)
    try:
        with pytest.raises(Refused, match="made by a newer Callboard"):
            await schema.upgrade(database)
    finally:
        await database.close()
    assert (home / "callboard.db").read_bytes() == before


@pytest.fixture
async def shared(home_on_server: Path) -> AsyncIterator[Ledger]:
    """A database on the server, at the revision of today before and after."""
    async with opened(home_on_server) as ledger:
        try:
            yield ledger
        finally:
            await _say_revision(ledger.database, schema.head())


async def _say_revision(database: Database, revision: str) -> None:
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})


async def _refusal(address: str) -> Problem:
    database = open_database(address, HandClock())
    try:
        with pytest.raises(Refused) as refused:
            await schema.upgrade(database)
    finally:
        await database.close()
    return refused.value.problem


async def test_a_server_that_is_not_there_is_said_with_where_its_address_stands(tmp_path: Path) -> None:
    problem = await _refusal(f"postgresql://postgres@/callboard?host={tmp_path}")
    assert problem.sentence == "The database server does not answer."
    assert "CALLBOARD_DATABASE_URL" in problem.next


async def test_a_server_that_takes_nobody_in_is_quoted(server: Server) -> None:
    problem = await _refusal(f"postgresql://postgres@/elsewhere?host={server.folder}")
    assert problem.sentence == 'The database server takes nobody in: database "elsewhere" does not exist.'
    assert "CALLBOARD_DATABASE_URL" in problem.next


async def test_a_server_of_a_newer_program_is_refused_and_left_alone(shared: Ledger) -> None:
    await _say_revision(shared.database, "9999")
    with pytest.raises(Refused, match="made by a newer Callboard"):
        await schema.upgrade(shared.database)
    assert await schema.revision(shared.database) == "9999"


async def test_on_a_server_nothing_is_changed_under_a_running_engine(
    shared: Ledger, clock: HandClock
) -> None:
    await shared.do(lambda connection: engines.beat(connection, "tests", "serve", shared.now))
    await _say_revision(shared.database, "0001")
    with pytest.raises(Refused, match="Another Callboard is sending"):
        await schema.upgrade(shared.database)
    assert await schema.revision(shared.database) == "0001"


async def test_two_programs_that_are_started_together_bring_a_server_up_to_date_once(shared: Ledger) -> None:
    async with shared.database.write() as connection:
        await connection.run_sync(t.engines.drop)
    await _say_revision(shared.database, "0001")
    done = await asyncio.gather(schema.upgrade(shared.database), schema.upgrade(shared.database))
    assert done == [True, True]
    assert await schema.revision(shared.database) == schema.head()
    assert await engines.at_work(shared.database) == []


def _set_revision(home: Path, revision: str) -> None:
    connection = sqlite3.connect(home / "callboard.db")
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if this program were one version further."""
    head = schema.head()
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    ours = Path(schema.__file__).parent / "migrations"
    for file in (ours / "env.py", *(ours / "versions").glob("0*.py")):
        (folder / file.relative_to(ours)).write_text(file.read_text())
    (folder / "versions" / "tests_second.py").write_text(SECOND.format(head=head))
    monkeypatch.setattr(schema, "MIGRATIONS", str(folder))


@pytest.mark.usefixtures("next_version")
async def test_the_file_is_copied_before_it_is_brought_up_to_date(home: Path) -> None:
    """Also what only stands in the write-ahead log yet, as after a kill."""
    writing = sqlite3.connect(home / "callboard.db")
    writing.execute("PRAGMA journal_mode=WAL")
    with writing:
        writing.execute("INSERT INTO home (name, value) VALUES ('said', 'before')")
    assert (home / "callboard.db-wal").stat().st_size > 0
    database = database_of(home)
    try:
        assert await schema.upgrade(database) is True
    finally:
        await database.close()
        writing.close()
    (copy,) = copies_in(home)
    kept = sqlite3.connect(copy)
    assert kept.execute("SELECT value FROM home WHERE name = 'said'").fetchone() == ("before",)
    assert "motto" not in [row[1] for row in kept.execute("PRAGMA table_info(productions)")]
    kept.close()
    now = sqlite3.connect(home / "callboard.db")
    assert "motto" in [row[1] for row in now.execute("PRAGMA table_info(productions)")]
    now.close()


@pytest.mark.usefixtures("next_version")
async def test_what_was_stored_is_still_there_after_the_upgrade(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as today:
        today.setattr(schema, "MIGRATIONS", "app.store:migrations")
        async with opened(home) as ledger:
            await ledger.hire(crew_of(5))
            message_id, _ = await ledger.compose()
            await ledger.route()
    async with opened(home) as ledger:
        assert len(await ledger.deliveries_of(message_id)) == 5
        await ledger.check_counters()


@pytest.mark.usefixtures("next_version")
async def test_nothing_is_changed_under_a_running_engine(home: Path) -> None:
    held = FileLease(home / "callboard.db")
    assert held.take("tests") is None
    database = database_of(home)
    try:
        with pytest.raises(Refused, match="Another Callboard is sending"):
            await schema.upgrade(database)
    finally:
        await database.close()
        held.release()
    assert not copies_in(home)
