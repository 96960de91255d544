"""Twilio's callbacks: whom to believe, and what they say."""

from __future__ import annotations

import base64
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from app.clock import VirtualClock
from providers.contract import (
    CallbackBatch,
    CallbackRefused,
    CallbackRequest,
    Channel,
    Fact,
    Provider,
    Receipt,
)
from providers.twilio_sms import TWILIO_SMS
from providers.twilio_tables import STATUS_FACTS
from tests.contract.harness import (
    NUMBER,
    PUBLIC,
    REFERENCE,
    SENDER,
    START_MS,
    assert_nothing_leaks,
)
from tests.contract.twilio import ACCOUNT_SID, OLD_TOKEN, SID, TOKEN, account

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
