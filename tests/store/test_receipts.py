"""Receipts come late, doubled and in any order: the end is always the same."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select, text

from app.domain.buckets import Bucket
from app.domain.evidence import Evidence, Work
from app.store import receipts, unknowns
from app.store import tables as t
from app.store.claims import Claimed
from providers.contract import Accepted, Fact, InDoubt, ProviderError
from tests.house import HandClock, Hire, Ledger, crew_of, number

SWITCHED_OFF = ProviderError("30003", "The phone is switched off.", "Try again later.", retryable=True)
NO_SUCH = ProviderError("30005", "The carrier does not know the number.", "Ask for it.", bad_address=True)
STOPPED = ProviderError("21610", "This person has opted out.", "Reach them another way.", opted_out=True)
SILENT = ProviderError("no_answer", "No answer in time.", retryable=True)

ERROR_OF = {Fact.FAILED: NO_SUCH, Fact.OPTED_OUT: STOPPED, Fact.BOUNCED: NO_SUCH}

ANSWER = "answer"
"""The provider's own answer to our call, which may come after its receipts."""

ENDS: list[tuple[tuple[str | Fact, ...], Evidence, Bucket]] = [
    ((ANSWER, Fact.ACCEPTED, Fact.DELIVERED, Fact.READ), Evidence.READ, Bucket.READ),
    ((ANSWER, Fact.ACCEPTED, Fact.FAILED, Fact.DELIVERED), Evidence.DELIVERED, Bucket.DELIVERED),
    ((ANSWER, Fact.FAILED, Fact.BOUNCED, Fact.OPTED_OUT), Evidence.OPTED_OUT, Bucket.NOT_REACHED),
    ((ANSWER, Fact.DELIVERED, Fact.OPENED, Fact.FAILED), Evidence.OPENED, Bucket.DELIVERED),
    (
        (ANSWER, Fact.DELIVERED, Fact.BOUNCED_AFTER_ACCEPTANCE, Fact.BOUNCED),
        Evidence.BOUNCED_AFTER_ACCEPTANCE,
        Bucket.NOT_REACHED,
    ),
    ((ANSWER, Fact.BOUNCED_AFTER_ACCEPTANCE, Fact.READ, Fact.OPENED), Evidence.READ, Bucket.READ),
]


def fact_ids(case: object) -> str:
    return "-".join(str(one) for one in case) if isinstance(case, tuple) else str(case)


@pytest.mark.parametrize(("events", "evidence", "bucket"), ENDS, ids=fact_ids)
async def test_every_order_of_receipts_each_told_twice_ends_the_same(
    ledger: Ledger, events: tuple[str | Fact, ...], evidence: Evidence, bucket: Bucket
) -> None:
    orders = list(itertools.permutations(events))
    await ledger.hire(crew_of(len(orders)))
    message_id, _ = await ledger.compose()
    await ledger.route()
    called = await ledger.mark(await ledger.claim())
    assert len(called) == len(orders)
    for claimed, order in zip(called, orders, strict=True):
        await _tell(ledger, claimed, order)
    ends = await ledger.ask(
        select(
            t.deliveries.c.evidence, t.deliveries.c.work, t.recipients.c.bucket, t.attempts.c.evidence,
            t.attempts.c.conflict, t.attempts.c.provider_id.is_(None), t.attempts.c.look_at,
        )
        .join(t.recipients, t.recipients.c.id == t.deliveries.c.recipient_id)
        .join(t.attempts, t.attempts.c.delivery_id == t.deliveries.c.id)
        .where(t.deliveries.c.message_id == message_id)
    )  # fmt: skip
    assert len(ends) == len(orders)
    assert len(set(ends)) == 1
    assert ends[0][:4] == (evidence.value, Work.DONE.value, bucket.value, evidence.value)


async def _tell(ledger: Ledger, claimed: Claimed, order: tuple[str | Fact, ...]) -> None:
    """Each event twice, each time in a transaction of its own; the counters are right after every one."""
    reference = ledger.references[(claimed.id, claimed.attempt)]
    known = Evidence.NONE
    for event in order:
        for again in range(2):
            if isinstance(event, Fact):
                incoming = ledger.incoming(
                    event, reference=reference, error=ERROR_OF.get(event), key=f"{claimed.id}:{event}"
                )
                assert await ledger.hear(incoming) == (0 if again else 1)
            elif not again:
                await ledger.finish(claimed, Accepted(f"SM{claimed.id}"))
            now = Evidence((await _attempt(ledger, reference)).evidence)
            assert now.rank >= known.rank
            known = now
        await ledger.check_counters()


async def _attempt(ledger: Ledger, reference: str) -> Any:
    return await ledger.one(select(t.attempts).where(t.attempts.c.reference == reference))


@pytest.mark.parametrize("answer_first", [True, False], ids=["answer first", "receipt first"])
async def test_a_phone_without_signal_is_tried_again_whichever_comes_first(
    ledger: Ledger, answer_first: bool
) -> None:
    await ledger.hire([Hire("Ada Lund", number(1))])
    message_id, _ = await ledger.compose()
    await ledger.route()
    (claimed,) = await ledger.mark(await ledger.claim())
    failed = ledger.incoming(
        Fact.FAILED, reference=ledger.references[(claimed.id, 1)], error=SWITCHED_OFF, key="failed"
    )
    events: list[Callable[[], Awaitable[object]]] = [
        lambda: ledger.finish(claimed, Accepted("SM1")),
        lambda: ledger.hear(failed),
    ]
    for event in events if answer_first else reversed(events):
        await event()
        await ledger.check_counters()
    delivery = await ledger.delivery(claimed.id)
    assert (delivery.work, delivery.attempt, delivery.evidence) == (Work.QUEUED, 2, Evidence.FAILED)
    assert delivery.due_at == ledger.now + 180_000
    assert delivery.why == SWITCHED_OFF.sentence
    assert await ledger.buckets(message_id) == {"Ada Lund": Bucket.NOT_REACHED}


async def test_a_failure_that_comes_before_the_answer_keeps_its_words(ledger: Ledger) -> None:
    await ledger.hire([Hire("Ada Lund", number(1))])
    await ledger.compose()
    await ledger.route()
    (claimed,) = await ledger.mark(await ledger.claim())
    reference = ledger.references[(claimed.id, 1)]
    await ledger.hear(ledger.incoming(Fact.FAILED, reference=reference, error=NO_SUCH))
    await ledger.finish(claimed, Accepted("SM1"))
    delivery = await ledger.delivery(claimed.id)
    assert (delivery.evidence, delivery.why, delivery.next) == (
        Evidence.FAILED, NO_SUCH.sentence, NO_SUCH.next_step,
    )  # fmt: skip


async def test_a_late_delivery_makes_a_retry_needless_that_is_about_to_be_sent(
    ledger: Ledger, clock: HandClock
) -> None:
    await ledger.hire([Hire("Ada Lund", number(1))])
    await ledger.compose()
    await ledger.route()
    await ledger.call(Accepted("SM1"))
    await ledger.hear(ledger.incoming(Fact.FAILED, provider_id="SM1", error=SWITCHED_OFF))
    clock.advance(200)
    (claimed,) = await ledger.claim()
    await ledger.hear(ledger.incoming(Fact.DELIVERED, provider_id="SM1"))
    assert await ledger.mark([claimed]) == []
    assert (await ledger.delivery(claimed.id)).work == Work.DONE


async def test_a_late_delivery_makes_the_retry_needless(ledger: Ledger) -> None:
    await ledger.hire([Hire("Ada Lund", number(1))])
    message_id, _ = await ledger.compose()
    await ledger.route()
    (claimed,) = await ledger.call(Accepted("SM1"))
    await ledger.hear(ledger.incoming(Fact.FAILED, provider_id="SM1", error=SWITCHED_OFF))
    assert (await ledger.delivery(claimed.id)).work == Work.QUEUED
    await ledger.hear(ledger.incoming(Fact.DELIVERED, provider_id="SM1"))
    delivery = await ledger.delivery(claimed.id)
    assert (delivery.work, delivery.evidence, delivery.why) == (Work.DONE, Evidence.DELIVERED, "")
    assert await ledger.buckets(message_id) == {"Ada Lund": Bucket.DELIVERED}
    await ledger.check_counters()


async def test_a_receipt_that_tells_what_is_known_moves_nobody_and_is_shown(ledger: Ledger) -> None:
    await ledger.hire([Hire("Ada Lund", number(1))])
    await ledger.compose()
    await ledger.route()
    (claimed,) = await ledger.call(Accepted("SM1"))
    reference = ledger.references[(claimed.id, 1)]
    await ledger.hear(ledger.incoming(Fact.DELIVERED, reference=reference))
    stands = [await ledger.delivery(claimed.id), await _attempt(ledger, reference)]
    events = select(t.events.c.id)
    told, shown = await ledger.ask(events), await ledger.one(select(t.messages.c.dirty))
    await ledger.hear(ledger.incoming(Fact.ACCEPTED, reference=reference, key="late"))
    assert [await ledger.delivery(claimed.id), await _attempt(ledger, reference)] == stands
    assert await ledger.ask(events) == told
    assert (await ledger.one(select(t.messages.c.dirty))).dirty > shown.dirty
    late = await ledger.one(select(t.receipts).where(t.receipts.c.dedupe_key == "late"))
    assert late.applied_at is not None
    await ledger.check_counters()


async def test_an_old_attempts_failure_cannot_kill_a_new_attempt_and_its_delivery_does_win(
    ledger: Ledger,
) -> None:
    await ledger.hire(crew_of(2))
    message_id, _ = await ledger.compose()
    await ledger.route()
    first = await ledger.call(lambda one: Accepted(f"old{one.id}"))
    for one in first:
        await ledger.hear(ledger.incoming(Fact.FAILED, provider_id=f"old{one.id}", error=SWITCHED_OFF))
    ledger.clock.advance(200)  # type: ignore[attr-defined]
    second = await ledger.call(lambda one: Accepted(f"new{one.id}"))
    assert [one.attempt for one in second] == [2, 2]
    await ledger.hear(ledger.incoming(Fact.BOUNCED, provider_id=f"old{first[0].id}", error=NO_SUCH))
    await ledger.hear(ledger.incoming(Fact.DELIVERED, provider_id=f"old{first[1].id}"))
    assert [one.evidence for one in await ledger.deliveries_of(message_id)] == ["sent", "delivered"]
    await ledger.check_counters()


async def test_a_receipt_of_an_unknown_id_waits_until_the_id_is_known(ledger: Ledger) -> None:
    await ledger.hire([Hire("Ada Lund", number(1))])
    await ledger.compose()
    await ledger.route()
    (claimed,) = await ledger.mark(await ledger.claim())
    assert await ledger.hear(ledger.incoming(Fact.DELIVERED, provider_id="SM77")) == 1
    assert (await ledger.delivery(claimed.id)).evidence == Evidence.NONE
    assert await ledger.do(lambda connection: receipts.retry_parked(connection, ledger.now)) == 0
    await ledger.finish(claimed, Accepted("SM77"))
    assert (await ledger.delivery(claimed.id)).evidence == Evidence.DELIVERED
    assert (await ledger.one(select(t.receipts))).applied_at is not None
    await ledger.check_counters()


async def test_a_receipt_of_another_account_says_nothing_about_ours(ledger: Ledger) -> None:
    await ledger.hire([Hire("Ada Lund", number(1))])
    await ledger.compose()
    await ledger.route()
    (claimed,) = await ledger.call(Accepted("SM1"))
    reference = ledger.references[(claimed.id, 1)]
    forged = ledger.incoming(Fact.FAILED, reference=reference, provider_id="SM1", error=NO_SUCH)
    foreign = receipts.Incoming(
        account_id=ledger.account_id + 1,
        dedupe_key="foreign",
        fact=forged.fact,
        reference=reference,
        provider_id="SM1",
        error=NO_SUCH,
        raw=b"",
    )
    await ledger.hear(foreign)
    assert (await ledger.delivery(claimed.id)).evidence == Evidence.SENT


async def test_our_own_reference_settles_an_unknown_before_anybody_asks(ledger: Ledger) -> None:
    await ledger.hire([Hire("Ada Lund", number(1))])
    message_id, _ = await ledger.compose()
    await ledger.route()
    (claimed,) = await ledger.call(InDoubt(SILENT))
    assert await ledger.buckets(message_id) == {"Ada Lund": Bucket.UNCERTAIN}
    reference = ledger.references[(claimed.id, 1)]
    await ledger.hear(ledger.incoming(Fact.ACCEPTED, reference=reference, provider_id="SM5"))
    attempt = await _attempt(ledger, reference)
    assert (attempt.evidence, attempt.provider_id) == (Evidence.SENT, "SM5")
    assert await ledger.database.reading(lambda c: unknowns.due(c, attempt.look_at)) == []
    delivery = await ledger.delivery(claimed.id)
    assert (delivery.work, delivery.why) == (Work.DONE, "")
    assert await ledger.buckets(message_id) == {"Ada Lund": Bucket.ON_THE_WAY}
    await ledger.check_counters()


async def test_a_number_that_does_not_work_is_not_tried_again_for_anybody(ledger: Ledger) -> None:
    """Two people share it: neither gets another message there until somebody corrects it."""
    await ledger.hire([Hire("Ada Lund", number(1)), Hire("Jon Lund", number(1))])
    await ledger.compose()
    await ledger.route()
    await ledger.call(Accepted("SM1"))
    await ledger.hear(ledger.incoming(Fact.FAILED, provider_id="SM1", error=NO_SUCH))
    second, _ = await ledger.compose()
    await ledger.route()
    assert await ledger.claim() == []
    assert set((await ledger.buckets(second)).values()) == {Bucket.SUPPRESSED}
    await ledger.check_counters()


async def test_a_provider_that_says_opted_out_ends_everything_queued_for_that_number(ledger: Ledger) -> None:
    await ledger.hire([Hire("Ada Lund", number(1))])
    message_id, _ = await ledger.compose()
    await ledger.route()
    await ledger.call(Accepted("SM1"))
    await ledger.remind(message_id)
    await ledger.route()
    await ledger.hear(ledger.incoming(Fact.OPTED_OUT, provider_id="SM1", error=STOPPED))
    assert await ledger.claim() == []
    assert {one.work for one in await ledger.deliveries_of(message_id)} == {Work.DONE, Work.CANCELLED}
    await ledger.check_counters()


@pytest.mark.parametrize("either_home", ["sqlite"], indirect=True)
async def test_whose_a_receipt_is_is_found_without_reading_every_attempt(ledger: Ledger) -> None:
    named = receipts._OWNERS.params(references=["k3m9x2p7"], accounts=[1], provider_ids=["SM1"])
    query = named.compile(ledger.database.engine.sync_engine, compile_kwargs={"literal_binds": True})
    plan = [row.detail for row in await ledger.ask(text(f"EXPLAIN QUERY PLAN {query}"))]
    assert any("SEARCH attempts" in step for step in plan)
    assert not any("SCAN attempts" in step for step in plan)
