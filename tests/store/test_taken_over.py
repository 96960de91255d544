"""One engine was cut off, another took over what it held; then the first comes back and tells how its call went."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.evidence import Evidence, Work
from app.domain.unknowns import Resolution, Verdict
from app.store import claims, sweeps, unknowns
from app.store.claims import Claimed
from providers.contract import Accepted, InDoubt, NotSent, Outcome, ProviderError
from tests.house import HandClock, Ledger, crew_of

LEASE_S = 30
AGAIN = Resolution(Verdict.SEND_AGAIN)
ASLEEP = NotSent(ProviderError("lease", "This computer was asleep.", retryable=True))
NO_ANSWER = InDoubt(ProviderError("timeout", "No answer came."))

LATE = [
    pytest.param(Accepted("SM1"), id="taken"),
    pytest.param(ASLEEP, id="not sent"),
    pytest.param(NO_ANSWER, id="in doubt"),
]


async def taken_over(ledger: Ledger, clock: HandClock) -> tuple[int, Claimed]:
    """An URGENT text whose first attempt nobody knows the fate of, so that another one is queued. Returns its
    message and the first attempt."""
    await ledger.hire(crew_of(1))
    message_id, _ = await ledger.compose()
    await ledger.route()
    (first,) = await ledger.mark(await ledger.claim(worker="first"), worker="first")
    clock.advance(LEASE_S + 21)
    await ledger.do(lambda connection: sweeps.expire(connection, now_ms=ledger.now))
    (unknown,) = await ledger.database.reading(lambda connection: unknowns.due(connection, ledger.now))
    await ledger.do(lambda connection: unknowns.settle(connection, unknown, AGAIN, None, ledger.now))
    return message_id, first


async def standing(ledger: Ledger, key: int) -> tuple[str, int, str]:
    row: Any = await ledger.delivery(key)
    return row.work, row.attempt, row.evidence


@pytest.mark.parametrize("late", LATE)
async def test_while_the_second_engine_calls_the_first_takes_nothing_from_it(
    ledger: Ledger, clock: HandClock, late: Outcome
) -> None:
    _, first = await taken_over(ledger, clock)
    (second,) = await ledger.mark(await ledger.claim(worker="second"), worker="second")
    await ledger.finish(first, late)
    row = await ledger.delivery(first.id)
    assert (row.work, row.attempt, row.worker) == (Work.SENDING, 2, "second")
    assert await ledger.claim(worker="first") == []
    await ledger.finish(second, Accepted("SM2"))
    assert await standing(ledger, first.id) == (Work.DONE, 2, Evidence.SENT)
    await ledger.check_counters()


async def test_what_the_first_engine_has_handed_over_after_all_is_not_sent_again(
    ledger: Ledger, clock: HandClock
) -> None:
    _, first = await taken_over(ledger, clock)
    claimed = await ledger.claim(worker="second")
    await ledger.finish(first, Accepted("SM1"))
    assert await ledger.mark(claimed, worker="second") == []
    assert await standing(ledger, first.id) == (Work.DONE, 2, Evidence.SENT)
    await ledger.check_counters()


@pytest.mark.parametrize("late", LATE[1:])
async def test_what_the_first_engine_has_not_handed_over_is_still_sent_by_the_second(
    ledger: Ledger, clock: HandClock, late: Outcome
) -> None:
    _, first = await taken_over(ledger, clock)
    await ledger.finish(first, late)
    assert (await standing(ledger, first.id))[:2] == (Work.QUEUED, 2)
    (second,) = await ledger.call(Accepted("SM2"))
    assert second.attempt == 2
    assert await standing(ledger, first.id) == (Work.DONE, 2, Evidence.SENT)
    await ledger.check_counters()


async def test_what_was_claimed_and_never_heard_of_runs_out_while_its_engine_works_on(
    ledger: Ledger, clock: HandClock
) -> None:
    """The line broke while the claim was stored: the engine holds these, and does not know it."""
    await ledger.hire(crew_of(3))
    await ledger.compose()
    await ledger.route()
    known, *unheard = await ledger.claim()
    for _ in range(3):
        clock.advance(LEASE_S / 3)
        kept = await ledger.do(
            lambda connection: claims.renew(
                connection,
                [known.id],
                worker=ledger.worker,
                now_ms=ledger.now,
                lease_until=ledger.now + LEASE_S * 1000,
            )
        )
        assert kept == [known.id]
    await ledger.do(lambda connection: sweeps.expire(connection, now_ms=ledger.now))
    assert {one.id for one in await ledger.claim()} == {one.id for one in unheard}
