"""Provider accounts, their senders, and each sender's schedule of segments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import productions
from app.store import tables as t
from app.store.vault import Vault
from providers.contract import Account, Channel

SECRETS = "accounts.secrets"
"""The field name the secrets are encrypted for."""


@dataclass(frozen=True, slots=True)
class Sender:
    """One of our own numbers."""

    id: int
    account_id: int
    production_id: int
    address: str
    segments_per_second: int


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """A provider account as it is kept."""

    id: int
    public_id: str
    channel: Channel
    enabled: bool
    account: Account = field(repr=False)
    senders: tuple[Sender, ...] = ()


async def all_accounts(connection: AsyncConnection, vault: Vault) -> list[StoredAccount]:
    """Every account, in order of preference."""
    senders: dict[int, list[Sender]] = {}
    for row in await connection.execute(select(t.senders).order_by(t.senders.c.id)):
        senders.setdefault(row.account_id, []).append(
            Sender(row.id, row.account_id, row.production_id, row.address, row.segments_per_second)
        )
    found = []
    for row in await connection.execute(select(t.accounts).order_by(t.accounts.c.place, t.accounts.c.id)):
        secrets = vault.decrypt_json(SECRETS, row.secrets)
        assert isinstance(secrets, dict)
        found.append(
            StoredAccount(
                id=row.id,
                public_id=row.public_id,
                channel=Channel(row.channel),
                enabled=row.enabled,
                account=Account(
                    name=row.name,
                    kind=row.kind,
                    base_url=row.base_url,
                    settings=json.loads(row.settings),
                    secrets=secrets,
                ),
                senders=tuple(senders.get(row.id, ())),
            )
        )
    return found


async def add(
    connection: AsyncConnection,
    vault: Vault,
    account: Account,
    *,
    public_id: str,
    channel: Channel,
    senders: Sequence[tuple[str, int]],
    production_id: int,
    now_ms: int,
) -> int:
    """Store a new account with its senders (address, segments per second), last in order. Returns its key."""
    place = (await connection.execute(select(func.count()).select_from(t.accounts))).scalar_one()
    account_id = (
        await connection.execute(
            t.accounts.insert()
            .values(
                public_id=public_id,
                name=account.name,
                kind=account.kind,
                channel=channel.value,
                base_url=account.base_url,
                settings=json.dumps(dict(account.settings)),
                secrets=vault.encrypt_json(SECRETS, dict(account.secrets)),
                enabled=True,
                place=place,
                created_at=now_ms,
            )
            .returning(t.accounts.c.id)
        )
    ).scalar_one()
    await _add_senders(connection, account_id, senders, production_id)
    await note_change(connection)
    return int(account_id)


REVISION = "accounts revision"
"""The fact that rises with every change of an account, so that a running engine takes it over."""


async def revision(connection: AsyncConnection) -> str:
    """A word that is another one after every change of an account."""
    return await productions.fact(connection, REVISION) or "0"


async def note_change(connection: AsyncConnection) -> None:
    """Let a running engine take over what changed."""
    await productions.set_fact(connection, REVISION, str(int(await revision(connection)) + 1))


async def change(
    connection: AsyncConnection,
    vault: Vault,
    stored: StoredAccount,
    account: Account,
    *,
    senders: Sequence[tuple[str, int]],
    production_id: int,
) -> None:
    """Store an account's address, settings and secrets anew, and add these senders (address, segments per second)
    to those it has. Its name and kind stay."""
    await connection.execute(
        update(t.accounts)
        .where(t.accounts.c.id == stored.id)
        .values(
            base_url=account.base_url,
            settings=json.dumps(dict(account.settings)),
            secrets=vault.encrypt_json(SECRETS, dict(account.secrets)),
        )
    )
    await _add_senders(connection, stored.id, senders, production_id)
    await note_change(connection)


async def _add_senders(
    connection: AsyncConnection,
    account_id: int,
    senders: Sequence[tuple[str, int]],
    production_id: int,
) -> None:
    if not senders:
        return
    await connection.execute(
        t.senders.insert(),
        [
            {
                "account_id": account_id,
                "production_id": production_id,
                "address": address,
                "segments_per_second": rate,
            }
            for address, rate in senders
        ],
    )


async def set_base_url(connection: AsyncConnection, account_id: int, base_url: str) -> None:
    """Point an account at another address."""
    await connection.execute(
        update(t.accounts).where(t.accounts.c.id == account_id).values(base_url=base_url)
    )
    await note_change(connection)


async def set_enabled(connection: AsyncConnection, account_id: int, enabled: bool) -> None:
    """Let an account send, or let it only listen: receipts and replies to what it sent are heard in any case."""
    await connection.execute(update(t.accounts).where(t.accounts.c.id == account_id).values(enabled=enabled))
    await note_change(connection)


async def set_order(connection: AsyncConnection, account_ids: Sequence[int]) -> None:
    """Give every account its place: ``account_ids`` are all of them, the preferred first."""
    for place, account_id in enumerate(account_ids):
        await connection.execute(update(t.accounts).where(t.accounts.c.id == account_id).values(place=place))
    await note_change(connection)


def _preferred(channel: Channel, production_id: int) -> Select[tuple[int]]:
    """The key of the account a channel of a production is sent through: the first in order that has a sender of
    the production."""
    return (
        select(t.accounts.c.id)
        .where(
            t.accounts.c.enabled,
            t.accounts.c.channel == channel.value,
            t.accounts.c.id.in_(
                select(t.senders.c.account_id).where(t.senders.c.production_id == production_id)
            ),
        )
        .order_by(t.accounts.c.place, t.accounts.c.id)
        .limit(1)
    )


async def preferred_kind(connection: AsyncConnection, channel: Channel, production_id: int) -> str | None:
    """The kind of the account that is tried first on a channel; None where there is none."""
    found = await connection.execute(
        select(t.accounts.c.kind).where(
            t.accounts.c.id == _preferred(channel, production_id).scalar_subquery()
        )
    )
    return found.scalar()


async def channels_with_provider(connection: AsyncConnection, production_id: int) -> frozenset[Channel]:
    """Channels on which this production has an enabled account with somewhere to send from."""
    rows = await connection.execute(
        select(t.accounts.c.channel)
        .join(t.senders, t.senders.c.account_id == t.accounts.c.id)
        .where(t.accounts.c.enabled, t.senders.c.production_id == production_id)
        .distinct()
    )
    return frozenset(Channel(one) for one in rows.scalars())


# ---------------------------------------------------------------------------- the schedule of a sender

MICROS = 1_000


@dataclass(frozen=True, slots=True)
class Slots:
    """Segments granted to a batch: the times, in epoch milliseconds, at which each message may leave."""

    starts_ms: tuple[int, ...]


async def backlog_ms(connection: AsyncConnection, sender_id: int, *, urgent: bool, now_ms: int) -> int:
    """How far ahead of now the schedule of this sender is filled, in milliseconds."""
    schedule = (await connection.execute(_SCHEDULE, {"sender_id": sender_id})).one()
    until = schedule.urgent_at if urgent else schedule.next_at
    return int(max(0, until // MICROS - now_ms))


async def reserve(
    connection: AsyncConnection, sender: Sender, segments: Sequence[int], *, urgent: bool, now_ms: int
) -> Slots:
    """Reserve room for these messages, in this order, in one stroke.

    URGENT has a schedule of its own in front of the others and pushes them back, so the sender's rate holds
    over all but for what was granted already. A schedule that lies far in the future (the clock was set back)
    starts again now.
    """
    row = (await connection.execute(_SCHEDULE, {"sender_id": sender.id})).one()
    now = now_ms * MICROS
    step = 1_000_000 // sender.segments_per_second
    farthest = now + LONGEST_SCHEDULE_MS * MICROS
    next_at = row.next_at if row.next_at <= farthest else now
    urgent_at = row.urgent_at if row.urgent_at <= farthest else now
    at = max(now, urgent_at if urgent else next_at)
    starts = []
    for count in segments:
        starts.append(at // MICROS)
        at += count * step
    used = sum(segments) * step
    if urgent:
        await connection.execute(
            _FILL_URGENT, {"sender_id": sender.id, "to_next": max(now, next_at) + used, "to_urgent": at}
        )
    else:
        await connection.execute(_FILL, {"sender_id": sender.id, "to_next": at})
    return Slots(tuple(starts))


_SCHEDULE = select(t.senders.c.next_at, t.senders.c.urgent_at).where(t.senders.c.id == bindparam("sender_id"))
_FILL = update(t.senders).where(t.senders.c.id == bindparam("sender_id")).values(next_at=bindparam("to_next"))
_FILL_URGENT = _FILL.values(urgent_at=bindparam("to_urgent"))

LONGEST_SCHEDULE_MS = 10 * 60_000
"""No schedule is ever filled this far ahead: reservations reach one second, URGENT pushes back by its own size."""


async def pace(
    connection: AsyncConnection, channel: Channel, production_id: int, now_ms: int
) -> tuple[int, int]:
    """Segments a second over the senders a channel of a production is sent through (its own, of the preferred
    account), and how long (ms) what is queued before takes."""
    rows = (
        await connection.execute(
            select(t.senders.c.segments_per_second, t.senders.c.next_at).where(
                t.senders.c.account_id == _preferred(channel, production_id).scalar_subquery(),
                t.senders.c.production_id == production_id,
            )
        )
    ).all()
    rate = sum(row.segments_per_second for row in rows)
    backlog = min((max(0, row.next_at // MICROS - now_ms) for row in rows), default=0)
    return rate, int(backlog)
