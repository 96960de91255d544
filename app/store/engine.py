"""The database: one place that opens it, starts transactions and tells who waits that something changed.

SQLite by default. Every writing transaction begins with ``BEGIN IMMEDIATE``: a deferred one would fail at once
when two processes write. Commits are synchronous: what was reported as stored is on the disk.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import create_engine, event, func, make_url, select
from sqlalchemy.engine import URL, Engine
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.domain.problem import Refused
from app.store.visits import BEGIN, Visitor, Work
from providers.contract import Clock

T = TypeVar("T")

BUSY_TIMEOUT_MS = 8_000
"""How long a writer waits for another process before it gives up. Above the longest block insert (5 s)."""

LOOK_EVERY_MS = 50
"""How often SQLite is asked whether another process wrote: soon enough for an eye, cheap enough for a laptop."""

IDLE_MS = 15_000
"""How long PostgreSQL keeps a transaction open whose program says nothing: it may be cut off or asleep, and others
wait for its rows. Half a lease, so that they have them back when they may take over."""

SNAPSHOT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""On PostgreSQL the figures of one look belong together only if asked for."""

WROTE = "callboard"
"""The channel on which PostgreSQL tells that something was committed."""

_TELL = select(func.pg_notify(WROTE, ""))

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
"""People write the plain name; the driver is ours to choose."""


_DISCREET = {"hide_parameters": True}
"""Errors name the statement and never its values: those are names and texts, and errors end in the log."""


def driver_url(address: str) -> URL:
    """The address with our driver in it. Raises :class:`Refused` for a database we do not speak to."""
    try:
        url = make_url(address)
    except Exception:
        raise Refused(
            "The database address cannot be read.",
            "Write it as sqlite:////path/to/file or postgresql://user:password@host/name.",
        ) from None
    plain = (
        url.drivername.split("+")[0].replace("postgres", "postgresql").replace("postgresqlql", "postgresql")
    )
    if plain not in DRIVERS:
        raise Refused(f"Callboard does not keep its data in {plain}.", "Use sqlite:/// or postgresql://.")
    return url.set(drivername=DRIVERS[plain])


class Database:
    """An open database. ``read`` and ``write`` give transactions; those who listen hear of every commit."""

    def __init__(self, engine: AsyncEngine, clock: Clock, visited: Engine | None = None) -> None:
        self.engine = engine
        self._plain = visited
        self._reader = Visitor(visited, writes=False, name="database reader") if visited else None
        self._writer = Visitor(visited, writes=True, name="database writer") if visited else None
        self.clock = clock
        self.dialect = engine.dialect.name
        self._bells: dict[asyncio.Event, bool] = {}

    @property
    def path(self) -> Path | None:
        """The file, where the database is one."""
        name = self.engine.url.database
        return Path(name) if self.dialect == "sqlite" and name else None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A snapshot. Nothing written in it is kept."""
        with self.clock.working():
            async with self.engine.connect() as connection:
                if self.dialect == "postgresql":
                    await connection.execution_options(**SNAPSHOT)
                yield connection
                await connection.rollback()

    @asynccontextmanager
    async def write(self, *, by_engine: bool = False) -> AsyncIterator[AsyncConnection]:
        """One writing transaction: all of it is stored when the block ends, or nothing."""
        with self.clock.working():
            async with self.engine.connect() as connection:
                await connection.execution_options(callboard_writes=True)
                async with connection.begin():
                    yield connection
                    if self.dialect == "postgresql":
                        await connection.execute(_TELL)
        self.ring(by_engine=by_engine)

    async def reading(self, work: Work[T]) -> T:
        """The result of ``work`` on a snapshot. ``work`` awaits nothing but its connection."""
        if self._reader is None:
            async with self.read() as connection:
                return await work(connection)
        with self.clock.working():
            return await self._reader.visit(work)

    async def writing(self, work: Work[T], *, by_engine: bool = False) -> T:
        """The result of ``work`` in one writing transaction: all of it is stored, or nothing.

        ``work`` awaits nothing but its connection: on SQLite it runs in the database's own thread.
        """
        if self._writer is None:
            async with self.write(by_engine=by_engine) as connection:
                return await work(connection)
        with self.clock.working():
            result = await self._writer.visit(work)
        self.ring(by_engine=by_engine)
        return result

    async def watch(self) -> None:
        """Ring whenever another process has written something. Runs until cancelled."""
        if self._writer is None:
            await self._listen()
            return
        seen = await self._version(self._writer)
        while True:
            await self.clock.sleep_until(self.clock.now_ms() + LOOK_EVERY_MS)
            version = await self._version(self._writer)
            if version != seen:
                seen = version
                self.ring()

    async def _version(self, visitor: Visitor) -> int:
        with self.clock.working():
            return await visitor.version()

    async def _listen(self) -> None:
        """PostgreSQL tells of every commit. Where the line breaks the error is raised, and with the next start
        everybody looks once."""
        async with self.engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

            def tell(*_: object) -> None:
                self.ring()

            def end(*_: object) -> None:
                if not broken.done():
                    broken.set_exception(ConnectionError("the line to the database broke"))

            await driver.add_listener(WROTE, tell)
            driver.add_termination_listener(end)
            self.ring()
            try:
                await broken
            finally:
                if not driver.is_closed():
                    await driver.remove_listener(WROTE, tell)

    def ring(self, *, by_engine: bool = False) -> None:
        """Wake those in this process who wait for a change."""
        for bell, hears_engine in self._bells.items():
            if hears_engine or not by_engine:
                bell.set()

    @contextmanager
    def listening(self, *, to_engine: bool = True) -> Iterator[asyncio.Event]:
        """A bell that rings after every commit made through this object.

        The engine itself does not listen to its own commits: it would wake itself for ever.
        """
        bell = asyncio.Event()
        self._bells[bell] = to_engine
        try:
            yield bell
        finally:
            del self._bells[bell]

    async def close(self) -> None:
        for visitor in (self._reader, self._writer):
            if visitor:
                await visitor.close()
        if self._plain:
            self._plain.dispose()
        await self.engine.dispose()


def open_database(address: str, clock: Clock) -> Database:
    """Open the database at ``address``. Connects at first use; raises :class:`Refused` for a wrong address."""
    url = driver_url(address)
    if url.get_backend_name() == "sqlite":
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_async_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000}, **_DISCREET)
        plain = create_engine(
            url.set(drivername="sqlite"),
            connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False},
            **_DISCREET,
        )
        for one in (engine.sync_engine, plain):
            event.listen(one, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return Database(engine, clock, plain)
    session = {"idle_in_transaction_session_timeout": str(IDLE_MS), "application_name": "callboard"}
    engine = create_async_engine(
        url, pool_pre_ping=True, connect_args={"server_settings": session}, **_DISCREET
    )
    event.listen(engine.sync_engine, "handle_error", _leave_out_values)
    return Database(engine, clock)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where we say, not where the driver guesses
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "cache_size=-32000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
    connection.create_function("lower", 1, _lower, deterministic=True)


def _leave_out_values(context: ExceptionContext) -> None:
    """PostgreSQL explains an error with the values of the row, and its driver repeats that in every text."""
    for error in (context.sqlalchemy_exception, *_causes(context.original_exception)):
        if error is not None:
            error.args = tuple(
                one.partition(_VALUES_FOLLOW)[0] if isinstance(one, str) else one for one in error.args
            )
            if getattr(error, "detail", None):
                error.detail = None  # type: ignore[attr-defined]


_VALUES_FOLLOW = "\nDETAIL:"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _lower(text: object) -> object:
    """SQLite's own lower() knows only the English alphabet: Åsa would not be found as åsa."""
    return text.lower() if isinstance(text, str) else text


def _begin_sqlite(connection: Any) -> None:
    writes = connection.get_execution_options().get("callboard_writes", False)
    connection.exec_driver_sql(BEGIN[writes])


def is_busy_or_full(error: BaseException) -> bool:
    """Whether the database could not take a write just now: locked by another process, or the disk is full."""
    if isinstance(error, OSError):
        return True  # PostgreSQL is not there: it is being started again
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _not_now(error.orig)
    return isinstance(error, sqlite3.Error) and _not_now(error)  # a visit begins on the driver itself


def takes_nothing(error: BaseException) -> bool:
    """Whether it is the database that failed (it is not there, it is locked, it may only be read), and not what was
    to be stored."""
    return is_busy_or_full(error) or isinstance(error, OperationalError | sqlite3.OperationalError)


def _not_now(error: BaseException | None) -> bool:
    text = str(error).lower()
    return any(sign in text for sign in _NOT_NOW)


_NOT_NOW = (
    # SQLite
    "database is locked", "database is busy", "disk is full", "disk i/o error", "unable to open",
    # PostgreSQL: two writers in each other's way, a server that stops or starts, a disk that is full
    "deadlock detected", "could not serialize", "connection was closed", "connection is closed",
    "terminating connection", "starting up", "shutting down", "no space left", "could not extend file",
    "too many clients", "too many connections",
)  # fmt: skip
"""What the databases say when a later try may succeed."""
