"""Trying an account: asking the provider whether it works, and sending one message that means nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Final

from app.domain import ids
from app.domain.actor import Actor
from app.domain.email_address import parse_email
from app.domain.phone import Phone, parse_phone
from app.domain.problem import Problem, Refused
from app.services.office import Office, may_send
from app.store import audit, contacts, trouble
from app.store.accounts import StoredAccount
from providers.contract import (
    Accepted,
    Channel,
    CheckResult,
    Content,
    InDoubt,
    Mail,
    NotSent,
    Outcome,
    Outgoing,
    Provider,
    Rejected,
    Text,
)

TEST_TEXT: Final = "{production}: this is a test of Callboard. There is nothing to do."
TEST_SUBJECT: Final = "{production}: a test"
TEST_VALID_S: Final = 300


@dataclass(frozen=True, slots=True)
class Tested:
    """What a test came to. ``outcome`` is ``checked`` or ``refused`` without an address; with one ``accepted``,
    ``rejected``, ``not_sent`` or ``in_doubt``."""

    ok: bool
    outcome: str
    why: str
    next: str


OUTCOMES: dict[type[Outcome], str] = {
    Accepted: "accepted",
    Rejected: "rejected",
    NotSent: "not_sent",
    InDoubt: "in_doubt",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """How an account of one channel is tried. ``read`` makes what was written an address of the channel, given the
    production's region, and raises :class:`Refused`; ``content`` is what is sent in the name of a production."""

    called: str
    what: str
    read: Callable[[str, str], str]
    content: Callable[[str], Content]


def _number(written: str, region: str) -> str:
    read = parse_phone(written, region)
    if not isinstance(read, Phone):
        raise Refused(f"“{written}” is no number. {read.why}", "Write it with its country: +13105550111.")
    return read.e164


def _mailbox(written: str, _region: str) -> str:
    read = parse_email(written)
    if not isinstance(read, str):
        raise Refused(f"“{written}” is no address. {read.why}", "Write it as ada@example.com.")
    return read


def _text(production: str) -> Content:
    return Text(TEST_TEXT.format(production=production))


def _mail(production: str) -> Content:
    words = TEST_TEXT.format(production=production)
    return Mail(TEST_SUBJECT.format(production=production), f"{words}\n", f"<p>{escape(words)}</p>\n")


TRIALS: Final[dict[Channel, Trial]] = {
    Channel.SMS: Trial("number", "text", _number, _text),
    Channel.EMAIL: Trial("address", "e-mail", _mailbox, _mail),
}


async def check(office: Office, stored: StoredAccount, provider: Provider) -> Tested:
    """Ask the provider whether the account works. Nothing is sent. One that had stopped and works goes on."""
    result: CheckResult = await provider.check()
    if result.ok:
        await _goes_on(office, stored)
    return Tested(result.ok, "checked" if result.ok else "refused", result.sentence, result.next_step)


async def _goes_on(office: Office, stored: StoredAccount) -> None:
    async with office.database.write() as connection:
        await trouble.close(connection, stored, office.clock.now_ms())


async def send_test(
    office: Office, actor: Actor, stored: StoredAccount, provider: Provider, address: str
) -> Tested:
    """Send one test to an address of the account's channel. Raises :class:`Refused` for what is no such address,
    somebody who may not send, an address that has opted out, and an account of a channel without tests."""
    may_send(actor)
    trial = TRIALS.get(stored.channel)
    if trial is None:
        raise Refused(
            f"{stored.account.name} cannot send a test to an address.",
            f"Ask it whether it works: callboard provider test {stored.account.name}.",
        )
    to = trial.read(address, office.production.region)
    if not stored.senders:
        raise Refused(
            f"{stored.account.name} has no {trial.called} to send from.", "Set it up again, with --sender."
        )
    now = office.clock.now_ms()
    async with office.database.write() as connection:
        if await contacts.has_opted_out(connection, office.vault.lookup(to), stored.channel):
            raise Refused(
                f"The owner of this {trial.called} has opted out.", f"Test with another {trial.called}."
            )
        await audit.record(
            connection,
            actor,
            "provider test",
            f"account:{stored.public_id}",
            now,
            production_id=office.production.id,
        )
    outcome = await provider.send(
        Outgoing(
            channel=stored.channel,
            to=to,
            sender=stored.senders[0].address,
            content=trial.content(office.production.name),
            reference=ids.attempt_reference(office.random_bytes),
            valid_for_s=TEST_VALID_S,
        )
    )
    word = OUTCOMES[type(outcome)]
    if isinstance(outcome, Accepted):
        await _goes_on(office, stored)
        return Tested(True, word, f"{stored.account.name} took the {trial.what}.", "Look whether it arrives.")
    problem = Problem(outcome.error.sentence, outcome.error.next_step)
    return Tested(False, word, problem.sentence, problem.next)
