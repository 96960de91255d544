from __future__ import annotations

import pytest

from tests.cli.counter import Counter

STEP = {"message_id", "step_id", "people", "not_before", "dispatching"}
URGENT = ("--priority", "urgent", "--subject", "Unit moves", "--body", "Gate C.")


def gone_out(counter: Counter) -> str:
    """The code of a message that three people have."""
    said, taken = counter.on_the_air("send", "--to", "all", *URGENT, "--yes", "--wait", "--json")
    assert len(taken) == 3
    return str(said.document["code"])


def test_a_paused_message_stays_until_it_is_resumed(counter: Counter) -> None:
    sent = counter.send()
    paused = counter.ask("pause", sent["code"])
    assert paused.keys() >= STEP
    assert (paused["message_id"], paused["people"], paused["step_id"]) == (sent["message_id"], 5, None)
    assert counter.ask("status", sent["code"])["status"] == "paused"
    assert "paused already" in counter.give("pause", sent["code"], "--json").document["error"]
    resumed = counter.ask("resume", sent["code"], "--yes")
    assert (resumed["people"], resumed["status"], resumed["dispatching"]) == (5, "sending", False)
    assert counter.ask("status", sent["code"])["status"] == "sending"


def test_resuming_sends_and_so_needs_a_yes(counter: Counter) -> None:
    code = counter.send()["code"]
    counter.ask("pause", code)
    assert counter.give("resume", code).code == 1
    said = counter.give("resume", code, answers=["n"])
    assert said.asked[0].startswith(f"Go on sending {code} to 5 people?")
    assert counter.ask("status", code)["status"] == "paused"


@pytest.mark.parametrize(("answer", "status"), [("y", "cancelled"), ("n", "sending"), ("", "sending")])
def test_cancelling_asks_with_the_number_of_people(counter: Counter, answer: str, status: str) -> None:
    code = counter.send()["code"]
    said = counter.give("cancel", code, answers=[answer])
    assert said.asked[0].startswith(f"Cancel {code}: not send it to 5 people?")
    assert counter.ask("status", code)["status"] == status


def test_cancelling_needs_a_yes_where_nobody_can_be_asked(counter: Counter) -> None:
    code = counter.send()["code"]
    said = counter.give("cancel", code, "--json")
    assert (said.code, said.document["error"]) == (1, "Nothing was cancelled: nobody is here to confirm it.")
    assert counter.ask("status", code)["status"] == "sending"


def test_cancelling_what_nobody_had_tells_nobody(counter: Counter) -> None:
    code = counter.send()["code"]
    said = counter.ask("cancel", code, "--disregard", "--yes")
    assert (said["people"], said["had_it"], said["step_id"]) == (5, 0, None)
    assert "nobody had it" in counter.give("cancel", code, "--disregard", "--yes", "--json").document["error"]


def test_cancelling_says_who_had_it_and_how_to_tell_them(counter: Counter) -> None:
    code = gone_out(counter)
    said = counter.give("cancel", code, "--yes")
    assert "3 people had it." in said.stdout
    assert f"callboard cancel {code} --disregard" in said.stdout
    assert "--disregard" in counter.give("cancel", code, "--yes", "--json").document["next"]


@pytest.mark.parametrize("before", [False, True], ids=["at once", "later"])
def test_the_word_to_disregard_it_is_a_step_with_an_undo_window(counter: Counter, before: bool) -> None:
    code = gone_out(counter)
    if before:
        assert counter.ask("cancel", code, "--yes")["had_it"] == 3
    said = counter.ask("cancel", code, "--disregard", "--yes")
    assert said.keys() >= STEP
    assert (said["people"], said["had_it"], said["repeated"], said["status"]) == (3, 3, False, "cancelled")
    again = counter.ask("cancel", code, "--disregard", "--yes")
    assert (again["step_id"], again["repeated"], again["people"]) == (said["step_id"], True, 3)
    assert counter.ask("undo", code)["step_id"] == said["step_id"]
    assert counter.ask("status", code)["status"] == "cancelled"


def test_the_word_to_disregard_it_leaves_while_something_sends(counter: Counter) -> None:
    code = gone_out(counter)
    counter.ask("cancel", code, "--disregard", "--yes")
    _, taken = counter.on_the_air("send", "--to", "person:Ada Lund", *URGENT, "--yes", "--wait")
    told = [one for one in taken if "DISREGARD" in one.text]
    assert len(told) == 3
    assert "Unit moves. This message is cancelled." in told[0].text


def test_replies_of_a_message_nobody_has_answered(counter: Counter) -> None:
    code = counter.send()["code"]
    assert counter.ask("replies", code) == []
    assert "Nobody has replied yet." in counter.give("replies", code).stdout
