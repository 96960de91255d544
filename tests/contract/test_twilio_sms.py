"""Twilio's texts against the shared contract, and what is Twilio's own."""

from __future__ import annotations

import base64
import logging
import subprocess
import sys
from dataclasses import replace
from urllib.parse import parse_qs, parse_qsl, urlencode

import pytest
from twilio.request_validator import RequestValidator

from app.clock import VirtualClock
from providers.contract import (
    Accepted,
    Account,
    CallbackBatch,
    CallbackRefused,
    CallbackRequest,
    CannotSay,
    Channel,
    Fact,
    Found,
    InDoubt,
    LookUp,
    Money,
    NotFound,
    NotSent,
    Provider,
    Receipt,
    Rejected,
)
from providers.twilio_sms import TWILIO_SMS
from providers.twilio_tables import ERRORS, STATUS_FACTS, price_micros
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
    hangs,
)

ACCOUNT_SID = "AC" + "a1" * 16
TOKEN = "4f0c2d7e9b1a38655c0ffee012345678"
OLD_TOKEN = "00112233445566778899aabbccddeeff"
SID = "SM" + "b2" * 16

QUEUED = {
    "sid": SID,
    "status": "queued",
    "num_segments": "2",
    "price": None,
    "price_unit": "USD",
    "error_code": None,
    "date_created": "Mon, 21 Sep 2026 14:13:20 +0000",
    "body": TEXT,
}


def account(base_url: str, **secrets: str) -> Account:
    return Account("main", "twilio", base_url, {"account_sid": ACCOUNT_SID}, {"auth_token": TOKEN, **secrets})


def build(base_url: str, clock: VirtualClock) -> Provider:
    return TWILIO_SMS.build(account(base_url), clock)


def error(code: int, status: int = 400) -> object:
    return {"code": code, "message": f"No, {NUMBER}.", "more_info": "https://…", "status": status}


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
    asked = attempt(OWN_CASES[0], build, replace(MESSAGE, text=text)).asked[0]
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


# --- callbacks -----------------------------------------------------------------------------------------------

HOOK = f"{PUBLIC}/hooks/main"
QUERY = f"r={REFERENCE}"


def status_fields(status: str, code: str | None = None) -> dict[str, str]:
    fields = {
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": "2010-04-01",
        "From": SENDER,
        "MessageSid": SID,
        "MessageStatus": status,
        "SmsSid": SID,
        "SmsStatus": status,
        "To": NUMBER,
    }
    return fields | ({"ErrorCode": code} if code is not None else {})


INBOUND = {
    "AccountSid": ACCOUNT_SID,
    "Body": "copy that 👍",
    "From": NUMBER,
    "FromCity": "",
    "MessageSid": SID,
    "NumMedia": "0",
    "SmsStatus": "received",
    "To": SENDER,
}


def callback(
    fields: dict[str, str],
    *,
    token: str = TOKEN,
    signed_url: str = f"{HOOK}?{QUERY}",
    urls: tuple[str, ...] = (f"{HOOK}?{QUERY}",),
    query: str = QUERY,
    signature: str | None = None,
    body: bytes | None = None,
    content_type: str = "application/x-www-form-urlencoded; charset=utf-8",
) -> CallbackRequest:
    """A callback as Twilio's own code signs it; ``urls`` are the addresses we know to be ours."""
    signature = (
        RequestValidator(token).compute_signature(signed_url, fields) if signature is None else signature
    )
    headers = {"content-type": content_type, "x-twilio-signature": signature}
    return CallbackRequest("POST", urls, query, headers, urlencode(fields).encode() if body is None else body)


def adapter(**secrets: str) -> Provider:
    return TWILIO_SMS.build(account("http://127.0.0.1:1", **secrets), VirtualClock(START_MS))


def read(request: CallbackRequest, **secrets: str) -> CallbackBatch | CallbackRefused:
    return adapter(**secrets).parse_callback(request)


def receipt_in(answer: CallbackBatch | CallbackRefused) -> Receipt:
    assert isinstance(answer, CallbackBatch), answer
    assert len(answer.receipts) == 1
    assert not answer.inbound
    return answer.receipts[0]


@pytest.mark.parametrize(
    ("token", "url", "fields", "signature"),
    [
        pytest.param(
            "12345",
            "https://hooks.example.com/twilio/status?mid=42",
            {
                "AccountSid": "AC" + "a" * 32,
                "ApiVersion": "2010-04-01",
                "From": "+14155550000",
                "MessageSid": "SM" + "b" * 32,
                "MessageStatus": "delivered",
                "SmsSid": "SM" + "b" * 32,
                "SmsStatus": "delivered",
                "To": "+14155552345",
            },
            "zbY4yDaRawdJcs2niSzY3zMa5LU=",
            id="a status callback",
        ),
        pytest.param(
            "12345",
            "https://mycompany.com/myapp.php?foo=1&bar=2",
            {
                "CallSid": "CA1234567890ABCDE",
                "Caller": "+14158675309",
                "Digits": "1234",
                "From": "+14158675309",
                "To": "+18005551212",
            },
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
            id="the vendor's own example",
        ),
    ],
)
def test_worked_signatures_are_genuine(token: str, url: str, fields: dict[str, str], signature: str) -> None:
    request = callback(fields, signature=signature, urls=(url,), query=url.partition("?")[2])
    answer = read(request, auth_token=token)
    # The vendor's example is a telephone call: genuine, but no text. A forged one would be 403.
    assert isinstance(answer, CallbackBatch) or answer.status == 400
    forged = read(replace(request, urls=(url + "&x=1",)), auth_token=token)
    assert isinstance(forged, CallbackRefused)
    assert forged.status == 403


GENUINE = status_fields("delivered")

REFUSED_REQUESTS = {
    "no signature": (callback(GENUINE, signature=""), 403),
    "somebody else's token": (callback(GENUINE, token="f" * 32), 403),
    "garbage for a signature": (callback(GENUINE, signature="\udcff=="), 403),
    "signed for the local address": (
        callback(GENUINE, signed_url=f"http://127.0.0.1:8085/hooks/main?{QUERY}"),
        403,
    ),
    "signed for http": (callback(GENUINE, signed_url=f"{HOOK}?{QUERY}".replace("https", "http")), 403),
    "signed without the query": (callback(GENUINE, signed_url=HOOK), 403),
    "signed for another query": (callback(GENUINE, signed_url=f"{HOOK}?r=0000000000000000"), 403),
    "signed for an extra slash": (callback(GENUINE, signed_url=f"{PUBLIC}//hooks/main?{QUERY}"), 403),
    "a field added after signing": (callback(GENUINE, body=urlencode({**GENUINE, "X": "1"}).encode()), 403),
    "a field taken away after signing": (
        callback(GENUINE, body=urlencode({k: v for k, v in GENUINE.items() if k != "To"}).encode()),
        403,
    ),
    "a status changed after signing": (
        callback(GENUINE, body=urlencode({**GENUINE, "MessageStatus": "read"}).encode()),
        403,
    ),
    "no address of ours is known": (callback(GENUINE, urls=()), 403),
    "unsigned rubbish": (callback({}, signature="", body=b"\xff\xfe%%%&&&"), 403),
    "rubbish with a forged signature": (callback({}, signature="AAAA", body=b"\xff\xfe%%%&&&"), 403),
    "more fields than Twilio ever sends": (callback({f"F{n}": "1" for n in range(600)}), 403),
    "signed, but JSON": (callback(GENUINE, content_type="application/json"), 400),
    "signed, but no type": (callback(GENUINE, content_type=""), 400),
    "signed, but empty": (callback({}), 400),
    "signed, but about no message": (callback({"AccountSid": ACCOUNT_SID, "MessageStatus": "sent"}), 400),
    "signed, but neither status nor message": (callback({"MessageSid": SID}), 400),
}


@pytest.mark.parametrize(("request_", "status"), REFUSED_REQUESTS.values(), ids=REFUSED_REQUESTS.keys())
def test_what_is_not_genuine_or_not_readable_is_refused(request_: CallbackRequest, status: int) -> None:
    answer = read(request_)
    assert isinstance(answer, CallbackRefused)
    assert answer.status == status
    assert_nothing_leaks(answer.sentence, NUMBER, TOKEN)


def test_signed_bytes_that_are_no_text_are_unreadable_not_forged() -> None:
    import hashlib
    import hmac

    url = f"{HOOK}?{QUERY}"
    mac = hmac.new(TOKEN.encode(), url.encode() + b"MessageSid\xff\xfe", hashlib.sha1).digest()
    request = callback({}, signature=base64.b64encode(mac).decode(), body=b"MessageSid=%FF%FE")
    answer = read(request)
    assert isinstance(answer, CallbackRefused)
    assert answer.status == 400


GENUINE_REQUESTS = {
    "as configured": callback(GENUINE),
    "without a query": callback(GENUINE, signed_url=HOOK, urls=(HOOK,), query=""),
    "for an earlier public address": callback(
        GENUINE,
        signed_url=f"https://old.example/hooks/main?{QUERY}",
        urls=(f"{HOOK}?{QUERY}", f"https://old.example/hooks/main?{QUERY}"),
    ),
    "with the standard port written out": callback(
        GENUINE, signed_url=f"https://nightfall.callboard.example:443/hooks/main?{QUERY}"
    ),
    "with the standard port left out": callback(
        GENUINE, urls=(f"https://nightfall.callboard.example:443/hooks/main?{QUERY}",)
    ),
    "with blank values": callback({**GENUINE, "FromCity": "", "FromState": ""}),
    "with fields nobody knows": callback({**GENUINE, "Brandnew": "yes", "a": "b"}),
    "with a query in need of care": callback(
        GENUINE,
        signed_url=f"{HOOK}?r=a%2Fb&x=%20+1&y=",
        urls=(f"{HOOK}?r=a%2Fb&x=%20+1&y=",),
        query="r=a%2Fb&x=%20+1&y=",
    ),
}


@pytest.mark.parametrize("request_", GENUINE_REQUESTS.values(), ids=GENUINE_REQUESTS.keys())
def test_genuine_callbacks_are_taken(request_: CallbackRequest) -> None:
    assert receipt_in(read(request_)).fact is Fact.DELIVERED


def test_while_a_token_is_changed_both_are_good() -> None:
    request = callback(GENUINE, token=OLD_TOKEN)
    assert isinstance(read(request), CallbackRefused)
    assert receipt_in(read(request, second_auth_token=OLD_TOKEN)).fact is Fact.DELIVERED
    assert receipt_in(read(callback(GENUINE), second_auth_token=OLD_TOKEN)).fact is Fact.DELIVERED


def test_an_empty_second_token_signs_nothing() -> None:
    assert isinstance(read(callback(GENUINE, token=""), second_auth_token=""), CallbackRefused)


def test_repeated_fields_are_signed_as_twilio_does() -> None:
    url = f"{HOOK}?{QUERY}"
    pairs = [*GENUINE.items(), ("Extra", "b"), ("Extra", "a"), ("Extra", "b")]

    class Fields(dict[str, str]):
        def getlist(self, name: str) -> list[str]:
            return [value for key, value in pairs if key == name]

    signature = RequestValidator(TOKEN).compute_signature(url, Fields(pairs))
    request = callback({}, signature=signature, body=urlencode(pairs).encode())
    assert receipt_in(read(request)).fact is Fact.DELIVERED


FACTS = {
    "accepted": Fact.ACCEPTED,
    "scheduled": Fact.ACCEPTED,
    "queued": Fact.ACCEPTED,
    "sending": Fact.ACCEPTED,
    "sent": Fact.ACCEPTED,
    "delivered": Fact.DELIVERED,
    "partially_delivered": Fact.DELIVERED,
    "read": Fact.READ,
    "undelivered": Fact.FAILED,
    "failed": Fact.FAILED,
    "canceled": Fact.FAILED,
}


@pytest.mark.parametrize(("status", "fact"), FACTS.items(), ids=FACTS.keys())
def test_every_status_states_its_fact(status: str, fact: Fact) -> None:
    receipt = receipt_in(read(callback(status_fields(status))))
    assert receipt.fact is fact
    assert receipt.provider_id == SID
    assert receipt.reference == REFERENCE
    assert (receipt.error is not None) == (fact is Fact.FAILED)


def test_every_status_of_the_table_has_an_expectation() -> None:
    assert set(STATUS_FACTS) == set(FACTS)


@pytest.mark.parametrize("status", ["teleported", "", "DELIVERED?"])
def test_a_status_nobody_knows_says_only_that_twilio_has_it(status: str) -> None:
    receipt = receipt_in(read(callback(status_fields(status))))
    assert receipt.fact is Fact.ACCEPTED
    assert receipt.error is None
    assert receipt.detail["MessageStatus"] == status


@pytest.mark.parametrize(
    ("status", "code", "fact", "flag"),
    [
        ("failed", "21610", Fact.OPTED_OUT, "opted_out"),
        ("undelivered", "30003", Fact.FAILED, "retryable"),
        ("undelivered", "30005", Fact.FAILED, "bad_address"),
        ("undelivered", "30034", Fact.FAILED, "config"),
        ("failed", "30001", Fact.FAILED, "throttled"),
    ],
)
def test_a_failure_carries_its_reason(status: str, code: str, fact: Fact, flag: str) -> None:
    receipt = receipt_in(read(callback(status_fields(status, code))))
    assert receipt.fact is fact
    assert receipt.error is not None
    assert receipt.error.code == code
    assert getattr(receipt.error, flag)


@pytest.mark.parametrize("code", ["", "not a number", "30999"])
def test_a_failure_without_a_known_reason_is_still_a_failure(code: str) -> None:
    receipt = receipt_in(read(callback(status_fields("undelivered", code))))
    assert receipt.fact is Fact.FAILED
    assert receipt.error is not None
    assert not receipt.error.retryable
    assert receipt.error.sentence


def test_a_replay_has_the_same_key_and_another_event_another() -> None:
    keys = [
        receipt_in(read(callback(status_fields(status, code)))).dedupe_key
        for status, code in [
            ("sent", None), ("sent", None), ("delivered", None), ("undelivered", "30003"), ("undelivered", "30005"),
        ]
    ]  # fmt: skip
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4


def test_everything_twilio_says_is_kept_and_nothing_of_it_is_shown() -> None:
    fields = {**GENUINE, "RawDlrDoneDate": "2611201030", "Brandnew": "ü", "Blank": ""}
    receipt = receipt_in(read(callback(fields)))
    assert receipt.detail == fields
    assert_nothing_leaks(repr(receipt), NUMBER, "2611201030")


def test_a_callback_without_our_reference_is_known_by_twilios_id() -> None:
    receipt = receipt_in(read(callback(GENUINE, signed_url=HOOK, urls=(HOOK,), query="")))
    assert receipt.reference is None
    assert receipt.provider_id == SID


def test_a_message_from_a_person_is_taken_and_answered_with_silence() -> None:
    answer = read(callback(INBOUND, signed_url=HOOK, urls=(HOOK,), query=""))
    assert isinstance(answer, CallbackBatch)
    assert (answer.answer_status, answer.answer_type) == (200, "text/xml")
    assert answer.answer_body.endswith("<Response/>")
    assert not answer.receipts
    (message,) = answer.inbound
    assert message.channel is Channel.SMS
    assert (message.sender, message.to, message.text) == (NUMBER, SENDER, "copy that 👍")
    assert message.provider_id == SID
    assert message.detail == INBOUND
    assert_nothing_leaks(repr(answer), NUMBER, "copy that")


def test_an_empty_message_from_a_person_is_still_a_message() -> None:
    answer = read(callback({**INBOUND, "Body": "", "NumMedia": "1"}, signed_url=HOOK, urls=(HOOK,), query=""))
    assert isinstance(answer, CallbackBatch)
    assert [message.text for message in answer.inbound] == [""]


# --- asking ----------------------------------------------------------------------------------------------------

QUESTION = LookUp(NUMBER, SENDER, TEXT, START_MS)


def ask(server: Server, question: LookUp = QUESTION) -> object:
    clock = VirtualClock(START_MS)

    async def run() -> object:
        async with server:
            adapter = build(server.url, clock)
            answer = await adapter.look_up(question)
            await adapter.close()
            return answer

    return clock.run(run())


def listed(*messages: dict[str, object], more: str | None = None) -> object:
    return {"messages": list(messages), "next_page_uri": more, "page": 0, "page_size": 50, "uri": "/x"}


def at(second: int) -> str:
    return f"Mon, 21 Sep 2026 14:13:{second:02} +0000"


DELIVERED_ONE = {**QUEUED, "status": "delivered", "price": "-0.01660", "date_created": at(16)}

BY_TEXT = {
    "found": ([answers(200, listed(DELIVERED_ONE))],
              Found(SID, Fact.DELIVERED, None, 2, Money(16_600, "USD"))),
    "failed": ([answers(200, listed({**QUEUED, "status": "undelivered", "error_code": 21610}))], Fact.OPTED_OUT),
    "nothing": ([answers(200, listed())], NotFound()),
    "another text": ([answers(200, listed({**QUEUED, "body": "Lunch."}))], NotFound()),
    "too early": ([answers(200, listed({**QUEUED, "date_created": at(14)}))], NotFound()),
    "just early enough": ([answers(200, listed({**QUEUED, "date_created": at(15)}))], Fact.ACCEPTED),
    "no date": ([answers(200, listed({**QUEUED, "date_created": None}))], NotFound()),
    "on the second page": ([answers(200, listed({**QUEUED, "body": "Lunch."}, more="/2010-04-01/next")),
                            answers(200, listed(QUEUED))], Fact.ACCEPTED),
    "twice": ([answers(200, listed(QUEUED, {**QUEUED, "sid": "SM" + "d" * 32}))], False),
    "pages without end": ([answers(200, listed(*([{**QUEUED, "body": "Lunch."}] * 50), more="/2010-04-01/next"))],
                          False),
    "garbage": ([answers(200, "<<<")], True),
    "another shape": ([answers(200, {"calls": [], "texts": []})], True),
    "a fault": ([answers(503)], True),
    "too fast": ([answers(429)], True),
    "refused": ([answers(401)], False),
    "silence": ([hangs], True),
}  # fmt: skip


@pytest.mark.parametrize(("behaviours", "expected"), BY_TEXT.values(), ids=BY_TEXT.keys())
def test_a_text_of_unknown_fate_is_looked_up(behaviours: list[object], expected: object) -> None:
    """``expected`` is the answer, or the fact of what was found, or whether asking again may help."""
    server = Server(*behaviours)  # type: ignore[arg-type]
    answer = ask(server)
    if isinstance(expected, Fact):
        assert isinstance(answer, Found)
        assert answer.fact is expected
    elif isinstance(expected, bool):
        assert isinstance(answer, CannotSay)
        assert answer.retryable is expected
    else:
        assert answer == expected
    assert len(server.asked) <= 4
    assert all(asked.method == "GET" for asked in server.asked)


def test_the_look_up_names_number_sender_and_day() -> None:
    server = Server(answers(200, listed()))
    just_after_midnight = (
        1_789_948_803_000  # 2026-09-21 00:00:03 in Greenwich: the text may be of the day before
    )
    ask(server, replace(QUESTION, sent_at_ms=just_after_midnight))
    path, _, query = server.asked[0].target.partition("?")
    assert path == f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
    fields = dict(parse_qsl(query))
    assert fields == {"To": NUMBER, "From": SENDER, "DateSent>": "2026-09-20", "PageSize": "50"}


BY_ID = {
    "found": (answers(200, {**QUEUED, "status": "sent"}), Found(SID, Fact.ACCEPTED, None, 2, None)),
    "unknown": (answers(404, error(20404, 404)), NotFound()),
    "a 404 of somebody else": (answers(404, "<html>"), CannotSay("Twilio could not be asked what became of the text.")),
    "a fault": (answers(500), CannotSay("Twilio could not be asked what became of the text.", retryable=True)),
    "garbage": (answers(200, "?"), CannotSay("Twilio could not be asked what became of the text.", retryable=True)),
}  # fmt: skip


@pytest.mark.parametrize(("behave", "expected"), BY_ID.values(), ids=BY_ID.keys())
def test_a_text_with_an_id_is_asked_for_by_it(behave: object, expected: object) -> None:
    server = Server(behave)  # type: ignore[arg-type]
    assert ask(server, replace(QUESTION, provider_id=SID)) == expected
    assert server.asked[0].target == f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/{SID}.json"


ACCOUNT = {"sid": ACCOUNT_SID, "status": "active", "friendly_name": "Nightfall"}

CHECKS = {
    "active": (answers(200, ACCOUNT), True, "active"),
    "suspended": (answers(200, {**ACCOUNT, "status": "suspended"}), False, "not active"),
    "wrong token": (answers(401, error(20003, 401)), False, "auth token"),
    "wrong account": (answers(404, error(20404, 404)), False, "does not know this account"),
    "somebody else answers": (answers(200, "<html>Sign in to the hotel"), False, "makes no sense"),
    "a fault": (answers(503), False, "fault"),
    "silence": (hangs, False, "in time"),
}


@pytest.mark.parametrize(("behave", "ok", "words"), CHECKS.values(), ids=CHECKS.keys())
def test_the_account_can_be_checked_without_sending(behave: object, ok: bool, words: str) -> None:
    clock = VirtualClock(START_MS)

    async def run() -> None:
        async with Server(behave) as server:  # type: ignore[arg-type]
            adapter = build(server.url, clock)
            result = await adapter.check()
            await adapter.close()
            assert result.ok is ok
            assert words in result.sentence
            assert result.ok or result.next_step.endswith(".")
            assert [(asked.method, asked.target) for asked in server.asked] == [
                ("GET", f"/2010-04-01/Accounts/{ACCOUNT_SID}.json")
            ]

    clock.run(run())


@pytest.mark.parametrize(
    ("number", "same_as"),
    [("+16265550162", "+1"), ("+447911123456", "+44"), ("+353851234567", "+353"), ("+999123456789", "+1")],
)
def test_a_price_is_estimated_by_the_longest_prefix(number: str, same_as: str) -> None:
    assert price_micros(number) == price_micros(same_as + "0")
    money = adapter().price(replace(MESSAGE, to=number), 3)
    assert money == Money(3 * price_micros(number), "USD")
