"""What the product believes about each person, held against what the carrier knows really happened.

The expectation is worked out from the carrier's log alone, by the words of the domain and not by the product's
own code: an independent second opinion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.routing import AddressKind
from app.rehearsal import log
from app.rehearsal.log import LoggedMessage
from app.rehearsal.mail_room import MAIL
from app.store import tables as t
from app.store.crew import FIELD
from app.store.vault import Vault

MEANT: dict[str, str] = {
    "1": "confirmed",
    "OK": "confirmed",
    "copy that": "confirmed",
    "10-4": "confirmed",
    "👍": "confirmed",
    "1 thx": "confirmed",
    "2": "needs_help",
    "2 - car broke down": "needs_help",
    "what?": "read",
}
"""What the people of the script mean by what they press and write."""

STRENGTH = (
    "needs_help",
    "declined",
    "confirmed",
    "read",
    "delivered",
    "no_receipt",
    "on_the_way",
    "not_reached",
    "suppressed",
)
"""The words of a state, the telling ones first."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One person whose state is not what really happened."""

    person: str
    expected: str
    shown: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person of the message, as the product shows them."""

    name: str
    public_id: str
    bucket: str
    addresses: tuple[str, ...]
    """Numbers and mailboxes."""


async def recipients(connection: AsyncConnection, vault: Vault, message_id: int) -> list[Recipient]:
    """Every recipient of a message with the numbers and e-mail addresses in the crew list."""
    r, c = t.recipients.c, t.contact_points.c
    people: dict[int, Recipient] = {}
    for row in await connection.execute(
        select(r.id, r.bucket, t.people.c.name, t.people.c.public_id, c.kind, c.cipher)
        .join(t.people, t.people.c.id == r.person_id)
        .outerjoin(
            t.contact_points,
            (c.person_id == r.person_id) & c.retired_at.is_(None),
        )
        .where(r.message_id == message_id)
    ):
        address = (vault.decrypt(FIELD[AddressKind(row.kind)], row.cipher),) if row.cipher else ()
        known = people.get(row.id)
        addresses = (*known.addresses, *address) if known else address
        people[row.id] = Recipient(row.name, row.public_id, row.bucket, addresses)
    return list(people.values())


def compare(everybody: Sequence[Recipient], logged: Sequence[LoggedMessage]) -> list[Difference]:
    """The people whose bucket is not what the log says really happened to them."""
    by_address: dict[str, list[LoggedMessage]] = {}
    for one in logged:
        by_address.setdefault(one.to, []).append(one)
    holders: dict[str, int] = {}
    for person in everybody:
        for address in set(person.addresses):
            holders[address] = holders.get(address, 0) + 1
    found = []
    for person in everybody:
        texts = [one for address in person.addresses for one in by_address.get(address, ())]
        expected = _expected(person, texts, holders)
        if expected != person.bucket:
            found.append(Difference(person.name, expected, person.bucket))
    return found


def _expected(person: Recipient, texts: Sequence[LoggedMessage], holders: Mapping[str, int]) -> str:
    if not texts:
        return "suppressed"
    shared = {one.to for one in texts if holders.get(one.to, 0) > 1}
    states = {_network(one) for one in texts}
    states |= {"read" for one in texts if one.has(log.READ) and one.to not in shared}
    answers = sorted(
        (truth.at, _meant(truth.detail.get("option") or truth.detail.get("text", "")))
        for one in texts
        for truth in one.truth
        if (truth.what == log.ANSWERED and truth.detail.get("person") in (None, person.public_id))
        or (truth.what == log.REPLIED and one.to not in shared)
    )
    if answers:
        states.add("read")
        told = [word for _, word in answers if word != "read"]
        states |= set(told[-1:])
    return next(word for word in STRENGTH if word in states)


def _meant(words: str) -> str:
    return MEANT.get(words, "read")


def _network(text: LoggedMessage) -> str:
    """How far one text or mail got. A mail is on somebody's screen when its image or its page was fetched; before
    that nobody can know more than that a server has it."""
    if text.has(log.DELIVERED):
        return "delivered"
    if text.has(log.UNDELIVERED) or text.has(log.FAILED):
        return "not_reached"
    if text.provider == MAIL and text.accepted_at is not None:
        return "delivered" if text.has(log.OPENED) or text.has(log.MACHINE_OPENED) else "no_receipt"
    return "on_the_way"
