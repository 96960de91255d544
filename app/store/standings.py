"""Where each recipient of a message stands, why, and what to do next."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.buckets import NON_READERS, Bucket
from app.domain.evidence import FAILURES, Evidence, Work
from app.domain.messages import MessageStatus
from app.domain.routing import HELD, AddressKind
from app.store import tables as t
from app.store import trouble
from app.store.carriers import CARRIER, IS_CARRIER, through
from app.store.trouble import Stopped
from providers.contract import Channel


@dataclass(frozen=True, slots=True)
class Standing:
    """One recipient: where they stand, why, and what to do next."""

    recipient_id: int
    person_public_id: str
    name: str
    department: str
    position: str
    bucket: Bucket
    tries: int
    last_channel: Channel | None
    last_evidence: Evidence | None
    tail: str
    """The end of the number one would call: their first phone as it stands now, empty without one."""
    why: str
    next: str


_tried = t.deliveries.alias("tried")
_tries = (
    select(func.count())
    .select_from(t.attempts.join(_tried, _tried.c.id == t.attempts.c.delivery_id))
    .where(_tried.c.recipient_id == t.recipients.c.id)
    .correlate(t.recipients)
    .scalar_subquery()
)


_their_phone = t.contact_points.alias("their_phone")
_phone_tail = (
    select(_their_phone.c.tail)
    .where(
        _their_phone.c.person_id == t.people.c.id,
        _their_phone.c.kind == AddressKind.PHONE.value,
        _their_phone.c.retired_at.is_(None),
    )
    .order_by(_their_phone.c.place, _their_phone.c.id)
    .limit(1)
    .correlate(t.people)
    .scalar_subquery()
)


def _people(message_id: int, buckets: Collection[Bucket]) -> Select[tuple[object, ...]]:
    d, r, p = t.deliveries.c, t.recipients.c, t.people.c
    newest = (
        select(d.recipient_id, func.max(d.id).label("id"))
        .where(d.message_id == message_id)
        .group_by(d.recipient_id)
        .subquery()
    )
    return (
        select(
            r.id,
            r.production_id,
            p.public_id,
            p.name,
            r.department,
            p.position,
            r.bucket,
            _tries.label("tries"),
            d.channel,
            through("evidence"),
            through("work"),
            through("due_at"),
            _phone_tail.label("tail"),
            through("why"),
            through("next"),
            r.why.label("left_out_why"),
            r.next.label("left_out_next"),
            t.messages.c.status,
        )
        .join(t.messages, t.messages.c.id == r.message_id)
        .join(t.people, p.id == r.person_id)
        .outerjoin(newest, newest.c.recipient_id == r.id)
        .outerjoin(t.deliveries, d.id == newest.c.id)
        .outerjoin(CARRIER, IS_CARRIER)
        .where(r.message_id == message_id, r.bucket.in_([bucket.value for bucket in buckets]))
    )


WORDS: dict[Bucket, tuple[str, str]] = {
    Bucket.NEEDS_HELP: ("Answered that there is a problem.", "Call them."),
    Bucket.DECLINED: ("Declined.", "Find a replacement."),
    Bucket.CONFIRMED: ("Confirmed.", ""),
    Bucket.READ: ("Read it, has not answered.", ""),
    Bucket.DELIVERED: ("Delivered, not read.", "r reminds them."),
    Bucket.NO_RECEIPT: ("Sent; nobody reports whether it arrived.", "r reminds them."),
    Bucket.UNCERTAIN: ("Nobody knows yet whether it was sent.", "r reminds them, with a new text."),
    Bucket.ON_THE_WAY: ("On its way.", "Wait a moment."),
    Bucket.NOT_REACHED: ("It could not be delivered.", "Reach them another way."),
    Bucket.HELD: HELD,
    Bucket.SUPPRESSED: ("Nothing was sent.", "Reach them another way."),
}
"""Where a delivery has no words of its own: what to say, and what to do."""

PAUSED = ("The message is paused.", "p resumes it.")

CANCELLED = "The message is cancelled."
"""Instead of what else there would be to do: nobody is reminded of it."""

NAMES: dict[Channel, str] = {
    Channel.SMS: "Text",
    Channel.VOICE: "Call",
    Channel.PUSH: "Push",
    Channel.EMAIL: "E-mail",
    Channel.IN_APP: "Page",
}
"""What failed, where something else got further."""

WAITING_FOR_CARRIER = ("Sent; the carrier has not reported yet.", "r reminds them.")


KEPT_BACK = frozenset({Work.QUEUED.value, Work.CLAIMED.value, Work.HELD.value})
"""What a pause keeps back: nothing of these is with a provider."""


async def standings(
    connection: AsyncConnection,
    message_id: int,
    buckets: Collection[Bucket],
    *,
    text: str = "",
    limit: int | None = None,
) -> list[Standing]:
    """The recipients in these buckets, by department and name. ``text`` narrows by name or department."""
    query = _people(message_id, buckets)
    if text:
        like = f"%{text.lower().replace('%', '')}%"
        query = query.where(
            or_(func.lower(t.people.c.name).like(like), func.lower(t.recipients.c.department).like(like))
        )
    query = query.order_by(t.recipients.c.department, t.people.c.name, t.recipients.c.id)
    if limit is not None:
        query = query.limit(limit)
    rows = (await connection.execute(query)).all()
    stopped = await trouble.stopped_channels(connection, rows[0].production_id) if rows else {}
    return [_standing(row, stopped) for row in rows]


def _standing(row: object, stopped: Mapping[Channel, Stopped]) -> Standing:
    r = row._mapping  # type: ignore[attr-defined]
    bucket = Bucket(r["bucket"])
    why, following = _words(r, bucket, stopped)
    return Standing(
        recipient_id=r["id"],
        person_public_id=r["public_id"],
        name=r["name"],
        department=r["department"],
        position=r["position"],
        bucket=bucket,
        tries=r["tries"],
        last_channel=Channel(r["channel"]) if r["channel"] else None,
        last_evidence=Evidence(r["evidence"]) if r["evidence"] else None,
        tail=r["tail"] or "",
        why=why,
        next=following,
    )


def _words(r: Mapping[str, Any], bucket: Bucket, stopped: Mapping[Channel, Stopped]) -> tuple[str, str]:
    """Why they stand there and what to do: that nothing goes out just now, else the delivery's own words, else
    routing's, else the bucket's."""
    kept_back = r["work"] in KEPT_BACK or (r["work"] is None and bucket is Bucket.ON_THE_WAY)
    if kept_back and r["status"] == MessageStatus.PAUSED.value:
        return PAUSED
    if r["work"] == Work.QUEUED.value and (halt := stopped.get(Channel(r["channel"]))):
        return halt.why, halt.next
    why, following = WORDS[bucket]
    if bucket is Bucket.ON_THE_WAY and r["evidence"] == Evidence.SENT.value:
        why, following = WAITING_FOR_CARRIER
    if bucket in NON_READERS or bucket is Bucket.SUPPRESSED:
        why = _own_words(r, bucket) or r["left_out_why"] or why
        following = r["next"] or r["left_out_next"] or following
    if bucket in NON_READERS and r["status"] == MessageStatus.CANCELLED.value:
        return why, CANCELLED
    if bucket is Bucket.NOT_REACHED and r["work"] == Work.QUEUED.value:
        following = "It is tried again in a few minutes."
    return why, following


def _own_words(r: Mapping[str, Any], bucket: Bucket) -> str:
    """What the last delivery says of itself; by its channel's name where it failed and another got further."""
    failed = r["evidence"] is not None and Evidence(r["evidence"]) in FAILURES
    if r["why"] and failed and bucket is not Bucket.NOT_REACHED:
        return f"{NAMES[Channel(r['channel'])]}: {r['why']}"
    return str(r["why"] or "")
