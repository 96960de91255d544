"""Routing written down: the decisions for one block of recipients become deliveries, links and suppressions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import ids
from app.domain.buckets import READERS, Bucket
from app.domain.evidence import Evidence, Work
from app.domain.priorities import PROFILES, StepKind
from app.domain.routing import HELD, Decision, Path
from app.store import addressees, stopping
from app.store import tables as t
from app.store.addressees import Listed
from app.store.messages import StoredMessage
from app.store.rollup import roll_up
from app.store.statements import chunks, insert
from app.store.steps import Step

ROUTE_ROWS = 500
"""Recipients routed in one transaction, so that an URGENT claim never waits long behind a big routine one."""


NOT_READ = frozenset(Bucket) - READERS

STILL_MEANT = {
    StepKind.DISREGARD: frozenset(Bucket) - {Bucket.NOT_REACHED, Bucket.HELD, Bucket.SUPPRESSED},
    StepKind.CORRECTION: frozenset(Bucket),
}
"""In which buckets those whom a step was asked for must still be when it is routed; for all other steps, not have
read it. Of a cancelled message whoever is on the way has it at the provider: what waited was called off."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A recipient whose paths are to be decided."""

    recipient_id: int
    person_id: int


async def next_block(connection: AsyncConnection, step: Step) -> tuple[list[Pending], int | None]:
    """The next recipients of a step, and the cursor after them (None when the step is at its end).

    Somebody who has read it since the key was pressed is not reminded any more, and somebody who never had it is not
    told to disregard it.
    """
    r = t.recipients.c
    query = select(r.id, r.person_id, r.bucket).where(r.id > step.route_cursor)
    if step.kind is StepKind.FIRST:
        query = query.where(r.message_id == step.message_id)
    else:
        query = query.join(t.step_people, t.step_people.c.recipient_id == r.id).where(
            t.step_people.c.step_id == step.id
        )
    rows = (await connection.execute(query.order_by(r.id).limit(ROUTE_ROWS))).all()
    meant = {bucket.value for bucket in STILL_MEANT.get(step.kind, NOT_READ)}
    wanted = [Pending(row.id, row.person_id) for row in rows if row.bucket in meant]
    return wanted, rows[-1].id if len(rows) == ROUTE_ROWS else None


async def listed(
    connection: AsyncConnection, message: StoredMessage, pending: Sequence[Pending]
) -> dict[int, Listed]:
    """What routing needs of these recipients, by person."""
    return await addressees.of_people(connection, message.production_id, [one.person_id for one in pending])


async def write(
    connection: AsyncConnection,
    message: StoredMessage,
    step: Step,
    pending: Sequence[Pending],
    people: Mapping[int, Listed],
    decisions: Mapping[int, Decision],
    *,
    cursor: int | None,
    link_key: bytes,
    now_ms: int,
) -> list[tuple[int, str]]:
    """Store the decisions of one block and move the step's cursor, in this transaction.

    Can be repeated: a delivery exists once for a step, recipient, channel and contact point. Two people on one
    number share one delivery: the second is carried by the first. Returns the overrides (recipient, words) for
    the audit.
    """
    rows = [
        _Row(
            one.recipient_id,
            path,
            people[one.person_id].lookups[path.contact_point_id],
        )
        for one in pending
        for path in decisions[one.person_id].paths
    ]
    rows.sort(key=lambda row: row.path.held_until_ms or 0)  # nobody waits for the other's quiet hours
    carriers = await _carriers(connection, step, {row.lookup for row in rows})
    first = []
    for row in rows:
        if row.address not in carriers:
            carriers[row.address] = 0
            first.append(row)
    made = await _insert(connection, message, step, first, carriers=None, now_ms=now_ms)
    for row in first:
        carriers[row.address] = made[(row.recipient_id, row.path.channel.value)]
    fronted = {id(row) for row in first}
    carried = await _insert(
        connection,
        message,
        step,
        [row for row in rows if id(row) not in fronted],
        carriers=carriers,
        now_ms=now_ms,
    )
    # Those who are carried have a link too: the text is handed on to them if their carrier needs it no more.
    await _add_links(connection, [*made.values(), *carried.values()], link_key)
    if step.kind is StepKind.REMINDER:
        await _replace_retries(connection, message, step, rows, now_ms)
    await _write_suppressions(connection, pending, decisions)
    await connection.execute(
        update(t.steps)
        .where(t.steps.c.id == step.id)
        .values(
            route_cursor=cursor if cursor is not None else step.route_cursor,
            routed_at=now_ms if cursor is None else None,
        )
    )
    await roll_up(connection, [one.recipient_id for one in pending], now_ms)
    return [(row.recipient_id, row.path.override) for row in rows if row.path.override]


@dataclass(frozen=True, slots=True)
class _Row:
    recipient_id: int
    path: Path
    lookup: str

    @property
    def address(self) -> tuple[str, str]:
        return self.path.channel.value, self.lookup


async def _carriers(
    connection: AsyncConnection, step: Step, lookups: Collection[str]
) -> dict[tuple[str, str], int]:
    """The deliveries of this step that already go to these addresses."""
    d = t.deliveries.c
    found: dict[tuple[str, str], int] = {}
    for some in chunks(sorted(lookups)):
        rows = await connection.execute(
            select(d.id, d.channel, t.contact_points.c.lookup)
            .join(t.contact_points, t.contact_points.c.id == d.contact_point_id)
            .where(d.step_id == step.id, d.carried_by.is_(None), t.contact_points.c.lookup.in_(some))
        )
        found |= {(row.channel, row.lookup): row.id for row in rows}
    return found


async def _insert(
    connection: AsyncConnection,
    message: StoredMessage,
    step: Step,
    rows: Sequence[_Row],
    *,
    carriers: Mapping[tuple[str, str], int] | None,
    now_ms: int,
) -> dict[tuple[int, str], int]:
    """Insert deliveries; returns their keys by recipient and channel."""
    give_up_at = now_ms + PROFILES[message.priority].give_up_s * 1000
    made: dict[tuple[int, str], int] = {}
    statement = (
        insert(connection, t.deliveries)
        .on_conflict_do_nothing(index_elements=["step_id", "recipient_id", "channel", "contact_point_id"])
        .returning(t.deliveries.c.id, t.deliveries.c.recipient_id, t.deliveries.c.channel)
    )
    for some in chunks(rows):
        values = [
            {
                "production_id": message.production_id,
                "message_id": message.id,
                "step_id": step.id,
                "recipient_id": row.recipient_id,
                "contact_point_id": row.path.contact_point_id,
                "channel": row.path.channel.value,
                "priority": message.priority.rank,
                "work": (Work.QUEUED if row.path.held_until_ms is None else Work.HELD).value,
                "evidence": Evidence.NONE.value,
                "evidence_rank": 0,
                "receipt_possible": True,
                "attempt": 1,
                "carried_by": carriers[row.address] if carriers is not None else None,
                "due_at": row.path.held_until_ms or now_ms,
                "give_up_at": give_up_at + max(0, (row.path.held_until_ms or now_ms) - now_ms),
                "why": "" if row.path.held_until_ms is None else HELD[0],
                "next": "" if row.path.held_until_ms is None else HELD[1],
                "created_at": now_ms,
            }
            for row in some
        ]
        for row in await connection.execute(statement, values):
            made[(row.recipient_id, row.channel)] = row.id
    return made


REPLACED = ("The reminder takes its place.", "")


async def _replace_retries(
    connection: AsyncConnection, message: StoredMessage, step: Step, rows: Sequence[_Row], now_ms: int
) -> None:
    """Call off what earlier steps would try again on the same channel: nobody gets both.

    A text that somebody else shares who is not reminded here goes on: it is theirs too.
    """
    d, shared = t.deliveries.c, t.deliveries.alias("shared")
    reminded = {(row.recipient_id, row.path.channel.value) for row in rows}
    recipients = {recipient for recipient, _ in reminded}
    words: dict[int, tuple[str, str]] = {}
    for some in chunks(sorted(recipients)):
        waiting = await connection.execute(
            select(d.id, d.recipient_id, d.channel, shared.c.recipient_id.label("sharer"))
            .outerjoin(shared, shared.c.carried_by == d.id)
            .where(
                d.recipient_id.in_(some),
                d.message_id == message.id,
                d.step_id < step.id,
                d.work == Work.QUEUED.value,
                d.evidence == Evidence.FAILED.value,
                d.carried_by.is_(None),
            )
        )
        found = waiting.all()
        theirs = {row.id for row in found if row.sharer is not None and row.sharer not in recipients}
        words |= {
            row.id: REPLACED
            for row in found
            if (row.recipient_id, row.channel) in reminded and row.id not in theirs
        }
    await stopping.call_off(connection, words, now_ms)


async def _add_links(connection: AsyncConnection, delivery_ids: Sequence[int], link_key: bytes) -> None:
    if delivery_ids:
        await connection.execute(
            t.links.insert(),
            [
                {
                    "token_hash": ids.token_hash(ids.link_token(link_key, one)),
                    "delivery_id": one,
                    "generation": 1,
                }
                for one in delivery_ids
            ],
        )


async def _write_suppressions(
    connection: AsyncConnection, pending: Sequence[Pending], decisions: Mapping[int, Decision]
) -> None:
    rows = []
    for one in pending:
        reason = decisions[one.person_id].suppression
        rows.append(
            {
                "rid": one.recipient_id,
                "reason": reason.reason.value if reason else None,
                "said": reason.why if reason else "",
                "then": reason.next if reason else "",
            }
        )
    if rows:
        await connection.execute(
            update(t.recipients)
            .where(t.recipients.c.id == bindparam("rid"))
            .values(suppression=bindparam("reason"), why=bindparam("said"), next=bindparam("then")),
            rows,
        )
