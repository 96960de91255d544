"""Receipts: stored raw and once, then applied to the attempt they name. In any order, any number of times."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import and_, bindparam, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import evidence as ev
from app.domain.evidence import Work
from app.store import stopping
from app.store import tables as t
from app.store.contacts import note_problem, suppress
from app.store.learned import OF_ATTEMPT, OF_DELIVERY, Columns, Known, Told, learn
from app.store.rollup import roll_up, touch, with_carried
from app.store.statements import INSERT, chunks
from providers.contract import Channel, Fact, ProviderError

OWN_PAGE = 0
"""The account number of facts from our own crew page."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A genuine receipt, ready to be stored."""

    account_id: int
    dedupe_key: str
    fact: Fact
    reference: str | None
    provider_id: str | None
    error: ProviderError | None
    raw: bytes = field(repr=False)
    received_at: int = 0


async def take(connection: AsyncConnection, incoming: Sequence[Incoming], now_ms: int) -> int:
    """Store receipts and apply them. A receipt told before changes nothing. Returns how many were new."""
    new: list[int] = []
    for some in chunks(list({(one.account_id, one.dedupe_key): one for one in incoming}.values())):
        rows = await connection.execute(
            _store(connection.dialect.name),
            [
                {
                    "account_id": one.account_id,
                    "dedupe_key": one.dedupe_key,
                    "fact": one.fact.value,
                    "reference": one.reference,
                    "provider_id": one.provider_id,
                    "error_code": one.error.code if one.error else None,
                    "error": _flags(one.error),
                    "next": one.error.next_step if one.error else None,
                    "raw": one.raw,
                    "received_at": one.received_at or now_ms,
                }
                for one in some
            ],
        )
        new += rows.scalars().all()
    await _apply(connection, new, now_ms)
    return len(new)


@cache
def _store(dialect: str) -> Any:
    """Built once: building a statement costs more than running it."""
    return (
        INSERT[dialect](t.receipts)
        .on_conflict_do_nothing(index_elements=["account_id", "dedupe_key"])
        .returning(t.receipts.c.id)
    )


def _flags(error: ProviderError | None) -> str | None:
    """The sentence, with the flags in front that a later application needs."""
    if error is None:
        return None
    marks = (
        ("R" if error.retryable else "")
        + ("B" if error.bad_address else "")
        + ("O" if error.opted_out else "")
    )
    return f"{marks}|{error.sentence}"


def _error_of(row: Any) -> ProviderError | None:
    if row.error_code is None:
        return None
    marks, _, sentence = (row.error or "|").partition("|")
    return ProviderError(
        code=row.error_code,
        sentence=sentence,
        next_step=row.next or "",
        retryable="R" in marks,
        bad_address="B" in marks,
        opted_out="O" in marks,
    )


async def apply_parked(
    connection: AsyncConnection, named: Sequence[tuple[int, str]], references: Sequence[str], now_ms: int
) -> None:
    """Apply receipts that came before the provider's answer: by its id (account, id), and by our references."""
    waiting: set[int] = set()
    for ours in chunks(references):
        waiting |= set((await connection.execute(_PARKED_BY_REFERENCE, {"references": ours})).scalars())
    for theirs in chunks(named):
        waiting |= set((await connection.execute(_PARKED_BY_PROVIDER, {"named": theirs})).scalars())
    await _apply(connection, waiting, now_ms)


async def retry_parked(connection: AsyncConnection, now_ms: int, *, limit: int = 500) -> int:
    """Try parked receipts again. Returns how many found their attempt."""
    parked = await connection.execute(_PARKED, {"most": limit})
    return await _apply(connection, parked.scalars().all(), now_ms)


async def _apply(connection: AsyncConnection, receipt_ids: Collection[int], now_ms: int) -> int:
    applied = 0
    for some in chunks(sorted(receipt_ids)):
        rows = (await connection.execute(_RECEIPTS, {"ids": some})).all()
        applied += await _apply_rows(connection, rows, now_ms)
    return applied


async def _apply_rows(connection: AsyncConnection, rows: Sequence[Any], now_ms: int) -> int:
    owners = await _without_too_early(connection, rows, await _find_attempts(connection, rows))
    if not owners:
        return 0
    told = [
        Told(owners[row.id], Fact(row.fact), row.provider_id, _error_of(row))
        for row in rows
        if row.id in owners
    ]
    known = await _known(connection, owners.values())
    for one in told:
        await _note_about_address(connection, known, one, now_ms)
    learned = learn(told, known, now_ms)
    await _set(connection, _UPDATE_ATTEMPT, learned.attempts)
    await _set(connection, _UPDATE_DELIVERY, learned.deliveries)
    await connection.execute(
        _APPLIED, [{"key": receipt, "attempt": attempt, "now": now_ms} for receipt, attempt in owners.items()]
    )
    await roll_up(connection, await with_carried(connection, learned.deliveries), now_ms)
    again = [key for key, to in learned.deliveries.items() if to["work"] == Work.QUEUED.value]
    await stopping.call_off_cancelled(connection, again, now_ms)
    same = known.deliveries.keys() - learned.deliveries.keys()  # but there is one more receipt to show
    await touch(connection, {known.deliveries[key].message_id for key in same})
    return len(owners)


async def _find_attempts(connection: AsyncConnection, rows: Sequence[Any]) -> dict[int, int]:
    """Receipt id → attempt id, by our own reference first, else by the provider's id within its account."""
    references = [row.reference for row in rows if row.reference]
    provider_ids = [row.provider_id for row in rows if row.provider_id]
    accounts = list({row.account_id for row in rows if row.provider_id})
    found = await connection.execute(
        _OWNERS, {"references": references, "accounts": accounts, "provider_ids": provider_ids}
    )
    by_reference: dict[str, tuple[int, int]] = {}
    by_provider: dict[tuple[int, str], int] = {}
    for one in found:
        by_reference[one.reference] = (one.id, one.account_id)
        if one.provider_id:
            by_provider[(one.account_id, one.provider_id)] = one.id
    owners: dict[int, int] = {}
    for row in rows:
        match = by_reference.get(row.reference or "")
        if match and row.account_id in (match[1], OWN_PAGE):
            owners[row.id] = match[0]
        elif (attempt := by_provider.get((row.account_id, row.provider_id or ""))) is not None:
            owners[row.id] = attempt
    return owners


async def _without_too_early(
    connection: AsyncConnection, rows: Sequence[Any], owners: dict[int, int]
) -> dict[int, int]:
    """A failure that is told before the provider has answered our call stays parked until it has: what follows
    from it (words, another try) would be overwritten by the answer."""
    failures = {row.id for row in rows if row.id in owners and ev.OF_FACT[Fact(row.fact)] in ev.FAILURES}
    if not failures:
        return owners
    attempts = list({owners[receipt] for receipt in failures})
    being_called = set((await connection.execute(_BEING_CALLED, {"attempts": attempts})).scalars())
    return {
        receipt: attempt
        for receipt, attempt in owners.items()
        if receipt not in failures or attempt not in being_called
    }


async def _known(connection: AsyncConnection, attempts: Collection[int]) -> Known:
    found = await connection.execute(_DELIVERIES, {"attempts": list(set(attempts))})
    deliveries = {row.id: row for row in found}
    siblings = await connection.execute(_SIBLINGS, {"ids": list(deliveries)})
    return Known(deliveries, {row.id: row for row in siblings})


async def _note_about_address(connection: AsyncConnection, known: Known, told: Told, now_ms: int) -> None:
    """What an error says about the address it was sent to, it says about every message to it."""
    error = told.error
    if error is None:
        return
    attempt = known.attempts[told.attempt_id]
    if error.bad_address:
        await note_problem(connection, attempt.contact_point_id, error.sentence)
    if error.opted_out:
        await suppress(
            connection,
            attempt.contact_point_id,
            Channel(known.deliveries[attempt.delivery_id].channel),
            reason="opted_out",
            source="the provider said so",
            now_ms=now_ms,
        )


async def _set(connection: AsyncConnection, statement: Any, changes: Mapping[int, Columns]) -> None:
    """Set these columns in the rows with these keys."""
    if changes:
        await connection.execute(
            statement,
            [
                {"key": key, **{f"to_{name}": value for name, value in to.items()}}
                for key, to in changes.items()
            ],
        )


# Statements are built once: building one costs more than running it.

_RECEIPTS = select(
    *(
        t.receipts.c[name]
        for name in ("id", "account_id", "fact", "reference", "provider_id", "error_code", "error", "next")
    )
).where(t.receipts.c.id.in_(bindparam("ids", expanding=True)))

_PARKED = (
    select(t.receipts.c.id)
    .where(t.receipts.c.applied_at.is_(None))
    .order_by(t.receipts.c.received_at.desc())
    .limit(bindparam("most"))
)
_PARKED_BY_REFERENCE = select(t.receipts.c.id).where(
    t.receipts.c.applied_at.is_(None), t.receipts.c.reference.in_(bindparam("references", expanding=True))
)
_PARKED_BY_PROVIDER = select(t.receipts.c.id).where(
    t.receipts.c.applied_at.is_(None),
    tuple_(t.receipts.c.account_id, t.receipts.c.provider_id).in_(bindparam("named", expanding=True)),
)

_OWNERS = select(
    t.attempts.c.id, t.attempts.c.reference, t.attempts.c.account_id, t.attempts.c.provider_id
).where(
    or_(
        t.attempts.c.reference.in_(bindparam("references", expanding=True)),
        and_(
            t.attempts.c.account_id.in_(bindparam("accounts", expanding=True)),
            t.attempts.c.provider_id.in_(bindparam("provider_ids", expanding=True)),
        ),
    )
)
# The account is named so that the index of provider's ids is used: without, every attempt there is was read.

_BEING_CALLED = (
    select(t.attempts.c.id)
    .join(t.deliveries, t.deliveries.c.id == t.attempts.c.delivery_id)
    .where(
        t.attempts.c.id.in_(bindparam("attempts", expanding=True)),
        t.attempts.c.number == t.deliveries.c.attempt,
        t.deliveries.c.work == Work.SENDING.value,
    )
)

_DELIVERIES = (
    select(t.deliveries)
    .where(
        t.deliveries.c.id.in_(
            select(t.attempts.c.delivery_id).where(t.attempts.c.id.in_(bindparam("attempts", expanding=True)))
        )
    )
    .order_by(t.deliveries.c.id)
    .with_for_update()
)
# Kept from every other writer until the transaction ends, in one order, so that nobody raises from less.

_SIBLINGS = select(t.attempts).where(t.attempts.c.delivery_id.in_(bindparam("ids", expanding=True)))

_UPDATE_ATTEMPT, _UPDATE_DELIVERY = (
    update(table)
    .where(table.c.id == bindparam("key"))
    .values({name: bindparam(f"to_{name}") for name in columns})
    for table, columns in ((t.attempts, OF_ATTEMPT), (t.deliveries, OF_DELIVERY))
)

_APPLIED = (
    update(t.receipts)
    .where(t.receipts.c.id == bindparam("key"))
    .values(applied_at=bindparam("now"), attempt_id=bindparam("attempt"))
)
