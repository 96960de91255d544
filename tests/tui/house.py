"""A production office over a real SQLite file, and what tests can let happen in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from app.dispatch import planner
from app.domain.actor import Actor
from app.domain.message_types import MessageType
from app.domain.messages import Composed
from app.domain.priorities import PROFILES, Priority, Purpose
from app.domain.replies import STANDARD_OPTIONS
from app.services import crew as crew_service
from app.services import hearing, sending
from app.services.office import Office
from app.store import accounts, answers, claims, outcomes, productions, receipts, schema
from app.store import tables as t
from app.store.engine import Database, open_database
from app.store.vault import Vault
from providers.contract import Accepted, Account, Channel, Fact, Inbound, ProviderError
from tests.house import HandClock

START_MS = 1_794_609_720_000
"""A Friday evening, 22:42 in London."""

COORDINATOR = Actor("Kit Marsh")
SENDER = "+447700900999"
ONLY_TEXTS = frozenset({Channel.SMS})


FIRST = (
    "Ada",
    "Jon",
    "Mei",
    "Sam",
    "Rosa",
    "Theo",
    "Ines",
    "Omar",
    "Lena",
    "Pavel",
    "Nora",
    "Ruth",
    "Emil",
    "Yara",
)
LAST = (
    "Ferreira",
    "Okafor",
    "Tanaka",
    "Reyes",
    "Lindqvist",
    "Moreau",
    "Haddad",
    "Novak",
    "Castellanos",
    "Byrne",
)
DEPARTMENTS = ("Camera", "Grip", "Art", "Sound", "Electric", "Costume", "Make-up", "Locations")
WORK = {"Camera": "Focus Puller", "Grip": "Key Grip", "Art": "Set Dresser", "Sound": "Boom Operator"}


def crew_list(size: int, first: Sequence[str] = ()) -> bytes:
    """A crew list of so many people; ``first`` are names that stand at its beginning."""
    lines = ["Name,Department,Position,Mobile,Email"]
    for number in range(size):
        name = f"{FIRST[number % len(FIRST)]} {LAST[number // len(FIRST) % len(LAST)]}"
        if number >= len(FIRST) * len(LAST):
            name += f" {number}"
        if number < len(first):
            name = first[number]
        department = DEPARTMENTS[number % len(DEPARTMENTS)]
        position = WORK.get(department, "Assistant")
        lines.append(
            f'"{name}",{department},{position},+447700{900000 + number:06d},crew{number}@example.com'
        )
    return "\n".join(lines).encode()


@dataclass
class House:
    """The office with the handle of its clock."""

    office: Office
    clock: HandClock
    heard: int = 0

    @property
    def database(self) -> Database:
        return self.office.database

    async def hire(self, size: int, first: Sequence[str] = ()) -> None:
        await crew_service.import_crew(self.office, COORDINATOR, "crew.csv", crew_list(size, first))

    async def give_provider(self, segments_per_second: int = 30) -> None:
        account = Account("rehearsal", "twilio", "http://localhost", {}, {})
        async with self.database.write() as connection:
            await accounts.add(
                connection,
                self.office.vault,
                account,
                public_id="01J0000000000000000000ACCT",
                channel=Channel.SMS,
                senders=[(SENDER, segments_per_second)],
                production_id=self.office.production.id,
                now_ms=self.clock.now_ms(),
            )

    async def write(
        self,
        subject: str,
        priority: Priority = Priority.URGENT,
        *,
        channels: Sequence[Channel] = (Channel.SMS,),
    ) -> sending.Sent:
        """Send a message to everybody; it waits in its undo window."""
        composed = Composed(
            audience=["all"],
            type=MessageType.SAFETY if priority is Priority.URGENT else MessageType.CALL_TIME,
            priority=priority,
            purpose=Purpose.SAFETY if priority is Priority.URGENT else Purpose.OPERATIONAL,
            subject=subject,
            body=f"{subject}. Gate C, ask for Kit.",
            channels=channels,
            options=STANDARD_OPTIONS,
        )
        return await sending.send(self.office, COORDINATOR, composed)

    async def post(self, subject: str, priority: Priority = Priority.URGENT) -> sending.Sent:
        """Send a text to everybody and let the provider take all of it."""
        sent = await self.write(subject, priority)
        self.clock.advance(PROFILES[priority].undo_s + 1)
        await self.let_out()
        return sent

    async def let_out(self) -> None:
        """Route what is due, and have the provider accept every text."""
        while await planner.route_next_block(self.database, self.office.vault.link_key):
            pass
        now = self.clock.now_ms()
        async with self.database.write() as connection:
            taken = await claims.claim(
                connection,
                production_id=self.office.production.id,
                channel=Channel.SMS,
                quotas=dict.fromkeys(Priority, 10_000),
                worker="test",
                now_ms=now,
                lease_until=now + 30_000,
            )
            account = (await connection.execute(select(t.accounts.c.id))).scalar_one()
            sender = (await connection.execute(select(t.senders.c.id))).scalar_one()
            marks = [
                claims.Mark(
                    one.id, one.contact_point_id, one.attempt, f"r{one.id:015d}", account, sender, True
                )
                for one in taken.claimed
            ]
            await claims.mark(connection, marks, worker="test", now_ms=now)
            made = [
                outcomes.Finish(one, f"r{one.id:015d}", Accepted(f"SM{one.id}"), 0.0, account, False)
                for one in taken.claimed
            ]
            await outcomes.finish(connection, made, now_ms=now)

    async def names(self, code: str) -> dict[str, tuple[int, int]]:
        """Recipient and delivery of each person of a message."""
        async with self.database.read() as connection:
            rows = await connection.execute(
                select(t.people.c.name, t.recipients.c.id, t.deliveries.c.id)
                .join(t.recipients, t.recipients.c.person_id == t.people.c.id)
                .join(t.messages, t.messages.c.id == t.recipients.c.message_id)
                .join(t.deliveries, t.deliveries.c.recipient_id == t.recipients.c.id)
                .where(t.messages.c.code == code)
                .order_by(t.recipients.c.id)
            )
            return {name: (recipient, delivery) for name, recipient, delivery in rows}

    async def tell(
        self, code: str, fact: Fact, names: Sequence[str], error: ProviderError | None = None
    ) -> None:
        """The provider reports a fact about the texts of these people."""
        found = await self.names(code)
        now = self.clock.now_ms()
        async with self.database.write() as connection:
            account = (await connection.execute(select(t.accounts.c.id))).scalar_one()
            await receipts.take(
                connection,
                [
                    receipts.Incoming(
                        account_id=account,
                        dedupe_key=f"{fact.value}:{found[name][1]}",
                        fact=fact,
                        reference=f"r{found[name][1]:015d}",
                        provider_id=None,
                        error=error,
                        raw=b"{}",
                    )
                    for name in names
                ],
                now,
            )

    async def hear(self, number: str, words: str) -> None:
        """A text comes in."""
        self.heard += 1
        async with self.database.write() as connection:
            account = (await connection.execute(select(t.accounts.c.id))).scalar_one()
            await hearing.take_inbound(
                connection,
                self.office.vault,
                account,
                Inbound(Channel.SMS, f"SM{self.heard}", number, SENDER, words, f"in:{self.heard}"),
                self.clock.now_ms(),
            )

    async def answer(self, sent: sending.Sent, name: str, digit: int = 1) -> None:
        """Somebody answers by text."""
        recipient, _ = (await self.names(sent.code))[name]
        async with self.database.write() as connection:
            version = (
                await connection.execute(
                    select(t.steps.c.version_id).where(t.steps.c.public_id == sent.step_id)
                )
            ).scalar_one()
            await answers.record(
                connection,
                recipient_id=recipient,
                version_id=version,
                option=STANDARD_OPTIONS[digit - 1],
                channel=Channel.SMS,
                now_ms=self.clock.now_ms(),
            )


@asynccontextmanager
async def open_house(
    folder: Path, *, name: str = "NIGHTFALL S2", dispatching: bool = True
) -> AsyncIterator[House]:
    """An office with an empty crew list."""
    clock = HandClock(START_MS)
    database = open_database(f"sqlite:///{folder / 'callboard.db'}", clock)
    try:
        await schema.upgrade(database)
        async with database.write() as connection:
            production = await productions.add(
                connection,
                public_id="01J0000000000000000000PR0D",
                name=name,
                region="GB",
                time_zone="Europe/London",
                now_ms=clock.now_ms(),
            )

        async def is_dispatching() -> bool:
            return dispatching

        office = Office(database, Vault(b"k" * 32), production, is_dispatching=is_dispatching)
        yield House(office, clock)
    finally:
        await database.close()
