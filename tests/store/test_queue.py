"""The queue: claim, mark, finish, expire. Each delivery is called once, whoever asks and whatever breaks."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from app.composition import add_production
from app.domain.buckets import Bucket
from app.domain.evidence import Evidence, Work
from app.domain.messages import MessageStatus
from app.domain.priorities import PROFILES, Priority, Purpose
from app.domain.unknowns import Resolution, Verdict
from app.store import answers, due, messages, sweeps, unknowns
from app.store import tables as t
from app.store.claims import Claimed
from providers.contract import Accepted, Fact, Found, InDoubt, NotSent, Outcome, ProviderError, Rejected
from tests.house import HandClock, Hire, Ledger, crew_of, furnish, number

LATER = ProviderError("20503", "Out of service.", "Try again.", retryable=True)
THROTTLED = ProviderError("20429", "Too fast.", throttled=True, retry_after_s=45)
NO_SUCH = ProviderError("21211", "This is not a phone number.", "Ask for it.", bad_address=True)
STOPPED = ProviderError("21610", "This person has opted out.", "Reach them another way.", opted_out=True)
SILENT = ProviderError("no_answer", "No answer in time.", "Look it up.", retryable=True)
CONFIG = ProviderError("20003", "The credentials are wrong.", "Enter them again.", config=True)


# ------------------------------------------------------------------------------------------------ claim


async def test_each_delivery_is_claimed_once_by_many_claimers(ledger: Ledger, home: Path) -> None:
    """Four connections of their own claim at once, as four processes would."""
    await ledger.hire(crew_of(300))
    await ledger.compose()
    await ledger.route()
    others = [await furnish(home, ledger.clock) for _ in range(4)]
    try:

        async def claim_all(other: Ledger, name: str) -> list[int]:
            found: list[int] = []
            while some := await other.claim(7, worker=name):
                found += [one.id for one in some]
            return found

        every = await asyncio.gather(*(claim_all(one, f"w{n}") for n, one in enumerate(others)))
    finally:
        for one in others:
            await one.database.close()
    claimed = [one for some in every for one in some]
    assert len(claimed) == len(set(claimed)) == 300
    holders = await ledger.ask(select(t.deliveries.c.id, t.deliveries.c.worker, t.deliveries.c.work))
    assert {row.work for row in holders} == {Work.CLAIMED.value}
    assert all(row.id in every[int(row.worker[1:])] for row in holders)


async def test_the_most_urgent_are_claimed_first_and_then_the_oldest(
    ledger: Ledger, clock: HandClock
) -> None:
    await ledger.hire(crew_of(2))
    sent = []
    for priority in (Priority.ROUTINE, Priority.INFO, Priority.IMPORTANT, Priority.URGENT, Priority.ROUTINE):
        sent.append((priority.rank, (await ledger.compose(priority))[0]))
        await ledger.route()
        clock.advance(1)
    claimed = await ledger.claim(10)
    assert [(one.priority.rank, one.message_id) for one in claimed[::2]] == sorted(sent)


@pytest.mark.parametrize("status", [one for one in MessageStatus if one is not MessageStatus.SENDING])
async def test_nothing_of_a_message_that_is_not_being_sent_is_claimed(
    ledger: Ledger, status: MessageStatus
) -> None:
    await ledger.hire(crew_of(2))
    message_id, _ = await ledger.compose()
    await ledger.route()
    await ledger.do(lambda c: messages.set_status(c, message_id, status))
    assert await ledger.claim() == []


async def test_a_claimed_delivery_is_not_marked_once_its_message_is_paused(ledger: Ledger) -> None:
    await ledger.hire(crew_of(2))
    message_id, _ = await ledger.compose()
    await ledger.route()
    claimed = await ledger.claim()
    await ledger.do(lambda c: messages.set_status(c, message_id, MessageStatus.PAUSED))
    assert await ledger.mark(claimed) == []
    assert await ledger.ask(select(t.attempts.c.id)) == []


async def test_only_who_holds_the_lease_may_call_and_only_while_it_lasts(
    ledger: Ledger, clock: HandClock
) -> None:
    await ledger.hire(crew_of(3))
    await ledger.compose()
    await ledger.route()
    first, second, third = await ledger.claim(lease_ms=30_000)
    assert await ledger.mark([first], worker="somebody else") == []
    assert await ledger.mark([second]) == [second]
    clock.advance(30)
    assert await ledger.mark([third]) == []


async def test_the_attempt_is_stored_with_the_mark(ledger: Ledger) -> None:
    await ledger.hire(crew_of(1))
    await ledger.compose()
    await ledger.route()
    (claimed,) = await ledger.mark(await ledger.claim())
    attempt = await ledger.one(select(t.attempts))
    assert (attempt.delivery_id, attempt.number, attempt.evidence) == (claimed.id, 1, Evidence.NONE)
    assert attempt.reference == ledger.references[(claimed.id, 1)]
    assert (await ledger.delivery(claimed.id)).work == Work.SENDING


async def test_what_is_too_old_is_not_claimed_and_says_so(ledger: Ledger, clock: HandClock) -> None:
    await ledger.hire(crew_of(2))
    message_id, _ = await ledger.compose()
    await ledger.route()
    clock.advance(PROFILES[Priority.URGENT].give_up_s)
    assert await ledger.claim() == []
    assert await ledger.do(lambda c: sweeps.give_up(c, ledger.now)) == 2
    assert {one.work for one in await ledger.deliveries_of(message_id)} == {Work.EXPIRED}
    assert set((await ledger.buckets(message_id)).values()) == {Bucket.SUPPRESSED}
    await ledger.check_counters()


# ------------------------------------------------------------------------------------------- outcomes

OUTCOMES: list[tuple[str, Outcome, Work, Evidence, Bucket, str]] = [
    ("accepted", Accepted("SM1", 2), Work.DONE, Evidence.SENT, Bucket.ON_THE_WAY, ""),
    ("later", NotSent(LATER), Work.QUEUED, Evidence.NONE, Bucket.ON_THE_WAY, LATER.sentence),
    ("throttled", NotSent(THROTTLED), Work.QUEUED, Evidence.NONE, Bucket.ON_THE_WAY, THROTTLED.sentence),
    ("refused for now", Rejected(LATER), Work.QUEUED, Evidence.FAILED, Bucket.NOT_REACHED, LATER.sentence),
    ("bad number", Rejected(NO_SUCH), Work.DONE, Evidence.FAILED, Bucket.NOT_REACHED, NO_SUCH.sentence),
    ("opted out", Rejected(STOPPED), Work.DONE, Evidence.OPTED_OUT, Bucket.NOT_REACHED, STOPPED.sentence),
    ("our fault", Rejected(CONFIG), Work.QUEUED, Evidence.NONE, Bucket.ON_THE_WAY, CONFIG.sentence),
    ("in doubt", InDoubt(SILENT), Work.DONE, Evidence.UNKNOWN, Bucket.UNCERTAIN, SILENT.sentence),
]


@pytest.mark.parametrize(
    ("outcome", "work", "evidence", "bucket", "why"),
    [case[1:] for case in OUTCOMES],
    ids=[case[0] for case in OUTCOMES],
)
async def test_what_an_outcome_leaves_behind(
    ledger: Ledger, outcome: Outcome, work: Work, evidence: Evidence, bucket: Bucket, why: str
) -> None:
    await ledger.hire([Hire("Ada Lund", number(1))])
    message_id, _ = await ledger.compose()
    await ledger.route()
    (claimed,) = await ledger.call(outcome)
    delivery = await ledger.delivery(claimed.id)
    assert (delivery.work, delivery.evidence, delivery.why) == (work, evidence, why)
    assert delivery.attempt == (2 if work is Work.QUEUED else 1)
    assert (delivery.worker, delivery.lease_until) == (None, None)
    assert await ledger.buckets(message_id) == {"Ada Lund": bucket}
    await ledger.check_counters()


async def test_a_provider_that_says_when_is_not_asked_before(ledger: Ledger, clock: HandClock) -> None:
    await ledger.hire(crew_of(1))
    await ledger.compose()
    await ledger.route()
    await ledger.call(NotSent(THROTTLED))
    clock.advance(44.9)
    assert await ledger.claim() == []
    clock.advance(0.1)
    assert [one.attempt for one in await ledger.claim()] == [2]


async def test_an_unknown_is_never_claimed_again_by_itself(ledger: Ledger, clock: HandClock) -> None:
    await ledger.hire(crew_of(1))
    await ledger.compose()
    await ledger.route()
    await ledger.call(InDoubt(SILENT))
    clock.advance(7200)
    assert await ledger.claim() == []


# ------------------------------------------------------------------------------------------- expiring


async def test_a_lost_claim_is_queued_again_and_a_lost_call_is_unknown(
    ledger: Ledger, clock: HandClock
) -> None:
    await ledger.hire(crew_of(4))
    message_id, _ = await ledger.compose()
    await ledger.route()
    claimed = await ledger.claim()
    called = await ledger.mark(claimed[:2])
    clock.advance(29)
    assert await ledger.do(lambda c: sweeps.expire(c, now_ms=ledger.now)) == (0, 0)
    clock.advance(1)
    assert await ledger.do(lambda c: sweeps.expire(c, now_ms=ledger.now)) == (2, 2)
    now = {one.id: one for one in await ledger.deliveries_of(message_id)}
    assert all((now[one.id].work, now[one.id].evidence) == ("done", "unknown") for one in called)
    assert all("interrupted" in now[one.id].why for one in called)
    assert all(now[one.id].work == "queued" for one in claimed[2:])
    assert [one.attempt for one in await ledger.claim()] == [1, 1]  # a repeated claim is the same attempt
    await ledger.check_counters()


async def test_calls_of_this_process_that_are_open_do_not_expire(ledger: Ledger, clock: HandClock) -> None:
    await ledger.hire(crew_of(1))
    await ledger.compose()
    await ledger.route()
    (claimed,) = await ledger.mark(await ledger.claim())
    clock.advance(3 * 3600)
    expired = await ledger.do(
        lambda c: sweeps.expire(c, now_ms=ledger.now, worker=ledger.worker, in_flight=[claimed.id])
    )
    assert expired == (0, 0)


async def test_everything_of_a_process_that_is_gone_has_run_out(ledger: Ledger) -> None:
    await ledger.hire(crew_of(2))
    await ledger.compose()
    await ledger.route()
    first, _ = await ledger.claim(worker="the dead")
    await ledger.mark([first], worker="the dead")
    expired = await ledger.do(lambda c: sweeps.expire(c, now_ms=ledger.now, worker="the living"))
    assert expired == (1, 1)


@pytest.mark.parametrize(
    ("priority", "patience_s"), [(Priority.URGENT, 20), (Priority.IMPORTANT, 30), (Priority.ROUTINE, 30)]
)
async def test_nobody_is_asked_before_a_call_that_was_cut_off_could_have_arrived(
    ledger: Ledger, clock: HandClock, priority: Priority, patience_s: int
) -> None:
    await ledger.hire(crew_of(1))
    await ledger.compose(priority)
    await ledger.route()
    await ledger.mark(await ledger.claim(worker="the dead"), worker="the dead")
    called_at = ledger.now
    clock.advance(3)
    await ledger.do(lambda c: sweeps.expire(c, now_ms=ledger.now, worker="the living"))
    assert (await ledger.one(select(t.attempts))).look_at == called_at + patience_s * 1000


async def test_a_receipt_that_came_while_the_process_died_is_worth_more_than_unknown(ledger: Ledger) -> None:
    await ledger.hire(crew_of(1))
    await ledger.compose()
    await ledger.route()
    (claimed,) = await ledger.mark(await ledger.claim())
    await ledger.hear(ledger.incoming(Fact.DELIVERED, reference=ledger.references[(claimed.id, 1)]))
    await ledger.do(lambda c: sweeps.expire(c, now_ms=ledger.now, worker="the living"))
    delivery = await ledger.delivery(claimed.id)
    assert (delivery.work, delivery.evidence, delivery.why) == (Work.DONE, Evidence.DELIVERED, "")
    assert (await ledger.one(select(t.attempts))).look_at is None
    await ledger.check_counters()


# ----------------------------------------------------------------------- what holds in the moment of sending


async def test_who_has_answered_is_not_sent_what_was_waiting(ledger: Ledger) -> None:
    await ledger.hire([Hire("Ada Lund", number(1)), Hire("Jon Bell", number(2))])
    message_id, _ = await ledger.compose()
    await ledger.route()
    await ledger.call(lambda one: Accepted(f"SM{one.id}"))
    await ledger.remind(message_id)
    await ledger.route()
    claimed = await ledger.claim()
    assert len(claimed) == 2
    await ledger.answer(message_id, "Ada Lund")
    assert len(await ledger.mark(claimed)) == 1
    assert await ledger.buckets(message_id) == {"Ada Lund": Bucket.CONFIRMED, "Jon Bell": Bucket.ON_THE_WAY}
    await ledger.check_counters()


@pytest.mark.parametrize(
    "outcome", [NotSent(THROTTLED), Rejected(LATER)], ids=["throttled", "refused for now"]
)
async def test_who_answers_while_the_call_is_open_is_not_tried_again(
    ledger: Ledger, clock: HandClock, outcome: Outcome
) -> None:
    await ledger.hire([Hire("Ada Lund", number(1))])
    message_id, _ = await ledger.compose()
    await ledger.route()
    await ledger.call(Accepted("SM1"))
    await ledger.remind(message_id)
    await ledger.route()
    (claimed,) = await ledger.mark(await ledger.claim())
    await ledger.answer(message_id, "Ada Lund")
    await ledger.finish(claimed, outcome)
    clock.advance(60)
    assert await ledger.claim() == []
    assert (await ledger.delivery(claimed.id)).work == Work.CANCELLED
    assert await ledger.buckets(message_id) == {"Ada Lund": Bucket.CONFIRMED}
    await ledger.check_counters()


async def test_who_opts_out_while_the_call_is_open_is_not_tried_again(
    ledger: Ledger, clock: HandClock
) -> None:

    await ledger.hire([Hire("Ada Lund", number(1))])
    message_id, _ = await ledger.compose()
    await ledger.route()
    (claimed,) = await ledger.mark(await ledger.claim())
    await ledger.opt_out(number(1))
    await ledger.finish(claimed, NotSent(THROTTLED))
    clock.advance(60)
    assert await ledger.claim() == []
    delivery = await ledger.delivery(claimed.id)
    assert (delivery.work, delivery.why) == (Work.CANCELLED, "Opted out of texts.")
    assert await ledger.buckets(message_id) == {"Ada Lund": Bucket.SUPPRESSED}
    await ledger.check_counters()


async def test_an_opt_out_from_another_production_stops_nothing_here(ledger: Ledger) -> None:
    other = await add_production(ledger.database, "DAYBREAK", "US", "UTC")
    await ledger.hire([Hire("Ada Lund", number(1))])
    await ledger.opt_out(number(1), other.id)
    await ledger.compose()
    await ledger.route()
    assert len(await ledger.claim()) == 1


# ---------------------------------------------------------------------------------------------- unknowns


async def _settle(ledger: Ledger, resolution: Resolution, found: Found | None = None) -> None:
    (unknown,) = await ledger.database.reading(lambda c: unknowns.due(c, ledger.now + 3_600_000))
    await ledger.do(lambda c: unknowns.settle(c, unknown, resolution, found, ledger.now))


async def _in_doubt(ledger: Ledger) -> tuple[int, Claimed]:
    await ledger.hire([Hire("Ada Lund", number(1))])
    message_id, _ = await ledger.compose()
    await ledger.route()
    (claimed,) = await ledger.call(InDoubt(SILENT))
    return message_id, claimed


async def test_a_look_up_that_finds_it_settles_it(ledger: Ledger) -> None:
    message_id, claimed = await _in_doubt(ledger)
    await _settle(ledger, Resolution(Verdict.ACCEPTED), Found("SM9", Fact.DELIVERED))
    attempt = await ledger.one(select(t.attempts))
    assert (attempt.evidence, attempt.provider_id, attempt.look_at) == (Evidence.DELIVERED, "SM9", None)
    assert (await ledger.delivery(claimed.id)).why == ""
    assert await ledger.buckets(message_id) == {"Ada Lund": Bucket.DELIVERED}
    await ledger.check_counters()


async def test_what_is_sent_again_is_a_new_attempt_and_the_old_one_can_still_win(ledger: Ledger) -> None:
    message_id, claimed = await _in_doubt(ledger)
    await _settle(ledger, Resolution(Verdict.SEND_AGAIN))
    (again,) = await ledger.call(Rejected(CONFIG))
    assert (again.id, again.attempt) == (claimed.id, 2)
    assert await ledger.buckets(message_id) == {"Ada Lund": Bucket.UNCERTAIN}
    await ledger.hear(ledger.incoming(Fact.DELIVERED, reference=ledger.references[(claimed.id, 1)]))
    assert await ledger.buckets(message_id) == {"Ada Lund": Bucket.DELIVERED}
    await ledger.check_counters()


async def test_a_receipt_that_was_faster_than_the_look_up_is_not_overruled(ledger: Ledger) -> None:
    message_id, claimed = await _in_doubt(ledger)
    (unknown,) = await ledger.database.reading(lambda c: unknowns.due(c, ledger.now + 60_000))
    await ledger.hear(ledger.incoming(Fact.DELIVERED, reference=ledger.references[(claimed.id, 1)]))
    await ledger.do(lambda c: unknowns.settle(c, unknown, Resolution(Verdict.SEND_AGAIN), None, ledger.now))
    assert (await ledger.delivery(claimed.id)).work == Work.DONE
    assert await ledger.buckets(message_id) == {"Ada Lund": Bucket.DELIVERED}


async def test_an_unknown_text_for_two_counts_as_arrived_only_when_both_have_it(ledger: Ledger) -> None:
    await ledger.hire([Hire("Ada Lund", number(1)), Hire("Jon Lund", number(1))])
    message_id, _ = await ledger.compose()
    await ledger.route()
    await ledger.call(InDoubt(SILENT))

    async def all_have_it() -> bool:
        (unknown,) = await ledger.database.reading(lambda c: unknowns.due(c, ledger.now + 60_000))
        return unknown.person_has_evidence

    for name, both in (("Ada Lund", False), ("Jon Lund", True)):
        person = await ledger.recipient(message_id, name)
        await ledger.do(lambda c, one=person: answers.note_read(c, one.id, ledger.now))
        assert await all_have_it() is both


async def test_an_uncertain_one_says_why_and_what_to_do(ledger: Ledger) -> None:
    message_id, claimed = await _in_doubt(ledger)
    await _settle(ledger, Resolution(Verdict.UNCERTAIN, None, "Nobody knows.", "r reminds them."))
    delivery = await ledger.delivery(claimed.id)
    assert (delivery.work, delivery.why, delivery.next) == (Work.DONE, "Nobody knows.", "r reminds them.")
    assert (await ledger.one(select(t.attempts))).look_at is None
    assert await ledger.buckets(message_id) == {"Ada Lund": Bucket.UNCERTAIN}


# ------------------------------------------------------------------------------------------ what is due next


async def test_what_waits_for_its_turn_does_not_hide_what_is_due_next(ledger: Ledger) -> None:
    await ledger.hire(crew_of(3))
    await ledger.compose(Priority.ROUTINE)
    await ledger.route()
    await ledger.compose(wait_ms=5_000)
    now = ledger.now
    assert await ledger.database.reading(lambda c: due.next_due(c, now_ms=now)) == now + 5_000


async def test_a_promotional_message_needs_a_yes(ledger: Ledger, clock: HandClock) -> None:
    await ledger.hire(
        [
            Hire("Ada Lund", number(1), consent="yes"),
            Hire("Jon Bell", number(2)),
            Hire("Kim Roe", number(3), consent="no"),
        ]
    )
    clock.advance(12 * 3_600)  # in the morning
    message_id, _ = await ledger.compose(Priority.INFO, purpose=Purpose.PROMOTIONAL)
    await ledger.route()
    assert len(await ledger.claim()) == 1
    assert await ledger.buckets(message_id) == {
        "Ada Lund": Bucket.ON_THE_WAY, "Jon Bell": Bucket.SUPPRESSED, "Kim Roe": Bucket.SUPPRESSED,
    }  # fmt: skip


async def test_a_paused_message_keeps_nobody_waiting_for_the_rest_to_settle(ledger: Ledger) -> None:
    await ledger.hire(crew_of(2))
    message_id, _ = await ledger.compose()
    await ledger.route()
    now = ledger.now
    assert await ledger.database.reading(lambda c: due.busy_until(c, now_ms=now)) == now
    await ledger.do(lambda c: messages.set_status(c, message_id, MessageStatus.PAUSED))
    assert await ledger.database.reading(lambda c: due.busy_until(c, now_ms=now)) is None
