"""Texts from people to our number: answers, opt-outs, and what a person must look at."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.domain.buckets import Bucket
from app.rehearsal.demo import send_location_change, settle
from app.services import chasing, crew, halting, hearing, watching
from app.services.hearing import ANSWERABLE_MS
from app.store import productions, timeline
from app.store import tables as t
from app.store.accounts import Sender
from app.store.answers import Open
from app.store.timeline import Happening
from providers.contract import Accepted, Channel, Inbound, NotSent, ProviderError
from tests.house import SENDER, ZONE, HandClock, Hire, Ledger, number
from tests.listener.scene import Scene, play


def sid(number: int) -> str:
    return f"SM{number:032x}"


@pytest.mark.parametrize(
    ("words", "bucket"),
    [
        pytest.param("1", Bucket.CONFIRMED, id="the digit"),
        pytest.param("Copy that 👍", Bucket.CONFIRMED, id="two ways to say yes"),
        pytest.param("10-4", Bucket.CONFIRMED, id="radio"),
        pytest.param("2 - car broke down", Bucket.NEEDS_HELP, id="a problem"),
        pytest.param("ok but I'm late", Bucket.READ, id="no guess"),
        pytest.param("what?", Bucket.READ, id="a question"),
    ],
)
def test_a_reply_moves_its_sender(home: Path, words: str, bucket: Bucket) -> None:
    async def act(scene: Scene) -> None:
        answer = await scene.says(await scene.number_of("Cruz Park"), words, sid(1))
        assert answer.status == 200
        assert (await scene.standing("Cruz Park")).bucket is bucket
        assert await scene.counters_are_true()

    play(home, act, people=3)


def test_a_later_answer_counts(home: Path) -> None:
    async def act(scene: Scene) -> None:
        number = await scene.number_of("Cruz Park")
        await scene.says(number, "1", sid(1))
        await scene.says(number, "2 - flat tyre", sid(2))
        assert (await scene.standing("Cruz Park")).bucket is Bucket.NEEDS_HELP
        await scene.says(number, "1", sid(3))
        assert (await scene.standing("Cruz Park")).bucket is Bucket.CONFIRMED

    play(home, act, people=3)


def test_a_reply_told_twice_is_one_answer(home: Path) -> None:
    async def act(scene: Scene) -> None:
        number = await scene.number_of("Cruz Park")
        for _ in range(3):
            assert (await scene.says(number, "1", sid(1))).status == 200
        assert await scene.rows(t.answers) == 1
        assert await scene.rows(t.inbound) == 1

    play(home, act, people=3)


def test_stop_stops_the_reminder(home: Path) -> None:
    async def act(scene: Scene) -> None:
        number = await scene.number_of("Cruz Park")
        await scene.says(number, "Stop!", sid(1))
        before = len(scene.demo.carrier.log())
        step = await chasing.remind(scene.demo.house.office, scene.demo.house.actor, scene.sent.message_id)
        await settle(scene.demo)
        assert (step.people, step.unreachable) == (2, 1)
        reminded = [one.to for one in scene.demo.carrier.log()[before:]]
        assert len(reminded) == 2
        assert number not in reminded
        standing = await scene.standing("Cruz Park")
        assert (standing.bucket, standing.why) == (Bucket.DELIVERED, "Opted out of texts.")

    play(home, act, people=3)


def test_start_lets_texts_through_again(home: Path) -> None:
    async def act(scene: Scene) -> None:
        number = await scene.number_of("Cruz Park")
        await scene.says(number, "STOP", sid(1))
        await scene.says(number, "start", sid(2))
        await chasing.remind(scene.demo.house.office, scene.demo.house.actor, scene.sent.message_id)
        await settle(scene.demo)
        assert [one.to for one in scene.demo.carrier.log()].count(number) == 2

    play(home, act, people=3)


def test_a_digit_from_a_shared_number_answers_for_nobody(home: Path) -> None:
    async def act(scene: Scene) -> None:
        by_number: dict[str, int] = {}
        async with scene.demo.house.database.read() as connection:
            from app.rehearsal.comparison import recipients

            for person in await recipients(connection, scene.demo.house.vault, 1):
                for number in person.addresses:
                    by_number[number] = by_number.get(number, 0) + 1
        shared = next(number for number, people in by_number.items() if people > 1)
        await scene.says(shared, "1", sid(1))
        assert await scene.rows(t.answers) == 0
        async with scene.demo.house.database.read() as connection:
            flags = [row.flag for row in await connection.execute(t.inbound.select())]
        assert flags == [hearing.FLAG_SHARED]

    play(home, act, people=47)


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        pytest.param("please don't text me anymore", hearing.FLAG_LEFT_ALONE, id="asks to be left alone"),
        pytest.param("which gate?", hearing.FLAG_FREE, id="own words"),
        pytest.param("HELP", hearing.FLAG_HELP, id="help"),
    ],
)
def test_what_a_person_must_look_at_is_flagged(home: Path, words: str, flag: str) -> None:
    async def act(scene: Scene) -> None:
        await scene.says(await scene.number_of("Cruz Park"), words, sid(1))
        async with scene.demo.house.database.read() as connection:
            assert [row.flag for row in await connection.execute(t.inbound.select())] == [flag]

    play(home, act, people=3)


def test_a_text_from_a_stranger_is_kept_and_flagged(home: Path) -> None:
    async def act(scene: Scene) -> None:
        assert (await scene.says("+12025550199", "hello?", sid(1))).status == 200
        async with scene.demo.house.database.read() as connection:
            assert [row.flag for row in await connection.execute(t.inbound.select())] == [
                hearing.FLAG_STRANGER
            ]

    play(home, act, people=3)


# ------------------------------------------------------------------------- which message a reply is about

DAY_S = 24 * 3600
SIDS = itertools.count(1)
OTHER_SENDER = "+13105550101"
DEAD = ProviderError("30005", "The carrier does not know the number.", "Ask for it.")


async def text_in(ledger: Ledger, words: str, *, to: str = SENDER) -> None:
    """A text from the phone of the first person, to one of our numbers."""
    sid = f"SM{next(SIDS)}"
    said = Inbound(Channel.SMS, sid, number(1), to, words, f"{sid}:received")
    await ledger.do(lambda c: hearing.take_inbound(c, ledger.vault, ledger.account_id, said, ledger.now))
    await ledger.check_counters()


async def sent(ledger: Ledger, clock: HandClock, *, outcome: Any = None, **options: Any) -> int:
    """A message to everybody that is handed to the provider, a minute after whatever was before."""
    clock.advance(60)
    message_id, _ = await ledger.compose(**options)
    await ledger.route()
    await ledger.call(outcome or (lambda one: Accepted(f"sid-{one.id}")))
    return message_id


async def bucket(ledger: Ledger, message_id: int) -> Bucket:
    return (await ledger.buckets(message_id))["Ada Lund"]


async def test_a_reply_counts_as_reading_while_a_reminder_waits(ledger: Ledger, clock: HandClock) -> None:
    await ledger.hire([Hire("Ada Lund", number(1))])
    message_id = await sent(ledger, clock)
    await ledger.remind(message_id)
    await ledger.route()
    await text_in(ledger, "which gate?")
    assert await bucket(ledger, message_id) is Bucket.READ


@pytest.mark.parametrize(
    "outcome", [pytest.param(None, id="still queued"), pytest.param(NotSent(DEAD), id="not sent")]
)
async def test_no_reply_confirms_what_never_left(ledger: Ledger, clock: HandClock, outcome: Any) -> None:
    await ledger.hire([Hire("Ada Lund", number(1))])
    first = await sent(ledger, clock)
    if outcome:
        second = await sent(ledger, clock, outcome=outcome)
    else:
        clock.advance(60)
        second, _ = await ledger.compose()
        await ledger.route()
    before = await bucket(ledger, second)
    await text_in(ledger, "1")
    assert await bucket(ledger, first) is Bucket.CONFIRMED
    assert await bucket(ledger, second) is before


async def test_reading_goes_to_the_newest_and_the_choice_to_what_asked(
    ledger: Ledger, clock: HandClock
) -> None:
    await ledger.hire([Hire("Ada Lund", number(1))])
    asked = await sent(ledger, clock)
    newest = await sent(ledger, clock, options=())
    await text_in(ledger, "1")
    assert await bucket(ledger, asked) is Bucket.CONFIRMED
    assert await bucket(ledger, newest) is Bucket.READ


async def test_own_words_are_about_the_newest_message(ledger: Ledger, clock: HandClock) -> None:
    await ledger.hire([Hire("Ada Lund", number(1))])
    asked = await sent(ledger, clock)
    newest = await sent(ledger, clock, options=())
    before = await bucket(ledger, asked)
    await text_in(ledger, "which gate?")
    assert await bucket(ledger, asked) is before
    assert await bucket(ledger, newest) is Bucket.READ


async def test_a_choice_is_no_answer_to_a_call_of_last_week(ledger: Ledger, clock: HandClock) -> None:
    await ledger.hire([Hire("Ada Lund", number(1))])
    old = await sent(ledger, clock)
    before = await bucket(ledger, old)
    clock.advance(8 * DAY_S)
    newest = await sent(ledger, clock, options=())
    await text_in(ledger, "1")
    assert await bucket(ledger, old) is before
    assert await bucket(ledger, newest) is Bucket.READ
    assert (await ledger.one(select(t.inbound.c.flag))).flag == hearing.FLAG_FREE


NEWEST = Open(
    recipient_id=1,
    person_id=1,
    message_id=1,
    production_id=1,
    asks=True,
    answered=False,
    sent_at=ANSWERABLE_MS,
    reference="a",
    failed=False,
    shared=False,
)
SILENT = replace(NEWEST, asks=False)
ANSWERED = replace(NEWEST, answered=True)
OLDER = replace(NEWEST, message_id=2, sent_at=1)


@pytest.mark.parametrize(
    ("candidates", "now_ms", "message_id"),
    [
        pytest.param((), ANSWERABLE_MS, None, id="nothing was sent"),
        pytest.param((SILENT,), ANSWERABLE_MS, None, id="nothing was asked"),
        pytest.param((NEWEST, OLDER), ANSWERABLE_MS, 1, id="the newest waits"),
        pytest.param((SILENT, OLDER), ANSWERABLE_MS + 1, 2, id="an older one waits, seven days old"),
        pytest.param((SILENT, OLDER), ANSWERABLE_MS + 2, None, id="a millisecond more"),
        pytest.param(
            (SILENT, replace(OLDER, answered=True)), ANSWERABLE_MS, 2, id="they change an older one"
        ),
        pytest.param((ANSWERED,), ANSWERABLE_MS, 1, id="they change their answer"),
        pytest.param((ANSWERED,), 9 * ANSWERABLE_MS, 1, id="the newest of all may be old"),
        pytest.param((ANSWERED, OLDER), ANSWERABLE_MS, 1, id="the newest is answered, an older one waits"),
    ],
)
def test_which_message_a_choice_answers(
    candidates: Sequence[Open], now_ms: int, message_id: int | None
) -> None:
    found = hearing.that_is_answered(candidates, now_ms)
    assert (found.message_id if found else None) == message_id


# ----------------------------------------------------------------------------------- two productions


async def second_production(ledger: Ledger) -> Ledger:
    """Another production in the same database, with a number of its own."""

    async def work(connection: Any) -> Ledger:
        production = await productions.add(
            connection, public_id="B", name="DAYBREAK", region="US", time_zone=ZONE, now_ms=ledger.now
        )
        key = (
            await connection.execute(
                t.senders.insert()
                .values(
                    account_id=ledger.account_id,
                    production_id=production.id,
                    address=OTHER_SENDER,
                    segments_per_second=30,
                )
                .returning(t.senders.c.id)
            )
        ).scalar_one()
        sender = Sender(key, ledger.account_id, production.id, OTHER_SENDER, 30)
        return replace(ledger, production=production, sender=sender)

    return await ledger.do(work)


async def test_an_answer_to_one_productions_number_does_not_confirm_the_others_message(
    ledger: Ledger, clock: HandClock
) -> None:
    other = await second_production(ledger)
    for one in (ledger, other):
        await one.hire([Hire("Ada Lund", number(1))])
    ours = await sent(ledger, clock)
    theirs = await sent(other, clock)
    before = await bucket(ledger, theirs)
    await text_in(ledger, "1", to=SENDER)
    assert await bucket(ledger, ours) is Bucket.CONFIRMED
    assert await bucket(ledger, theirs) is before
    await text_in(ledger, "2", to=OTHER_SENDER)
    assert await bucket(ledger, theirs) is Bucket.NEEDS_HELP
    assert await bucket(ledger, ours) is Bucket.CONFIRMED


async def test_a_stop_to_one_productions_number_stops_only_that_production(
    ledger: Ledger, clock: HandClock
) -> None:
    other = await second_production(ledger)
    waiting = []
    for one in (ledger, other):
        await one.hire([Hire("Ada Lund", number(1))])
        waiting.append((await one.compose())[0])
        await one.route()
    await text_in(ledger, "STOP", to=SENDER)
    works = [(await ledger.deliveries_of(one))[0].work for one in waiting]
    assert works == ["cancelled", "queued"]
    await text_in(ledger, "yes", to=OTHER_SENDER)
    assert len(await ledger.ask(select(t.suppressions).where(t.suppressions.c.lifted_at.is_(None)))) == 1
    await text_in(ledger, "yes", to=SENDER)
    assert await ledger.ask(select(t.suppressions).where(t.suppressions.c.lifted_at.is_(None))) == []


async def test_a_number_nobody_knows_speaks_for_the_whole_company(ledger: Ledger, clock: HandClock) -> None:
    await ledger.hire([Hire("Ada Lund", number(1))])
    ours = await sent(ledger, clock)
    await text_in(ledger, "1", to="+13105550199")
    assert await bucket(ledger, ours) is Bucket.CONFIRMED
    await text_in(ledger, "STOP", to="+13105550199")
    assert (await ledger.one(select(t.suppressions.c.production_id))).production_id is None


async def test_a_number_out_of_a_pool_speaks_for_the_production_of_the_pool(
    ledger: Ledger, clock: HandClock
) -> None:
    other = await second_production(ledger)
    await ledger.do(
        lambda c: c.execute(t.senders.update().where(t.senders.c.address == OTHER_SENDER).values(address=""))
    )
    await other.hire([Hire("Ada Lund", number(1))])
    theirs = await sent(other, clock)
    await text_in(ledger, "STOP", to="+13105550199")
    assert (await ledger.one(select(t.suppressions.c.production_id))).production_id == other.production.id
    assert await bucket(ledger, theirs) is not Bucket.CONFIRMED


async def test_a_changed_answer_that_may_have_meant_an_older_message_is_shown(
    ledger: Ledger, clock: HandClock
) -> None:
    await ledger.hire([Hire("Ada Lund", number(1))])
    older, newest = await sent(ledger, clock), await sent(ledger, clock)
    await text_in(ledger, "1")
    assert (await ledger.one(select(t.inbound.c.flag))).flag is None
    await text_in(ledger, "2")
    assert await bucket(ledger, newest) is Bucket.NEEDS_HELP
    assert await bucket(ledger, older) is not Bucket.NEEDS_HELP
    code = (await ledger.one(select(t.messages.c.code).where(t.messages.c.id == older))).code
    (event,) = await ledger.ask(select(t.events).where(t.events.c.kind == hearing.REPLY))
    assert (event.message_id, event.detail) == (newest, hearing.FLAG_OTHER.format(code=code))


# ----------------------------------------------------------------------------- what the coordinator sees


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        pytest.param("which gate?", hearing.FLAG_FREE, id="own words"),
        pytest.param("2 - car broke down", hearing.FLAG_FREE, id="own words beside a choice"),
        pytest.param("please don't text me anymore", hearing.FLAG_LEFT_ALONE, id="asks to be left alone"),
    ],
)
def test_own_words_are_in_the_feed_by_their_flag_and_in_the_timeline_as_written(
    home: Path, words: str, flag: str
) -> None:
    async def act(scene: Scene) -> None:
        await scene.says(await scene.number_of("Cruz Park"), words, sid(1))
        office = scene.demo.house.office
        feed = (await watching.center(office)).feed
        assert [(one.person, one.detail) for one in feed if one.kind == hearing.REPLY] == [
            ("Cruz Park", flag)
        ]
        found = await watching.explain(office, scene.sent.message_id, "Cruz Park")
        assert [one.detail for one in replies(found)] == [f"“{words}” {flag}"]
        async with scene.demo.house.database.read() as connection:
            events = (await connection.execute(select(t.events.c.detail))).scalars().all()
        assert not any(words in one for one in events)
        others = await watching.explain(office, scene.sent.message_id)
        assert [one.person for one in replies(others)] == ["Cruz Park"]

    play(home, act, people=3)


def test_a_plain_answer_is_no_reply_to_look_at(home: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.says(await scene.number_of("Cruz Park"), "1", sid(1))
        office = scene.demo.house.office
        feed = (await watching.center(office)).feed
        assert not [one for one in feed if one.kind == hearing.REPLY]
        (line,) = replies(await watching.explain(office, scene.sent.message_id))
        assert line.detail == "“1”"

    play(home, act, people=3)


def replies(lines: Sequence[Happening]) -> list[Happening]:
    return [one for one in lines if one.what == "replied"]


async def test_a_reply_from_a_shared_number_is_in_the_feed_as_nobodys(
    ledger: Ledger, clock: HandClock
) -> None:
    await ledger.hire([Hire("Ada Lund", number(1)), Hire("Jon Lund", number(1))])
    message_id = await sent(ledger, clock)
    await text_in(ledger, "which gate?")
    (event,) = await ledger.ask(select(t.events).where(t.events.c.kind == hearing.REPLY))
    assert (event.message_id, event.recipient_id, event.detail) == (message_id, None, hearing.FLAG_SHARED)
    lines = await ledger.database.reading(lambda c: timeline.of_message(c, ledger.vault, message_id))
    assert [(one.person, one.detail) for one in replies(lines)] == [
        (None, f"“which gate?” {hearing.FLAG_SHARED}")
    ]
    ada = await ledger.recipient(message_id, "Ada Lund")
    hers = await ledger.database.reading(lambda c: timeline.of_message(c, ledger.vault, message_id, ada.id))
    assert len(replies(hers)) == 1


def test_a_late_confirmation_of_a_cancelled_message_is_kept(home: Path) -> None:
    async def act(scene: Scene) -> None:
        office, actor = scene.demo.house.office, scene.demo.house.actor
        await halting.cancel(office, actor, scene.sent.message_id)
        await scene.says(await scene.number_of("Cruz Park"), "1", sid(1))
        assert (await scene.standing("Cruz Park")).bucket is Bucket.CONFIRMED
        assert await scene.counters_are_true()

    play(home, act, people=3)


def test_a_reply_goes_to_an_open_message_before_a_cancelled_one(home: Path) -> None:
    async def act(scene: Scene) -> None:
        office, actor = scene.demo.house.office, scene.demo.house.actor
        later = await send_location_change(scene.demo)
        await settle(scene.demo)
        await halting.cancel(office, actor, later.message_id)
        await scene.says(await scene.number_of("Cruz Park"), "1", sid(1))
        assert (await scene.standing("Cruz Park")).bucket is Bucket.CONFIRMED
        assert (await watching.status(office, later.message_id)).replies == 0

    play(home, act, people=3)


def test_replies_lists_what_people_wrote_and_chose_each_once_and_newest_last(home: Path) -> None:
    async def act(scene: Scene) -> None:
        clock = scene.demo.house.clock
        first, second, *_ = [one.to for one in scene.demo.carrier.log()]
        await scene.says(first, "2 - flat tyre", sid(1))
        await clock.sleep_until(clock.now_ms() + 1_000)
        await scene.says(second, "which gate?", sid(2))
        await clock.sleep_until(clock.now_ms() + 1_000)
        everybody = await crew.list_crew(scene.demo.house.office)
        names = {await scene.number_of(one.name): one.name for one in everybody}
        await scene.post(f"{await scene.link_of(names[second])}/answer", {"option": "1"})
        found = await watching.replies(scene.demo.house.office, scene.sent.message_id)
        assert [(one.person, one.channel, one.text, one.option, one.meaning) for one in found] == [
            (names[first], "sms", "2 - flat tyre", 2, "needs_help"),
            (names[second], "sms", "which gate?", None, None),
            (names[second], "sms", None, 1, "confirmed"),
        ]
        assert [one.at for one in found] == sorted(one.at for one in found)
        assert "tyre" not in repr(found)

    play(home, act, people=3)
