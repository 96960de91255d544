"""Productions, users and facts about this home."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import tables as t
from app.store.statements import insert


@dataclass(frozen=True, slots=True)
class Production:
    """One film, series or commercial: the tenant."""

    id: int
    public_id: str
    name: str
    region: str
    time_zone: str


async def all_productions(connection: AsyncConnection) -> list[Production]:
    rows = await connection.execute(select(t.productions).order_by(t.productions.c.id))
    return [Production(row.id, row.public_id, row.name, row.region, row.time_zone) for row in rows]


async def add(
    connection: AsyncConnection, *, public_id: str, name: str, region: str, time_zone: str, now_ms: int
) -> Production:
    key = (
        await connection.execute(
            t.productions.insert()
            .values(public_id=public_id, name=name, region=region, time_zone=time_zone, created_at=now_ms)
            .returning(t.productions.c.id)
        )
    ).scalar_one()
    return Production(int(key), public_id, name, region, time_zone)


async def change(connection: AsyncConnection, key: int, *, name: str, region: str, time_zone: str) -> None:
    """Give a production another name, region and time zone."""
    await connection.execute(
        update(t.productions)
        .where(t.productions.c.id == key)
        .values(name=name, region=region, time_zone=time_zone)
    )


async def is_untouched(connection: AsyncConnection, key: int) -> bool:
    """Whether a production has neither people nor messages."""
    for table in (t.people, t.messages):
        found = await connection.execute(select(table.c.id).where(table.c.production_id == key).limit(1))
        if found.first() is not None:
            return False
    return True


async def add_user(connection: AsyncConnection, *, public_id: str, name: str, role: str, now_ms: int) -> None:
    """Add a user where the name is not known yet."""
    await connection.execute(
        insert(connection, t.users)
        .values(public_id=public_id, name=name, role=role, created_at=now_ms)
        .on_conflict_do_nothing(index_elements=["name"])
    )


async def role_of(connection: AsyncConnection, name: str) -> str | None:
    return (await connection.execute(select(t.users.c.role).where(t.users.c.name == name))).scalar()


async def fact(connection: AsyncConnection, name: str) -> str | None:
    """A fact about this home, such as ``demo``."""
    return (await connection.execute(select(t.home.c.value).where(t.home.c.name == name))).scalar()


async def set_fact(connection: AsyncConnection, name: str, value: str) -> None:
    statement = insert(connection, t.home).values(name=name, value=value)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"value": statement.excluded.value})
    )
