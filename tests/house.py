"""A home for tests: a migrated database, a vault, a production, people, and steps one can take by hand."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import func, select

from app.dispatch import planner
from app.domain import ids
from app.domain.buckets import Bucket
from app.domain.message_types import TYPE_OF_PRIORITY
from app.domain.messages import Composed
from app.domain.priorities import Priority, Purpose, StepKind
from app.domain.replies import STANDARD_OPTIONS, ReplyOption
from app.domain.routing import AddressKind
from app.rehearsal import sample_crew
from app.rehearsal.carrier import ACCOUNT_SID, AUTH_TOKEN
from app.store import (
    accounts,
    answers,
    claims,
    contacts,
    crew,
    freezing,
    messages,
    outcomes,
    productions,
    receipts,
    rollup,
    schema,
    steps,
)
from app.store import tables as t
from app.store.accounts import Sender
from app.store.claims import Claimed, Mark
from app.store.crew import Address
from app.store.engine import Database, open_database
from app.store.outcomes import Finish
from app.store.productions import Production
from app.store.receipts import Incoming
from app.store.vault import Vault, open_vault
from providers.contract import Account, Channel, Clock, Fact, Outcome, ProviderError

T = TypeVar("T")

START_MS = 1_795_156_800_000
"""22:40 in Los Angeles, on 19 November 2026."""

ZONE = "America/Los_Angeles"
SENDER = sample_crew.SENDER
"""Our own number: nobody's among the sample crew, which some tests import."""
WORKER = "tests"
EVERY_PRIORITY = tuple(Priority)


class HandClock:
    """A clock that moves only when a test moves it."""

    def __init__(self, start_ms: int = START_MS) -> None:
        self._start_ms = self._now_ms = start_ms

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic_ms(self) -> int:
        return self._now_ms - self._start_ms

    def advance(self, seconds: float) -> None:
        self._now_ms += round(seconds * 1000)

    async def sleep_until(self, at_ms: int) -> None:
        while self._now_ms < at_ms:
            await asyncio.Event().wait()

    @contextmanager
    def working(self) -> Iterator[None]:
        yield


def number(index: int) -> str:
    """A number from the range that is kept free for fiction, one of 39,000."""
    area, line = divmod(index, 100)
    return f"+1{201 + area}55501{line:02d}"


@dataclass(frozen=True, slots=True)
class Hire:
    """One person for the crew list."""

    name: str
    phone: str | None
    department: str = "Camera"
    consent: str = "unknown"
    line_type: str = "mobile"
    quiet: tuple[int, int] | None = None
    email: str | None = None


def crew_of(people: int, **same: Any) -> list[Hire]:
    """So many people, each with a number of their own, in four departments."""
    departments = ("Camera", "Grip", "Sound", "Art")
    return [Hire(f"Person {one:05d}", number(one), departments[one % 4], **same) for one in range(people)]


@dataclass
class Ledger:
    """One production's database, with the steps of the queue to take by hand."""

    database: Database
    vault: Vault
    production: Production
    account_id: int
    sender: Sender
    worker: str = WORKER
    references: dict[tuple[int, int], str] = field(default_factory=dict)
    """(delivery, attempt) → the reference that was marked."""
    _count: Iterator[int] = field(default_factory=itertools.count)

    @property
    def clock(self) -> Clock:
        return self.database.clock

    @property
    def now(self) -> int:
        return self.clock.now_ms()

    async def do(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """Run ``work`` in a writing transaction of its own."""
        return await self.database.writing(work)

    async def ask(self, query: Any) -> list[Any]:
        """The rows of a query."""

        async def rows(connection: Any) -> list[Any]:
            return list((await connection.execute(query)).all())

        return await self.database.reading(rows)

    async def one(self, query: Any) -> Any:
        (row,) = await self.ask(query)
        return row

    # ------------------------------------------------------------------------------------------ people

    async def hire(self, people: Sequence[Hire]) -> list[int]:
        """Put people on the crew list. Returns their keys."""

        async def work(connection: Any) -> list[int]:
            return [await self._add(connection, one) for one in people]

        return await self.do(work)

    async def _add(self, connection: Any, one: Hire) -> int:
        phones = [Address(AddressKind.PHONE, one.phone, one.phone[-4:], one.line_type)] if one.phone else []
        mail = [Address(AddressKind.EMAIL, one.email, "…")] if one.email else []
        return await crew.add(
            connection,
            self.vault,
            self.production.id,
            public_id=ids.ulid(self.now, os.urandom),
            values={
                "name": one.name,
                "department": one.department,
                "position": "Assistant",
                "department_head": False,
                "unit": "Main",
                "language": "en",
                "time_zone": ZONE,
                "call_offset_min": 0,
                "start_date": None,
                "finish_date": None,
                "day_status": "work",
                "quiet_start": one.quiet[0] if one.quiet else None,
                "quiet_end": one.quiet[1] if one.quiet else None,
            },
            addresses=[*phones, *mail],
            emergency=("", ""),
            sms_consent=one.consent,
            now_ms=self.now,
        )

    # ---------------------------------------------------------------------------------------- messages

    async def compose(
        self,
        priority: Priority = Priority.URGENT,
        *,
        audience: Sequence[str] = ("all",),
        options: Sequence[ReplyOption] = STANDARD_OPTIONS,
        purpose: Purpose = Purpose.SAFETY,
        wait_ms: int = 0,
        freeze: bool = True,
    ) -> tuple[int, int]:
        """A message whose first step is due after ``wait_ms``. Returns message and step."""
        now = self.now
        composed = Composed(
            audience=audience,
            type=TYPE_OF_PRIORITY[priority],
            priority=priority,
            purpose=purpose,
            subject="Unit moves",
            body="Unit moves to Stage 4.",
            channels=[Channel.SMS],
            options=options,
        )

        async def work(connection: Any) -> tuple[int, int]:
            count = await messages.next_number(connection, self.production.id)
            message_id, version_id = await messages.create(
                connection,
                composed,
                production_id=self.production.id,
                public_id=ids.ulid(now, os.urandom),
                code=ids.message_code(count),
                actor="tests",
                now_ms=now,
            )
            step_id = await self._step(connection, message_id, version_id, StepKind.FIRST, now + wait_ms)
            return message_id, step_id

        message_id, step_id = await self.do(work)
        if freeze:
            await planner.freeze(self.database, step_id)
        return message_id, step_id

    async def _step(
        self, connection: Any, message_id: int, version_id: int, kind: StepKind, not_before: int
    ) -> int:
        return await steps.add(
            connection,
            public_id=ids.ulid(self.now, os.urandom),
            message_id=message_id,
            version_id=version_id,
            kind=kind,
            actor="tests",
            channels=[Channel.SMS],
            now_ms=self.now,
            not_before=not_before,
        )

    async def remind(self, message_id: int) -> int:
        """A reminder to everybody who has not read it, due now. Returns the step."""

        async def work(connection: Any) -> int:
            message = await messages.by_id(connection, message_id)
            step_id = await self._step(
                connection, message_id, message.version_id, StepKind.REMINDER, self.now
            )
            await freezing.freeze_non_readers(connection, step_id, message_id, self.now)
            return step_id

        return await self.do(work)

    async def route(self) -> None:
        """Route everything that is due."""
        while await planner.route_next_block(self.database, self.vault.link_key):
            pass

    # ------------------------------------------------------------------------------------------- queue

    async def claim(
        self,
        limit: int = 1000,
        priorities: Collection[Priority] = EVERY_PRIORITY,
        worker: str | None = None,
        lease_ms: int = 30_000,
    ) -> list[Claimed]:
        now = self.now

        async def most_urgent_first(connection: Any) -> list[Claimed]:
            claimed: list[Claimed] = []
            for priority in sorted(priorities, key=lambda one: one.rank):
                taken = await claims.claim(
                    connection,
                    production_id=self.production.id,
                    channel=Channel.SMS,
                    quotas={priority: limit - len(claimed)},
                    worker=worker or self.worker,
                    now_ms=now,
                    lease_until=now + lease_ms,
                )
                claimed += taken.claimed
            return claimed

        return await self.do(most_urgent_first)

    async def mark(self, claimed: Sequence[Claimed], worker: str | None = None) -> list[Claimed]:
        """Those for which the provider may be called."""
        marks = []
        for one in claimed:
            reference = ids.attempt_reference(os.urandom)
            self.references[(one.id, one.attempt)] = reference
            marks.append(
                Mark(
                    one.id,
                    one.contact_point_id,
                    one.attempt,
                    reference,
                    self.account_id,
                    self.sender.id,
                    True,
                )
            )
        granted = await self.do(
            lambda connection: claims.mark(connection, marks, worker=worker or self.worker, now_ms=self.now)
        )
        return [one for one in claimed if one.id in granted]

    async def finish(self, claimed: Claimed, outcome: Outcome, jitter: float = 0.0) -> None:
        reference = self.references[(claimed.id, claimed.attempt)]
        await self.do(
            lambda connection: outcomes.finish(
                connection,
                [Finish(claimed, reference, outcome, jitter, self.account_id, True)],
                now_ms=self.now,
            )
        )

    async def call(self, outcome: Callable[[Claimed], Outcome] | Outcome, limit: int = 1000) -> list[Claimed]:
        """Claim, mark and finish with this outcome. Returns what was called."""
        called = await self.mark(await self.claim(limit))
        for one in called:
            await self.finish(one, outcome(one) if callable(outcome) else outcome)
        return called

    def incoming(
        self,
        fact: Fact,
        *,
        reference: str | None = None,
        provider_id: str | None = None,
        error: ProviderError | None = None,
        key: str | None = None,
    ) -> Incoming:
        return Incoming(
            account_id=self.account_id,
            dedupe_key=key or f"key-{next(self._count)}",
            fact=fact,
            reference=reference,
            provider_id=provider_id,
            error=error,
            raw=b"raw",
        )

    async def hear(self, *incoming: Incoming) -> int:
        """Take receipts in one transaction. Returns how many were new."""
        return await self.do(lambda connection: receipts.take(connection, incoming, self.now))

    async def answer(self, message_id: int, name: str, digit: int = 1) -> None:
        """This person presses a digit, on a page that is already open."""
        person = await self.recipient(message_id, name)
        version = await self.one(
            select(t.message_versions.c.id).where(t.message_versions.c.message_id == message_id)
        )
        option = next(one for one in STANDARD_OPTIONS if one.digit == digit)
        await self.do(
            lambda connection: answers.record(
                connection,
                recipient_id=person.id,
                version_id=version.id,
                option=option,
                channel=Channel.SMS,
                now_ms=self.now,
            )
        )

    async def opt_out(self, phone: str, production_id: int | None = None) -> None:
        """The owner of this number wants no more texts."""
        await self.do(
            lambda connection: contacts.suppress_address(
                connection,
                self.vault.lookup(phone),
                Channel.SMS,
                production_id=production_id,
                reason="opted_out",
                source="reply",
                now_ms=self.now,
            )
        )

    # ------------------------------------------------------------------------------------------ looking

    async def delivery(self, delivery_id: int) -> Any:
        return await self.one(select(t.deliveries).where(t.deliveries.c.id == delivery_id))

    async def deliveries_of(self, message_id: int) -> list[Any]:
        return await self.ask(
            select(t.deliveries).where(t.deliveries.c.message_id == message_id).order_by(t.deliveries.c.id)
        )

    async def buckets(self, message_id: int) -> dict[str, Bucket]:
        """Where everybody stands, by name."""
        rows = await self.ask(
            select(t.people.c.name, t.recipients.c.bucket)
            .join(t.recipients, t.recipients.c.person_id == t.people.c.id)
            .where(t.recipients.c.message_id == message_id)
        )
        return {row.name: Bucket(row.bucket) for row in rows}

    async def recipient(self, message_id: int, name: str) -> Any:
        return await self.one(
            select(t.recipients)
            .join(t.people, t.people.c.id == t.recipients.c.person_id)
            .where(t.recipients.c.message_id == message_id, t.people.c.name == name)
        )

    async def check_counters(self) -> None:
        """The counters of every message equal a recount, and its buckets sum up to its recipients."""

        async def work(connection: Any) -> list[tuple[Any, Any, int]]:
            found = []
            for message_id in (await connection.execute(select(t.messages.c.id))).scalars().all():
                people = (
                    await connection.execute(
                        select(func.count()).where(t.recipients.c.message_id == message_id)
                    )
                ).scalar_one()
                kept = await rollup.counted(connection, message_id)
                found.append((kept, await rollup.recount(connection, message_id), people))
            return found

        for kept, fresh, people in await self.database.reading(work):
            assert kept == fresh
            assert sum(count for key, count in kept.items() if key[1] == rollup.ALL[0]) == people
            assert all(count > 0 for count in kept.values())


ADDRESS_FILE = "database.address"
"""Where the home of a test says that its database is on a server."""


def address_of(home: Path) -> str:
    """The database of this home: the one it names, or the file in it."""
    named = home / ADDRESS_FILE
    return named.read_text(encoding="utf-8") if named.exists() else f"sqlite:///{home / 'callboard.db'}"


async def furnish(
    home: Path, clock: Clock, *, base_url: str = "http://127.0.0.1:9", rate: int = 30
) -> Ledger:
    """Open the home (made from the template if there is one) with a production, an account and a sender."""
    database = open_database(address_of(home), clock)
    await schema.upgrade(database)
    vault = open_vault(home / "callboard.key")
    now = clock.now_ms()

    async def work(connection: Any) -> tuple[Production, int, Sender]:
        known = await productions.all_productions(connection)
        production = known[0] if known else await productions.add(
            connection, public_id=ids.ulid(now, os.urandom), name="NIGHTFALL S2", region="US", time_zone=ZONE,
            now_ms=now,
        )  # fmt: skip
        stored = await accounts.all_accounts(connection, vault)
        if not stored:
            await accounts.add(
                connection,
                vault,
                rehearsal_account(base_url),
                public_id=ids.ulid(now, os.urandom),
                channel=Channel.SMS,
                senders=[(SENDER, rate)],
                production_id=production.id,
                now_ms=now,
            )
            stored = await accounts.all_accounts(connection, vault)
        return production, stored[0].id, stored[0].senders[0]

    production, account_id, sender = await database.writing(work)
    return Ledger(database, vault, production, account_id, sender)


def rehearsal_account(base_url: str) -> Account:
    """The account of the rehearsal carrier at this address."""
    return Account("twilio", "twilio", base_url, {"account_sid": ACCOUNT_SID}, {"auth_token": AUTH_TOKEN})


@asynccontextmanager
async def opened(home: Path, clock: Clock | None = None, **options: Any) -> AsyncIterator[Ledger]:
    """A ledger, closed at the end."""
    ledger = await furnish(home, clock or HandClock(), **options)
    try:
        yield ledger
    finally:
        await ledger.database.close()


def copy_of(template: Path, home: Path) -> Path:
    """A fresh home from the template."""
    home.mkdir(parents=True, exist_ok=True)
    for file in template.iterdir():
        if file.is_file():
            shutil.copy(file, home / file.name)
    return home
