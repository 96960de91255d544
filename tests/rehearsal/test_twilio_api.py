"""The rehearsal's Messages API is as strict as the vendor's."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.rehearsal.town import PUBLIC, SENDER, START_MS, Rehearsal, credentials, rehearse

NUMBER = "+16265550162"
GOOD = {
    "To": NUMBER,
    "From": SENDER,
    "Body": "Nightfall: moved.",
    "StatusCallback": f"{PUBLIC}/hooks/main?r=abc",
}


def without(name: str) -> str:
    return urlencode({key: value for key, value in GOOD.items() if key != name})


def with_(**fields: str) -> str:
    return urlencode({**GOOD, **fields})


@dataclass(frozen=True)
class Wrong:
    """A request that is wrong in one way, and the vendor's answer to it."""

    status: int
    code: int
    body: str | None = urlencode(GOOD)
    method: str = "POST"
    path: str = "/Messages.json"
    headers: Mapping[str, str] = field(default_factory=dict)


WRONG = {
    "no credentials": Wrong(401, 20003, headers={"Authorization": ""}),
    "another token": Wrong(
        401, 20003, headers={"Authorization": credentials("AC" + "0123456789abcdef" * 2, "no")}
    ),
    "another scheme": Wrong(401, 20003, headers={"Authorization": "Bearer abc"}),
    "credentials that are no base64": Wrong(401, 20003, headers={"Authorization": "Basic ü"}),
    "another path": Wrong(404, 20404, path="/Message.json"),
    "a path without .json": Wrong(404, 20404, path="/Messages"),
    "another account": Wrong(404, 20404, path="/../AC" + "f" * 32 + "/Messages.json"),
    "another method": Wrong(405, 20004, method="PUT"),
    "deleting a list": Wrong(405, 20004, method="DELETE", body=None),
    "JSON instead of a form": Wrong(
        415, 20001, json.dumps(GOOD), headers={"Content-Type": "application/json"}
    ),
    "no type": Wrong(415, 20001, headers={"Content-Type": ""}),
    "no form": Wrong(400, 20001, "%%%"),
    "text outside the form's alphabet": Wrong(400, 20001, "Body=ü"),
    "an empty form": Wrong(400, 21604, ""),
    "an unknown field": Wrong(400, 20001, with_(Boddy="x")),
    "a field written small": Wrong(400, 20001, with_(to=NUMBER)),
    "a field twice": Wrong(400, 20001, urlencode(GOOD) + "&To=%2B16265550163"),
    "nobody to send to": Wrong(400, 21604, without("To")),
    "nobody to send from": Wrong(400, 21603, without("From")),
    "nothing to say": Wrong(400, 21602, without("Body")),
    "an empty text": Wrong(400, 21602, with_(Body="")),
    "a text too long": Wrong(400, 21617, with_(Body="x" * 1601)),
    "a number without a plus": Wrong(400, 21211, with_(To="16265550162")),
    "a number with spaces": Wrong(400, 21211, with_(To="+1 626 555 0162")),
    "a number that begins with zero": Wrong(400, 21211, with_(To="+0626555016")),
    "a number too long": Wrong(400, 21211, with_(To="+1626555016212345")),
    "a number and a line end": Wrong(400, 21211, with_(To=NUMBER + "\n")),
    "a name to send to": Wrong(400, 21211, with_(To="Ada")),
    "a sender that is none": Wrong(400, 21212, with_(From="+1 (626)")),
    "a service that is none": Wrong(400, 21701, with_(MessagingServiceSid="MG1")),
    "a callback that is no address": Wrong(400, 21609, with_(StatusCallback="hooks")),
    "a callback with an underscore": Wrong(400, 21609, with_(StatusCallback="https://call_board.example/h")),
    "a callback of another kind": Wrong(400, 21609, with_(StatusCallback="ftp://callboard.example/h")),
    "a validity of nothing": Wrong(400, 20001, with_(ValidityPeriod="0")),
    "a validity too long": Wrong(400, 20001, with_(ValidityPeriod="36001")),
    "a validity in words": Wrong(400, 20001, with_(ValidityPeriod="soon")),
    "a broken validity": Wrong(400, 20001, with_(ValidityPeriod="900.0")),
    "magic: invalid": Wrong(400, 21211, with_(To="+15005550001")),
    "magic: no route": Wrong(400, 21612, with_(To="+15005550002")),
    "magic: region": Wrong(400, 21408, with_(To="+15005550003")),
    "magic: opted out": Wrong(400, 21610, with_(To="+15005550004")),
    "magic: no mobile": Wrong(400, 21614, with_(To="+15005550009")),
    "magic: invalid sender": Wrong(400, 21212, with_(From="+15005550001")),
    "magic: not ours": Wrong(400, 21606, with_(From="+15005550007")),
    "magic: queue full": Wrong(429, 21611, with_(From="+15005550008")),
    "no such text": Wrong(404, 20404, None, "GET", "/Messages/SM" + "0" * 32 + ".json"),
    "a filter nobody knows": Wrong(400, 20001, None, "GET", "/Messages.json?Status=sent"),
    "a page size of nothing": Wrong(400, 20001, None, "GET", "/Messages.json?PageSize=0"),
    "a page size too large": Wrong(400, 20001, None, "GET", "/Messages.json?PageSize=1001"),
}


@pytest.fixture(scope="module")
def answers() -> dict[str, tuple[int, Any, Mapping[str, str], int]]:
    """The answer to each wrong request, and how many texts were accepted until then."""

    async def play(here: Rehearsal) -> dict[str, tuple[int, Any, Mapping[str, str], int]]:
        return {
            name: (
                *await here.ask(wrong.method, wrong.path, wrong.body, wrong.headers),
                len(here.carrier.messages()),
            )
            for name, wrong in WRONG.items()
        }

    return rehearse(play)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_request_gets_the_vendors_own_error(
    name: str, answers: dict[str, tuple[int, Any, Mapping[str, str], int]]
) -> None:
    status, body, headers, accepted = answers[name]
    expected = WRONG[name]
    assert (status, body["code"], body["status"]) == (expected.status, expected.code, expected.status)
    assert set(body) == {"code", "message", "more_info", "status"}
    assert body["more_info"].endswith(f"/{expected.code}")
    assert ("WWW-Authenticate" in {key.title().replace("Www", "WWW") for key in headers}) == (status == 401)
    assert accepted == 0


def test_a_good_text_is_accepted_as_the_vendor_does() -> None:
    async def play(here: Rehearsal) -> Any:
        return await here.send(NUMBER, "Nightfall: moved to Stage 5 {really}.", "abc", ValidityPeriod="900")

    status, body = rehearse(play)
    assert status == 201
    assert re.fullmatch(r"SM[0-9a-f]{32}", body["sid"])
    assert body["uri"] == f"/2010-04-01/Accounts/{body['account_sid']}/Messages/{body['sid']}.json"
    expected = {
        "status": "queued",
        "to": NUMBER,
        "from": SENDER,
        "num_segments": "1",
        "num_media": "0",
        "price": None,
        "price_unit": "USD",
        "error_code": None,
        "error_message": None,
        "direction": "outbound-api",
        "api_version": "2010-04-01",
        "date_created": "Mon, 21 Sep 2026 14:13:20 +0000",
        "date_sent": None,
        "messaging_service_sid": None,
    }
    assert {key: body[key] for key in expected} == expected


def test_a_messaging_service_answers_before_it_has_chosen_a_sender() -> None:
    service = "MG" + "c" * 32

    async def play(here: Rehearsal) -> Any:
        form = urlencode({"To": NUMBER, "MessagingServiceSid": service, "Body": "Moved."})
        return await here.ask("POST", "/Messages.json", form)

    status, body, _ = rehearse(play)
    assert status == 201
    assert (body["status"], body["from"], body["num_segments"]) == ("accepted", None, "0")
    assert body["messaging_service_sid"] == service


def test_ids_are_never_given_twice() -> None:
    async def play(here: Rehearsal) -> set[str]:
        return {(await here.send(NUMBER))[1]["sid"] for _ in range(30)}

    assert len(rehearse(play)) == 30


def test_a_text_can_be_asked_for_as_it_goes_on_its_way() -> None:
    async def play(here: Rehearsal) -> list[Any]:
        _, sent = await here.send(NUMBER, "x" * 200)
        path = f"/Messages/{sent['sid']}.json"
        seen = [(await here.ask("GET", path))[1]]
        await here.carrier.settle()
        return [*seen, (await here.ask("GET", path))[1]]

    before, after = rehearse(play)
    assert (before["status"], before["price"], before["date_sent"]) == ("queued", None, None)
    assert (after["status"], after["price"], after["num_segments"]) == ("delivered", "-0.01660", "2")
    assert after["date_sent"] is not None


def test_texts_can_be_listed_and_filtered() -> None:
    async def play(here: Rehearsal) -> dict[str, list[str]]:
        for number in range(5):
            await here.send(f"+1626555000{number % 2}", f"text {number}")
        await here.clock.sleep_until(START_MS + 86_400_000)
        await here.send("+16265550000", "text 5")

        async def bodies(query: str) -> list[str]:
            _, body, _ = await here.ask("GET", f"/Messages.json?{query}")
            return [one["body"] for one in body["messages"]]

        return {
            query: await bodies(query)
            for query in (
                "",
                "To=%2B16265550001",
                "From=%2B19995550000",
                "DateSent%3E=2026-09-22",
                "DateSent%3C=2026-09-21",
                "DateSent=2026-09-21&To=%2B16265550000",
            )
        }

    assert rehearse(play) == {
        "": ["text 5", "text 4", "text 3", "text 2", "text 1", "text 0"],
        "To=%2B16265550001": ["text 3", "text 1"],
        "From=%2B19995550000": [],
        "DateSent%3E=2026-09-22": ["text 5"],
        "DateSent%3C=2026-09-21": ["text 4", "text 3", "text 2", "text 1", "text 0"],
        "DateSent=2026-09-21&To=%2B16265550000": ["text 4", "text 2", "text 0"],
    }


def test_pages_follow_each_other_to_the_end() -> None:
    async def play(here: Rehearsal) -> list[list[str]]:
        for number in range(5):
            await here.send(NUMBER, f"text {number}")
        pages, uri = [], "/Messages.json?PageSize=2&To=%2B16265550162"
        while uri:
            _, body, _ = await here.ask("GET", uri)
            pages.append([one["body"] for one in body["messages"]])
            uri = (body["next_page_uri"] or "").partition(here.carrier.account_sid)[2]
        return pages

    assert rehearse(play) == [["text 4", "text 3"], ["text 2", "text 1"], ["text 0"]]


def test_the_account_introduces_itself() -> None:
    async def play(here: Rehearsal) -> Any:
        return await here.ask("GET", ".json")

    status, body, _ = rehearse(play)
    assert (status, body["status"]) == (200, "active")
    assert body["sid"].startswith("AC")
