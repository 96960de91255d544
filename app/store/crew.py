"""The crew list as it is kept: people with their contact points, addresses decrypted only here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.routing import ADDRESS_OF_CHANNEL, AddressKind, Consent
from app.store import tables as t
from app.store.contacts import suppress_address
from app.store.statements import chunks
from app.store.vault import Vault
from providers.contract import Channel

FIELD = {AddressKind.PHONE: "contact_points.phone", AddressKind.EMAIL: "contact_points.email"}
"""The field name each kind of address is encrypted for."""


def field_of(channel: Channel) -> str:
    """The field name the addresses of this channel are encrypted for."""
    return FIELD[ADDRESS_OF_CHANNEL[channel]]


EMERGENCY = "people.emergency"

CREW_LIST = "crew list"
"""The source written into consents and opt-outs that an import brought."""


@dataclass(frozen=True, slots=True)
class Address:
    """One address of a person, in clear. Never logged, never shown but to who may edit it."""

    kind: AddressKind
    value: str = field(repr=False)
    tail: str = ""
    line_type: str = "unknown"
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A person of the crew list."""

    id: int
    public_id: str
    values: Mapping[str, Any]
    """The columns of ``people`` that a crew list fills."""
    addresses: tuple[Address, ...]
    emergency: tuple[str, str]
    sms_consent: str
    """yes, no, opted_out or unknown."""

    @property
    def name(self) -> str:
        return str(self.values["name"])

    def first(self, kind: AddressKind) -> Address | None:
        return next((one for one in self.addresses if one.kind is kind), None)


COLUMNS = (
    "name", "department", "position", "department_head", "unit", "language", "time_zone", "call_offset_min",
    "start_date", "finish_date", "day_status", "quiet_start", "quiet_end",
)  # fmt: skip
"""What a crew list says about a person, besides addresses."""


async def members(
    connection: AsyncConnection, vault: Vault, production_id: int, public_id: str | None = None
) -> list[Member]:
    """The crew of a production, by department and name."""
    query = (
        select(t.people)
        .where(t.people.c.production_id == production_id, t.people.c.removed_at.is_(None))
        .order_by(t.people.c.department, t.people.c.name, t.people.c.id)
    )
    if public_id is not None:
        query = query.where(t.people.c.public_id == public_id)
    rows = (await connection.execute(query)).all()
    points: dict[int, list[Any]] = {}
    for some in chunks([row.id for row in rows]):
        for point in await connection.execute(
            select(t.contact_points)
            .where(t.contact_points.c.person_id.in_(some), t.contact_points.c.retired_at.is_(None))
            .order_by(t.contact_points.c.place, t.contact_points.c.id)
        ):
            points.setdefault(point.person_id, []).append(point)
    consents = await _consents(connection, [point.id for some in points.values() for point in some])
    opted_out = await _opted_out(connection, production_id)
    return [_member(vault, row, points.get(row.id, []), consents, opted_out) for row in rows]


async def _consents(connection: AsyncConnection, point_ids: Sequence[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for some in chunks(point_ids):
        for row in await connection.execute(
            select(t.consents.c.contact_point_id, t.consents.c.state)
            .where(t.consents.c.contact_point_id.in_(some), t.consents.c.channel == Channel.SMS.value)
            .order_by(t.consents.c.at, t.consents.c.id)
        ):
            found[row.contact_point_id] = row.state
    return found


async def _opted_out(connection: AsyncConnection, production_id: int) -> set[str]:
    s = t.suppressions.c
    rows = await connection.execute(
        select(s.lookup).where(
            s.channel == Channel.SMS.value,
            s.lifted_at.is_(None),
            (s.production_id == production_id) | s.production_id.is_(None),
        )
    )
    return set(rows.scalars())


def _member(
    vault: Vault, row: Any, points: Sequence[Any], consents: Mapping[int, str], opted_out: Collection[str]
) -> Member:
    emergency = vault.decrypt_json(EMERGENCY, row.emergency) if row.emergency else ["", ""]
    assert isinstance(emergency, list)
    phone = next((point for point in points if point.kind == AddressKind.PHONE.value), None)
    consent = Consent.UNKNOWN.value
    if phone is not None:
        consent = "opted_out" if phone.lookup in opted_out else consents.get(phone.id, consent)
    return Member(
        id=row.id,
        public_id=row.public_id,
        values={column: getattr(row, column) for column in COLUMNS},
        addresses=tuple(
            Address(
                kind=AddressKind(point.kind),
                value=vault.decrypt(FIELD[AddressKind(point.kind)], point.cipher),
                tail=point.tail,
                line_type=point.line_type,
                problem=point.problem,
            )
            for point in points
        ),
        emergency=(str(emergency[0]), str(emergency[1])),
        sms_consent=consent,
    )


async def add(
    connection: AsyncConnection,
    vault: Vault,
    production_id: int,
    *,
    public_id: str,
    values: Mapping[str, Any],
    addresses: Sequence[Address],
    emergency: tuple[str, str],
    sms_consent: str,
    now_ms: int,
) -> int:
    """Add a person. Returns their key."""
    person_id = int(
        (
            await connection.execute(
                t.people.insert()
                .values(
                    **values,
                    public_id=public_id,
                    production_id=production_id,
                    emergency=vault.encrypt_json(EMERGENCY, list(emergency)) if any(emergency) else None,
                    created_at=now_ms,
                    updated_at=now_ms,
                )
                .returning(t.people.c.id)
            )
        ).scalar_one()
    )
    await _set_addresses(connection, vault, production_id, person_id, addresses, now_ms)
    await _set_consent(connection, vault, production_id, person_id, addresses, sms_consent, now_ms)
    return person_id


async def change(
    connection: AsyncConnection,
    vault: Vault,
    production_id: int,
    member: Member,
    *,
    values: Mapping[str, Any],
    addresses: Sequence[Address],
    emergency: tuple[str, str],
    sms_consent: str,
    now_ms: int,
) -> None:
    """Bring a person up to date. What is known of an address that stays (problems, opt-outs) stays known."""
    await connection.execute(
        update(t.people)
        .where(t.people.c.id == member.id)
        .values(
            **values,
            emergency=vault.encrypt_json(EMERGENCY, list(emergency)) if any(emergency) else None,
            updated_at=now_ms,
        )
    )
    await _set_addresses(connection, vault, production_id, member.id, addresses, now_ms)
    await _set_consent(connection, vault, production_id, member.id, addresses, sms_consent, now_ms)


async def _set_addresses(
    connection: AsyncConnection,
    vault: Vault,
    production_id: int,
    person_id: int,
    addresses: Sequence[Address],
    now_ms: int,
) -> None:
    c = t.contact_points.c
    standing = {
        (row.kind, row.lookup): row.id
        for row in await connection.execute(select(c.id, c.kind, c.lookup).where(c.person_id == person_id))
    }
    kept = set()
    for place, address in enumerate(addresses):
        key = (address.kind.value, vault.lookup(address.value))
        values = {"place": place, "line_type": address.line_type, "tail": address.tail, "retired_at": None}
        if key in standing:
            kept.add(standing[key])
            await connection.execute(update(t.contact_points).where(c.id == standing[key]).values(**values))
            continue
        await connection.execute(
            t.contact_points.insert().values(
                **values,
                production_id=production_id,
                person_id=person_id,
                kind=address.kind.value,
                cipher=vault.encrypt(FIELD[address.kind], address.value),
                lookup=key[1],
                created_at=now_ms,
            )
        )
    gone = set(standing.values()) - kept
    if gone:
        await connection.execute(
            update(t.contact_points).where(c.id.in_(gone), c.retired_at.is_(None)).values(retired_at=now_ms)
        )


async def _set_consent(
    connection: AsyncConnection,
    vault: Vault,
    production_id: int,
    person_id: int,
    addresses: Sequence[Address],
    sms_consent: str,
    now_ms: int,
) -> None:
    """Consents for texts and calls to the person's numbers, also to a new one; an opt-out in the list is an
    opt-out. What is known already is not written again."""
    phones = [one for one in addresses if one.kind is AddressKind.PHONE]
    if sms_consent == "opted_out":
        for phone in phones:
            await suppress_address(
                connection,
                vault.lookup(phone.value),
                Channel.SMS,
                production_id=production_id,
                reason="opted_out",
                source=CREW_LIST,
                now_ms=now_ms,
            )
        return
    if sms_consent not in (Consent.YES.value, Consent.NO.value):
        return
    c = t.contact_points.c
    points = await connection.execute(
        select(c.id).where(
            c.person_id == person_id, c.kind == AddressKind.PHONE.value, c.retired_at.is_(None)
        )
    )
    rows = [
        {
            "production_id": production_id,
            "contact_point_id": point,
            "channel": channel.value,
            "state": sms_consent,
            "source": CREW_LIST,
            "wording": "",
            "actor": "",
            "at": now_ms,
        }
        for point, channel in await _not_yet(connection, points.scalars().all(), sms_consent)
    ]
    if rows:
        await connection.execute(t.consents.insert(), rows)


async def _not_yet(
    connection: AsyncConnection, point_ids: Sequence[int], state: str
) -> list[tuple[int, Channel]]:
    """The numbers and channels for which another consent stands, or none."""
    found = await connection.execute(
        select(t.consents.c.contact_point_id, t.consents.c.channel, t.consents.c.state)
        .where(t.consents.c.contact_point_id.in_(point_ids))
        .order_by(t.consents.c.at, t.consents.c.id)
    )
    standing = {(row.contact_point_id, row.channel): row.state for row in found}
    return [
        (point, channel)
        for point in point_ids
        for channel in (Channel.SMS, Channel.VOICE)
        if standing.get((point, channel.value)) != state
    ]
