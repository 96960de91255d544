"""The audit: append-only, each entry hashed with the one before, so that a changed or missing one is found.

The number of entries and the last hash stand outside the chain too, so that a chain cut off at its end is found.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import desc, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.actor import Actor
from app.store import productions
from app.store import tables as t

GENESIS = "0" * 64
"""What stands before the first entry."""


def entry_hash(previous: str, at: int, actor: str, action: str, subject: str, detail: str) -> str:
    """The hash of one entry, over everything it says and the hash of the one before."""
    body = json.dumps(
        [previous, at, actor, action, subject, detail], ensure_ascii=False, separators=(",", ":")
    )
    return hashlib.sha256(body.encode()).hexdigest()


async def record(
    connection: AsyncConnection,
    actor: Actor,
    action: str,
    subject: str,
    at: int,
    *,
    production_id: int | None = None,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Append an entry in the transaction of the act itself. ``subject`` and ``detail`` hold ids, never names."""
    await _one_after_the_other(connection)
    last = await connection.execute(select(t.audit.c.hash).order_by(desc(t.audit.c.id)).limit(1))
    previous = last.scalar_one_or_none() or GENESIS
    text = json.dumps(dict(detail or {}), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    who = f"{actor.name} ({actor.role.value})"
    digest = entry_hash(previous, at, who, action, subject, text)
    await connection.execute(
        t.audit.insert().values(
            production_id=production_id,
            at=at,
            actor=who,
            action=action,
            subject=subject,
            detail=text,
            previous=previous,
            hash=digest,
        )
    )
    entries, _ = await _end(connection)
    await productions.set_fact(connection, END, f"{entries + 1} {digest}")


END = "audit end"
"""The fact that holds the number of entries and the hash of the last one."""


async def _one_after_the_other(connection: AsyncConnection) -> None:
    """Two processes on one PostgreSQL must not both follow the same entry. SQLite has one writer at a time."""
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(AUDIT_LOCK)))


AUDIT_LOCK = 0x617564697400
"""The number of the lock: "audit" in ASCII."""


async def _end(connection: AsyncConnection) -> tuple[int, str]:
    entries, _, digest = (await productions.fact(connection, END) or f"0 {GENESIS}").partition(" ")
    return int(entries), digest


@dataclass(frozen=True, slots=True)
class Verified:
    """The chain as found. ``first_broken`` is the number of the first entry that does not fit, or that is missing at
    the end."""

    entries: int
    first_broken: int | None

    @property
    def ok(self) -> bool:
        return self.first_broken is None


async def verify(connection: AsyncConnection) -> Verified:
    """Walk the whole chain."""
    previous, entries = GENESIS, 0
    for row in await connection.execute(select(t.audit).order_by(t.audit.c.id)):
        entries += 1
        expected = entry_hash(previous, row.at, row.actor, row.action, row.subject, row.detail)
        if row.previous != previous or row.hash != expected:
            return Verified(entries, row.id)
        previous = row.hash
    if await _end(connection) != (entries, previous):
        return Verified(entries, entries + 1)
    return Verified(entries, None)
