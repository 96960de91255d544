"""Faults while it runs, and the private address from which they are ordered."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from app.clock import sleep
from app.rehearsal import log
from providers.contract import Accepted, Account, Channel, InDoubt, NotSent, Outcome, Outgoing, Rejected, Text
from providers.twilio_sms import TWILIO_SMS
from tests.rehearsal.town import (
    ONE,
    PUBLIC,
    SENDER,
    START_MS,
    Rehearsal,
    happened,
    rehearse,
    statuses,
)

MESSAGE = Outgoing(Channel.SMS, ONE, SENDER, Text("Moved."), "ref", f"{PUBLIC}/hooks/main?r=ref", 900)


@pytest.mark.parametrize(
    ("kind", "outcome", "flag", "accepted", "took_ms"),
    [
        ("503", InDoubt, "retryable", 0, 0),
        ("429", NotSent, "throttled", 0, 0),
        ("401", Rejected, "config", 0, 0),
        ("timeout_before", InDoubt, "retryable", 0, 10_000),
        ("timeout_after", InDoubt, "retryable", 1, 10_000),
        ("garbage", InDoubt, "retryable", 1, 0),
        ("reset", InDoubt, "retryable", 1, 0),
    ],
)
def test_a_fault_is_what_it_says_to_the_unchanged_adapter(
    kind: str, outcome: type[Outcome], flag: str, accepted: int, took_ms: int
) -> None:
    async def play(here: Rehearsal) -> None:
        carrier = here.carrier
        account = Account(
            "main",
            "twilio",
            carrier.base_url,
            {"account_sid": carrier.account_sid},
            {"auth_token": carrier.auth_token},
        )
        adapter = TWILIO_SMS.build(account, here.clock)
        carrier.faults.set("twilio", kind, 60)
        before = here.clock.now_ms()
        got = await adapter.send(MESSAGE)
        assert here.clock.now_ms() - before == took_ms
        assert type(got) is outcome
        assert not isinstance(got, Accepted)
        assert getattr(got.error, flag)
        assert got.error.retry_after_s == (2.0 if kind == "429" else None)
        assert len(carrier.messages()) == len(carrier.log()) == accepted
        await carrier.settle()
        assert len(here.town.receipts) == 3 * accepted
        await sleep(here.clock, 61)
        assert isinstance(await adapter.send(MESSAGE), Accepted)
        await adapter.close()

    rehearse(play)


def test_stopped_callbacks_come_when_the_fault_is_over() -> None:
    async def play(here: Rehearsal) -> None:
        here.carrier.faults.set("twilio", "callbacks_stopped", 30)
        await here.send(ONE)
        await sleep(here.clock, 29)
        assert not here.town.receipts
        await sleep(here.clock, 2)
        assert sorted(statuses(here.town)) == ["delivered", "queued", "sent"]

    rehearse(play)


def test_lost_callbacks_never_come_but_the_text_does() -> None:
    async def play(here: Rehearsal) -> None:
        here.carrier.faults.set("twilio", "callbacks_lost", 30)
        await here.send(ONE)
        await sleep(here.clock, 300)
        assert not here.town.receipts
        assert here.carrier.callback_counts == {"lost": 3}
        assert happened(here) == [log.ACCEPTED, log.SENT, log.DELIVERED]

    rehearse(play)


def test_faults_of_answers_and_of_callbacks_hold_together() -> None:
    async def play(here: Rehearsal) -> None:
        here.carrier.faults.set("twilio", "callbacks_lost", 30)
        here.carrier.faults.set("twilio", "503", 30)
        assert (await here.send(ONE))[0] == 503
        here.carrier.faults.clear()
        assert (await here.send(ONE))[0] == 201
        await here.carrier.settle()
        assert len(here.town.receipts) == 3

    rehearse(play)


def test_a_cleared_fault_lets_held_back_callbacks_go_at_once() -> None:
    async def play(here: Rehearsal) -> None:
        here.carrier.faults.set("twilio", "callbacks_stopped", 3600)
        await here.send(ONE)
        await sleep(here.clock, 10)
        here.carrier.faults.clear()
        await here.carrier.settle()
        assert len(here.town.receipts) == 3
        assert here.clock.now_ms() - START_MS < 20_000

    rehearse(play)


def test_requests_that_hang_do_not_keep_the_carrier_from_closing() -> None:
    async def play(here: Rehearsal) -> asyncio.Task[Any]:
        here.carrier.faults.set("twilio", "timeout_before", 3600)
        asking = asyncio.create_task(here.send(ONE))
        await sleep(here.clock, 5)
        await here.carrier.close()
        with pytest.raises(aiohttp.ClientError):
            await asking
        return asking

    assert rehearse(play).done()


async def order(here: Rehearsal, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    url = here.carrier.control_url + path
    usual = {"Content-Type": "application/json"} | headers
    async with here.client.request(method, url, json=body, headers=usual) as answer:
        is_json = answer.content_type == "application/json"
        return answer.status, await (answer.json() if is_json else answer.text())


def test_a_fault_can_be_ordered_while_it_runs() -> None:
    async def play(here: Rehearsal) -> None:
        status, body = await order(
            here, "POST", "/fault", {"provider": "twilio", "kind": "503", "seconds": 30}
        )
        assert (status, body["kind"]) == (200, "503")
        assert (await here.send(ONE))[0] == 503
        await sleep(here.clock, 31)
        assert (await here.send(ONE))[0] == 201

    rehearse(play)


@pytest.mark.parametrize(
    "body",
    [
        {"provider": "nobody", "kind": "503", "seconds": 30},
        {"provider": "twilio", "kind": "meteor", "seconds": 30},
        {"provider": "twilio", "kind": "503", "seconds": 0},
        {"provider": "twilio", "kind": "503", "seconds": 10**9},
        {"provider": "twilio", "kind": "503", "seconds": "30"},
        {"provider": "twilio", "kind": "503", "seconds": True},
        {"provider": "twilio", "kind": "503"},
        [],
        None,
    ],
)
def test_an_order_that_makes_no_sense_is_refused_with_a_sentence(body: Any) -> None:
    async def play(here: Rehearsal) -> None:
        status, told = await order(here, "POST", "/fault", body)
        assert status == 400
        assert told["error"].endswith(".")
        assert "503" in told["kinds"]
        assert (await here.send(ONE))[0] == 201

    rehearse(play)


def test_the_log_stop_and_settle_can_be_ordered() -> None:
    async def play(here: Rehearsal) -> None:
        await here.send(ONE, "Moved.", "abc")
        assert await order(here, "POST", "/stop-people", {}) == (200, {})
        assert await order(here, "POST", "/settle", {}) == (200, {})
        status, told = await order(here, "GET", "/log")
        assert status == 200
        assert told == [here.carrier.log()[0].as_json()]
        (one,) = told
        assert {key: one[key] for key in ("provider", "to", "reference", "text", "accepted_at")} == {
            "provider": "twilio",
            "to": ONE,
            "reference": "abc",
            "text": "Moved.",
            "accepted_at": "2026-09-21T14:13:20.000Z",
        }
        assert [truth["what"] for truth in one["truth"]] == ["accepted", "sent", "delivered"]

    rehearse(play)


def test_a_web_page_cannot_give_orders() -> None:
    async def play(here: Rehearsal) -> None:
        body = {"provider": "twilio", "kind": "503", "seconds": 30}
        assert (await order(here, "POST", "/fault", body, **{"Content-Type": "text/plain"}))[0] == 415
        assert (await order(here, "POST", "/fault", body, Host="evil.example"))[0] == 400
        assert (await order(here, "GET", "/log", Host="evil.example"))[0] == 400
        assert (await here.send(ONE))[0] == 201

    rehearse(play)
