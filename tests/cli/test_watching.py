from __future__ import annotations

import pytest

from app.domain.buckets import JSON_ORDER
from tests.cli.counter import Counter


def _sent(counter: Counter) -> str:
    said, _ = counter.on_the_air(
        "send", "--to", "all", "--priority", "urgent", "--subject", "Unit moves", "--body", "Gate C.", "--yes",
        "--wait", "--json",
    )  # fmt: skip
    return str(said.document["code"])


def test_status_counts_people_and_its_buckets_sum_to_the_recipients(counter: Counter) -> None:
    code = _sent(counter)
    found = counter.ask("status", code)
    assert found["code"] == code
    assert list(found["buckets"]) == [bucket.value for bucket in JSON_ORDER]
    assert sum(found["buckets"].values()) == found["recipients"] == 5
    assert found["buckets"]["suppressed"] == 2
    assert {name: one["recipients"] for name, one in found["by_department"].items()} == {
        "Art": 1,
        "Camera": 2,
        "Grip": 2,
    }
    assert {one["person"] for one in found["unreachable"]} == {"Sam Reyes", "Uma Bell"}
    assert found["created_at"] == "2026-11-20T06:40:00.000Z"


def test_without_a_message_status_shows_the_newest_and_lists_all(counter: Counter) -> None:
    counter.send()
    counter.later(60)
    second = counter.send()
    found = counter.ask("status")
    assert found["message_id"] == second["message_id"]
    assert [one["recipients"] for one in found["messages"]] == [5, 5]
    lines = counter.give("status").stdout
    assert "22:41" in lines  # the production's time, not that of this machine


def test_people_in_a_state_have_a_reason_and_a_next_step(counter: Counter) -> None:
    code = _sent(counter)
    left_out = counter.ask("people", code, "--state", "suppressed")
    assert {one["person"] for one in left_out} == {"Sam Reyes", "Uma Bell"}
    assert all(one["why"] and one["next"] and one["state"] == "suppressed" for one in left_out)
    assert len(counter.ask("people", code)) == 3  # those we are still after
    said = counter.give("people", code, "--state", "asleep", "--json")
    assert said.code == 1
    assert "non_reader" in said.document["next"]


def test_explain_tells_one_persons_story_in_order(counter: Counter) -> None:
    code = _sent(counter)
    story = counter.ask("explain", code, "ada lund")
    assert {one["person"] for one in story} <= {"Ada Lund", None}
    said = [one["what"] for one in story]
    assert said.index("planned") < said.index("handed to the provider") < said.index("accepted")
    assert [one["at"] for one in story] == sorted(one["at"] for one in story)
    assert len(counter.ask("explain", code)) > len(story)


def test_explain_shows_ids_to_machines_and_not_to_people(counter: Counter) -> None:
    code = _sent(counter)
    handed = next(
        one for one in counter.ask("explain", code, "ada lund") if one["what"] == "handed to the provider"
    )
    assert len(handed["detail"]) == 16
    said = counter.give("explain", code, "ada lund").stdout
    assert "handed to the provider" in said
    assert handed["detail"] not in said


def test_explain_asks_which_of_two_people_of_one_name_is_meant(counter: Counter) -> None:
    crew = counter.home / "more.csv"
    crew.write_text(
        "name,department,phone\nJo Kim,Camera,+13105550121\nJo Kim,Art,+13105550122\n", encoding="utf-8"
    )
    counter.ask("crew", "import", str(crew))
    code = counter.send()["code"]
    both = [one["person_id"] for one in counter.ask("people", code) if one["person"] == "Jo Kim"]
    assert len(both) == 2
    said = counter.give("explain", code, "jo kim", "--json")
    assert said.code == 1
    assert all(one in said.document["next"] for one in both)
    assert {one["person"] for one in counter.ask("explain", code, both[1])} <= {"Jo Kim", None}


@pytest.mark.parametrize("command", ["status", "people", "explain", "remind", "undo"])
def test_a_message_there_is_not_is_named(counter: Counter, command: str) -> None:
    said = counter.give(command, "M-0000", "--json")
    assert said.code == 1
    assert "M-0000" in said.document["error"]


def test_codes_are_read_in_any_case(counter: Counter) -> None:
    sent = counter.send()
    assert counter.ask("status", sent["code"].lower())["message_id"] == sent["message_id"]


def test_of_two_people_of_one_name_the_position_tells_which(counter: Counter) -> None:
    crew = counter.home / "more.csv"
    crew.write_text(
        "name,position,phone\nJo Kim,Loader,+13105550121\nJo Kim,,+13105550122\n", encoding="utf-8"
    )
    counter.ask("crew", "import", str(crew))
    code = counter.send()["code"]
    for words in (("explain", code, "Jo Kim"), ("crew", "show", "Jo Kim")):
        following = counter.give(*words, "--json").document["next"]
        assert "(Loader)" in following
        assert "(–)" in following


def test_a_name_that_is_empty_is_no_name(counter: Counter) -> None:
    code = counter.send()["code"]
    said = counter.give("explain", code, " ", "--json")
    assert (said.code, said.document["error"]) == (1, "Nobody is named.")
    assert "“”" in counter.give("status", "", "--json").document["error"]


@pytest.mark.parametrize("state", ["on_the_way", "On the way", " ON-THE-WAY "])
def test_a_state_is_understood_as_it_is_shown(counter: Counter, state: str) -> None:
    code = counter.send()["code"]
    assert len(counter.ask("people", code, "--state", state)) == 5


def test_the_audit_counts_in_plain_words(empty: Counter) -> None:
    assert "There is no entry yet." in empty.give("audit", "verify").stdout
    empty.ask("init", "--production", "NIGHTFALL")
    assert "The one entry is as it was written." in empty.give("audit", "verify").stdout
    empty.ask("init", "--production", "DAYBREAK")
    assert "All 2 entries are" in empty.give("audit", "verify").stdout


def test_a_message_without_a_subject_is_called_by_the_beginning_of_its_body(counter: Counter) -> None:
    words = (
        "--to",
        "all",
        "--priority",
        "urgent",
        "--body",
        "Gate C is closed. Use the ramp behind Stage 9 instead.",
    )
    counter.ask("send", *words, "--yes")
    assert "Gate C is closed." in counter.give("status").stdout.splitlines()[0]
    assert counter.ask("status")["subject"] == ""
