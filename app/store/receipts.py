"""Receipts: stored raw and once, then applied to the attempt they name. In any order, any number of times."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import evidence as ev
from app.domain.evidence import AttemptEvidence, Evidence, Work
from app.domain.retries import after_failure_receipt
from app.store import tables as t
from app.store.contacts import note_problem, suppress
from app.store.rollup import roll_up, with_carried
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
    for ours in chunks(references):
        waiting = await connection.execute(
            select(t.receipts.c.id).where(t.receipts.c.applied_at.is_(None), t.receipts.c.reference.in_(ours))
        )
        await _apply(connection, waiting.scalars().all(), now_ms)
    for some in chunks(named):
        found = await connection.execute(
            select(t.receipts.c.id).where(
                t.receipts.c.applied_at.is_(None),
                or_(
                    *(
                        and_(t.receipts.c.account_id == account, t.receipts.c.provider_id == provider_id)
                        for account, provider_id in some
                    )
                ),
            )
        )
        await _apply(connection, found.scalars().all(), now_ms)


async def retry_parked(connection: AsyncConnection, now_ms: int, *, limit: int = 500) -> int:
    """Try parked receipts again. Returns how many found their attempt."""
    parked = await connection.execute(
        select(t.receipts.c.id)
        .where(t.receipts.c.applied_at.is_(None))
        .order_by(t.receipts.c.received_at.desc())
        .limit(limit)
    )
    return await _apply(connection, parked.scalars().all(), now_ms)


async def _apply(connection: AsyncConnection, receipt_ids: Collection[int], now_ms: int) -> int:
    applied = 0
    for some in chunks(sorted(receipt_ids)):
        rows = (await connection.execute(_RECEIPTS, {"ids": some})).all()
        applied += await _apply_rows(connection, rows, now_ms)
    return applied


async def _find_attempts(connection: AsyncConnection, rows: Sequence[Any]) -> dict[int, int]:
    """Receipt id → attempt id, by our own reference first, else by the provider's id within its account."""
    references = [row.reference for row in rows if row.reference]
    provider_ids = [row.provider_id for row in rows if row.provider_id]
    found = await connection.execute(_OWNERS, {"references": references, "provider_ids": provider_ids})
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


async def _apply_rows(connection: AsyncConnection, rows: Sequence[Any], now_ms: int) -> int:
    owners = await _without_too_early(connection, rows, await _find_attempts(connection, rows))
    if not owners:
        return 0
    found = await connection.execute(_DELIVERIES, {"attempts": list(set(owners.values()))})
    deliveries = {row.id: row for row in found}
    siblings: dict[int, dict[int, Any]] = {}
    for attempt in await connection.execute(_SIBLINGS, {"ids": list(deliveries)}):
        siblings.setdefault(attempt.delivery_id, {})[attempt.id] = attempt
    delivery_of = {attempt_id: delivery for delivery, some in siblings.items() for attempt_id in some}
    change: dict[int, dict[str, Any]] = {}
    retry_at: dict[int, int] = {}
    words: dict[int, ProviderError | None] = {}
    for row in rows:
        if row.id not in owners:
            continue
        attempt_id = owners[row.id]
        attempt = siblings[delivery_of[attempt_id]][attempt_id]
        now = change.setdefault(
            attempt_id,
            {
                "key": attempt_id,
                "to_evidence": attempt.evidence,
                "to_provider_id": attempt.provider_id,
                "to_code": attempt.error_code,
                "to_error": attempt.error,
                "to_next": attempt.next,
                "to_conflict": attempt.conflict,
                "to_look_at": attempt.look_at,
            },
        )
        known, learned = Evidence(now["to_evidence"]), ev.OF_FACT[Fact(row.fact)]
        error = _error_of(row)
        if ev.in_conflict(known, learned):
            now["to_conflict"] = CONFLICT
        raised = ev.raised(known, learned)
        now["to_evidence"] = raised.value
        now["to_provider_id"] = now["to_provider_id"] or row.provider_id
        if raised is not Evidence.UNKNOWN:
            now["to_look_at"] = None
        if error and raised is learned and raised is not known:
            now |= {"to_code": error.code, "to_error": error.sentence, "to_next": error.next_step}
        delivery = deliveries[delivery_of[attempt_id]]
        if learned in ev.FAILURES and raised is learned and raised is not known:
            words[delivery.id] = error
            due = after_failure_receipt(
                error, attempt=delivery.attempt, now_ms=now_ms, give_up_at=delivery.give_up_at
            )
            if due and attempt.number == delivery.attempt:
                retry_at[delivery.id] = due
        if error and error.bad_address:
            await note_problem(connection, delivery.contact_point_id, error.sentence)
        if error and error.opted_out:
            await suppress(
                connection,
                delivery.contact_point_id,
                Channel(delivery.channel),
                reason="opted_out",
                source="the provider said so",
                now_ms=now_ms,
            )
    await connection.execute(_UPDATE_ATTEMPT, list(change.values()))
    rows_of_deliveries = []
    for delivery_id, delivery in deliveries.items():
        evidence = ev.of_delivery(
            [
                AttemptEvidence(one.number, Evidence(change.get(key, {}).get("to_evidence", one.evidence)))
                for key, one in siblings[delivery_id].items()
            ]
        )
        changed = _delivery_change(delivery, evidence, retry_at.get(delivery_id), words)
        rows_of_deliveries.append(changed | {"to_accepted_at": now_ms})
    await connection.execute(_UPDATE_DELIVERY, rows_of_deliveries)
    await connection.execute(
        _APPLIED, [{"key": receipt, "attempt": attempt, "now": now_ms} for receipt, attempt in owners.items()]
    )
    await roll_up(connection, await with_carried(connection, list(deliveries)), now_ms)
    return len(owners)


_RECEIPTS = select(t.receipts).where(t.receipts.c.id.in_(bindparam("ids", expanding=True)))
_OWNERS = select(
    t.attempts.c.id, t.attempts.c.reference, t.attempts.c.account_id, t.attempts.c.provider_id
).where(
    or_(
        t.attempts.c.reference.in_(bindparam("references", expanding=True)),
        t.attempts.c.provider_id.in_(bindparam("provider_ids", expanding=True)),
    )
)
_DELIVERIES = select(t.deliveries).where(
    t.deliveries.c.id.in_(
        select(t.attempts.c.delivery_id).where(t.attempts.c.id.in_(bindparam("attempts", expanding=True)))
    )
)
_SIBLINGS = select(t.attempts).where(t.attempts.c.delivery_id.in_(bindparam("ids", expanding=True)))
_BEING_CALLED = (
    select(t.attempts.c.id)
    .join(t.deliveries, t.deliveries.c.id == t.attempts.c.delivery_id)
    .where(
        t.attempts.c.id.in_(bindparam("attempts", expanding=True)),
        t.attempts.c.number == t.deliveries.c.attempt,
        t.deliveries.c.work == Work.SENDING.value,
    )
)
_APPLIED = (
    update(t.receipts)
    .where(t.receipts.c.id == bindparam("key"))
    .values(applied_at=bindparam("now"), attempt_id=bindparam("attempt"))
)
# Statements are built once: building one costs more than running it.

_UPDATE_ATTEMPT = (
    update(t.attempts)
    .where(t.attempts.c.id == bindparam("key"))
    .values(
        evidence=bindparam("to_evidence"),
        provider_id=bindparam("to_provider_id"),
        error_code=bindparam("to_code"),
        error=bindparam("to_error"),
        next=bindparam("to_next"),
        conflict=bindparam("to_conflict"),
        look_at=bindparam("to_look_at"),
    )
)

_UPDATE_DELIVERY = (
    update(t.deliveries)
    .where(t.deliveries.c.id == bindparam("key"))
    .values(
        work=bindparam("to_work"),
        evidence=bindparam("to_evidence"),
        evidence_rank=bindparam("to_rank"),
        attempt=bindparam("to_attempt"),
        due_at=bindparam("to_due_at"),
        why=bindparam("to_why"),
        next=bindparam("to_next"),
        error_code=bindparam("to_code"),
        accepted_at=func.coalesce(t.deliveries.c.accepted_at, bindparam("to_accepted_at")),
    )
)


CONFLICT = "The provider reported both: that it failed, and that it arrived."


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


def _delivery_change(
    delivery: Any, evidence: Evidence, retry_at: int | None, words: dict[int, ProviderError | None]
) -> dict[str, Any]:
    work, attempt, due_at = Work(delivery.work), delivery.attempt, delivery.due_at
    why, following, code = delivery.why, delivery.next, delivery.error_code
    if ev.RANK[evidence] >= ev.CLAIMABLE_BELOW:
        if work in (Work.QUEUED, Work.CLAIMED):
            work = Work.DONE  # it arrived after all: the retry is not needed
        if evidence not in ev.FAILURES:
            why = following = ""
            code = None
    elif evidence is Evidence.SENT and work is Work.DONE:
        why = following = ""
        code = None
    if delivery.id in words and evidence in ev.FAILURES:
        error = words[delivery.id]
        why = error.sentence if error else "The carrier could not deliver it."
        following = error.next_step if error else "Reach them another way."
        code = error.code if error else None
        if retry_at is not None and work is Work.DONE:
            work, attempt, due_at = Work.QUEUED, attempt + 1, retry_at
    return {
        "key": delivery.id,
        "to_work": work.value,
        "to_evidence": evidence.value,
        "to_rank": ev.RANK[evidence],
        "to_attempt": attempt,
        "to_due_at": due_at,
        "to_why": why,
        "to_next": following,
        "to_code": code,
    }
