"""A number that is corrected while something waits for it: what waits goes to the new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.evidence import Work
from app.domain.priorities import PRIORITY_OF_RANK, Purpose
from app.domain.routing import Routable, route
from app.store import stopping
from app.store import tables as t
from app.store.addressees import Listed
from app.store.statements import chunks
from providers.contract import Channel


async def move(
    connection: AsyncConnection, rows: Sequence[Any], people: Mapping[int, Listed], now_ms: int
) -> set[int]:
    """claimed → queued again, at the address that has taken the place of the one it was planned for. Returns which
    could be moved: those whose person has an address of that kind now, and nothing of this step there yet.

    Others on the old number keep what was planned for them. The text is rendered anew: the new number may never
    have had one.
    """
    wanted = {row.id: (row, _now_at(row, people[row.person_id], now_ms)) for row in rows}
    there = await _there_already(connection, [row.recipient_id for row in rows])
    moved = [
        {"key": key, "point": point}
        for key, (row, point) in wanted.items()
        if point is not None and (row.step_id, row.recipient_id, row.channel, point) not in there
    ]
    if moved:
        await stopping.give_on(connection, [one["key"] for one in moved])
        await connection.execute(_MOVE, moved)
    return {int(one["key"]) for one in moved}


def _now_at(row: Any, person: Listed, now_ms: int) -> int | None:
    channel = Channel(row.channel)
    message = Routable(PRIORITY_OF_RANK[row.priority], Purpose(row.purpose), (channel,))
    paths = route(person.addressee, message, frozenset({channel}), now_ms).paths
    return paths[0].contact_point_id if paths else None


async def _there_already(
    connection: AsyncConnection, recipient_ids: Sequence[int]
) -> set[tuple[int, int, str, int]]:
    d = t.deliveries.c
    found: set[tuple[int, int, str, int]] = set()
    for some in chunks(sorted(set(recipient_ids))):
        for row in await connection.execute(
            select(d.step_id, d.recipient_id, d.channel, d.contact_point_id).where(d.recipient_id.in_(some))
        ):
            found.add((row.step_id, row.recipient_id, row.channel, row.contact_point_id))
    return found


_MOVE = (
    update(t.deliveries)
    .where(t.deliveries.c.id == bindparam("key"))
    .values(
        contact_point_id=bindparam("point"), work=Work.QUEUED.value, worker=None, lease_until=None, text=None
    )
)
