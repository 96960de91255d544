from __future__ import annotations

import sqlite3

import pytest

from app import composition, config
from app.composition import DEMO
from app.rehearsal.carrier import ACCOUNT_SID, AUTH_TOKEN
from app.store import accounts, productions, trouble
from app.store.accounts import StoredAccount
from app.store.engine import open_database
from providers.contract import ProviderError
from tests.cli.counter import SILENT_ADDRESS, Counter, add_account

ADD = ("provider", "add", "second", "--kind", "twilio", "--json")
WHOLE = ("--set", "account_sid=AC2", "--secret", "auth_token=A_TOKEN", "--sender", "+13105550101")


def _stored(counter: Counter, name: str) -> StoredAccount:
    async def look() -> StoredAccount:
        house = await composition.open_house(config.load(home=counter.home), counter.clock)
        async with house.database.read() as connection:
            found = await accounts.all_accounts(connection, house.vault)
        await house.close()
        return next(one for one in found if one.account.name == name)

    return counter.clock.run(look())


def test_the_list_has_a_row_for_each_kind_and_for_each_account(empty: Counter) -> None:
    kinds = empty.ask("provider", "list")
    assert [(one["kind"], one["channel"], one["configured"]) for one in kinds] == [
        ("smtp", "email", False),
        ("twilio", "sms", False),
    ]
    assert kinds[1]["capabilities"] == ["delivery", "reply", "cost", "look_up", "inbox"]
    assert add_account(empty).code == 0
    assert add_account(empty, "backup", "--kind", "twilio").code == 0
    rows = empty.ask("provider", "list")
    assert [(one["name"], one["kind"], one["enabled"]) for one in rows] == [
        ("twilio", "twilio", True),
        ("backup", "twilio", True),
        ("smtp", "smtp", False),
    ]


def test_an_account_is_stored_with_its_address_and_its_secret_out_of_sight(counter: Counter) -> None:
    stored = _stored(counter, "twilio")
    assert stored.account.base_url == SILENT_ADDRESS
    assert stored.account.settings == {"account_sid": ACCOUNT_SID}
    assert stored.account.secrets == {"auth_token": AUTH_TOKEN}
    assert [one.address for one in stored.senders] == ["+13105550100"]
    for file in counter.home.glob("callboard.db*"):
        assert AUTH_TOKEN.encode() not in file.read_bytes()


def test_the_vendors_own_address_is_the_default(counter: Counter) -> None:
    assert counter.ask(*ADD[:-1], *WHOLE)["base_url"] == "https://api.twilio.com"


def test_setting_up_stands_in_the_audit(counter: Counter) -> None:
    before = counter.ask("audit", "verify")["entries"]
    counter.ask(*ADD[:-1], *WHOLE)
    assert counter.ask("audit", "verify")["entries"] == before + 1


REFUSED = {
    "a kind there is not": (("provider", "add", "acme", *WHOLE), "no kind of provider"),
    "a name that is taken": (("provider", "add", "Twilio", *WHOLE), "already"),
    "a name with a space": (
        ("provider", "add", "my account", "--kind", "twilio", *WHOLE),
        "cannot be the name",
    ),
    "a missing setting": ((*ADD, *WHOLE[2:]), "needs the Account SID"),
    "a missing secret": ((*ADD, *WHOLE[:2], *WHOLE[4:]), "needs the Auth token"),
    "a setting there is not": ((*ADD, *WHOLE, "--set", "colour=red"), "has no setting colour"),
    "a secret there is not": ((*ADD, *WHOLE, "--secret", "colour=A_TOKEN"), "has no secret colour"),
    "a secret in clear": ((*ADD, *WHOLE, "--set", "auth_token=abc"), "is a secret"),
    "an empty variable": ((*ADD, *WHOLE, "--secret", "auth_token=NOT_THERE"), "NOT_THERE holds nothing"),
    "no sender": ((*ADD, *WHOLE[:4]), "no number to send from"),
    "a sender that is none": ((*ADD, *WHOLE[:4], "--sender", "12?"), "cannot be a sender"),
    "an address without host": ((*ADD, *WHOLE, "--set", "base_url=api"), "no address of a provider"),
    "a rate of nothing": ((*ADD, *WHOLE, "--rate", "0"), "0 segments a second"),
}


@pytest.mark.parametrize(("words", "why"), REFUSED.values(), ids=REFUSED)
def test_an_account_that_could_not_work_is_refused(
    counter: Counter, words: tuple[str, ...], why: str
) -> None:
    said = counter.give(*words, "--json")
    assert said.code == 1, said
    assert why in said.document["error"]
    assert said.document["next"]
    assert [one["name"] for one in counter.ask("provider", "list") if one["configured"]] == ["twilio"]


def test_a_setting_without_a_value_is_wrong_use(counter: Counter) -> None:
    assert counter.give(*ADD, *WHOLE, "--set", "account_sid").code == 2


def test_a_pool_of_numbers_at_the_provider_needs_no_sender(counter: Counter) -> None:
    words = (*ADD[:-1], *WHOLE[:4], "--set", "messaging_service_sid=MG1")
    assert counter.ask(*words)["senders"] == [""]


@pytest.mark.parametrize(
    "sender", ["88202", "NIGHTFALL", "+447700900123"], ids=["short code", "name", "number"]
)
def test_a_sender_can_be_a_number_a_short_code_or_a_name(counter: Counter, sender: str) -> None:
    assert counter.ask(*ADD[:-1], *WHOLE[:4], "--sender", sender)["senders"] == [sender]


def test_what_is_missing_is_asked_for(counter: Counter) -> None:
    said = counter.give(*ADD, answers=["AC2", "a secret", "310 555 0102"])
    assert said.code == 0, said
    assert said.asked == ["Account SID", "Auth token", "The number to send from"]
    stored = _stored(counter, "second")
    assert stored.account.secrets == {"auth_token": "a secret"}
    assert stored.senders[0].address == "+13105550102"


def test_credentials_in_clear_over_the_network_are_remarked(counter: Counter) -> None:
    assert "in clear" in counter.give(*ADD, *WHOLE, "--set", "base_url=http://sms.example.com").stderr
    assert "in clear" not in add_account(counter, "third", "--kind", "twilio").stderr


def test_a_demonstration_takes_only_accounts_on_this_computer(counter: Counter) -> None:
    async def mark() -> None:
        database = open_database(config.load(home=counter.home).database_address, counter.clock)
        async with database.write() as connection:
            await productions.set_fact(connection, DEMO, "yes")
        await database.close()

    counter.clock.run(mark())
    said = counter.give(*ADD, *WHOLE)
    assert said.code == 1
    assert "demonstration" in said.document["error"]
    assert add_account(counter, "second", "--kind", "twilio").code == 0


def test_a_viewer_may_not_set_up_nor_send(counter: Counter) -> None:
    with sqlite3.connect(counter.home / "callboard.db") as connection:
        connection.execute("UPDATE users SET role = 'viewer'")
    connection.close()
    assert "may not set up" in counter.give(*ADD, *WHOLE).document["error"]
    send = ("send", "--to", "all", "--priority", "urgent", "--body", "x", "--yes", "--json")
    assert "may look but not send" in counter.give(*send).document["error"]


def test_a_test_without_an_address_asks_for_the_account_and_sends_nothing(counter: Counter) -> None:
    said, taken = counter.on_the_air("provider", "test", "twilio", "--json")
    assert (said.code, said.document["ok"], said.document["outcome"]) == (0, True, "checked")
    assert taken == []


def test_a_test_with_an_address_sends_one_text(counter: Counter) -> None:
    said, taken = counter.on_the_air("provider", "test", "twilio", "(310) 555-0111", "--yes", "--json")
    assert (said.code, said.document["ok"], said.document["outcome"]) == (0, True, "accepted")
    assert [one.to for one in taken] == ["+13105550111"]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("twilio", "+13105550111"), "nobody is here to confirm"),
        (("twilio", "Ada", "--yes"), "is no number"),
        (("acme",), "no account acme"),
        (("twilio", "+13105550114", "--yes"), "has opted out"),
    ],
    ids=["nobody said yes", "no number", "no account", "opted out"],
)
def test_a_test_that_may_not_be_made_is_refused(counter: Counter, words: tuple[str, ...], error: str) -> None:
    said, taken = counter.on_the_air("provider", "test", *words, "--json")
    assert said.code == 1
    assert error in said.document["error"]
    assert taken == []


def test_a_test_nobody_answers_says_so_and_fails(counter: Counter) -> None:
    said = counter.give("provider", "test", "twilio", "+13105550111", "--yes", "--json")
    assert said.code == 1
    assert said.document["ok"] is False
    assert said.document["outcome"] == "not_sent"
    assert said.document["why"]


SET = ("provider", "set", "twilio")


def test_an_account_can_be_given_other_credentials_and_keeps_the_rest(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEW_TOKEN", "another secret")
    before = _stored(counter, "twilio")
    counter.ask(*SET, "--set", "account_sid=AC2", "--secret", "auth_token=NEW_TOKEN")
    after = _stored(counter, "twilio")
    assert after.account.settings == {"account_sid": "AC2"}
    assert after.account.secrets == {"auth_token": "another secret"}
    assert (after.account.base_url, after.senders) == (SILENT_ADDRESS, before.senders)


def test_one_more_sender_joins_those_the_account_has_at_the_same_rate(counter: Counter) -> None:
    senders = counter.ask(*SET, "--sender", "+13105550101", "--sender", "+13105550100")["senders"]
    assert senders == ["+13105550100", "+13105550101"]
    assert len({one.segments_per_second for one in _stored(counter, "twilio").senders}) == 1


def test_the_name_alone_asks_for_the_credentials(counter: Counter) -> None:
    said = counter.give(*SET, answers=["AC3", "a new secret"])
    assert said.code == 0, said
    assert said.asked == ["Account SID", "Auth token"]
    assert _stored(counter, "twilio").account.secrets == {"auth_token": "a new secret"}


def test_a_change_is_seen_by_whatever_is_sending_and_stands_in_the_audit(counter: Counter) -> None:
    async def revision() -> str:
        database = open_database(config.load(home=counter.home).database_address, counter.clock)
        found = await database.reading(accounts.revision)
        await database.close()
        return found

    before, entries = counter.clock.run(revision()), counter.ask("audit", "verify")["entries"]
    counter.ask(*SET, "--set", "account_sid=AC2")
    assert counter.clock.run(revision()) != before
    assert counter.ask("audit", "verify")["entries"] == entries + 1


UNCHANGED = {
    "nothing named": ((), "Nothing was said"),
    "a setting there is not": (("--set", "colour=red"), "has no setting colour"),
    "a secret in clear": (("--set", "auth_token=abc"), "is a secret"),
    "a setting it needs taken away": (("--set", "account_sid="), "needs the Account SID"),
    "an address without host": (("--set", "base_url=api"), "no address of a provider"),
    "a sender that is none": (("--sender", "12?"), "cannot be a sender"),
}


@pytest.mark.parametrize(("words", "why"), UNCHANGED.values(), ids=UNCHANGED)
def test_a_change_that_could_not_work_is_refused(counter: Counter, words: tuple[str, ...], why: str) -> None:
    before = _stored(counter, "twilio")
    said = counter.give(*SET, *words, "--json")
    assert said.code == 1, said
    assert why in said.document["error"]
    assert said.document["next"]
    assert _stored(counter, "twilio") == before


def state_of(counter: Counter) -> str:
    (row,) = (one for one in counter.ask("provider", "list") if one["configured"])
    return str(row["state"])


def test_an_account_that_stopped_is_listed_so_until_it_is_put_right(counter: Counter) -> None:
    assert state_of(counter) == "sends"
    counter.ask("provider", "set", "twilio", "--set", "account_sid=ACWRONG")
    counter.on_the_air(
        "send", "--to", "all", "--priority", "urgent", "--subject", "Unit moves", "--yes", "--wait"
    )
    assert state_of(counter) == "stopped"
    said, _ = counter.on_the_air("provider", "test", "twilio")
    assert (said.code, state_of(counter)) == (1, "stopped")
    counter.ask("provider", "set", "twilio", "--set", f"account_sid={ACCOUNT_SID}")
    assert state_of(counter) == "sends"


def test_an_account_that_was_put_right_at_the_provider_goes_on_after_a_test(counter: Counter) -> None:
    stored = _stored(counter, "twilio")
    refused = ProviderError("20005", "The account is suspended.", "Ask the provider.", config=True)

    async def stop() -> None:
        house = await composition.open_house(config.load(home=counter.home), counter.clock)
        async with house.database.write() as connection:
            await trouble.open_once(connection, stored, refused, counter.clock.now_ms())
        await house.close()

    counter.clock.run(stop())
    assert state_of(counter) == "stopped"
    said, _ = counter.on_the_air("provider", "test", "twilio")
    assert (said.code, state_of(counter)) == (0, "sends")


@pytest.mark.parametrize("secret", ["abcdef0123456789abcdef0123456789", "s3cret!"], ids=["a token", "a word"])
def test_a_secret_put_where_its_variable_should_stand_is_not_repeated(counter: Counter, secret: str) -> None:
    said = counter.give(*SET, "--secret", f"auth_token={secret}", "--json")
    assert said.code == 1
    assert "auth_token=" in said.document["error"]
    assert "--secret auth_token=VARIABLE" in said.document["next"]
    assert secret not in said.stdout + said.stderr
