"""Accounts at a mail server: set up, tried, and sent through with what people see."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import pytest

from app import composition, config
from app.store import accounts
from providers.contract import Channel
from tests.cli.counter import AtTheCounter, Counter, Said
from tests.contract.mail_peer import Came, MailPeer, Script

T = TypeVar("T")

ADD = ("provider", "add", "mail", "--kind", "smtp", "--json")
SERVER = ("--set", "base_url=smtp://mail.example.com:587")
SENDER = ("--sender", "Office@Nightfall.example")


class WithMailServer(AtTheCounter):
    """At the counter, with a mail server on this machine while the command runs."""

    def __init__(self, counter: Counter, script: Script) -> None:
        super().__init__(counter.clock)
        self.home = counter.home
        self.peer = MailPeer(script)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.virtual.run(self._with_peer(work))

    async def _with_peer(self, work: Coroutine[Any, Any, T]) -> T:
        async with self.peer:
            house = await composition.open_house(config.load(home=self.home), self.virtual)
            async with house.database.write() as connection:
                for one in await accounts.all_accounts(connection, house.vault):
                    if one.channel is Channel.EMAIL:
                        address = f"smtp-clear://127.0.0.1:{self.peer.port}"
                        await accounts.set_base_url(connection, one.id, address)
            await house.close()
            return await work


def with_mail(counter: Counter, *words: str, script: Script | None = None) -> tuple[Said, Sequence[Came]]:
    """What a command says while a mail server takes what is sent, and what it took."""
    around = WithMailServer(counter, script or {})
    return counter._give([*words, "--json"], around, ""), around.peer.came


def test_an_account_is_set_up_with_the_address_of_its_server(counter: Counter) -> None:
    added = counter.ask(*ADD[:-1], *SERVER, *SENDER, "--set", "from_name=NIGHTFALL S2")
    assert added["channel"] == "email"
    assert added["base_url"] == "smtp://mail.example.com:587"
    assert added["senders"] == ["Office@nightfall.example"]
    assert added["segments_per_second"] == 5
    assert added["inbound_url"] is None
    row = next(one for one in counter.ask("provider", "list") if one["name"] == "mail")
    assert (row["state"], row["capabilities"]) == ("sends", ["idempotency"])


REFUSED = {
    "no server": ((*ADD, *SENDER), "needs the Address of the mail server"),
    "a web address": (
        (*ADD, "--set", "base_url=https://mail.example.com", *SENDER),
        "no address of a provider",
    ),
    "no sender": ((*ADD, *SERVER), "no address to send from"),
    "a number as sender": ((*ADD, *SERVER, "--sender", "+13105550100"), "cannot be a sender"),
    "a password in clear": ((*ADD, *SERVER, *SENDER, "--set", "password=abc"), "is a secret"),
}


@pytest.mark.parametrize(("words", "why"), REFUSED.values(), ids=REFUSED)
def test_an_account_that_could_not_work_is_refused(
    counter: Counter, words: tuple[str, ...], why: str
) -> None:
    said = counter.give(*words)
    assert said.code == 1, said
    assert why in said.document["error"]
    assert said.document["next"]


def test_what_is_missing_is_asked_for(counter: Counter) -> None:
    said = counter.give(*ADD, answers=["smtps://mail.example.com", "office@nightfall.example"])
    assert said.code == 0, said
    assert said.asked == [
        "Address of the mail server (smtp://mail.example.com:587)",
        "The address to send from",
    ]
    assert said.document["base_url"] == "smtps://mail.example.com"


@pytest.mark.parametrize(
    ("address", "remarked"), [("smtp-clear://mail.example.com", True), ("smtp://mail.example.com", False)]
)
def test_words_in_clear_over_the_network_are_remarked(counter: Counter, address: str, remarked: bool) -> None:
    said = counter.give(*ADD, "--set", f"base_url={address}", *SENDER)
    assert said.code == 0, said
    assert ("begins with smtp-clear: the credentials go over the network in clear" in said.stderr) is remarked


@pytest.fixture
def mailing(counter: Counter) -> Counter:
    """A home with an account that texts and one that mails."""
    counter.ask(*ADD[:-1], *SERVER, *SENDER, "--set", "username=office", "--secret", "password=A_TOKEN")
    return counter


def test_a_test_without_an_address_signs_in_and_sends_nothing(mailing: Counter) -> None:
    said, came = with_mail(mailing, "provider", "test", "mail")
    assert (said.code, said.document["outcome"]) == (0, "checked")
    assert came == []


def test_a_test_with_an_address_sends_one_mail(mailing: Counter) -> None:
    said, (came,) = with_mail(mailing, "provider", "test", "mail", "Ada <ada@crew.example>", "--yes")
    assert (said.code, said.document["outcome"]) == (0, "accepted")
    assert said.document["why"] == "mail took the e-mail."
    assert came.to == "TO:<ada@crew.example>"
    assert came.mail["Subject"] == "NIGHTFALL: a test"


@pytest.mark.parametrize(
    ("address", "script", "error"),
    [
        ("+13105550111", {}, "is no address"),
        ("ada@crew.example", {"AUTH": "535 5.7.8 no"}, "does not accept the user name and password"),
        ("ada@crew.example", {"RCPT": "550 5.1.1 no"}, "There is no mailbox of this address"),
    ],
    ids=["a number", "a wrong password", "no mailbox"],
)
def test_a_test_that_fails_says_why(mailing: Counter, address: str, script: Script, error: str) -> None:
    said, came = with_mail(mailing, "provider", "test", "mail", address, "--yes", script=script)
    assert said.code == 1
    assert error in said.document.get("error", said.document.get("why"))
    assert came == []


def send(counter: Counter, script: Script | None = None) -> tuple[Said, Sequence[Came]]:
    """An INFO message to everybody by e-mail, waited for."""
    return with_mail(
        counter, "send", "--to", "all", "--priority", "info", "--channel", "email",
        "--subject", "Parking moves", "--body", "Lot 2.", "--yes", "--wait", script=script,
    )  # fmt: skip


def test_a_message_goes_out_by_mail_and_ends_as_sent_without_a_receipt(mailing: Counter) -> None:
    said, came = send(mailing)
    assert said.code == 0, said
    awake = ("ada", "mei", "sam", "uma")  # and Jon sleeps
    assert {one.to for one in came} == {f"TO:<{name}@example.com>" for name in awake}
    assert {one.mail["Subject"] for one in came} == {"NIGHTFALL: Parking moves"}
    assert len({one.mail["Message-ID"] for one in came}) == len(came)
    assert said.document["buckets"]["no_receipt"] == len(came)
    found = mailing.ask("status", said.document["message_id"])
    assert found["by_channel"]["email"]["sent"] == len(came)


@pytest.mark.parametrize(
    ("channels", "seconds"),
    [
        (("email",), 1),  # four mails, five a second
        (("sms",), 2),  # two texts, one segment a second
        (("email", "sms"), 2),
    ],
    ids=["mail alone", "texts alone", "the slower of both"],
)
def test_the_time_a_message_takes_is_that_of_its_slowest_channel(
    mailing: Counter, channels: tuple[str, ...], seconds: int
) -> None:
    options = [word for channel in channels for word in ("--channel", channel)]
    sheet = mailing.ask(
        "send", "--to", "all", "--to", "-person:Jon Okafor", "--priority", "urgent", "--subject", "Moved",
        "--body", "Gate C.", *options, "--dry-run",
    )  # fmt: skip
    assert sheet["eta_seconds"] - 5 == seconds  # after the undo window


def test_a_mailbox_there_is_not_is_reported_and_not_written_to_again(mailing: Counter) -> None:
    said, _ = send(mailing, {"RCPT": ["550 5.1.1 no", "250 ok"]})
    message = said.document["message_id"]
    (person,) = mailing.ask("people", message, "--state", "not_reached")
    assert person["why"] == "There is no mailbox of this address."
    again, came = send(mailing)
    assert len(came) == 3
    (left,) = again.document["excluded"]
    assert "The e-mail address does not work" in left["why"]


def test_where_a_text_got_further_the_failure_of_the_mail_is_told_as_the_mails(mailing: Counter) -> None:
    with_mail(
        mailing, "send", "--to", "person:Ada Lund", "--priority", "urgent", "--channel", "sms", "--channel", "email",
        "--subject", "Moved", "--body", "Gate C.", "--yes", "--wait", script={"RCPT": "550 5.1.1 no"},
    )  # fmt: skip
    people = mailing.ask("people", mailing.ask("status")["message_id"], "--state", "non_reader")
    assert [(one["state"], one["why"]) for one in people] == [
        ("on_the_way", "E-mail: There is no mailbox of this address.")
    ]
