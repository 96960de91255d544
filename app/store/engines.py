"""Which engines send from a database that several may share, and whether any does.

A SQLite file has one engine, and its lease says which. On PostgreSQL each engine has a row with its heartbeat: who
has not been heard of for a while counts as gone, and so does a process of this computer that is no longer there.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import lease
from app.store import tables as t
from app.store.engine import Database
from app.store.statements import insert

BEAT_MS = 10_000
"""How often an engine says that it is there."""

FRESH_MS = 3 * BEAT_MS
"""For how long that counts. As long as a lease: when an engine counts as gone, what it held is free."""

FORGET_MS = 86_400_000
"""After how long the row of an engine that was killed is cleared away."""


@dataclass(frozen=True, slots=True)
class AtWork:
    """An engine that sends: what it is ("serve", "terminal"), and the process it runs in."""

    what: str
    host: str
    pid: int

    def __str__(self) -> str:
        where = "" if self.host == socket.gethostname() else f" on {self.host}"
        return f"{self.what}, process {self.pid}{where}"


async def at_work(database: Database) -> list[AtWork]:
    """The engines that send from this database now, the longest running first."""
    if database.path is not None:
        return _of_file(lease.holder(database.path))
    now = database.clock.now_ms()
    return await database.reading(lambda connection: fresh(connection, now))


def _of_file(holder: lease.Holder | None) -> list[AtWork]:
    return [AtWork(holder.what, socket.gethostname(), holder.process)] if holder else []


async def fresh(connection: AsyncConnection, now_ms: int) -> list[AtWork]:
    """The engines whose heartbeat is fresh. One that lies ahead by more than a heartbeat's time is of a clock that
    has been set back since, and says nothing."""
    e = t.engines.c
    rows = await connection.execute(
        select(e.what, e.host, e.pid)
        .where(e.beat_at > now_ms - FRESH_MS, e.beat_at < now_ms + FRESH_MS)
        .order_by(e.started_at, e.worker)
    )
    return [one for one in (AtWork(*row) for row in rows) if not _is_gone(one)]


def _is_gone(one: AtWork) -> bool:
    """Whether it is plain to see that the process has ended: only for one of this computer."""
    if one.host != socket.gethostname():
        return False
    try:
        os.kill(one.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False  # it is somebody else's
    return False


async def beat(connection: AsyncConnection, worker: str, what: str, now_ms: int) -> None:
    """Say that the engine of this process is there. Others may have cleared its row away meanwhile."""
    statement = insert(connection, t.engines).values(
        worker=worker,
        what=what,
        host=socket.gethostname(),
        pid=os.getpid(),
        started_at=now_ms,
        beat_at=now_ms,
    )
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["worker"], set_={"beat_at": now_ms})
    )


async def leave(connection: AsyncConnection, worker: str) -> None:
    """This engine has stopped in order."""
    await connection.execute(delete(t.engines).where(t.engines.c.worker == worker))


async def forget_old(connection: AsyncConnection, now_ms: int) -> None:
    """Clear away the rows of engines that were killed long ago."""
    await connection.execute(delete(t.engines).where(t.engines.c.beat_at < now_ms - FORGET_MS))
