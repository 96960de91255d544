"""The story of a message: every turn of it is told, in words for a person, at the time it happened."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from app.domain.priorities import PROFILES, Priority, Purpose
from app.domain.unknowns import resolve
from app.store import holding, sweeps, timeline, unknowns
from app.store import tables as t
from app.store.timeline import FACT_WORDS, Happening
from providers.contract import Accepted, Fact, Found, InDoubt, NotSent, ProviderError
from tests.house import START_MS, HandClock, Hire, Ledger, crew_of, number

ADA, JON = "Ada Lund", "Jon Bell"
LATER = ProviderError("20503", "Out of service.", "Try again.", retryable=True)
SILENT = ProviderError("timeout", "The provider did not answer in time.", "Wait.")
MINUTE_MS = 60_000


async def story(ledger: Ledger, message_id: int, person: str | None = None) -> list[Happening]:
    recipient = (await ledger.recipient(message_id, person)).id if person else None
    return await ledger.database.reading(
        lambda c: timeline.of_message(c, ledger.vault, message_id, recipient)
    )


async def only(ledger: Ledger, message_id: int, what: str) -> Happening:
    """The one line of the story that begins with these words."""
    (line,) = [one for one in await story(ledger, message_id) if one.what.startswith(what)]
    return line


def test_every_fact_has_its_words() -> None:
    assert set(FACT_WORDS) == set(Fact)
    assert not [words for words in FACT_WORDS.values() if "_" in words]


async def test_a_rule_that_was_broken_on_purpose_is_in_the_story_of_that_person_and_message(
    ledger: Ledger,
) -> None:
    await ledger.hire([Hire(ADA, number(1), quiet=(1320, 360)), Hire(JON, number(2), consent="no")])
    other, _ = await ledger.compose()
    message_id, _ = await ledger.compose()
    await ledger.route()
    told = [one for one in await story(ledger, message_id) if one.what == "override"]
    assert {(one.person, one.detail) for one in told} == {
        (ADA, "quiet hours, pierced because it is URGENT"),
        (JON, "no consent, sent because it is URGENT and about safety"),
    }
    hers = [one.person for one in await story(ledger, message_id, ADA) if one.what == "override"]
    assert hers == [ADA]
    assert len([one for one in await story(ledger, other) if one.what == "override"]) == 2


async def test_what_waits_for_quiet_hours_says_until_when_and_still_does_after_it_went(
    ledger: Ledger, clock: HandClock
) -> None:
    await ledger.hire([Hire(ADA, number(1), quiet=(1320, 420))])  # from 22:00 to 07:00; it is 22:40
    message_id, _ = await ledger.compose(Priority.IMPORTANT, purpose=Purpose.OPERATIONAL)
    await ledger.route()
    held = await only(ledger, message_id, "held")
    assert (held.at, held.what, held.person) == (START_MS, "held until 07:00", ADA)
    clock.advance(9 * 3_600)
    await ledger.do(lambda c: holding.wake(c, ledger.now))
    await ledger.call(Accepted("SM1"))
    assert await only(ledger, message_id, "held") == held


async def test_what_goes_out_at_once_was_never_held(ledger: Ledger) -> None:
    await ledger.hire(crew_of(1))
    message_id, _ = await ledger.compose()
    await ledger.route()
    await ledger.call(NotSent(LATER))  # and is tried again later
    assert not [one for one in await story(ledger, message_id) if one.what.startswith("held")]


async def test_what_an_answer_called_off_is_told_with_its_reason_and_time(
    ledger: Ledger, clock: HandClock
) -> None:
    await ledger.hire([Hire(ADA, number(1))])
    message_id, _ = await ledger.compose()
    await ledger.route()
    clock.advance(60)
    await ledger.answer(message_id, ADA)
    line = await only(ledger, message_id, "called off")
    assert (line.at, line.person, line.channel) == (START_MS + MINUTE_MS, ADA, "sms")
    assert line.detail == "They have answered."


async def test_what_an_opt_out_called_off_is_told_at_the_time_of_the_opt_out(
    ledger: Ledger, clock: HandClock
) -> None:
    await ledger.hire([Hire(ADA, number(1), quiet=(1320, 420))])
    message_id, _ = await ledger.compose(Priority.IMPORTANT, purpose=Purpose.OPERATIONAL)
    await ledger.route()  # held until the morning
    clock.advance(120)
    await ledger.opt_out(number(1))
    line = await only(ledger, message_id, "called off")
    assert (line.at, line.detail) == (START_MS + 2 * MINUTE_MS, "Opted out of texts.")


async def test_a_try_that_a_reminder_replaces_is_called_off_when_the_reminder_goes_out(
    ledger: Ledger, clock: HandClock
) -> None:
    await ledger.hire([Hire(ADA, number(1))])
    message_id, _ = await ledger.compose()
    await ledger.route()
    await ledger.call(Accepted("SM1"))
    await ledger.hear(ledger.incoming(Fact.FAILED, provider_id="SM1", error=LATER))
    clock.advance(5)
    await ledger.remind(message_id)
    await ledger.route()
    line = await only(ledger, message_id, "called off")
    assert (line.at, line.detail) == (START_MS + 5_000, "The reminder takes its place.")


async def test_what_became_too_old_is_told_with_the_time_at_which_it_was(
    ledger: Ledger, clock: HandClock
) -> None:
    await ledger.hire([Hire(ADA, number(1))])
    message_id, _ = await ledger.compose()
    await ledger.route()
    clock.advance(PROFILES[Priority.URGENT].give_up_s + 600)
    await ledger.do(lambda c: sweeps.give_up(c, ledger.now))
    line = await only(ledger, message_id, "expired")
    assert line.at == START_MS + PROFILES[Priority.URGENT].give_up_s * 1000
    assert line.detail == "It was too old to send when its turn came."


async def test_who_is_left_out_is_told_when_it_was_decided(ledger: Ledger, clock: HandClock) -> None:
    await ledger.hire([Hire(ADA, number(1)), Hire(JON, None)])
    message_id, _ = await ledger.compose(wait_ms=5_000)
    clock.advance(7)
    await ledger.route()
    line = await only(ledger, message_id, "suppressed")
    assert (line.at, line.person) == (START_MS + 7_000, JON)


async def test_an_answer_to_our_own_question_does_not_read_as_a_callback(ledger: Ledger) -> None:
    await ledger.hire([Hire(ADA, number(1)), Hire(JON, number(2))])
    message_id, _ = await ledger.compose()
    await ledger.route()
    first, second = await ledger.mark(await ledger.claim())
    await ledger.finish(first, InDoubt(SILENT))
    await ledger.finish(second, Accepted("SM2"))
    await ledger.hear(ledger.incoming(Fact.DELIVERED, provider_id="SM2"))
    doubt = await only(ledger, message_id, "no clear answer")
    assert (doubt.person, doubt.detail) == (ADA, SILENT.sentence)
    await ledger.do(lambda c: c.execute(update(t.attempts).values(look_at=0)))
    unknown = next(
        one
        for one in await ledger.database.reading(lambda c: unknowns.due(c, ledger.now))
        if one.delivery_id == first.id
    )
    found = Found("SM1", Fact.DELIVERED)
    resolution = resolve(
        found, priority=Priority.URGENT, person_has_evidence=False, looks=1, now_ms=ledger.now
    )
    await ledger.do(lambda c: unknowns.settle(c, unknown, resolution, found, ledger.now))
    by_person = {name: [one.what for one in await story(ledger, message_id, name)] for name in (ADA, JON)}
    assert by_person[ADA][-3:] == [
        "no clear answer",
        "asked, and heard: accepted",
        "asked, and heard: delivered",
    ]
    assert by_person[JON][-1] == "receipt: delivered"


async def test_ids_of_machines_are_kept_apart_from_the_words_for_people(ledger: Ledger) -> None:
    await ledger.hire(crew_of(1))
    message_id, _ = await ledger.compose()
    await ledger.route()
    (called,) = await ledger.call(Accepted("SM1"))
    told = await story(ledger, message_id)
    assert {one.reference for one in told} == {"", "SM1", ledger.references[(called.id, 1)]}
    assert not [one for one in told if one.reference and one.reference in one.detail]


@pytest.mark.parametrize(("people", "said"), [(1, "by tests, 1 person"), (2, "by tests, 2 people")])
async def test_one_person_is_not_people(ledger: Ledger, people: int, said: str) -> None:
    await ledger.hire(crew_of(people))
    message_id, _ = await ledger.compose()
    assert (await only(ledger, message_id, "message asked for")).detail == said
