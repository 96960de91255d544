"""A night on a virtual clock: an engine over a real database, with a provider on paper or the rehearsal carrier."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from sqlalchemy import select

from app import composition
from app.clock import VirtualClock
from app.composition import House
from app.config import Settings
from app.dispatch.dispatcher import worker_name
from app.dispatch.engine import Engine
from app.dispatch.gateways import Gateway, Gateways
from app.domain.actor import Actor
from app.domain.buckets import Bucket
from app.domain.public_address import PublicAddress
from app.rehearsal.carrier import Carrier
from app.rehearsal.people import Script
from app.services.office import Office
from app.store import accounts, productions
from app.store import tables as t
from providers.contract import (
    Accepted,
    CallbackBatch,
    CallbackRefused,
    CallbackRequest,
    CannotSay,
    Capabilities,
    Channel,
    CheckResult,
    Clock,
    Found,
    Inbound,
    LookUp,
    Money,
    NotFound,
    Outcome,
    Outgoing,
    Text,
)
from tests.house import START_MS, ZONE, Hire, Ledger, address_of, furnish

T = TypeVar("T")

PUBLIC = "https://nightfall.callboard.example"
KIT = Actor("Kit Marsh")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the provider, and when it was made."""

    at_ms: int
    message: Outgoing

    @property
    def to(self) -> str:
        return self.message.to

    @property
    def words(self) -> str:
        """What the text said."""
        assert isinstance(self.message.content, Text)
        return self.message.content.words


@dataclass
class Paper:
    """A provider that writes down what it is asked and answers what the test says.

    It reports on every channel of the contract that a text provider has; ``takes_s`` is how long one call takes.
    """

    clock: Clock
    answer: Callable[[Call], Awaitable[Outcome] | Outcome] = lambda call: Accepted(
        f"SM{call.message.reference}"
    )
    asked: Callable[[LookUp], Found | NotFound | CannotSay] = lambda _question: NotFound()
    takes_s: float = 0.05
    calls: list[Call] = field(default_factory=list)
    questions: list[tuple[int, LookUp]] = field(default_factory=list)
    kind: str = "paper"
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(Channel.SMS, True, False, False, True, False, True, False)
    )

    async def send(self, message: Outgoing) -> Outcome:
        call = Call(self.clock.now_ms(), message)
        self.calls.append(call)
        outcome = self.answer(call)
        if isinstance(outcome, Awaitable):
            outcome = await outcome
        await self.clock.sleep_until(self.clock.now_ms() + round(self.takes_s * 1000))
        return outcome

    async def look_up(self, question: LookUp) -> Found | NotFound | CannotSay:
        self.questions.append((self.clock.now_ms(), question))
        return self.asked(question)

    async def inbox(self, to: str, since_ms: int) -> Sequence[Inbound] | CannotSay:
        return []

    def parse_callback(self, request: CallbackRequest) -> CallbackBatch | CallbackRefused:
        return CallbackBatch()

    def price(self, message: Outgoing, segments: int) -> Money | None:
        return None

    async def check(self) -> CheckResult:
        return CheckResult(True, "It works.")

    async def close(self) -> None:
        return

    def texts_to(self, number: str) -> list[Call]:
        return [one for one in self.calls if one.to == number]


@dataclass
class Night:
    """What a test has at hand. ``carrier`` and ``house`` only where the night has them."""

    clock: VirtualClock
    ledger: Ledger
    engine: Engine
    paper: Paper | None = None
    carrier: Carrier | None = None
    house: House | None = None

    @property
    def office(self) -> Office:
        return Office(
            self.ledger.database, self.ledger.vault, self.ledger.production, is_dispatching=self._runs
        )

    async def _runs(self) -> bool:
        return self.engine.running

    @property
    def provider(self) -> Paper:
        assert self.paper is not None
        return self.paper

    @property
    def network(self) -> Carrier:
        assert self.carrier is not None
        return self.carrier

    async def sleep(self, seconds: float) -> None:
        await self.clock.sleep_until(self.clock.now_ms() + round(seconds * 1000))

    async def until(self, holds: Callable[[], Awaitable[bool] | bool], seconds: float = 600) -> None:
        """Wait until something holds, looked at every 20 ms. Fails after ``seconds`` (virtual)."""
        last = self.clock.now_ms() + round(seconds * 1000)
        while True:
            answer = holds()
            if (await answer) if isinstance(answer, Awaitable) else answer:
                return
            assert self.clock.now_ms() < last, "it never came to that"
            await self.sleep(0.02)

    async def works(self) -> list[str]:
        return [row.work for row in await self.ledger.ask(select(t.deliveries.c.work))]

    async def settle(self) -> None:
        """Until nothing is on its way any more, at the carrier neither."""
        await self.engine.settled()
        if self.carrier:
            await self.carrier.settle()
        await self.engine.settled()

    async def buckets(self, message_id: int) -> set[Bucket]:
        return set((await self.ledger.buckets(message_id)).values())


async def engine_over(
    ledger: Ledger, provider: Any, *, flush: Callable[[], Awaitable[int]] | None = None, seed: int = 1
) -> Engine:
    """An engine (not started) that sends through this provider. Two on one database need different seeds."""
    stored = await ledger.database.reading(lambda c: accounts.all_accounts(c, ledger.vault))
    engine = Engine(
        ledger.database,
        ledger.vault,
        Gateways([Gateway(stored[0], provider)]),
        lambda: PublicAddress(PUBLIC, stable=True),
        worker=worker_name(seed, Random(seed).randbytes),
        random=Random(seed),
    )
    engine.flush_spool = flush
    return engine


def on_paper(
    home: Path,
    act: Callable[[Night], Awaitable[T]],
    *,
    people: Sequence[Hire] = (),
    rate: int = 30,
    start: bool = True,
    clock: VirtualClock | None = None,
    **paper: Any,
) -> T:
    """Play ``act`` in virtual time with an engine over a provider on paper."""
    time = clock or VirtualClock(START_MS)

    async def run() -> T:
        ledger = await furnish(home, time, rate=rate)
        provider = Paper(time, **paper)
        engine = await engine_over(ledger, provider)
        try:
            await ledger.hire(people)
            if start:
                assert await engine.start("tests") is None
            return await act(Night(time, ledger, engine, paper=provider))
        finally:
            await engine.stop()
            await ledger.database.close()

    return time.run(run())


@asynccontextmanager
async def outside(
    home: Path, clock: Any, *, people: Sequence[Hire] = (), rate: int = 30, script: Script | None = None,
    **options: Any,
) -> AsyncIterator[tuple[Ledger, Carrier]]:  # fmt: skip
    """The rehearsal carrier, and a home that has an account with it. Nothing runs in the home yet."""
    carrier = Carrier(clock, script=script or Script.silent(), rate=float(rate), **options)
    await carrier.start()
    try:
        ledger = await furnish(home, clock, base_url=carrier.base_url, rate=rate)
        await ledger.hire(people)
        await ledger.database.close()
        yield ledger, carrier
    finally:
        await carrier.close()


@asynccontextmanager
async def carried(home: Path, clock: Any, *, watch: bool = False, **options: Any) -> AsyncIterator[Night]:
    """Engine and listener against the rehearsal carrier, over real sockets, through the unchanged adapter."""
    async with (
        outside(home, clock, **options) as (ledger, carrier),
        at_work(ledger, home, clock, carrier, watch=watch) as night,
    ):
        yield night


@asynccontextmanager
async def at_work(
    ledger: Ledger, home: Path, clock: Any, carrier: Carrier, *, watch: bool = False
) -> AsyncIterator[Night]:
    """The program runs on this home, with the carrier outside."""
    house = await composition.open_house(
        Settings(home=home, database_url=address_of(home), public_url=PUBLIC, public_url_stable=True), clock
    )
    try:
        problem = await composition.start(
            house, "tests", public_port=0, private_port=0, random=Random(1), watch=watch
        )
        assert problem is None
        carrier.routes[PUBLIC] = house.servers[0].url
        stored = await house.database.reading(lambda c: accounts.all_accounts(c, house.vault))
        carrier.inbound_url = f"{PUBLIC}/hooks/{stored[0].public_id}"
        assert house.engine is not None
        here = Ledger(house.database, house.vault, ledger.production, ledger.account_id, ledger.sender)
        yield Night(clock, here, house.engine, carrier=carrier, house=house)
    finally:
        await house.close()


def with_carrier(home: Path, act: Callable[[Night], Awaitable[T]], **options: Any) -> T:
    """Play ``act`` in virtual time against the carrier."""
    clock = VirtualClock(START_MS)

    async def run() -> T:
        async with carried(home, clock, **options) as night:
            return await act(night)

    return clock.run(run())


OTHER = "+13105550199"
"""A second number of ours."""


async def another_production(ledger: Ledger, *, sender: str | None) -> Ledger:
    """DAYBREAK, beside the one there is; with a number of its own on the same account, or without."""

    async def work(connection: Any) -> Ledger:
        production = await productions.add(
            connection, public_id="B", name="DAYBREAK", region="US", time_zone=ZONE, now_ms=ledger.now
        )
        if sender:
            await connection.execute(
                t.senders.insert().values(
                    account_id=ledger.account_id,
                    production_id=production.id,
                    address=sender,
                    segments_per_second=30,
                )
            )
        return replace(ledger, production=production)

    return await ledger.do(work)


async def fresh(night: Night) -> Gateways:
    """The gateways as the accounts stand now, all over the provider on paper."""
    stored = await night.ledger.database.reading(lambda c: accounts.all_accounts(c, night.ledger.vault))
    return Gateways([Gateway(stored[0], night.provider)])
