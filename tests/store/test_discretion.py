"""What the database says when it refuses something: which statement, and never the words of the people."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from app.store import productions
from tests.house import Ledger

SECRET = "The unit moves to Ada Lund, 310 555 0111"


async def by_visit(ledger: Ledger, work: Callable[[Any], Awaitable[None]]) -> None:
    await ledger.database.writing(work)


async def by_connection(ledger: Ledger, work: Callable[[Any], Awaitable[None]]) -> None:
    async with ledger.database.write() as connection:
        await work(connection)


@pytest.mark.parametrize("way", [by_visit, by_connection], ids=lambda way: way.__name__)
async def test_a_refused_row_is_not_told_with_its_values(ledger: Ledger, way: Any) -> None:
    async def twice(connection: Any) -> None:
        for public_id in ("A" * 26, "B" * 26):
            await productions.add(
                connection,
                public_id=public_id,
                name=SECRET,
                region="US",
                time_zone="America/Los_Angeles",
                now_ms=ledger.now,
            )

    with pytest.raises(IntegrityError) as refused:
        await way(ledger, twice)
    told = str(refused.value) + "".join(traceback.format_exception(refused.value))
    assert "INSERT INTO productions" in told
    assert "Ada Lund" not in told
    assert "555" not in told
