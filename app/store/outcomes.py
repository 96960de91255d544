"""Outcomes of calls, written down: the attempt, the delivery, what follows for the address, the counters."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, and_, bindparam, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import evidence as ev
from app.domain.evidence import AttemptEvidence, Evidence, Work
from app.domain.overdue import next_look
from app.domain.retries import After, after_outcome
from app.store import stopping
from app.store import tables as t
from app.store.claims import Claimed
from app.store.contacts import note_problem, suppress
from app.store.receipts import apply_parked
from app.store.rollup import roll_up, with_carried
from app.store.statements import chunks
from providers.contract import Accepted, Channel, InDoubt, Outcome


@dataclass(frozen=True, slots=True)
class Finish:
    """The outcome of one attempt, to be written down."""

    claimed: Claimed
    reference: str
    outcome: Outcome
    jitter: float
    account_id: int
    can_be_asked: bool
    """Whether this provider tells what became of a message."""


async def finish(connection: AsyncConnection, outcomes: Sequence[Finish], *, now_ms: int) -> None:
    """Write outcomes down: the attempt, the delivery, what follows for the address, the counters.

    A receipt that was faster than the provider's own answer is not overwritten: evidence is only raised. Where
    another engine has gone on to the next attempt meanwhile, the queue is its business.
    """
    known = await attempts_of(connection, [one.claimed.id for one in outcomes], to_change=True)
    attempt_rows: list[dict[str, Any]] = []
    delivery_rows: list[dict[str, Any]] = []
    overtaken_rows: list[dict[str, Any]] = []
    named: list[tuple[int, str]] = []
    for one in outcomes:
        claimed = one.claimed
        after = after_outcome(
            one.outcome,
            priority=claimed.priority,
            attempt=claimed.attempt,
            now_ms=now_ms,
            give_up_at=claimed.give_up_at,
            jitter=one.jitter,
        )
        row = known.get((claimed.id, claimed.attempt))
        if row is None:
            continue
        raised = ev.raised(Evidence(row.evidence), after.evidence)
        provider_id = one.outcome.provider_id if isinstance(one.outcome, Accepted) else row.provider_id
        if isinstance(one.outcome, Accepted):
            named.append((one.account_id, one.outcome.provider_id))
        attempt_rows.append(
            {
                "key": row.id,
                "to_provider_id": provider_id,
                "to_evidence": raised.value,
                "to_finished_at": now_ms,
                "to_error_code": after.error.code if after.error else row.error_code,
                "to_error": after.error.sentence if after.error else row.error,
                "to_next": after.error.next_step if after.error else row.next,
                "to_segments": one.outcome.segments if isinstance(one.outcome, Accepted) else None,
                "to_cost": one.outcome.cost.micros
                if isinstance(one.outcome, Accepted) and one.outcome.cost
                else None,
                "to_currency": one.outcome.cost.currency
                if isinstance(one.outcome, Accepted) and one.outcome.cost
                else None,
                "to_look_at": _look_at(one, raised, after, now_ms),
            }
        )
        attempts = [
            AttemptEvidence(number, raised if number == claimed.attempt else Evidence(other.evidence))
            for (delivery, number), other in known.items()
            if delivery == claimed.id
        ]
        segments = one.outcome.segments if isinstance(one.outcome, Accepted) else None
        accepted_at = now_ms if isinstance(one.outcome, Accepted) else None
        if row.newest > claimed.attempt:
            overtaken_rows.append(_overtaken_row(claimed, ev.of_delivery(attempts), raised, accepted_at))
        else:
            delivery_rows.append(
                _delivery_row(claimed, ev.of_delivery(attempts), after, segments, accepted_at)
            )
        if after.error and after.error.bad_address:
            await note_problem(connection, claimed.contact_point_id, after.error.sentence)
        if after.error and after.error.opted_out:
            await suppress(
                connection,
                claimed.contact_point_id,
                claimed.channel,
                reason="opted_out",
                source="the provider said so",
                now_ms=now_ms,
            )
    handed_over = [
        one.claimed.contact_point_id
        for one in outcomes
        if one.claimed.channel is Channel.SMS and isinstance(one.outcome, Accepted | InDoubt)
    ]
    if handed_over:
        await connection.execute(_FIRST_TEXT, {"points": handed_over, "now": now_ms})
    if attempt_rows:
        await connection.execute(_UPDATE_ATTEMPT, attempt_rows)
    if delivery_rows:
        await connection.execute(_UPDATE_DELIVERY, delivery_rows)
    if overtaken_rows:
        await connection.execute(_UPDATE_OVERTAKEN, overtaken_rows)
    await apply_parked(connection, named, [one.reference for one in outcomes], now_ms)
    await roll_up(connection, await with_carried(connection, [one.claimed.id for one in outcomes]), now_ms)
    again = [row["key"] for row in delivery_rows if row["to_work"] == Work.QUEUED.value]
    await stopping.call_off_cancelled(connection, again, now_ms)


_TAKE = (
    select(t.deliveries.c.id)
    .where(t.deliveries.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(t.deliveries.c.id)
    .with_for_update()
)
_ATTEMPTS = (
    select(t.attempts, t.deliveries.c.attempt.label("newest"))
    .join(t.deliveries, t.deliveries.c.id == t.attempts.c.delivery_id)
    .where(t.attempts.c.delivery_id.in_(bindparam("ids", expanding=True)))
)


def _look_at(one: Finish, raised: Evidence, after: After, now_ms: int) -> int | None:
    """When the provider is asked about this attempt, unless a receipt is faster."""
    if raised is Evidence.UNKNOWN:
        return after.look_at
    return next_look(now_ms, 0, now_ms) if raised is Evidence.SENT and one.can_be_asked else None


_FIRST_TEXT = (
    update(t.contact_points)
    .where(
        t.contact_points.c.first_text_at.is_(None),
        t.contact_points.c.lookup.in_(
            select(t.contact_points.c.lookup).where(
                t.contact_points.c.id.in_(bindparam("points", expanding=True))
            )
        ),
    )
    .values(first_text_at=bindparam("now"))
)
"""The number has had a text, whoever has it: the next one needs no opt-out words."""

_UPDATE_ATTEMPT = (
    update(t.attempts)
    .where(t.attempts.c.id == bindparam("key"))
    .values(
        provider_id=bindparam("to_provider_id"),
        evidence=bindparam("to_evidence"),
        finished_at=bindparam("to_finished_at"),
        error_code=bindparam("to_error_code"),
        error=bindparam("to_error"),
        next=bindparam("to_next"),
        segments=bindparam("to_segments"),
        cost_micros=bindparam("to_cost"),
        currency=bindparam("to_currency"),
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
        due_at=func.coalesce(bindparam("to_due_at"), t.deliveries.c.due_at),
        why=bindparam("to_why"),
        next=bindparam("to_next"),
        error_code=bindparam("to_error_code"),
        segments=func.coalesce(bindparam("to_segments"), t.deliveries.c.segments),
        accepted_at=func.coalesce(t.deliveries.c.accepted_at, bindparam("to_accepted_at")),
        worker=None,
        lease_until=None,
    )
)

_UPDATE_OVERTAKEN = (
    update(t.deliveries)
    .where(t.deliveries.c.id == bindparam("key"))
    .values(
        evidence=bindparam("to_evidence"),
        evidence_rank=bindparam("to_rank"),
        accepted_at=func.coalesce(t.deliveries.c.accepted_at, bindparam("to_accepted_at")),
        work=case(
            (
                and_(
                    bindparam("has_left", type_=Boolean),
                    t.deliveries.c.work.in_([Work.QUEUED.value, Work.CLAIMED.value]),
                ),
                Work.DONE.value,
            ),
            else_=t.deliveries.c.work,
        ),
    )
)
"""What an attempt came to after the next one was queued: that one is not needed if this one has left."""


def _overtaken_row(
    claimed: Claimed, evidence: Evidence, of_attempt: Evidence, accepted_at: int | None
) -> dict[str, Any]:
    return {
        "key": claimed.id,
        "to_evidence": evidence.value,
        "to_rank": ev.RANK[evidence],
        "to_accepted_at": accepted_at,
        "has_left": of_attempt in ev.HANDED_OVER,
    }


def _delivery_row(
    claimed: Claimed, evidence: Evidence, after: After, segments: int | None, accepted_at: int | None
) -> dict[str, Any]:
    arrived = ev.RANK[evidence] >= ev.CLAIMABLE_BELOW
    again = after.next_attempt and not arrived
    return {
        "key": claimed.id,
        "to_work": Work.DONE.value if arrived else after.work.value,
        "to_evidence": evidence.value,
        "to_rank": ev.RANK[evidence],
        "to_attempt": claimed.attempt + 1 if again else claimed.attempt,
        "to_due_at": after.due_at if again else None,
        "to_why": after.error.sentence if after.error and not arrived else "",
        "to_next": after.error.next_step if after.error and not arrived else "",
        "to_error_code": after.error.code if after.error and not arrived else None,
        "to_segments": segments,
        "to_accepted_at": accepted_at,
    }


async def attempts_of(
    connection: AsyncConnection, delivery_ids: Collection[int], *, to_change: bool = False
) -> dict[tuple[int, int], Any]:
    """The attempts of these deliveries, by delivery and number, each with the number of the newest; with ``to_change`` kept from every other writer, so
    that evidence learned at the same moment is not overwritten by less."""
    found: dict[tuple[int, int], Any] = {}
    for some in chunks(sorted(set(delivery_ids))):
        if to_change:
            await connection.execute(_TAKE, {"ids": list(some)})
        for row in await connection.execute(_ATTEMPTS, {"ids": some}):
            found[(row.delivery_id, row.number)] = row
    return found
