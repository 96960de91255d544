"""Accounts at fault: their incident, and the channels on which a production sends nothing because of it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import accounts, incidents
from app.store import tables as t
from app.store.accounts import StoredAccount
from providers.contract import Channel, ProviderError

ACCOUNT = "account"
"""The kind of the incident; its subject is the public id of the account."""


async def open_once(
    connection: AsyncConnection, account: StoredAccount, error: ProviderError, now_ms: int
) -> None:
    """Say once that nothing goes out through this account, and why."""
    name = account.account.name
    await incidents.open_once(
        connection,
        ACCOUNT,
        account.public_id,
        f"Nothing goes out through {name}: {error.sentence}",
        f"{error.next_step.replace('NAME', name)} What waits is kept, and tried once a minute.".strip(),
        now_ms,
    )


async def close(connection: AsyncConnection, account: StoredAccount, now_ms: int) -> None:
    """The account works again, or was changed and is to be tried: whatever sends hears of it."""
    if await incidents.close(connection, ACCOUNT, account.public_id, now_ms):
        await accounts.note_change(connection)


async def stopped_accounts(connection: AsyncConnection) -> frozenset[int]:
    """The keys of the accounts with an open incident."""
    rows = await connection.execute(
        select(t.accounts.c.id).join(
            t.incidents,
            and_(
                t.incidents.c.kind == ACCOUNT,
                t.incidents.c.subject == t.accounts.c.public_id,
                t.incidents.c.closed_at.is_(None),
            ),
        )
    )
    return frozenset(rows.scalars())


async def working(connection: AsyncConnection) -> list[tuple[int, str]]:
    """Each production with each channel on which it has an account that works."""
    rows = await connection.execute(
        select(t.senders.c.production_id, t.accounts.c.channel)
        .join(t.accounts, t.accounts.c.id == t.senders.c.account_id)
        .where(t.accounts.c.enabled, t.accounts.c.id.not_in(await stopped_accounts(connection)))
        .distinct()
    )
    return [(row.production_id, row.channel) for row in rows]


@dataclass(frozen=True, slots=True)
class Stopped:
    """Why nothing goes out on a channel, and what to do."""

    why: str
    next: str


SWITCHED_OFF = Stopped("It waits: every account for this is switched off.", "callboard provider enable NAME")


async def stopped_channels(connection: AsyncConnection, production_id: int) -> dict[Channel, Stopped]:
    """The channels on which nothing of this production goes out now, because every account for it has stopped or
    is switched off."""
    a, i = t.accounts.c, t.incidents.c
    rows = await connection.execute(
        select(a.channel, a.enabled, i.sentence, i.next)
        .outerjoin(t.incidents, and_(i.kind == ACCOUNT, i.subject == a.public_id, i.closed_at.is_(None)))
        .where(a.id.in_(select(t.senders.c.account_id).where(t.senders.c.production_id == production_id)))
        .order_by(a.place.desc(), a.id.desc())
    )
    found: dict[Channel, Stopped] = {}
    going = set()
    for row in rows:
        channel = Channel(row.channel)
        if row.enabled and row.sentence is None:
            going.add(channel)
        elif row.enabled:
            found[channel] = Stopped(f"It waits. {row.sentence}", row.next)
        else:
            found.setdefault(channel, SWITCHED_OFF)
    return {channel: why for channel, why in found.items() if channel not in going}
