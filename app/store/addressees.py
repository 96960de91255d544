"""People as routing sees them: contact points without addresses, consents and opt-outs as they stand now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.routing import Addressee, AddressKind, Consent, ContactPoint, LineType
from app.store import tables as t
from app.store.quiet import window_of
from app.store.statements import chunks
from providers.contract import Channel


@dataclass(frozen=True, slots=True)
class Listed:
    """A person of the crew list with what routing needs."""

    person_id: int
    public_id: str
    name: str
    department: str
    addressee: Addressee
    lookups: dict[int, str]
    """Contact point → keyed hash of its address: the same for two people on one number."""
    texted: frozenset[int]
    """Contact points that have had a text before."""


async def of_people(
    connection: AsyncConnection, production_id: int, person_ids: Collection[int]
) -> dict[int, Listed]:
    """The addressees among these people, by person."""
    found: dict[int, Listed] = {}
    for some in chunks(sorted(person_ids)):
        found |= await _of_some(connection, production_id, some)
    return found


async def _of_some(
    connection: AsyncConnection, production_id: int, ids: Collection[int]
) -> dict[int, Listed]:
    people = (await connection.execute(_PEOPLE, {"ids": ids})).all()
    points: dict[int, list[Any]] = {}
    for point in await connection.execute(_CONTACT_POINTS, {"ids": ids}):
        points.setdefault(point.person_id, []).append(point)
    point_ids = [point.id for some in points.values() for point in some]
    consents: dict[int, dict[Channel, Consent]] = {}
    opted_out: dict[str, set[Channel]] = {}
    lookups = {point.lookup for some in points.values() for point in some}
    for part in chunks(point_ids):
        for row in await connection.execute(_CONSENTS, {"points": part}):
            consents.setdefault(row.contact_point_id, {})[Channel(row.channel)] = Consent(row.state)
    for part in chunks(sorted(lookups)):
        for out in await connection.execute(_OPT_OUTS, {"lookups": part, "production": production_id}):
            opted_out.setdefault(out.lookup, set()).add(Channel(out.channel))
    return {
        person.id: Listed(
            person_id=person.id,
            public_id=person.public_id,
            name=person.name,
            department=person.department,
            addressee=Addressee(
                person_id=person.id,
                time_zone=person.time_zone,
                quiet=window_of(person),
                contact_points=tuple(
                    ContactPoint(
                        id=point.id,
                        kind=AddressKind(point.kind),
                        line_type=LineType(point.line_type),
                        problem=point.problem,
                        consents=consents.get(point.id),
                        opted_out=frozenset(opted_out.get(point.lookup, ())),
                    )
                    for point in points.get(person.id, ())
                ),
            ),
            lookups={point.id: point.lookup for point in points.get(person.id, ())},
            texted=frozenset(
                point.id for point in points.get(person.id, ()) if point.first_text_at is not None
            ),
        )
        for person in people
    }


# Statements are built once: building one costs more than running it.

_PEOPLE = select(t.people).where(t.people.c.id.in_(bindparam("ids", expanding=True)))
_CONTACT_POINTS = (
    select(t.contact_points)
    .where(
        t.contact_points.c.person_id.in_(bindparam("ids", expanding=True)),
        t.contact_points.c.retired_at.is_(None),
    )
    .order_by(t.contact_points.c.place, t.contact_points.c.id)
)
_CONSENTS = (
    select(t.consents.c.contact_point_id, t.consents.c.channel, t.consents.c.state)
    .where(t.consents.c.contact_point_id.in_(bindparam("points", expanding=True)))
    .order_by(t.consents.c.at, t.consents.c.id)
)
_OPT_OUTS = select(t.suppressions.c.lookup, t.suppressions.c.channel).where(
    t.suppressions.c.lookup.in_(bindparam("lookups", expanding=True)),
    t.suppressions.c.lifted_at.is_(None),
    or_(
        t.suppressions.c.production_id.is_(None),
        t.suppressions.c.production_id == bindparam("production"),
    ),
)
