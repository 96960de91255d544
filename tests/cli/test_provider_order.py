"""Which accounts send, and in what order: ``provider enable``, ``disable`` and ``order``."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from app import composition, config
from app.store import accounts
from app.store.engine import open_database
from tests.cli.counter import Counter, add_account


@pytest.fixture
def three(counter: Counter) -> Counter:
    """A home with three accounts that text: twilio, backup, spare."""
    for name in ("backup", "spare"):
        assert add_account(counter, name, "--kind", "twilio").code == 0
    return counter


def _states(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The accounts that are set up, without the kinds that have none."""
    return [(one["name"], one["state"]) for one in rows if one["configured"]]


def _revision(counter: Counter) -> str:
    async def look() -> str:
        database = open_database(config.load(home=counter.home).database_address, counter.clock)
        found = await database.reading(accounts.revision)
        await database.close()
        return found

    return counter.clock.run(look())


def _traces(counter: Counter) -> tuple[str, int]:
    """What a change leaves behind: the revision a running engine looks at, and the entries of the audit."""
    return _revision(counter), counter.ask("audit", "verify")["entries"]


def test_the_list_tells_which_account_sends_and_which_are_in_reserve(three: Counter) -> None:
    rows = three.ask("provider", "list")
    assert _states(rows) == [("twilio", "sends"), ("backup", "in_reserve"), ("spare", "in_reserve")]
    assert "in reserve" in three.give("provider", "list").stdout


def test_the_next_account_sends_when_the_first_is_disabled(three: Counter) -> None:
    said = three.give("provider", "disable", "Twilio", "--json")
    assert (said.code, said.stderr) == (0, "")
    assert _states(said.document) == [("twilio", "disabled"), ("backup", "sends"), ("spare", "in_reserve")]
    assert said.document == three.ask("provider", "list")
    assert [one["enabled"] for one in said.document if one["configured"]] == [False, True, True]
    back = three.ask("provider", "enable", "twilio")
    assert _states(back) == [("twilio", "sends"), ("backup", "in_reserve"), ("spare", "in_reserve")]


def test_the_named_accounts_come_first_and_the_others_follow_as_they_were(three: Counter) -> None:
    rows = three.ask("provider", "order", "spare")
    assert [name for name, _ in _states(rows)] == ["spare", "twilio", "backup"]
    rows = three.ask("provider", "order", "backup", "SPARE", "backup")
    assert _states(rows) == [("backup", "sends"), ("spare", "in_reserve"), ("twilio", "in_reserve")]
    assert rows == three.ask("provider", "list")
    added = add_account(three, "newest", "--kind", "twilio")
    assert added.code == 0
    assert _states(three.ask("provider", "list"))[-1][0] == "newest"


CHANGES = [
    (("disable", "twilio"), "twilio is disabled.", "twilio was disabled already."),
    (("order", "spare", "twilio"), "The order is: spare, twilio, backup.", "The order was this already"),
]


@pytest.mark.parametrize(("words", "first", "again"), CHANGES, ids=["disable", "order"])
def test_a_change_is_seen_by_whatever_is_sending_and_the_second_time_changes_nothing(
    three: Counter, words: tuple[str, ...], first: str, again: str
) -> None:
    revision, entries = _traces(three)
    assert first in three.give("provider", *words).stdout
    changed = _traces(three)
    assert changed[0] != revision
    assert changed[1] == entries + 1
    said = three.give("provider", *words)
    assert said.code == 0
    assert again in said.stdout
    assert _traces(three) == changed


def test_enabling_an_account_that_is_enabled_changes_nothing(three: Counter) -> None:
    before = _traces(three)
    said = three.give("provider", "enable", "backup")
    assert (said.code, said.stderr) == (0, "")
    assert "backup was enabled already." in said.stdout
    assert _traces(three) == before


def test_disabling_the_last_account_of_a_channel_says_what_that_means(counter: Counter) -> None:
    said = counter.give("provider", "disable", "twilio", "--json")
    assert said.code == 0
    assert "Nobody is reached by text until" in said.stderr
    assert "callboard provider enable twilio" in said.stderr
    assert counter.give("provider", "disable", "twilio", "--json").stderr == said.stderr
    send = counter.give("send", "--to", "all", "--priority", "urgent", "--body", "x", "--yes", "--json")
    assert send.code == 1
    assert "callboard provider list" in send.document["next"]
    assert counter.give("provider", "enable", "twilio", "--json").stderr == ""
    assert counter.send()["recipients"] == 5


def test_an_account_that_is_not_the_last_is_disabled_without_a_remark(three: Counter) -> None:
    assert three.give("provider", "disable", "spare").stderr == ""


def test_the_doctor_knows_that_a_disabled_account_sends_nothing(counter: Counter) -> None:
    counter.ask("provider", "disable", "twilio")
    checks = {one["name"]: one for one in counter.give("doctor", "--json").document["checks"]}
    assert "Disabled" in checks["provider twilio"]["why"]
    assert checks["providers"]["ok"] is False
    assert "callboard provider enable twilio" in checks["providers"]["next"]


def test_an_account_whose_kind_is_not_installed_is_listed_as_one_that_cannot_send(
    three: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite3.connect(three.home / "callboard.db") as connection:
        connection.execute("UPDATE accounts SET kind = 'acme' WHERE name = 'twilio'")
    connection.close()
    assert "acme" not in composition.factories()
    rows = three.ask("provider", "list")
    assert _states(rows) == [("twilio", "not_installed"), ("backup", "sends"), ("spare", "in_reserve")]
    checks = {one["name"]: one for one in three.give("doctor", "--json").document["checks"]}
    assert "acme is not installed" in checks["provider twilio"]["why"]


@pytest.mark.parametrize("verb", ["enable", "disable", "order"])
def test_an_unknown_name_is_refused_with_the_names_there_are(three: Counter, verb: str) -> None:
    before = _traces(three)
    words = ("backup", "acme") if verb == "order" else ("acme",)
    said = three.give("provider", verb, *words, "--json")
    assert said.code == 1
    assert said.document == {
        "error": "There is no account acme.",
        "next": "There is: twilio, backup, spare.",
    }
    assert _traces(three) == before


def test_where_no_account_is_set_up_the_next_step_is_to_set_one_up(empty: Counter) -> None:
    said = empty.give("provider", "enable", "twilio", "--json")
    assert said.code == 1
    assert "callboard provider add" in said.document["next"]


@pytest.mark.parametrize("verb", ["enable", "disable", "order"])
def test_without_a_name_it_is_wrong_use(counter: Counter, verb: str) -> None:
    assert counter.give("provider", verb, "--json").code == 2


@pytest.mark.parametrize("verb", ["enable", "disable", "order"])
def test_a_viewer_may_switch_no_account(three: Counter, verb: str) -> None:
    before = three.ask("provider", "list")
    with sqlite3.connect(three.home / "callboard.db") as connection:
        connection.execute("UPDATE users SET role = 'viewer'")
    connection.close()
    said = three.give("provider", verb, "spare", "--json")
    assert said.code == 1
    assert "may not set up" in said.document["error"]
    assert three.ask("provider", "list") == before
