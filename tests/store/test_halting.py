"""Pause, resume, cancel and disregard, step by step on the queue."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from app.dispatch import planner
from app.domain.actor import Actor, Role
from app.domain.buckets import Bucket
from app.domain.evidence import Evidence, Work
from app.domain.messages import MessageStatus
from app.domain.priorities import Priority, Purpose, StepKind
from app.domain.problem import Refused
from app.domain.unknowns import Resolution, Verdict
from app.services import chasing, halting, watching
from app.services.office import Office
from app.store import due, routed, unknowns
from app.store import tables as t
from providers.contract import Accepted, Fact, InDoubt, NotSent, ProviderError
from tests.house import HandClock, Hire, Ledger, crew_of, number

KIT = Actor("Kit Marsh")
DOWN = ProviderError("20503", "Out of service.", "Try again.", retryable=True)
OFF = ProviderError("30003", "The phone is switched off.", "Try again later.", retryable=True)
GONE = ProviderError("21211", "This is not a number.", "Correct it.", bad_address=True)
SILENT = ProviderError("no_answer", "No answer in time.", "Look it up.", retryable=True)
ASLEEP = (21 * 60, 6 * 60)


def office(ledger: Ledger) -> Office:
    return Office(ledger.database, ledger.vault, ledger.production)


async def name_of(ledger: Ledger, message_id: int) -> str:
    return str((await ledger.one(select(t.messages.c.code).where(t.messages.c.id == message_id))).code)


async def told(ledger: Ledger, step: str) -> set[str]:
    """Whom a disregard is for, by what is queued of it once it is routed."""
    rows = await ledger.ask(
        select(t.people.c.name)
        .join(t.recipients, t.recipients.c.person_id == t.people.c.id)
        .join(t.deliveries, t.deliveries.c.recipient_id == t.recipients.c.id)
        .join(t.steps, t.steps.c.id == t.deliveries.c.step_id)
        .where(t.steps.c.public_id == step)
    )
    return {row.name for row in rows}


async def a_message(
    ledger: Ledger, people: int = 3, *, priority: Priority = Priority.URGENT
) -> tuple[int, str]:
    """A routed message to so many people. Returns its key and its code."""
    await ledger.hire(crew_of(people))
    message_id, _ = await ledger.compose(priority)
    await ledger.route()
    return message_id, await name_of(ledger, message_id)


# ------------------------------------------------------------------------------------------------ pausing


async def test_nothing_of_a_paused_message_is_claimed_and_what_is_claimed_is_not_called(
    ledger: Ledger,
) -> None:
    _, code = await a_message(ledger)
    claimed = await ledger.claim(1)
    halted = await halting.pause(office(ledger), KIT, code)
    assert (halted.status, halted.people, halted.in_flight) == (MessageStatus.PAUSED, 3, 0)
    assert await ledger.mark(claimed) == []
    assert await ledger.claim() == []
    await ledger.check_counters()


async def test_pausing_says_how_many_calls_are_in_flight(ledger: Ledger) -> None:
    message_id, code = await a_message(ledger)
    called = await ledger.mark(await ledger.claim(2))
    halted = await halting.pause(office(ledger), KIT, code)
    assert (halted.people, halted.in_flight, halted.had_it) == (3, 2, 2)
    for one in called:
        await ledger.finish(one, Accepted(f"SM{one.id}"))
    assert sorted((await ledger.buckets(message_id)).values()) == [Bucket.ON_THE_WAY] * 3
    found = await watching.people(office(ledger), code, "on_the_way")
    assert [one.why for one in found].count("The message is paused.") == 1
    await ledger.check_counters()


async def test_a_resumed_message_goes_on_where_it_was(ledger: Ledger) -> None:
    _, code = await a_message(ledger)
    await ledger.call(Accepted("SM1"), limit=1)
    await halting.pause(office(ledger), KIT, code)
    halted = await halting.resume(office(ledger), KIT, code)
    assert (halted.status, halted.people) == (MessageStatus.SENDING, 2)
    assert len(await ledger.claim()) == 2
    assert await ledger.claim() == []


async def test_what_became_too_old_during_a_pause_expires_with_words(
    ledger: Ledger, clock: HandClock
) -> None:
    message_id, code = await a_message(ledger)
    await halting.pause(office(ledger), KIT, code)
    clock.advance(2 * 3600)
    halted = await halting.resume(office(ledger), KIT, code)
    assert halted.people == 0
    assert await ledger.claim() == []
    for one in await ledger.deliveries_of(message_id):
        assert (one.work, one.why) == (Work.EXPIRED, "It was too old to send when its turn came.")
    await ledger.check_counters()


async def test_a_retry_and_a_text_sent_again_wait_while_the_message_is_paused(
    ledger: Ledger, clock: HandClock
) -> None:
    _, code = await a_message(ledger, 2)
    (retried,) = await ledger.call(NotSent(DOWN), limit=1)
    (unknown,) = await ledger.call(InDoubt(SILENT), limit=1)
    await halting.pause(office(ledger), KIT, code)
    clock.advance(60)
    (found,) = await ledger.do(lambda c: unknowns.due(c, ledger.now))
    await ledger.do(lambda c: unknowns.settle(c, found, Resolution(Verdict.SEND_AGAIN), None, ledger.now))
    assert {(await ledger.delivery(one.id)).work for one in (retried, unknown)} == {Work.QUEUED}
    assert await ledger.claim() == []
    await halting.resume(office(ledger), KIT, code)
    assert {one.id for one in await ledger.claim()} == {retried.id, unknown.id}


async def test_a_message_paused_in_its_undo_window_is_routed_when_it_is_resumed(
    ledger: Ledger, clock: HandClock
) -> None:
    await ledger.hire(crew_of(2))
    message_id, _ = await ledger.compose(wait_ms=5_000)
    code = await name_of(ledger, message_id)
    await halting.pause(office(ledger), KIT, code)
    clock.advance(6)
    await ledger.route()
    assert await ledger.deliveries_of(message_id) == []
    assert await ledger.do(lambda c: due.busy_until(c, ledger.now)) is None
    await halting.resume(office(ledger), KIT, code)
    await ledger.route()
    assert len(await ledger.claim()) == 2
    await ledger.check_counters()


async def test_a_paused_message_can_be_undone_while_nothing_has_left(ledger: Ledger) -> None:
    await ledger.hire(crew_of(2))
    message_id, _ = await ledger.compose(wait_ms=5_000)
    code = await name_of(ledger, message_id)
    await halting.pause(office(ledger), KIT, code)
    await chasing.undo(office(ledger), KIT, code)
    with pytest.raises(Refused, match=r"The message is cancelled\."):
        await halting.resume(office(ledger), KIT, code)


@pytest.mark.parametrize("halt", [halting.pause, halting.cancel], ids=["paused", "cancelled"])
async def test_nobody_is_reminded_of_a_halted_message(ledger: Ledger, halt: object) -> None:
    _, code = await a_message(ledger)
    await ledger.call(Accepted("SM1"))
    halted = await halt(office(ledger), KIT, code)  # type: ignore[operator]
    with pytest.raises(Refused, match=f"The message is {halted.status.value}"):
        await chasing.remind(office(ledger), KIT, code)


async def test_pausing_and_resuming_refuse_what_changes_nothing(ledger: Ledger) -> None:
    message_id, code = await a_message(ledger, 1)
    here = office(ledger)
    with pytest.raises(Refused, match="not paused"):
        await halting.resume(here, KIT, code)
    await halting.pause(here, KIT, code)
    with pytest.raises(Refused, match="paused already"):
        await halting.pause(here, KIT, code)
    await halting.resume(here, KIT, code)
    (one,) = await ledger.call(Accepted("SM1"))
    await ledger.hear(ledger.incoming(Fact.DELIVERED, reference=ledger.references[(one.id, 1)]))
    assert await ledger.buckets(message_id) == {"Person 00000": Bucket.DELIVERED}
    with pytest.raises(Refused, match="nothing is left to pause"):
        await halting.pause(here, KIT, code)


# --------------------------------------------------------------------------------------------- cancelling


async def test_cancelling_calls_off_what_is_queued_held_and_still_to_be_routed(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routed, "ROUTE_ROWS", 3)
    await ledger.hire(
        [Hire("Ada Lund", number(1)), Hire("Jon Bell", number(2)), Hire("Mei Roe", number(3), quiet=ASLEEP)]
    )
    await ledger.hire(crew_of(3))
    message_id, step_id = await ledger.compose(Priority.IMPORTANT, purpose=Purpose.OPERATIONAL)
    assert await planner.route_next_block(ledger.database, ledger.vault.link_key)
    assert {one.work for one in await ledger.deliveries_of(message_id)} == {Work.QUEUED, Work.HELD}
    code = await name_of(ledger, message_id)
    halted = await halting.cancel(office(ledger), KIT, code)
    assert (halted.people, halted.in_flight, halted.had_it) == (6, 0, 0)
    await ledger.route()
    rows = await ledger.deliveries_of(message_id)
    assert [(one.work, one.why) for one in rows] == [(Work.CANCELLED, "Cancelled before it was sent.")] * 3
    assert set((await ledger.buckets(message_id)).values()) == {Bucket.SUPPRESSED}
    step = await ledger.one(select(t.steps).where(t.steps.c.id == step_id))
    assert (step.undone_at, step.routed_at) == (None, ledger.now)
    await ledger.check_counters()


async def test_a_message_cancelled_in_its_undo_window_goes_to_nobody(
    ledger: Ledger, clock: HandClock
) -> None:
    await ledger.hire(crew_of(3))
    message_id, _ = await ledger.compose(wait_ms=5_000)
    await halting.cancel(office(ledger), KIT, await name_of(ledger, message_id))
    clock.advance(6)
    await ledger.route()
    assert await ledger.deliveries_of(message_id) == []
    assert set((await ledger.buckets(message_id)).values()) == {Bucket.SUPPRESSED}
    await ledger.check_counters()


async def test_what_was_claimed_when_the_message_was_cancelled_is_not_called(ledger: Ledger) -> None:
    _, code = await a_message(ledger)
    claimed = await ledger.claim()
    await halting.cancel(office(ledger), KIT, code)
    assert await ledger.mark(claimed) == []
    await ledger.check_counters()


async def test_a_call_that_fails_after_the_message_was_cancelled_is_not_made_again(
    ledger: Ledger, clock: HandClock
) -> None:
    message_id, code = await a_message(ledger, 3)
    accepted, in_flight, unknown = await ledger.mark(await ledger.claim())
    await ledger.finish(accepted, Accepted("SM1"))
    await ledger.finish(unknown, InDoubt(SILENT))
    await halting.cancel(office(ledger), KIT, code)
    await ledger.finish(in_flight, NotSent(DOWN))
    await ledger.hear(ledger.incoming(Fact.FAILED, provider_id="SM1", error=OFF))
    clock.advance(60)
    (found,) = await ledger.do(lambda c: unknowns.due(c, ledger.now))
    await ledger.do(lambda c: unknowns.settle(c, found, Resolution(Verdict.SEND_AGAIN), None, ledger.now))
    for one in await ledger.deliveries_of(message_id):
        assert (one.work, one.why) == (Work.CANCELLED, "Cancelled before it was tried again.")
    clock.advance(3600)
    assert await ledger.claim() == []
    await ledger.check_counters()


async def test_what_comes_back_to_the_queue_of_a_cancelled_message_is_called_off_in_its_turn(
    ledger: Ledger,
) -> None:
    message_id, code = await a_message(ledger, 1)
    await halting.cancel(office(ledger), KIT, code)
    await ledger.do(lambda c: c.execute(t.deliveries.update().values(work=Work.QUEUED.value)))
    assert await ledger.claim() == []
    (one,) = await ledger.deliveries_of(message_id)
    assert (one.work, one.why) == (Work.CANCELLED, "Cancelled before it was sent.")


async def test_two_people_on_one_number_are_called_off_together(ledger: Ledger) -> None:
    await ledger.hire([Hire("Ada Lund", number(1)), Hire("Jon Lund", number(1))])
    message_id, _ = await ledger.compose()
    await ledger.route()
    halted = await halting.cancel(office(ledger), KIT, await name_of(ledger, message_id))
    assert halted.people == 2
    assert await ledger.buckets(message_id) == dict.fromkeys(("Ada Lund", "Jon Lund"), Bucket.SUPPRESSED)
    assert await ledger.claim() == []
    await ledger.check_counters()


async def test_cancelling_twice_is_refused(ledger: Ledger) -> None:
    _, code = await a_message(ledger, 1)
    await halting.cancel(office(ledger), KIT, code)
    with pytest.raises(Refused, match="cancelled already"):
        await halting.cancel(office(ledger), KIT, code)
    with pytest.raises(Refused, match=r"The message is cancelled\."):
        await halting.pause(office(ledger), KIT, code)


# -------------------------------------------------------------------------------------------- disregarding


async def mixed(ledger: Ledger) -> tuple[int, str]:
    """A cancelled message that got differently far with everybody. Returns its key and its code."""
    names = ("Delivered", "Sent", "Unknown", "Failed", "In flight", "Lands", "Queued", "Confirmed")
    await ledger.hire([Hire(name, number(place + 1)) for place, name in enumerate(names)])
    await ledger.hire([Hire("Carried", number(1)), Hire("Nobody", None)])
    message_id, _ = await ledger.compose()
    await ledger.route()
    code = await name_of(ledger, message_id)
    rows = await ledger.ask(
        select(t.deliveries.c.id, t.people.c.name)
        .join(t.recipients, t.recipients.c.id == t.deliveries.c.recipient_id)
        .join(t.people, t.people.c.id == t.recipients.c.person_id)
    )
    of = {row.name: row.id for row in rows}
    claimed = {one.id: one for one in await ledger.claim(1000) if one.id != of["Queued"]}
    await ledger.mark(list(claimed.values()))
    outcomes = {
        "Delivered": Accepted("SM1"),
        "Sent": Accepted("SM2"),
        "Unknown": InDoubt(SILENT),
        "Failed": NotSent(GONE),
        "Confirmed": Accepted("SM3"),
    }
    for name, outcome in outcomes.items():
        await ledger.finish(claimed[of[name]], outcome)
    await ledger.hear(ledger.incoming(Fact.DELIVERED, provider_id="SM1"))
    await ledger.answer(message_id, "Confirmed")
    halted = await halting.cancel(office(ledger), KIT, code)
    assert (halted.people, halted.in_flight, halted.had_it) == (3, 2, 7)
    await ledger.finish(claimed[of["In flight"]], NotSent(DOWN))
    await ledger.finish(claimed[of["Lands"]], Accepted("SM4"))
    return message_id, code


async def test_exactly_those_who_had_it_are_told_to_disregard_it(ledger: Ledger, clock: HandClock) -> None:
    message_id, code = await mixed(ledger)
    step = await halting.disregard(office(ledger), KIT, code)
    assert (step.people, step.repeated, step.unreachable) == (6, False, 0)
    assert step.not_before == ledger.now + 5_000
    assert await ledger.claim() == []
    clock.advance(5)
    await ledger.route()
    had_it = {"Delivered", "Sent", "Unknown", "Lands", "Confirmed", "Carried"}
    assert await told(ledger, step.step_id) == had_it
    called = await ledger.call(lambda one: Accepted(f"D{one.id}"))
    assert {one.kind for one in called} == {StepKind.DISREGARD}
    assert len(called) == 5  # two of them share a number
    buckets = await ledger.buckets(message_id)
    assert {name for name, bucket in buckets.items() if bucket is Bucket.SUPPRESSED} == {
        "Queued",
        "Nobody",
        "In flight",
    }
    await ledger.check_counters()


async def test_a_call_that_took_nothing_after_the_key_is_no_reason_to_tell_somebody(
    ledger: Ledger, clock: HandClock
) -> None:
    _, code = await a_message(ledger, 2)
    lands, fails = await ledger.mark(await ledger.claim())
    await halting.cancel(office(ledger), KIT, code)
    step = await halting.disregard(office(ledger), KIT, code)
    assert step.people == 2
    await ledger.finish(lands, Accepted("SM1"))
    await ledger.finish(fails, NotSent(DOWN))
    clock.advance(5)
    await ledger.route()
    assert len(await told(ledger, step.step_id)) == 1
    await ledger.check_counters()


async def test_a_second_disregard_within_the_guard_is_the_first_one(ledger: Ledger, clock: HandClock) -> None:
    _, code = await mixed(ledger)
    first = await halting.disregard(office(ledger), KIT, code)
    clock.advance(119)
    again = await halting.disregard(office(ledger), KIT, code)
    assert (again.repeated, again.step_id, again.people) == (True, first.step_id, first.people)
    await ledger.route()
    await ledger.call(lambda one: Accepted(f"D{one.id}"))
    clock.advance(1)
    with pytest.raises(Refused, match="Everybody who had it was told"):
        await halting.disregard(office(ledger), KIT, code)


async def test_an_undone_disregard_tells_nobody_and_can_be_asked_for_again(
    ledger: Ledger, clock: HandClock
) -> None:
    _, code = await mixed(ledger)
    first = await halting.disregard(office(ledger), KIT, code)
    undone = await chasing.undo(office(ledger), KIT, code)
    assert undone.step_id == first.step_id
    clock.advance(6)
    await ledger.route()
    assert await ledger.claim() == []
    again = await halting.disregard(office(ledger), KIT, code)
    assert (again.repeated, again.people) == (False, 6)


async def test_a_disregard_that_fails_is_tried_again_and_one_that_is_answered_still_goes(
    ledger: Ledger, clock: HandClock
) -> None:
    message_id, code = await a_message(ledger, 2)
    await ledger.call(lambda one: Accepted(f"SM{one.id}"))
    await halting.cancel(office(ledger), KIT, code)
    step = await halting.disregard(office(ledger), KIT, code)
    clock.advance(5)
    await ledger.route()
    await ledger.call(NotSent(DOWN))
    await ledger.answer(message_id, "Person 00000")
    assert (await ledger.buckets(message_id))["Person 00000"] is Bucket.CONFIRMED
    clock.advance(60)
    again = await ledger.call(lambda one: Accepted(f"D{one.id}"))
    assert [(one.attempt, one.kind) for one in again] == [(2, StepKind.DISREGARD)] * 2
    assert await told(ledger, step.step_id) == {"Person 00000", "Person 00001"}
    await ledger.check_counters()


async def test_somebody_who_opted_out_since_is_not_told_and_is_counted(ledger: Ledger) -> None:
    _, code = await a_message(ledger, 2)
    await ledger.call(lambda one: Accepted(f"SM{one.id}"))
    await ledger.opt_out(number(0))
    await halting.cancel(office(ledger), KIT, code)
    step = await halting.disregard(office(ledger), KIT, code)
    assert (step.people, step.unreachable) == (1, 1)


@pytest.mark.parametrize("cancelled", [False, True], ids=["not cancelled", "had by nobody"])
async def test_there_is_nothing_to_disregard(ledger: Ledger, cancelled: bool) -> None:
    _, code = await a_message(ledger, 1)
    if cancelled:
        await halting.cancel(office(ledger), KIT, code)
    with pytest.raises(Refused, match="nobody had it" if cancelled else "not cancelled"):
        await halting.disregard(office(ledger), KIT, code)


async def test_every_decision_stands_in_the_audit_and_in_the_timeline(
    ledger: Ledger, clock: HandClock
) -> None:
    message_id, code = await a_message(ledger, 2)
    here = office(ledger)
    await ledger.call(Accepted("SM1"), limit=1)
    for decide in (halting.pause, halting.resume, halting.cancel):
        clock.advance(1)
        await decide(here, KIT, code)
    step = await halting.disregard(here, KIT, code)
    rows = await ledger.ask(
        select(t.audit.c.action, t.audit.c.detail, t.audit.c.subject).order_by(t.audit.c.id)
    )
    (message,) = await ledger.ask(select(t.messages.c.public_id).where(t.messages.c.id == message_id))
    assert {row.subject for row in rows} == {f"message:{message.public_id}"}
    assert [(row.action, json.loads(row.detail)) for row in rows] == [
        ("pause", {"people": 1, "before": "sending", "after": "paused"}),
        ("resume", {"people": 1, "before": "paused", "after": "sending"}),
        ("cancel", {"people": 1, "before": "sending", "after": "cancelled"}),
        ("disregard", {"step": step.step_id, "people": 1, "unreachable": 0}),
    ]
    lines = [(one.what, one.detail) for one in await watching.explain(here, code)]
    assert [what for what, _ in lines if what.startswith("message ")][1:] == [
        "message paused",
        "message resumed",
        "message cancelled",
    ]
    assert ("called off", "Cancelled before it was sent.") in lines
    at = {one.what: one.at for one in await watching.explain(here, code)}
    assert at["called off"] == at["message cancelled"]


async def test_somebody_who_may_only_look_halts_nothing(ledger: Ledger) -> None:
    viewer = Actor("Vi Ewer", Role.VIEWER)
    _, code = await a_message(ledger, 1)
    for decide in (halting.pause, halting.resume, halting.cancel, halting.disregard):
        with pytest.raises(Refused, match="may look but not send"):
            await decide(office(ledger), viewer, code)
    assert len(await ledger.claim()) == 1


async def test_late_evidence_for_a_cancelled_message_is_kept(ledger: Ledger) -> None:
    message_id, code = await a_message(ledger, 1)
    (one,) = await ledger.call(Accepted("SM1"))
    await halting.cancel(office(ledger), KIT, code)
    await ledger.hear(ledger.incoming(Fact.DELIVERED, provider_id="SM1"))
    assert (await ledger.delivery(one.id)).evidence == Evidence.DELIVERED
    await ledger.answer(message_id, "Person 00000")
    shown = (await watching.status(office(ledger), code)).summary
    assert (shown.word, shown.buckets[Bucket.CONFIRMED]) == ("cancelled", 1)
    await ledger.check_counters()


async def test_the_figures_of_the_day_count_what_a_pause_keeps_back_as_nothing_and_a_disregard_as_waiting(
    ledger: Ledger, clock: HandClock
) -> None:
    _, code = await a_message(ledger, 3)
    here = office(ledger)
    assert (await watching.center(here)).day.queued == 3
    await halting.pause(here, KIT, code)
    assert (await watching.center(here)).day.queued == 0
    await halting.resume(here, KIT, code)
    await ledger.call(lambda one: Accepted(f"SM{one.id}"), limit=2)
    await halting.cancel(here, KIT, code)
    assert (await watching.center(here)).day.queued == 0
    await halting.disregard(here, KIT, code)
    clock.advance(5)
    await ledger.route()
    assert (await watching.center(here)).day.queued == 2
    await ledger.call(lambda one: Accepted(f"D{one.id}"))
    assert (await watching.center(here)).day.queued == 0
