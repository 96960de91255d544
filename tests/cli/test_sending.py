from __future__ import annotations

import pytest

from tests.cli.counter import Counter, add_account

URGENT = ("--priority", "urgent", "--subject", "Unit moves", "--body", "Gate C.")


def test_a_dry_run_shows_the_sheet_and_stores_nothing(counter: Counter) -> None:
    sheet = counter.ask("send", "--to", "all", *URGENT, "--dry-run")
    assert sheet["message_id"] is None
    assert sheet["recipients"] == 5
    assert {one["person"]: one["why"] for one in sheet["excluded"]}.keys() == {"Sam Reyes", "Uma Bell"}
    assert sheet["channels"] == {"sms": 3}
    assert sheet["segments"] == 3
    assert sheet["cost"] == {"micros": 3 * 11_800, "currency": "USD", "estimate": True}
    assert sheet["overrides"] == 1  # Jon Okafor sleeps at 22:40
    assert sheet["dispatching"] is False
    assert counter.give("status", "--json").code == 1


def test_sending_needs_a_yes_where_nobody_can_be_asked(counter: Counter) -> None:
    said = counter.give("send", "--to", "all", *URGENT, "--json")
    assert said.code == 1
    assert said.document["error"] == "Nothing was sent: nobody is here to confirm it."
    assert counter.give("status").code == 1


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("YES", 0), ("n", 1), ("", 1), ("what", 1)])
def test_a_person_is_asked_with_the_number_of_people(counter: Counter, answer: str, code: int) -> None:
    said = counter.give("send", "--to", "all", *URGENT, answers=[answer])
    assert said.code == code
    assert "5 people" in said.asked[0]
    assert counter.give("status").code == code


def test_a_message_answers_with_its_names_and_says_that_nothing_sends(counter: Counter) -> None:
    said = counter.give("send", "--to", "dept:camera", *URGENT, "--yes", "--json")
    assert said.code == 0
    assert said.document["recipients"] == 2
    assert len(said.document["message_id"]) == 26
    assert said.document["code"].startswith("M-")
    assert said.document["eta_seconds"] >= 5  # the undo window of an URGENT message
    assert said.document["dispatching"] is False
    assert "Nothing is sending: open Callboard or run callboard serve" in said.stderr


def test_somebody_can_be_left_out(counter: Counter) -> None:
    assert counter.ask("send", "--to", "all", "--to", "-dept:Grip", *URGENT, "--dry-run")["recipients"] == 3


def test_the_body_can_come_from_standard_input(counter: Counter) -> None:
    words = ("send", "--to", "all", "--priority", "urgent", "--body", "-", "--yes", "--json")
    assert counter.give(*words, stdin="Gate C.\nPark in Lot 2.\n").code == 0
    assert counter.give(*words, stdin=" \n").document["error"] == "The message is empty."


def test_waiting_sends_from_here_until_everything_has_left(counter: Counter) -> None:
    began = counter.clock.now_ms()
    said, taken = counter.on_the_air("send", "--to", "all", *URGENT, "--yes", "--wait", "--json")
    assert said.code == 0, said
    assert said.document["dispatching"] is True
    assert sorted(one.to for one in taken) == ["+13105550111", "+13105550112", "+13105550113"]
    assert counter.clock.now_ms() - began >= 5_000
    sms = counter.ask("status")["by_channel"]["sms"]
    assert (sms["planned"], sms["sent"]) == (3, 3)


def test_without_waiting_nothing_leaves(counter: Counter) -> None:
    said, taken = counter.on_the_air("send", "--to", "all", *URGENT, "--yes", "--json")
    assert said.code == 0
    assert taken == []


WRONG = {
    "no audience": ("send", *URGENT),
    "an unknown audience": ("send", "--to", "everybody", *URGENT),
    "neither priority nor type": ("send", "--to", "all", "--subject", "Unit moves"),
    "an unknown priority": ("send", "--to", "all", "--priority", "loud", "--subject", "Unit moves"),
    "an unknown type": ("send", "--to", "all", "--type", "gossip", "--subject", "Unit moves"),
    "an unknown channel": ("send", "--to", "all", *URGENT, "--channel", "pigeon"),
    "an answer without words": ("send", "--to", "all", *URGENT, "--reply", "1"),
    "an answer without meaning": ("send", "--to", "all", *URGENT, "--reply", "1=Yes:perhaps"),
    "a digit twice": ("send", "--to", "all", *URGENT, "--reply", "1=Yes", "--reply", "1=No"),
}


@pytest.mark.parametrize("words", WRONG.values(), ids=WRONG)
def test_wrong_words_are_wrong_use(counter: Counter, words: tuple[str, ...]) -> None:
    said = counter.give(*words, "--yes", "--json")
    assert said.code == 2
    assert said.document.keys() == {"error", "next"}
    assert "callboard send --help" in said.document["next"]


REFUSED = {
    "a department there is not": (("--to", "dept:Stunts", *URGENT), "Nobody in the crew list"),
    "a person there is not": (("--to", "person:Nobody", *URGENT), "Nobody in the crew list"),
    "only people who cannot be reached": (("--to", "person:Sam Reyes", *URGENT), "Nobody can be reached"),
    "a channel without a provider": (("--to", "all", *URGENT, "--channel", "email"), "Nobody can be reached"),
    "a message too long": (("--to", "all", *URGENT, "--body", "x" * 481), "481 characters"),
}


@pytest.mark.parametrize(("words", "why"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_sent_is_refused_with_a_next_step(
    counter: Counter, words: tuple[str, ...], why: str
) -> None:
    said = counter.give("send", *words, "--yes", "--json")
    assert said.code == 1
    assert why in said.document["error"]
    assert said.document["next"]
    assert said.document["error"] in said.stderr
    assert counter.give("status").code == 1


def test_a_reminder_goes_out_once_and_the_second_call_gives_the_first(counter: Counter) -> None:
    waits = counter.send()["code"]
    assert counter.give("remind", waits, "--yes").code == 1  # its own undo window is still open
    code = counter.on_the_air("send", "--to", "all", *URGENT, "--yes", "--wait", "--json")[0].document["code"]
    assert counter.give("remind", code).code == 1  # nobody said yes
    crew = counter.home / "crew.csv"
    crew.write_text(crew.read_text().replace("mei@example.com,yes", "mei@example.com,opted_out"))
    counter.ask("crew", "import", str(crew))
    first = counter.ask("remind", code, "--yes")
    assert (first["people"], first["unreachable"]) == (2, 1)
    assert first["repeated"] is False
    second = counter.ask("remind", code, "--yes")
    assert (second["step_id"], second["repeated"]) == (first["step_id"], True)
    assert "2 people. 1 person cannot be reached." in counter.give("remind", code, "--yes").stdout


def test_undo_works_while_the_window_is_open(counter: Counter) -> None:
    code = counter.send()["code"]
    assert counter.ask("undo", code)["undone"] is True
    assert counter.ask("status", code)["status"] == "cancelled"


def test_answers_are_asked_for_as_the_options_say(counter: Counter) -> None:
    for words, asked in (
        ((), "Reply 1 to confirm, 2 if there is a problem."),
        (("--reply", "none"), None),
        (
            ("--reply", "1=I am in:confirmed", "--reply", "3=I am out:declined"),
            "Reply 1 to confirm, 3 I am out.",
        ),
    ):
        _, taken = counter.on_the_air("send", "--to", "person:Ada Lund", *URGENT, *words, "--yes", "--wait")
        assert len(taken) == 1
        assert (asked in taken[0].text) if asked else ("Reply 1" not in taken[0].text)


def test_words_that_are_no_text_are_wrong_use(counter: Counter) -> None:
    words = ("send", "--to", "all", "--priority", "urgent", "--dry-run", "--body")
    assert counter.give(*words, "caf\udce9").code == 2
    assert counter.give(*words, "-", stdin=b"caf\xe9").code == 2


def test_waiting_for_a_message_that_cannot_leave_fails_and_says_what_to_do(counter: Counter) -> None:
    counter.ask("provider", "set", "twilio", "--set", "account_sid=ACWRONG")
    said, taken = counter.on_the_air("send", "--to", "all", *URGENT, "--yes", "--wait", "--json")
    assert taken == []
    assert said.document["buckets"]["on_the_way"] == 3
    assert said.code == 1
    assert "It waits. Nothing goes out through twilio: Twilio does not" in said.stderr
    assert "callboard provider set twilio" in said.stderr


def test_the_place_of_a_message_reaches_the_phone(counter: Counter) -> None:
    _, taken = counter.on_the_air(
        "send", "--to", "person:Ada Lund", *URGENT, "--location", "Stage 4", "--yes", "--wait"
    )
    assert ["Where: Stage 4." in one.text for one in taken] == [True]


def test_a_long_place_costs_segments(counter: Counter) -> None:
    words = ("send", "--to", "person:Ada Lund", *URGENT, "--dry-run")
    plain = counter.ask(*words)["segments"]
    assert counter.ask(*words, "--location", "Stage " * 40)["segments"] > plain


def test_leaving_out_everybody_again_is_said_as_that(counter: Counter) -> None:
    said = counter.give("send", "--to", "all", "--to", "-all", *URGENT, "--dry-run", "--json")
    assert (said.code, said.document["error"]) == (1, "Everybody is left out again.")
    assert "crew" not in said.document["next"]


def test_a_dry_run_that_reaches_nobody_promises_no_end_and_no_price(counter: Counter) -> None:
    words = ("send", "--to", "person:Sam Reyes", *URGENT, "--dry-run")
    shown = counter.give(*words).stdout
    assert "Not reached" in shown
    assert not [word for word in ("Segments", "Cost", "Done in", "$") if word in shown]
    sheet = counter.ask(*words)
    assert (sheet["cost"], sheet["eta_seconds"]) == (None, 0)


def test_the_time_it_takes_is_that_of_the_account_that_sends(counter: Counter) -> None:
    """A second account, however quick, sends nothing while the first one is there."""
    long = ("send", "--to", "all", "--priority", "urgent", "--body", "Move. " * 60, "--dry-run")
    before = counter.ask(*long)["eta_seconds"]
    assert add_account(counter, "second", "--kind", "twilio", "--rate", "100").code == 0
    assert counter.ask(*long)["eta_seconds"] == before


def test_waiting_ends_with_an_error_where_something_has_not_left(counter: Counter) -> None:
    """Nobody answers at the provider's address: it is tried again for two hours, longer than anybody waits."""
    said = counter.give("send", "--to", "person:Ada Lund", *URGENT, "--yes", "--wait", "--json")
    assert said.code == 1
    assert said.document["buckets"]["on_the_way"] == 1
    code = said.document["code"]
    assert f"{code} has not left for 1 person." in said.stderr
    assert f"callboard people {code} --state on_the_way" in said.stderr
    why = counter.ask("people", code, "--state", "on_the_way")[0]["why"]
    assert "Twilio" in why


def test_waiting_ends_well_where_two_people_share_a_number(counter: Counter) -> None:
    crew = counter.home / "more.csv"
    crew.write_text("name,department,phone\nEve Lund,Camera,+13105550111\n", encoding="utf-8")
    counter.ask("crew", "import", str(crew))
    said, taken = counter.on_the_air("send", "--to", "dept:Camera", *URGENT, "--yes", "--wait", "--json")
    assert said.code == 0, said.stderr
    assert sorted(one.to for one in taken) == ["+13105550111", "+13105550112"]
    assert counter.ask("status")["by_channel"]["sms"]["sent"] == 3


def test_nobody_is_reminded_of_a_message_that_has_not_left(counter: Counter) -> None:
    code = counter.send()["code"]
    counter.later(6)  # its undo window; nothing sends
    said = counter.give("remind", code, "--yes", "--json")
    assert said.code == 1
    assert said.document["error"] == "It is still to leave for those who have not read it."


def test_undoing_too_late_says_what_is_so(counter: Counter) -> None:
    code = counter.send()["code"]
    counter.ask("undo", code)
    assert "called off already" in counter.give("undo", code, "--json").document["error"]
    gone = counter.on_the_air("send", "--to", "all", *URGENT, "--yes", "--wait", "--json")[0].document["code"]
    assert "it has gone out" in counter.give("undo", gone, "--json").document["error"]


def test_the_question_names_a_message_without_a_subject_by_its_first_words(counter: Counter) -> None:
    body = "The unit moves to Stage 4 at a quarter past seven."
    said = counter.give("send", "--to", "all", "--priority", "urgent", "--body", body, answers=["n"])
    assert "“The unit moves to Stage 4 at a quarter…”" in " ".join(said.asked)


def test_what_waits_because_nothing_sends_can_be_undone_after_its_window(counter: Counter) -> None:
    waits = counter.send()["code"]
    counter.later(3_600)
    assert counter.ask("undo", waits)["undone"] is True
    assert counter.ask("status", waits)["status"] == "cancelled"


def test_a_name_that_two_people_have_means_both_and_says_so(counter: Counter) -> None:
    crew = counter.home / "more.csv"
    crew.write_text(
        "name,department,phone\nJo Kim,Camera,+13105550121\nJo Kim,Art,+13105550122\n", encoding="utf-8"
    )
    counter.ask("crew", "import", str(crew))
    dry = ("send", *URGENT, "--dry-run", "--to")
    sheet = counter.ask(*dry, "person:Jo Kim")
    assert sheet["recipients"] == 2
    assert sheet["remarks"][0].startswith("2 people are called Jo Kim: all of them get it.")
    assert "left out" in counter.ask(*dry, "all", "--to", "-person:jo kim")["remarks"][0]
    assert counter.ask(*dry, "person:Ada Lund")["remarks"] == []
