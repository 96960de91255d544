"""Asking Twilio: what became of a text, whether the account works, what it costs."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from app.clock import VirtualClock
from providers.contract import (
    CannotSay,
    Fact,
    Found,
    LookUp,
    Money,
    NotFound,
    Text,
)
from tests.contract.harness import (
    MESSAGE,
    NUMBER,
    SENDER,
    START_MS,
    TEXT,
    Server,
    answers,
    hangs,
)
from tests.contract.twilio import ACCOUNT_SID, QUEUED, SID, build, error

QUESTION = LookUp(NUMBER, SENDER, Text(TEXT), START_MS)


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


LATE = "Mon, 21 Sep 2026 14:14:21 +0000"
DELIVERED_ONE = {**QUEUED, "status": "delivered", "price": "-0.01660", "date_created": at(16)}

BY_TEXT = {
    "found": ([answers(200, listed(DELIVERED_ONE))],
              Found(SID, Fact.DELIVERED, None, 2, Money(16_600, "USD"))),
    "failed": ([answers(200, listed({**QUEUED, "status": "undelivered", "error_code": 21610}))], Fact.OPTED_OUT),
    "nothing": ([answers(200, listed())], NotFound()),
    "another text": ([answers(200, listed({**QUEUED, "body": "Lunch."}))], NotFound()),
    "too early": ([answers(200, listed({**QUEUED, "date_created": at(14)}))], NotFound()),
    "just early enough": ([answers(200, listed({**QUEUED, "date_created": at(15)}))], Fact.ACCEPTED),
    "a reminder later": ([answers(200, listed({**QUEUED, "date_created": LATE}))], NotFound()),
    "it and a reminder": ([answers(200, listed(QUEUED, {**QUEUED, "sid": "SM" + "d" * 32, "date_created": LATE}))],
                          Fact.ACCEPTED),
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
    ("number", "micros"),
    [
        ("+16265550162", 11_800),
        ("+447911123456", 55_000),
        ("+353851234567", 80_000),
        ("+999123456789", 11_800),
    ],
    ids=["United States", "United Kingdom", "Ireland, three digits", "a country without a row"],
)
def test_a_price_is_estimated_by_the_longest_prefix(number: str, micros: int) -> None:
    adapter = build("http://127.0.0.1:1", VirtualClock(START_MS))
    assert adapter.price(replace(MESSAGE, to=number), 3) == Money(3 * micros, "USD")


# ------------------------------------------------------------------------------------- what people have sent


def inbox(server: Server, to: str = SENDER, since_ms: int = START_MS) -> object:
    clock = VirtualClock(START_MS)

    async def run() -> object:
        async with server:
            adapter = build(server.url, clock)
            answer = await adapter.inbox(to, since_ms)
            await adapter.close()
            return answer

    return clock.run(run())


RECEIVED = {
    **QUEUED,
    "status": "received",
    "direction": "inbound",
    "from": NUMBER,
    "to": SENDER,
    "body": "STOP",
}
SENT = {**QUEUED, "direction": "outbound-api", "from": SENDER, "to": NUMBER}


def test_the_inbox_holds_what_people_sent_oldest_first_and_under_the_keys_of_its_callbacks() -> None:
    later = {**RECEIVED, "sid": "SM" + "d" * 32, "body": "1", "date_created": at(25)}
    answer = inbox(Server(answers(200, listed(later, SENT, RECEIVED))))
    assert isinstance(answer, list)
    assert [(one.text, one.sender, one.to) for one in answer] == [
        ("STOP", NUMBER, SENDER),
        ("1", NUMBER, SENDER),
    ]
    assert answer[0].dedupe_key == f"{SID}:received"


def test_what_came_in_before_is_left_out_of_the_inbox() -> None:
    earlier = {**RECEIVED, "date_created": at(14)}
    assert inbox(Server(answers(200, listed(RECEIVED, earlier))), since_ms=START_MS - 5_000) != []
    assert inbox(Server(answers(200, listed(earlier))), since_ms=START_MS) == []


def test_the_inbox_is_asked_for_by_number_and_day() -> None:
    server = Server(answers(200, listed()))
    assert inbox(server) == []
    fields = dict(parse_qsl(server.asked[0].target.partition("?")[2]))
    assert (fields["To"], fields["DateSent>"]) == (SENDER, "2026-09-21")


def test_an_account_that_chooses_its_numbers_is_asked_for_all_of_them() -> None:
    server = Server(answers(200, listed(RECEIVED)))
    assert inbox(server, to="") != []
    assert "To=" not in server.asked[0].target


@pytest.mark.parametrize(("behaviour", "again"), [(answers(503), True), (answers(401), False), (hangs, True)])
def test_an_inbox_that_cannot_be_read_says_so(behaviour: object, again: bool) -> None:
    answer = inbox(Server(behaviour))  # type: ignore[arg-type]
    assert isinstance(answer, CannotSay)
    assert answer.retryable is again
