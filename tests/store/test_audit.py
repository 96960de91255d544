"""The audit: what was written stays as it was, or it is found."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select, update

from app.domain.actor import Actor
from app.store import audit
from app.store import tables as t
from tests.house import Ledger

KIT = Actor("Kit Marsh")


async def _write(ledger: Ledger, entries: int) -> list[int]:
    async def work(connection: object) -> None:
        for one in range(entries):
            await audit.record(
                connection,  # type: ignore[arg-type]
                KIT,
                "send",
                f"message:{one}",
                ledger.now + one,
                production_id=ledger.production.id,
                detail={"people": one},
            )

    await ledger.do(work)
    return [row.id for row in await ledger.ask(select(t.audit.c.id).order_by(t.audit.c.id))]


async def _verified(ledger: Ledger) -> audit.Verified:
    return await ledger.database.reading(audit.verify)


async def test_an_untouched_chain_is_whole(ledger: Ledger) -> None:
    assert await _verified(ledger) == audit.Verified(0, None)
    await _write(ledger, 5)
    assert await _verified(ledger) == audit.Verified(5, None)


@pytest.mark.parametrize("column", ["at", "actor", "action", "subject", "detail", "previous", "hash"])
async def test_a_changed_entry_is_found(ledger: Ledger, column: str) -> None:
    keys = await _write(ledger, 5)
    changed = {column: 1 if column == "at" else "changed"}
    await ledger.do(lambda c: c.execute(update(t.audit).where(t.audit.c.id == keys[2]).values(changed)))
    found = await _verified(ledger)
    assert not found.ok
    assert found.first_broken == keys[2]


@pytest.mark.parametrize("place", [0, 2])
async def test_a_removed_entry_is_found_at_the_one_after_it(ledger: Ledger, place: int) -> None:
    keys = await _write(ledger, 5)
    await ledger.do(lambda c: c.execute(delete(t.audit).where(t.audit.c.id == keys[place])))
    assert (await _verified(ledger)).first_broken == keys[place + 1]


@pytest.mark.parametrize("removed", [1, 3, 5])
async def test_a_chain_that_was_cut_off_at_its_end_is_found(ledger: Ledger, removed: int) -> None:
    keys = await _write(ledger, 5)
    await ledger.do(lambda c: c.execute(delete(t.audit).where(t.audit.c.id.in_(keys[5 - removed :]))))
    assert await _verified(ledger) == audit.Verified(5 - removed, 6 - removed)
    await _write(ledger, 1)  # what is written behind the cut does not heal it
    assert not (await _verified(ledger)).ok


async def test_two_entries_that_changed_places_are_found(ledger: Ledger) -> None:
    keys = await _write(ledger, 4)

    async def swap(connection: object) -> None:
        for key, to in ((keys[1], 9_999), (keys[2], keys[1]), (9_999, keys[2])):
            await connection.execute(update(t.audit).where(t.audit.c.id == key).values(id=to))  # type: ignore[attr-defined]

    await ledger.do(swap)
    assert (await _verified(ledger)).first_broken == keys[1]
