"""The queue: claim, mark, finish, expire. Each is one statement over many rows, and safe to repeat."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import evidence as ev
from app.domain.evidence import AttemptEvidence, Evidence, Work
from app.domain.messages import MessageStatus
from app.domain.priorities import Priority
from app.domain.retries import After, after_outcome, unknown_wait_ms
from app.store import stopping
from app.store import tables as t
from app.store.contacts import note_problem, suppress
from app.store.receipts import apply_parked
from app.store.rollup import roll_up, with_carried
from app.store.statements import chunks
from providers.contract import Accepted, Channel, Outcome

PRIORITY_OF_RANK = {priority.rank: priority for priority in Priority}


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery this worker holds the lease of, with all that rendering it needs."""

    id: int
    message_id: int
    step_id: int
    version_id: int
    recipient_id: int
    production_id: int
    contact_point_id: int
    channel: Channel
    priority: Priority
    attempt: int
    give_up_at: int
    lease_until: int
    opt_out_words: bool
    language: str
    cipher: bytes = field(repr=False)
    text: bytes | None = field(repr=False, default=None)
    """What was rendered at an earlier attempt, encrypted."""


async def claim(
    connection: AsyncConnection,
    *,
    channel: Channel,
    priorities: Collection[Priority],
    worker: str,
    now_ms: int,
    lease_until: int,
    limit: int,
) -> list[Claimed]:
    """Take the lease of up to ``limit`` due deliveries, most urgent first.

    Those that have become needless since they were queued are called off instead.
    """
    d = t.deliveries.c
    due = (
        select(d.id)
        .join(t.messages, t.messages.c.id == d.message_id)
        .where(
            d.work == Work.QUEUED.value,
            d.carried_by.is_(None),
            d.channel == channel.value,
            d.priority.in_([priority.rank for priority in priorities]),
            d.due_at <= now_ms,
            d.give_up_at > now_ms,
            d.evidence_rank < ev.CLAIMABLE_BELOW,
            t.messages.c.status == MessageStatus.SENDING.value,
        )
        .order_by(d.priority, d.due_at, d.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=t.deliveries)
    )
    ids = (
        (
            await connection.execute(
                update(t.deliveries)
                .where(d.id.in_(due))
                .values(work=Work.CLAIMED.value, worker=worker, lease_until=lease_until)
                .returning(d.id)
            )
        )
        .scalars()
        .all()
    )
    if not ids:
        return []
    found = await connection.execute(
        select(
            t.deliveries,
            t.steps.c.version_id,
            t.steps.c.kind,
            t.recipients.c.answer,
            t.contact_points.c.cipher,
            t.contact_points.c.production_id,
            t.contact_points.c.lookup,
            t.contact_points.c.problem,
            t.people.c.language,
        )
        .join(t.steps, t.steps.c.id == d.step_id)
        .join(t.recipients, t.recipients.c.id == d.recipient_id)
        .join(t.contact_points, t.contact_points.c.id == d.contact_point_id)
        .join(t.people, t.people.c.id == t.contact_points.c.person_id)
        .where(d.id.in_(ids))
        .order_by(d.priority, d.due_at, d.id)
    )
    rows = found.all()
    needless = await stopping.needless(connection, rows)
    await stopping.call_off(connection, needless, now_ms)
    return [
        Claimed(
            id=row.id,
            message_id=row.message_id,
            step_id=row.step_id,
            version_id=row.version_id,
            recipient_id=row.recipient_id,
            production_id=row.production_id,
            contact_point_id=row.contact_point_id,
            channel=Channel(row.channel),
            priority=PRIORITY_OF_RANK[row.priority],
            attempt=row.attempt,
            give_up_at=row.give_up_at,
            lease_until=row.lease_until,
            opt_out_words=row.opt_out_words,
            language=row.language,
            cipher=row.cipher,
            text=row.text,
        )
        for row in rows
        if row.id not in needless
    ]


async def keep_texts(connection: AsyncConnection, texts: Sequence[tuple[int, bytes]]) -> None:
    """Keep what these deliveries were rendered to (encrypted), for every later attempt and look-up."""
    if texts:
        await connection.execute(_KEEP_TEXT, [{"key": key, "to_text": text} for key, text in texts])


_KEEP_TEXT = (
    update(t.deliveries).where(t.deliveries.c.id == bindparam("key")).values(text=bindparam("to_text"))
)


@dataclass(frozen=True, slots=True)
class Mark:
    """What is written before a provider is called."""

    delivery_id: int
    attempt: int
    reference: str
    account_id: int
    sender_id: int
    receipt_possible: bool


async def mark(connection: AsyncConnection, marks: Sequence[Mark], *, worker: str, now_ms: int) -> set[int]:
    """claimed → sending, with the attempt row, only where the lease is still ours and nothing was called off.

    Returns the deliveries for which the provider may be called; for all others it must not be.
    """
    d = t.deliveries.c
    off = select(t.messages.c.id).where(t.messages.c.status != MessageStatus.SENDING.value)
    by_id = {one.delivery_id: one for one in marks}
    granted: set[int] = set()
    for some in chunks(list(by_id)):
        mine = await connection.execute(
            update(t.deliveries)
            .where(
                d.id.in_(some),
                d.work == Work.CLAIMED.value,
                d.worker == worker,
                d.lease_until > now_ms,
                d.evidence_rank < ev.CLAIMABLE_BELOW,
                d.message_id.not_in(off),
            )
            .values(work=Work.SENDING.value)
            .returning(d.id, d.attempt)
        )
        granted |= {row.id for row in mine if row.attempt == by_id[row.id].attempt}
    if granted:
        await connection.execute(
            t.attempts.insert(),
            [
                {
                    "delivery_id": one.delivery_id,
                    "number": one.attempt,
                    "reference": one.reference,
                    "account_id": one.account_id,
                    "sender_id": one.sender_id,
                    "evidence": Evidence.NONE.value,
                    "started_at": now_ms,
                }
                for one in marks
                if one.delivery_id in granted
            ],
        )
        await connection.execute(
            update(t.deliveries)
            .where(d.id == bindparam("key"))
            .values(
                account_id=bindparam("account"),
                sender_id=bindparam("sender"),
                receipt_possible=bindparam("possible"),
            ),
            [
                {
                    "key": one.delivery_id,
                    "account": one.account_id,
                    "sender": one.sender_id,
                    "possible": one.receipt_possible,
                }
                for one in marks
                if one.delivery_id in granted
            ],
        )
    return granted


async def release(connection: AsyncConnection, delivery_ids: Collection[int], *, worker: str) -> None:
    """claimed → queued, for deliveries this worker claimed and will not send after all."""
    await connection.execute(
        update(t.deliveries)
        .where(
            t.deliveries.c.id.in_(delivery_ids),
            t.deliveries.c.work == Work.CLAIMED.value,
            t.deliveries.c.worker == worker,
        )
        .values(work=Work.QUEUED.value, worker=None, lease_until=None)
    )


async def renew(connection: AsyncConnection, *, worker: str, now_ms: int, lease_until: int) -> list[int]:
    """Keep the lease of everything this worker holds. Returns what it still held: a lease that has run out stays
    lost."""
    kept = await connection.execute(
        update(t.deliveries)
        .where(
            t.deliveries.c.worker == worker,
            t.deliveries.c.work.in_([Work.CLAIMED.value, Work.SENDING.value]),
            t.deliveries.c.lease_until > now_ms,
        )
        .values(lease_until=lease_until)
        .returning(t.deliveries.c.id)
    )
    return [row.id for row in kept]


@dataclass(frozen=True, slots=True)
class Finish:
    """The outcome of one attempt, to be written down."""

    claimed: Claimed
    reference: str
    outcome: Outcome
    jitter: float
    account_id: int


async def finish(connection: AsyncConnection, outcomes: Sequence[Finish], *, now_ms: int) -> None:
    """Write outcomes down: the attempt, the delivery, what follows for the address, the counters.

    A receipt that was faster than the provider's own answer is not overwritten: evidence is only raised.
    """
    known = await _attempts_of(connection, [one.claimed.id for one in outcomes])
    attempt_rows: list[dict[str, Any]] = []
    delivery_rows: list[dict[str, Any]] = []
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
        resolved = raised is not Evidence.UNKNOWN
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
                "to_look_at": None if resolved else after.look_at,
            }
        )
        attempts = [
            AttemptEvidence(number, raised if number == claimed.attempt else Evidence(other.evidence))
            for (delivery, number), other in known.items()
            if delivery == claimed.id
        ]
        segments = one.outcome.segments if isinstance(one.outcome, Accepted) else None
        delivery_rows.append(_delivery_row(claimed, ev.of_delivery(attempts), after, segments))
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
    if attempt_rows:
        await connection.execute(_UPDATE_ATTEMPT, attempt_rows)
        await connection.execute(_UPDATE_DELIVERY, delivery_rows)
    await apply_parked(connection, named, [one.reference for one in outcomes], now_ms)
    await roll_up(connection, await with_carried(connection, [one.claimed.id for one in outcomes]), now_ms)


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
        worker=None,
        lease_until=None,
    )
)


def _delivery_row(claimed: Claimed, evidence: Evidence, after: After, segments: int | None) -> dict[str, Any]:
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
    }


async def _attempts_of(
    connection: AsyncConnection, delivery_ids: Collection[int]
) -> dict[tuple[int, int], Any]:
    found: dict[tuple[int, int], Any] = {}
    for some in chunks(sorted(set(delivery_ids))):
        for row in await connection.execute(select(t.attempts).where(t.attempts.c.delivery_id.in_(some))):
            found[(row.delivery_id, row.number)] = row
    return found


async def expire(
    connection: AsyncConnection, *, now_ms: int, worker: str | None = None, in_flight: Collection[int] = ()
) -> tuple[int, int]:
    """Take back leases that ran out. Returns how many were requeued and how many became unknown.

    claimed → queued: nothing was called. sending → done with evidence unknown: the call may have been made, so
    it never goes straight back to the queue. With ``worker`` (this process alone has the database) every lease
    of anybody else counts as run out; ``in_flight`` are calls of this process that are still open.
    """
    d = t.deliveries.c
    ran_out = or_(d.lease_until <= now_ms, d.lease_until.is_(None))
    if worker is not None:
        ran_out = or_(ran_out, d.worker != worker)
    over = and_(ran_out, d.id.not_in(list(in_flight))) if in_flight else ran_out
    requeued = await connection.execute(
        update(t.deliveries)
        .where(d.work == Work.CLAIMED.value, over)
        .values(work=Work.QUEUED.value, worker=None, lease_until=None)
        .returning(d.id)
    )
    requeued_count = len(requeued.all())
    lost = (
        await connection.execute(
            select(d.id, d.attempt, d.priority).where(d.work == Work.SENDING.value, over).limit(5000)
        )
    ).all()
    if lost:
        await _to_unknown(connection, lost, now_ms)
    return requeued_count, len(lost)


UNKNOWN_WORDS = (
    "Callboard was interrupted while sending: nobody knows yet whether it went out.",
    "Wait a moment: the provider is asked.",
)


async def _to_unknown(connection: AsyncConnection, lost: Sequence[Any], now_ms: int) -> None:
    known = await _attempts_of(connection, [row.id for row in lost])
    attempt_rows, delivery_rows = [], []
    for row in lost:
        attempt = known.get((row.id, row.attempt))
        raised = ev.raised(Evidence(attempt.evidence) if attempt else Evidence.NONE, Evidence.UNKNOWN)
        if attempt:
            unknown = raised is Evidence.UNKNOWN
            # What was on its way when the process ended may arrive a moment later: no question before its time.
            look = max(now_ms, attempt.started_at + unknown_wait_ms(PRIORITY_OF_RANK[row.priority]))
            attempt_rows.append({"key": attempt.id, "to": raised.value, "look": look if unknown else None})
        evidence = ev.of_delivery(
            [
                AttemptEvidence(number, raised if number == row.attempt else Evidence(other.evidence))
                for (delivery, number), other in known.items()
                if delivery == row.id
            ]
        )
        why, following = UNKNOWN_WORDS if evidence is Evidence.UNKNOWN else (None, None)
        delivery_rows.append(
            {
                "key": row.id,
                "to": evidence.value,
                "rank": ev.RANK[evidence],
                "to_why": why,
                "to_next": following,
            }
        )
    await connection.execute(
        update(t.attempts)
        .where(t.attempts.c.id == bindparam("key"))
        .values(evidence=bindparam("to"), look_at=bindparam("look")),
        attempt_rows,
    )
    await connection.execute(
        update(t.deliveries)
        .where(t.deliveries.c.id == bindparam("key"))
        .values(
            work=Work.DONE.value,
            evidence=bindparam("to"),
            evidence_rank=bindparam("rank"),
            worker=None,
            lease_until=None,
            why=func.coalesce(bindparam("to_why"), t.deliveries.c.why),
            next=func.coalesce(bindparam("to_next"), t.deliveries.c.next),
        ),
        delivery_rows,
    )
    await roll_up(connection, await with_carried(connection, [row.id for row in lost]), now_ms)


async def give_up(connection: AsyncConnection, now_ms: int) -> int:
    """queued → expired, for deliveries whose time has passed. Returns how many."""
    d = t.deliveries.c
    old = (
        (
            await connection.execute(
                update(t.deliveries)
                .where(d.work == Work.QUEUED.value, d.give_up_at <= now_ms)
                .values(
                    work=Work.EXPIRED.value,
                    why="It was too old to send when its turn came.",
                    next="Send a new message.",
                )
                .returning(d.id)
            )
        )
        .scalars()
        .all()
    )
    if old:
        await roll_up(connection, await with_carried(connection, old), now_ms)
    return len(old)


async def wake_held(connection: AsyncConnection, now_ms: int) -> int:
    """held → queued, for deliveries whose quiet hours are over. Returns how many."""
    d = t.deliveries.c
    awake = (
        (
            await connection.execute(
                update(t.deliveries)
                .where(d.work == Work.HELD.value, d.due_at <= now_ms)
                .values(work=Work.QUEUED.value, why="", next="")
                .returning(d.id)
            )
        )
        .scalars()
        .all()
    )
    if awake:
        await roll_up(connection, await with_carried(connection, awake), now_ms)
    return len(awake)


async def pending(connection: AsyncConnection) -> Mapping[Work, int]:
    """How many deliveries are in each state of work that is not over, across all messages."""
    d = t.deliveries.c
    rows = await connection.execute(
        select(d.work, func.count())
        .where(d.work.in_([Work.HELD.value, Work.QUEUED.value, Work.CLAIMED.value, Work.SENDING.value]))
        .where(d.carried_by.is_(None))
        .group_by(d.work)
    )
    return {Work(work): count for work, count in rows}


SOON_MS = 60_000
"""A retry this far away or nearer still belongs to what is happening now."""


async def busy_until(connection: AsyncConnection, now_ms: int) -> int | None:
    """When the last thing of what is happening now will happen, or None when all is quiet.

    Steps to be routed, deliveries queued for soon, claimed or being sent, and attempts soon to be looked up. What a
    paused message keeps back is not happening.
    """
    d = t.deliveries.c
    soon = now_ms + SOON_MS
    busy = await connection.execute(
        select(func.min(d.due_at)).where(
            d.carried_by.is_(None),
            or_(
                and_(
                    d.work == Work.QUEUED.value,
                    d.due_at <= soon,
                    d.message_id.in_(
                        select(t.messages.c.id).where(t.messages.c.status == MessageStatus.SENDING.value)
                    ),
                ),
                d.work.in_([Work.CLAIMED.value, Work.SENDING.value]),
            ),
        )
    )
    look = await connection.execute(
        select(func.min(t.attempts.c.look_at)).where(t.attempts.c.look_at <= soon)
    )
    step = await connection.execute(
        select(func.min(t.steps.c.not_before)).where(
            t.steps.c.routed_at.is_(None), t.steps.c.undone_at.is_(None), t.steps.c.not_before <= soon
        )
    )
    found = [one.scalar() for one in (busy, look, step)]
    return min((one for one in found if one is not None), default=None)


async def next_due(connection: AsyncConnection, now_ms: int) -> int | None:
    """The earliest time after ``now_ms`` at which something queued, held, unknown or to be routed is due.

    What is due already must not hide what is due next: twenty thousand texts may be waiting for the sender's pace.
    """
    d = t.deliveries.c
    queued = await connection.execute(
        select(func.min(d.due_at)).where(
            d.work == Work.QUEUED.value, d.carried_by.is_(None), d.due_at > now_ms
        )
    )
    held = await connection.execute(
        select(func.min(d.due_at)).where(d.work == Work.HELD.value, d.due_at > now_ms)
    )
    look = await connection.execute(
        select(func.min(t.attempts.c.look_at)).where(t.attempts.c.look_at > now_ms)
    )
    step = await connection.execute(
        select(func.min(t.steps.c.not_before)).where(
            t.steps.c.routed_at.is_(None), t.steps.c.undone_at.is_(None), t.steps.c.not_before > now_ms
        )
    )
    found = [one.scalar() for one in (queued, held, look, step)]
    return min((one for one in found if one is not None), default=None)
