"""Trying an account: asking the provider whether it works, and sending one text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.domain import ids
from app.domain.actor import Actor
from app.domain.phone import Phone, parse_phone
from app.domain.problem import Problem, Refused
from app.services.office import Office, may_send
from app.store import audit, contacts, trouble
from app.store.accounts import StoredAccount
from providers.contract import (
    Accepted,
    CheckResult,
    InDoubt,
    NotSent,
    Outcome,
    Outgoing,
    Provider,
    Rejected,
    Text,
)

TEST_TEXT: Final = "{production}: this is a test of Callboard. There is nothing to do."
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
    """Send one test text to a number through this account. Raises :class:`Refused` for no number, somebody who
    may not send, and a number that has opted out."""
    may_send(actor)
    read = parse_phone(address, office.production.region)
    if not isinstance(read, Phone):
        raise Refused(f"“{address}” is no number. {read.why}", "Write it with its country: +13105550111.")
    if not stored.senders:
        raise Refused(f"{stored.account.name} has no number to send from.", "Set it up again, with --sender.")
    now = office.clock.now_ms()
    async with office.database.write() as connection:
        lookup = office.vault.lookup(read.e164)
        if await contacts.has_opted_out(connection, lookup, stored.channel):
            raise Refused("The owner of this number has opted out.", "Test with another number.")
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
            to=read.e164,
            sender=stored.senders[0].address,
            content=Text(TEST_TEXT.format(production=office.production.name)),
            reference=ids.attempt_reference(office.random_bytes),
            valid_for_s=TEST_VALID_S,
        )
    )
    word = OUTCOMES[type(outcome)]
    if isinstance(outcome, Accepted):
        await _goes_on(office, stored)
        return Tested(True, word, f"{stored.account.name} took the text.", "Look whether it arrives.")
    problem = Problem(outcome.error.sentence, outcome.error.next_step)
    return Tested(False, word, problem.sentence, problem.next)
