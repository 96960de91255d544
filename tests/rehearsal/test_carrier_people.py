"""People with phones: what they do, and a log that says only what really happened."""

from __future__ import annotations

import pytest

from app.clock import sleep
from app.rehearsal import log
from app.rehearsal.people import plan
from tests.rehearsal.town import (
    CREW,
    FIRST_WINDOW_S,
    HOUSEHOLD,
    PUBLIC,
    SCRIPT,
    SENDER,
    Rehearsal,
    Town,
    finish,
    happened,
    link,
    rehearse,
    who,
)


def test_a_reader_opens_touches_and_answers_in_that_order() -> None:
    to = who("link", option="1", machine=False)

    async def play(here: Rehearsal) -> None:
        await here.send(to)
        await finish(here)
        path = link(to).removeprefix(PUBLIC)
        kinds = [(method, where) for method, where, _ in here.town.visits]
        assert kinds == [
            ("GET", path),
            ("POST", f"{path}/seen"),
            ("GET", path),  # where the touch redirects
            ("POST", f"{path}/answer"),
            ("GET", path),
        ]
        assert here.town.visits[3][2] == "version=2&option=1"
        (only,) = here.carrier.log()
        assert [truth.what for truth in only.truth] == [
            log.ACCEPTED, log.SENT, log.DELIVERED, log.OPENED, log.READ, log.ANSWERED,
        ]  # fmt: skip
        assert only.truth[-1].detail == {"option": "1"}

    rehearse(play, script=SCRIPT)


def test_a_reader_of_a_shared_phone_says_who_they_are() -> None:
    to = who("link", option="1")

    async def play(here: Rehearsal) -> set[str]:
        for _ in range(2):
            await here.send(to)
            await sleep(here.clock, FIRST_WINDOW_S)
        answers = [
            truth.detail for one in here.carrier.log() for truth in one.truth if truth.what == log.ANSWERED
        ]
        pressed = [body for _, path, body in here.town.visits if path.endswith("/answer")]
        assert [f"version=2&person={one['person']}&option={one['option']}" for one in answers] == pressed
        return {one["person"] for one in answers}

    (person,) = rehearse(play, script=SCRIPT, town=Town(people=HOUSEHOLD))
    assert person in {"17", "18"}


def test_a_machine_fetches_the_page_and_touches_nothing() -> None:
    to = who("nothing", machine=True)

    async def play(here: Rehearsal) -> None:
        await here.send(to)
        await finish(here)
        assert [method for method, _, _ in here.town.visits] == ["GET"]
        assert log.MACHINE_OPENED in happened(here)
        assert log.OPENED not in happened(here)

    rehearse(play, script=SCRIPT)


def test_without_a_link_a_reader_answers_by_text() -> None:
    to = who("link", option="2")

    async def play(here: Rehearsal) -> None:
        await here.send(to, "Nightfall: moved. Reply 1 to confirm, 2 if there is a problem.")
        await finish(here)
        assert [message["Body"] for message in here.town.inbound] == ["2"]
        assert here.carrier.log()[0].truth[-1].detail == {"text": "2"}

    rehearse(play, script=SCRIPT)


def test_a_reply_is_a_message_to_the_sender() -> None:
    to = who("text")

    async def play(here: Rehearsal) -> None:
        await here.send(to)
        await finish(here)
        (message,) = here.town.inbound
        assert (message["From"], message["To"], message["SmsStatus"]) == (to, SENDER, "received")
        assert here.carrier.log()[0].truth[-1].detail == {"text": message["Body"]}
        assert message["MessageSid"] != here.carrier.log()[0].id

    rehearse(play, script=SCRIPT)


def test_who_sent_stop_is_refused_from_then_on_by_this_sender_only() -> None:
    to = who("stop")

    async def play(here: Rehearsal) -> None:
        await here.send(to)
        await sleep(here.clock, FIRST_WINDOW_S)
        assert [message["Body"] for message in here.town.inbound] == ["STOP"]
        assert log.OPTED_OUT in happened(here)
        status, body = await here.send(to)
        assert (status, body["code"]) == (400, 21610)
        assert (await here.send(to, From="+15005550099"))[0] == 201

    rehearse(play, script=SCRIPT)


@pytest.mark.parametrize("status", [403, 404, 500, 429])
def test_what_the_listener_refuses_did_not_happen(status: int) -> None:
    async def play(here: Rehearsal) -> None:
        here.town.status = status
        for to in CREW[:20]:
            await here.send(to)
        await finish(here, 200)
        done = {truth.what for one in here.carrier.log() for truth in one.truth}
        assert done <= {log.ACCEPTED, log.SENT, log.DELIVERED, log.UNDELIVERED, log.FAILED}
        outcome = "refused" if status in {403, 404} else "lost"
        assert here.carrier.callback_counts[outcome] == sum(here.carrier.callback_counts.values()) > 50

    rehearse(play, script=SCRIPT)


def test_people_who_stopped_begin_nothing_and_finish_what_they_began() -> None:
    to, later = who("link", option="1"), who("text")

    async def play(here: Rehearsal) -> None:
        await here.send(to)
        act = plan(7, to, 1, SCRIPT).act
        assert act is not None
        await sleep(here.clock, act.at_s + 0.001)
        await here.send(later)
        await here.carrier.stop_people()
        await here.carrier.settle()
        done = {one.to: [truth.what for truth in one.truth] for one in here.carrier.log()}
        assert done[to][-3:] == [log.OPENED, log.READ, log.ANSWERED]
        assert done[later] == [log.ACCEPTED, log.SENT, log.DELIVERED]

    rehearse(play, script=SCRIPT)


@pytest.mark.parametrize(
    ("refused", "missing"), [("/seen", log.READ), ("/answer", log.ANSWERED)], ids=["the touch", "the button"]
)
def test_one_refused_step_did_not_happen_and_the_others_did(refused: str, missing: str) -> None:
    to = who("link", option="1", machine=False)

    async def play(here: Rehearsal) -> None:
        await here.send(to)
        await finish(here)
        steps = [log.ACCEPTED, log.SENT, log.DELIVERED, log.OPENED, log.READ, log.ANSWERED]
        assert happened(here) == [step for step in steps if step != missing]

    rehearse(play, script=SCRIPT, town=Town(refuses=refused))
