"""Setting up a production."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.domain import ids, phone, times
from app.domain.actor import Actor
from app.domain.problem import Refused
from app.services.office import Office, may_set_up
from app.store import audit, productions
from app.store.productions import Production

REGION: Final = "US"

LONGEST_NAME: Final = 60
"""Characters. Every text begins with the name: a longer one leaves no room for the message."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """A production, and whether it is new."""

    production: Production
    created: bool


async def set_up(
    office: Office,
    actor: Actor,
    *,
    name: str,
    region: str | None,
    time_zone: str | None,
    zone_here: str,
    placeholder: str,
) -> SetUp:
    """Make a production. The one that every home begins with (``placeholder``) is given the new name as long as
    nothing is in it. Asked for twice, the second time changes nothing. A new production without a region is in
    :data:`REGION`, one without a time zone in ``zone_here``.

    Raises :class:`Refused` for a name, region or time zone that cannot be, a production of that name that is set
    up otherwise, and somebody who may not set up productions.
    """
    may_set_up(actor, "a production")
    name = " ".join(name.split())
    wanted = (region.strip().upper() if region else None, time_zone.strip() if time_zone else None)
    region, time_zone = wanted[0] or REGION, wanted[1] or zone_here
    _check(name, region, time_zone)
    now = office.clock.now_ms()
    async with office.database.write() as connection:
        known = await productions.all_productions(connection)
        for one in known:
            if one.name.casefold() != name.casefold():
                continue
            if wanted[0] in (None, one.region) and wanted[1] in (None, one.time_zone):
                return SetUp(one, created=False)
            if one.name != placeholder or not await productions.is_untouched(connection, one.id):
                raise Refused(
                    f"There is a production {one.name} already, in {one.region} and {one.time_zone}.",
                    f'Use it: --production "{one.name}"; or give the new one another name.',
                )
        first = known[0] if len(known) == 1 and known[0].name == placeholder else None
        if first and await productions.is_untouched(connection, first.id):
            await productions.change(connection, first.id, name=name, region=region, time_zone=time_zone)
            made = Production(first.id, first.public_id, name, region, time_zone)
        else:
            made = await productions.add(
                connection,
                public_id=ids.ulid(now, office.random_bytes),
                name=name,
                region=region,
                time_zone=time_zone,
                now_ms=now,
            )
        await audit.record(
            connection,
            actor,
            "production",
            f"production:{made.public_id}",
            now,
            production_id=made.id,
            detail={"region": region, "time_zone": time_zone},
        )
    return SetUp(made, created=True)


def _check(name: str, region: str, time_zone: str) -> None:
    if not name or not name.isprintable() or len(name) > LONGEST_NAME:
        raise Refused(
            f"A production's name has 1 to {LONGEST_NAME} characters: every text begins with it.",
            'Write it as the crew knows it: --production "NIGHTFALL S2".',
        )
    if not phone.is_region(region):
        raise Refused(f"“{region}” is no country.", "Write its two letters: --region US.")
    if not times.is_zone(time_zone):
        raise Refused(
            f"“{time_zone}” is no time zone.", "Write it as in the tables: --time-zone America/Los_Angeles."
        )
