"""What a siege came to: everybody is accounted for, and the carrier agrees."""

from __future__ import annotations

from collections import Counter, defaultdict
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from app.domain.buckets import Bucket
from app.domain.priorities import Priority
from app.domain.unknowns import REMIND
from app.rehearsal import log
from app.store import tables as t
from providers.contract import Fact
from tests.faults.siege import Siege
from tests.house import number

LOOK_UP = "look-up:"
"""How the keys begin of what the provider said when it was asked."""


class Settled(StrEnum):
    """What became of a call whose sender was killed before it knew."""

    BY_RECEIPT = "settled by a receipt"
    BY_LOOK_UP = "settled by a look-up"
    SENT_AGAIN = "sent again"
    UNCERTAIN = "left to the coordinator"


async def examine(siege: Siege) -> dict[str, int]:
    """Check everything there is to check. Returns the figures."""
    await _check_calls(siege)
    answered = await _check_callbacks(siege)
    settled = await _check_unknowns(siege)
    lost, doubled = await _check_everybody(siege)
    return {
        "unknown": sum(settled.values()),
        **{how.value: settled[how] for how in Settled},
        "callbacks answered": answered,
        "lost": lost,
        "sent twice": doubled,
    }


async def _check_everybody(siege: Siege) -> tuple[int, int]:
    """Nobody is lost, and nobody got it twice who is known to have it. Returns how many were, all the same: those
    nobody sent to and nobody names, and those who got it twice because nobody could know."""
    arrived = await _references(siege, Fact.DELIVERED)
    rows = await siege.ledger.ask(
        select(t.deliveries, t.recipients.c.bucket, t.people.c.name)
        .join(t.recipients, t.recipients.c.id == t.deliveries.c.recipient_id)
        .join(t.people, t.people.c.id == t.recipients.c.person_id)
        .where(t.recipients.c.message_id == siege.message_id)
    )
    by_name = {row.name: row for row in rows}
    assert len(by_name) == len(rows) == siege.people
    references: defaultdict[int, set[str]] = defaultdict(set)
    for one in await siege.ledger.ask(select(t.attempts.c.delivery_id, t.attempts.c.reference)):
        references[one.delivery_id].add(one.reference)
    had = Counter(one.to for one in siege.carrier.log() if one.has(log.ACCEPTED))
    for one in range(siege.people):
        row, texts = by_name[f"Person {one:05d}"], had[number(one)]
        bucket = Bucket(row.bucket)
        if texts == 0:  # not lost: named, with the reason and what to do
            assert siege.priority is not Priority.URGENT
            assert bucket is Bucket.UNCERTAIN
            assert "no record of it" in row.why
            assert row.next == REMIND
            assert row.id in siege.open_at_a_kill
        elif references[row.id] & arrived:
            assert bucket is Bucket.DELIVERED
        else:  # taken, and the receipt was lost on its way to us
            assert siege.deaf
            assert bucket is Bucket.ON_THE_WAY
        if texts > 1:  # only what nobody knew the fate of, and only URGENT
            assert siege.priority is Priority.URGENT
            assert row.id in siege.open_at_a_kill
    named = {
        number(one) for one in range(siege.people) if by_name[f"Person {one:05d}"].bucket == Bucket.UNCERTAIN
    }
    return siege.people - len(named | had.keys()), sum(texts > 1 for texts in had.values())


async def _check_calls(siege: Siege) -> None:
    """Nothing was called that was not written down before, and nothing that was known to be taken again."""
    attempts = await siege.ledger.ask(select(t.attempts.c.reference, t.attempts.c.delivery_id))
    posts = [one.reference for one in siege.carrier.log()]
    assert len(posts) == len(set(posts))
    assert set(posts) <= {row.reference for row in attempts}
    tried = Counter(row.delivery_id for row in attempts)
    assert {delivery for delivery, count in tried.items() if count > 1} <= siege.open_at_a_kill


async def _check_callbacks(siege: Siege) -> int:
    """What was answered with 2xx is stored, whenever the process was killed. Returns how many that were.

    Where no callback was lost on the way, each of them was answered in the end.
    """
    stored = Counter(one.dedupe_key for one in await siege.ledger.ask(select(t.receipts.c.dedupe_key)))
    told = Counter(f"{one.id}:{status}" for one in siege.carrier.log() for status in one.told)
    assert told.keys() <= stored.keys()
    assert siege.carrier.callback_counts["refused"] == 0
    if not siege.deaf:
        taken = [one.id for one in siege.carrier.log() if one.has(log.ACCEPTED)]
        assert set(told) == {f"{sid}:{status}" for sid in taken for status in ("queued", "sent", "delivered")}
    return told.total()


async def _check_unknowns(siege: Siege) -> Counter[Settled]:
    """Every call of unknown fate was settled, by the one who could know. Returns how many by whom."""
    taken = {one.reference: one for one in siege.carrier.log() if one.has(log.ACCEPTED)}
    settled = await _settled(siege)
    for reference, how in settled.items():
        if reference not in taken:
            assert how in {Settled.SENT_AGAIN, Settled.UNCERTAIN}
        elif siege.deaf and not taken[reference].told:
            assert how is Settled.BY_LOOK_UP
        else:
            assert how in {Settled.BY_RECEIPT, Settled.BY_LOOK_UP}
    return Counter(settled.values())


async def _settled(siege: Siege) -> dict[str, Settled]:
    """What settled each of the unknown calls first, by its reference."""
    first: dict[str, Settled] = {}
    for one in await siege.ledger.ask(select(t.receipts).order_by(t.receipts.c.id)):
        by_look_up = one.dedupe_key.startswith(LOOK_UP)
        first.setdefault(one.reference, Settled.BY_LOOK_UP if by_look_up else Settled.BY_RECEIPT)
    attempts: list[Any] = await siege.ledger.ask(select(t.attempts).order_by(t.attempts.c.number))
    last = {one.delivery_id: one.number for one in attempts}
    return {
        one.reference: first.get(
            one.reference, Settled.SENT_AGAIN if one.number < last[one.delivery_id] else Settled.UNCERTAIN
        )
        for one in attempts
        if one.reference in siege.unknown
    }


async def _references(siege: Siege, fact: Fact) -> set[str]:
    """The calls of which somebody told us this."""
    rows = await siege.ledger.ask(select(t.receipts.c.reference).where(t.receipts.c.fact == fact.value))
    return {row.reference for row in rows}
