"""The carrier as a whole: receipts, pace, settling, and the same ending every time."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from typing import Any

import aiohttp
import pytest

from app.clock import SystemClock, sleep
from app.rehearsal import log
from app.rehearsal.callbacks import AT_ONCE
from app.rehearsal.carrier import Carrier
from app.rehearsal.people import Script, plan
from tests.rehearsal.town import (
    CREW,
    FIRST_WINDOW_S,
    ONE,
    PUBLIC,
    SCRIPT,
    SENDER,
    START_MS,
    Rehearsal,
    Town,
    finish,
    happened,
    rehearse,
    statuses,
    truth_of,
    who,
)


def test_every_callback_is_signed_as_twilio_signs_for_the_public_address() -> None:
    async def play(here: Rehearsal) -> None:
        for to in CREW:
            await here.send(to)
        await finish(here)
        assert len(here.town.receipts) >= 3 * 55
        assert here.town.inbound
        assert here.town.forged == 0

    rehearse(play, script=SCRIPT)


def test_a_forged_token_would_be_noticed() -> None:
    async def play(here: Rehearsal) -> None:
        here.town.token = "another"
        await here.send(ONE)
        await here.carrier.settle()
        assert here.town.forged == len(here.town.receipts) == 3

    rehearse(play)


def test_the_receipts_of_a_text_name_it_and_its_attempt() -> None:
    async def play(here: Rehearsal) -> None:
        _, sent = await here.send(ONE, reference="k3m9x2p7")
        await here.carrier.settle()
        assert statuses(here.town) == ["queued", "sent", "delivered"]
        assert here.town.references == ["k3m9x2p7"] * 3
        for receipt in here.town.receipts:
            assert receipt["MessageSid"] == receipt["SmsSid"] == sent["sid"]
            assert (receipt["To"], receipt["From"]) == (ONE, SENDER)
        assert here.carrier.log()[0].reference == "k3m9x2p7"
        assert here.carrier.log()[0].id == sent["sid"]

    rehearse(play)


def test_the_log_holds_the_receipts_that_were_taken_and_not_those_that_were_refused() -> None:
    async def play(here: Rehearsal) -> None:
        await here.send(ONE)
        await here.carrier.settle()
        here.town.status = 403
        await here.send(ONE)
        await here.carrier.settle()
        assert [one.told for one in here.carrier.log()] == [["queued", "sent", "delivered"], []]

    rehearse(play)


def test_a_text_without_a_callback_address_is_delivered_in_silence() -> None:
    async def play(here: Rehearsal) -> None:
        body = f"To=%2B{ONE[1:]}&From=%2B{SENDER[1:]}&Body=Moved."
        assert (await here.ask("POST", "/Messages.json", body))[0] == 201
        await here.carrier.settle()
        assert happened(here) == [log.ACCEPTED, log.SENT, log.DELIVERED]
        assert not here.town.receipts

    rehearse(play)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param({"doubled": False, "reordered": False}, ["queued", "sent", "delivered"], id="plain"),
        pytest.param({"doubled": True, "reordered": False}, ["queued", "sent", "delivered", "delivered"], id="twice"),
        pytest.param({"doubled": False, "reordered": True}, ["queued", "delivered", "sent"], id="out of order"),
        pytest.param({"undelivered": 30005, "doubled": False, "reordered": False}, ["queued", "sent", "undelivered"],
                     id="undelivered"),
    ],
)  # fmt: skip
def test_receipts_come_plain_twice_or_out_of_order(wanted: dict[str, Any], expected: list[str]) -> None:
    to = who("nothing", **wanted)

    async def play(here: Rehearsal) -> None:
        await here.send(to)
        await sleep(here.clock, FIRST_WINDOW_S)
        assert statuses(here.town) == expected

    rehearse(play, script=SCRIPT)


def test_an_undelivered_text_names_its_code() -> None:
    to = who("nothing", undelivered=30006)

    async def play(here: Rehearsal) -> None:
        await here.send(to)
        await finish(here)
        assert here.town.receipts[-1]["ErrorCode"] == "30006"
        (only,) = here.carrier.log()
        assert only.truth[-1].detail == {"code": "30006"}
        assert not only.has(log.DELIVERED)

    rehearse(play, script=SCRIPT)


def test_a_late_receipt_comes_long_after_the_text() -> None:
    to = who("nothing", late=True, doubled=False, reordered=False)

    async def play(here: Rehearsal) -> None:
        await here.send(to)
        await sleep(here.clock, FIRST_WINDOW_S / 2)
        assert happened(here)[-1] == log.DELIVERED
        assert statuses(here.town) == ["queued", "sent"]
        await sleep(here.clock, FIRST_WINDOW_S / 2)
        assert statuses(here.town)[-1] == "delivered"

    rehearse(play, script=SCRIPT)


def test_a_refused_number_is_refused_every_time_and_logged_as_never_accepted() -> None:
    number = next(n for n in range(10**5) if plan(7, f"+1626{n:07}", 1, SCRIPT).fate.refused == 21211)
    to = f"+1626{number:07}"

    async def play(here: Rehearsal) -> None:
        for _ in range(2):
            status, body = await here.send(to)
            assert (status, body["code"]) == (400, 21211)
        await finish(here)
        assert not here.town.receipts
        for one in here.carrier.log():
            assert (one.id, one.accepted_at) == ("", None)
            assert [(truth.what, truth.detail) for truth in one.truth] == [(log.FAILED, {"code": "21211"})]

    rehearse(play, script=SCRIPT)


def test_texts_leave_at_the_pace_of_their_sender() -> None:
    async def play(here: Rehearsal) -> None:
        for to in CREW[:20]:
            await here.send(to, "x" * 200)  # two segments
        for to in CREW[20:25]:
            await here.send(to, "short", From="+15005550099")
        await sleep(here.clock, 60)
        sent = [
            next(truth.at for truth in one.truth if truth.what == log.SENT) - START_MS
            for one in here.carrier.log()
        ]
        first, other = sent[:20], sent[20:]
        assert first == sorted(first)
        assert first[-1] == 20 * 2 * 1000 // 10
        gaps = [later - earlier for earlier, later in itertools.pairwise(first)]
        assert set(gaps) == {200}
        assert max(other) < first[-1] / 2  # another sender has a pace of its own

    rehearse(play, rate=10.0, script=Script(1.0, 1.0, people=False, mishaps=False))


def test_a_text_that_waits_longer_than_it_is_valid_is_never_sent() -> None:
    async def play(here: Rehearsal) -> None:
        await here.send(CREW[1], "x" * 1500)
        await here.send(ONE, ValidityPeriod="2")
        await sleep(here.clock, 60)
        assert here.town.receipts[-1]["MessageStatus"] == "delivered"
        late = here.carrier.log()[1]
        assert [(truth.what, truth.at - START_MS) for truth in late.truth] == [
            (log.ACCEPTED, 0),
            (log.FAILED, 2000),
        ]
        failed = [receipt for receipt in here.town.receipts if receipt["MessageStatus"] == "failed"]
        assert [receipt["ErrorCode"] for receipt in failed] == ["30036"]

    rehearse(play, rate=1.0)


def story(order: list[str], *, seed: int = 7, pause_s: float = 0.0) -> list[Any]:
    """Everybody gets a text and a reminder, in this order."""

    async def play(here: Rehearsal) -> list[Any]:
        for _ in range(2):
            for to in order:
                await here.send(to)
                await sleep(here.clock, pause_s)
            await sleep(here.clock, FIRST_WINDOW_S)
        await finish(here)
        return truth_of(here.carrier)

    return rehearse(play, script=SCRIPT, seed=seed)


def test_order_and_speed_of_arrival_change_nothing() -> None:
    told = story(CREW[:30])
    assert story(CREW[29::-1]) == told
    assert story(CREW[:30], pause_s=0.05) == told
    assert len({what for _, truths in told for what, _ in truths}) >= 7


def test_another_seed_is_another_story() -> None:
    assert story(CREW[:10], seed=8) != story(CREW[:10])


async def test_a_run_in_real_time_ends_like_a_virtual_one() -> None:
    to = who("text", late=False)
    clock = SystemClock()
    carrier = Carrier(clock, script=Script.for_seconds(0.5))
    town = Town(token=carrier.auth_token)
    from app.listener.server import LoopbackServer, listening_socket

    listener = LoopbackServer(town.app(), listening_socket())
    await listener.start()
    carrier.routes[PUBLIC] = listener.url
    carrier.inbound_url = f"{PUBLIC}/hooks/main"
    await carrier.start()
    async with aiohttp.ClientSession() as client:
        here = Rehearsal(clock, carrier, town, listener, client)  # type: ignore[arg-type]
        await here.send(to)
        await finish(here, 0.4)
    await asyncio.gather(carrier.close(), listener.close())

    async def play(virtual: Rehearsal) -> list[Any]:
        await virtual.send(to)
        await finish(virtual)
        return truth_of(virtual.carrier)

    assert truth_of(carrier) == await asyncio.to_thread(rehearse, play, script=SCRIPT)
    assert town.forged == 0


def test_settling_waits_for_a_listener_that_is_down_for_a_while() -> None:
    async def play(here: Rehearsal) -> None:
        here.carrier.routes[PUBLIC] = "http://127.0.0.1:1"
        for to in CREW[:10]:
            await here.send(to)
        settling = asyncio.create_task(here.carrier.settle())
        await sleep(here.clock, 10)
        assert not settling.done()
        here.carrier.routes[PUBLIC] = here.listener.url
        await settling
        assert Counter(statuses(here.town)) == {"queued": 10, "sent": 10, "delivered": 10}
        assert here.carrier.callback_counts == {"delivered": 30}

    rehearse(play)


def test_settling_gives_up_on_a_listener_that_stays_away() -> None:
    async def play(here: Rehearsal) -> None:
        here.carrier.routes[PUBLIC] = "http://127.0.0.1:1"
        await here.send(ONE)
        await here.carrier.settle()
        assert here.carrier.callback_counts == {"lost": 3}
        assert here.clock.now_ms() - START_MS < 120_000

    rehearse(play)


def test_settling_does_not_wait_for_the_script() -> None:
    async def play(here: Rehearsal) -> None:
        for to in CREW:
            await here.send(to)
        await here.carrier.stop_people()
        await here.carrier.settle()
        assert here.clock.now_ms() == START_MS
        told = Counter(statuses(here.town))
        assert told["delivered"] + told["undelivered"] >= len(CREW) - 3

    rehearse(play, script=Script.for_seconds(3600))


def test_no_more_than_twenty_callbacks_are_under_way_together() -> None:
    async def play(here: Rehearsal) -> None:
        here.town.slow = lambda: sleep(here.clock, 1)
        for to in CREW:
            await here.send(to)
        await here.carrier.settle()
        assert here.town.most_together == AT_ONCE

    rehearse(play)


def test_nobody_is_contacted_outside_this_machine() -> None:
    async def play(here: Rehearsal) -> None:
        here.carrier.routes.clear()
        await here.send(who("link", option="1"))
        await here.send(who("text"))
        await finish(here)
        assert here.carrier.callback_counts["refused"] == sum(here.carrier.callback_counts.values()) >= 7
        done = {truth.what for one in here.carrier.log() for truth in one.truth}
        assert done == {log.ACCEPTED, log.SENT, log.DELIVERED}

    rehearse(play, script=SCRIPT)
