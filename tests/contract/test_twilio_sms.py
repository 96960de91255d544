"""Twilio's texts against the shared contract, and what is Twilio's own."""

from __future__ import annotations

import base64
import logging
import subprocess
import sys
from dataclasses import replace
from urllib.parse import parse_qs, parse_qsl

import pytest

from app.clock import VirtualClock
from providers.contract import (
    Accepted,
    InDoubt,
    NotSent,
    Provider,
    Rejected,
    Text,
)
from providers.twilio_sms import TWILIO_SMS
from providers.twilio_tables import ERRORS
from tests.contract.harness import (
    LINE_CASES,
    MESSAGE,
    NUMBER,
    PUBLIC,
    REFERENCE,
    SENDER,
    START_MS,
    TEXT,
    Case,
    Server,
    answers,
    assert_nothing_leaks,
    attempt,
    check,
    closed_port_url,
)
from tests.contract.twilio import ACCOUNT_SID, QUEUED, SID, TOKEN, account, build, error

# What must become of each code, written down independently of the adapter's table.
CLASSES = {
    frozenset({"config"}): (
        *(20003, 20005, 20404, 21212, 21603, 21606, 21620, 21659, 21660),
        *(30002, 30032, 30033, 30034, 63038),
    ),
    frozenset({"retryable"}): (20500, 20503, 30003, 30008, 30017, 30022, 63005, 63013),
    frozenset({"retryable", "throttled"}): (20429, 21611, 22005, 30001, 63017, 63018),
    frozenset({"opted_out"}): (21610,),
    frozenset({"bad_address"}): (21211, 21217, 21401, 21614, 21635, 30005, 30006, 63003, 63024),
    frozenset(): (
        *(21408, 21602, 21604, 21609, 21612, 21617, 21910, 21911),
        *(30004, 30007, 30036, 63016, 63032, 63033),
    ),
}

UNKNOWN = {20999: frozenset(), 21999: frozenset(), 30999: frozenset(), 63999: frozenset(), 12345: frozenset()}

CODE_CASES = [
    Case(f"{code}", answers(400, error(code)), Rejected, str(code), flags)
    for flags, codes in CLASSES.items()
    for code in codes
    if code != 20429  # too fast is never a refusal: below
] + [
    Case(f"unknown {code}", answers(400, error(code)), Rejected, str(code), flags)
    for code, flags in UNKNOWN.items()
]

OWN_CASES = [
    Case("accepted", answers(201, QUEUED), Accepted),
    Case("accepted with 200", answers(200, QUEUED), Accepted),
    Case("20429 in a 400", answers(400, error(20429), {"Retry-After": "3"}), NotSent, "20429",
         frozenset({"retryable", "throttled"}), 3.0),
    Case("401 with Twilio's code", answers(401, error(20003, 401)), Rejected, "20003", frozenset({"config"})),
    Case("404: no such account", answers(404, error(20404, 404)), Rejected, "20404", frozenset({"config"})),
    Case("403 of a gateway", answers(403, "<html>Forbidden"), Rejected, "20003", frozenset({"config"})),
    Case("400 without a code", answers(400, "<html>Bad Request"), Rejected, "http-400"),
    Case("a code written as text", answers(400, {"code": "21610"}), Rejected, "21610", frozenset({"opted_out"})),
    Case("a code that is no number", answers(400, {"code": [21610]}), Rejected, "http-400"),
    Case("20503 of Twilio's own", answers(503, error(20503, 503)), InDoubt, "20503", frozenset({"retryable"})),
    Case("a fault with an unknown code", answers(500, error(29999, 500)), InDoubt, "29999",
         frozenset({"retryable"})),
    Case("a fault that names an opt-out is still a fault", answers(500, error(21610, 500)), InDoubt, "21610",
         frozenset({"retryable"})),
]  # fmt: skip


@pytest.mark.parametrize("case", [*LINE_CASES, *OWN_CASES, *CODE_CASES], ids=lambda case: case.name)
def test_every_attempt_keeps_the_contract(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    result = attempt(case, build)
    check(case, result)
    assert_nothing_leaks(caplog.text + result.text, NUMBER, TOKEN, TEXT)


def test_every_code_of_the_table_has_an_expectation() -> None:
    assert set(ERRORS) == {code for codes in CLASSES.values() for code in codes}


def test_a_refused_connection_was_not_sent() -> None:
    clock = VirtualClock(START_MS)

    async def run() -> object:
        adapter = build(closed_port_url(), clock)
        outcome = await adapter.send(MESSAGE)
        await adapter.close()
        return outcome

    outcome = clock.run(run())
    assert isinstance(outcome, NotSent)
    assert outcome.error.retryable
    assert clock.now_ms() == START_MS


def test_the_request_is_twilios() -> None:
    asked = attempt(OWN_CASES[0], build).asked[0]
    assert asked.method == "POST"
    assert asked.target == f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    credentials = base64.b64encode(f"{ACCOUNT_SID}:{TOKEN}".encode()).decode()
    assert asked.headers["authorization"] == f"Basic {credentials}"
    assert dict(parse_qsl(asked.body, keep_blank_values=True, strict_parsing=True)) == {
        "To": NUMBER,
        "From": SENDER,
        "Body": TEXT,
        "StatusCallback": f"{PUBLIC}/hooks/main?r={REFERENCE}",
        "ValidityPeriod": "900",
    }


def test_a_text_of_many_scripts_arrives_byte_for_byte() -> None:
    text = "Ximena’s call: 05:30 ☕ & +1 = “fine”\nSí 日本 👍🏽"
    asked = attempt(OWN_CASES[0], build, replace(MESSAGE, content=Text(text))).asked[0]
    assert parse_qs(asked.body)["Body"] == [text]


@pytest.mark.parametrize(("asked_for", "sent"), [(0, "1"), (5, "5"), (36_000, "36000"), (100_000, "36000")])
def test_the_validity_stays_within_what_twilio_takes(asked_for: int, sent: str) -> None:
    asked = attempt(OWN_CASES[0], build, replace(MESSAGE, valid_for_s=asked_for)).asked[0]
    assert parse_qs(asked.body)["ValidityPeriod"] == [sent]


def test_without_a_callback_address_none_is_sent() -> None:
    message = replace(MESSAGE, callback_url=None, valid_for_s=None)
    asked = attempt(OWN_CASES[0], build, message).asked[0]
    assert set(parse_qs(asked.body)) == {"To", "From", "Body"}


def test_a_messaging_service_chooses_the_sender() -> None:
    service = "MG" + "c3" * 16

    def with_service(base_url: str, clock: VirtualClock) -> Provider:
        settings = {"account_sid": ACCOUNT_SID, "messaging_service_sid": service}
        return TWILIO_SMS.build(replace(account(base_url), settings=settings), clock)

    asked = attempt(OWN_CASES[0], with_service, replace(MESSAGE, sender="")).asked[0]
    fields = parse_qs(asked.body)
    assert fields["MessagingServiceSid"] == [service]
    assert "From" not in fields


def test_an_accepted_text_is_named_and_counted() -> None:
    assert attempt(OWN_CASES[0], build).outcome == Accepted(SID, segments=2, cost=None)


def test_segments_that_twilio_does_not_know_yet_are_unknown() -> None:
    case = Case("service", answers(201, {**QUEUED, "num_segments": "0"}), Accepted)
    assert attempt(case, build).outcome == Accepted(SID, segments=None, cost=None)


def test_the_environment_does_not_bend_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC" + "0" * 32)
    result = attempt(OWN_CASES[0], build)
    assert isinstance(result.outcome, Accepted)
    assert result.asked[0].headers["host"].startswith("127.0.0.1:")
    assert ACCOUNT_SID in result.asked[0].target


def test_one_connection_serves_many_texts() -> None:
    clock = VirtualClock(START_MS)

    async def run() -> tuple[int, int]:
        async with Server(answers(201, QUEUED)) as server:
            adapter = build(server.url, clock)
            for _ in range(5):
                assert isinstance(await adapter.send(MESSAGE), Accepted)
            await adapter.close()
            return len(server.asked), server.connections

    assert clock.run(run()) == (5, 1)


def test_closing_twice_and_closing_unused_are_harmless() -> None:
    clock = VirtualClock(START_MS)

    async def run() -> None:
        adapter = build("http://127.0.0.1:1", clock)
        await adapter.close()
        await adapter.close()

    clock.run(run())


def test_a_proxy_of_the_environment_is_asked_but_never_for_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = VirtualClock(START_MS)

    async def run() -> tuple[list[str], list[str]]:
        async with Server(answers(201, QUEUED)) as proxy, Server(answers(201, QUEUED)) as here:
            monkeypatch.setenv("http_proxy", proxy.url)
            monkeypatch.delenv("no_proxy", raising=False)
            for base_url in ("http://twilio.invalid", here.url):
                adapter = build(base_url, clock)
                assert isinstance(await adapter.send(MESSAGE), Accepted)
                await adapter.close()
            return [one.target for one in proxy.asked], [one.target for one in here.asked]

    path = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
    assert clock.run(run()) == ([f"http://twilio.invalid{path}"], [path])


def test_describing_the_account_imports_neither_the_package_nor_an_http_client() -> None:
    script = (
        "import sys, providers.twilio_sms\n"
        "print([name for name in ('twilio', 'aiohttp', 'requests') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_the_secrets_of_an_account_are_asked_for_as_secrets() -> None:
    assert {field.name for field in TWILIO_SMS.fields if field.secret} == {"auth_token", "second_auth_token"}
    assert {field.name for field in TWILIO_SMS.fields if field.required} == {"account_sid", "auth_token"}


def test_whatever_the_package_logs_stays_with_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    build("http://127.0.0.1:1", VirtualClock(START_MS))
    logging.getLogger("twilio.http_client").error("to %s", NUMBER)
    assert NUMBER not in caplog.text
