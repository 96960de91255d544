"""An evening at random: whatever happens in whatever order, the counters equal a recount after every step."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

import pytest
from sqlalchemy import select

from app.domain import ids
from app.domain.evidence import AttemptEvidence, Evidence, Work, of_delivery
from app.domain.messages import MessageStatus
from app.domain.priorities import Priority, Purpose
from app.domain.replies import STANDARD_OPTIONS
from app.domain.unknowns import resolve
from app.services import hearing
from app.store import answers, holding, messages, receipts, steps, sweeps, unknowns
from app.store import tables as t
from app.store.claims import Claimed
from app.store.learned import TO_BE_ASKED_ABOUT
from providers.contract import (
    Accepted,
    CannotSay,
    Channel,
    Fact,
    Found,
    Inbound,
    InDoubt,
    NotFound,
    NotSent,
    Outcome,
    ProviderError,
    Rejected,
)
from tests.house import SENDER, HandClock, Hire, Ledger, number

STEPS = 90

LATER = ProviderError("20503", "Out of service.", "Try again.", retryable=True)
THROTTLED = ProviderError("20429", "Too fast.", throttled=True, retry_after_s=5)
NO_SUCH = ProviderError("21211", "No number.", "Ask for it.", bad_address=True)
STOPPED = ProviderError("21610", "Opted out.", "Another way.", opted_out=True)
NO_SIGNAL = ProviderError("30003", "Switched off.", "Later.", retryable=True)
SILENT = ProviderError("no_answer", "No answer.", "Look it up.")

CREW = [
    *(Hire(f"Person {one}", number(one), ("Camera", "Grip", "Sound")[one % 3]) for one in range(9)),
    Hire("Ada Lund", number(50), "Camera"),
    Hire("Jon Lund", number(50), "Grip"),
    Hire("Kim Lund", number(50), "Grip"),
    Hire("Landline", number(60), line_type="landline"),
    Hire("Unwilling", number(61), consent="no"),
    Hire("Asleep", number(62), quiet=(22 * 60, 6 * 60)),
    Hire("Stopped", number(63), consent="opted_out"),
    Hire("No number", None),
]


@dataclass
class Walk:
    """One random evening, and what must hold all through it."""

    ledger: Ledger
    clock: HandClock
    random: Random
    claimed: list[Claimed] = field(default_factory=list)
    called: list[Claimed] = field(default_factory=list)
    facts: int = 0
    ranks: dict[int, int] = field(default_factory=dict)
    over: set[int] = field(default_factory=set)
    """Deliveries known to have arrived: never claimed again."""

    async def step(self) -> str:
        name, act = self.random.choice(self.acts())
        await act()
        await self.check()
        return name

    def acts(self) -> list[tuple[str, Callable[[], Awaitable[object]]]]:
        ledger = self.ledger
        once: list[tuple[str, Callable[[], Awaitable[object]]]] = [
            ("a message", self.message),
            ("a reminder", self.remind),
            ("undo", self.undo),
            ("expire", lambda: ledger.do(lambda c: sweeps.expire(c, now_ms=ledger.now))),
            ("the last process is gone", self.restart),
            ("give up", lambda: ledger.do(lambda c: sweeps.give_up(c, ledger.now))),
            ("wake", lambda: ledger.do(lambda c: holding.wake(c, ledger.now))),
            ("parked", lambda: ledger.do(lambda c: receipts.retry_parked(c, ledger.now))),
            ("half a minute", lambda: self.wait(35)),
            ("half an hour", lambda: self.wait(1800)),
            ("pause or cancel", self.change_status),
            ("stop or start", self.stop_or_start),
        ]
        often: list[tuple[str, Callable[[], Awaitable[object]]]] = [
            ("route", ledger.route),
            ("claim", self.claim),
            ("mark", self.mark),
            ("finish", self.finish),
            ("receipt", self.receipt),
            ("receipt by id", self.receipt_by_id),
            ("answer", self.answer),
            ("page", self.page),
            ("look up", self.look_up),
        ]
        return once + often * 4

    # ------------------------------------------------------------------------------------- what can happen

    async def message(self) -> None:
        await self.ledger.compose(
            self.random.choice((Priority.URGENT, Priority.IMPORTANT, Priority.INFO)),
            purpose=self.random.choice((Purpose.SAFETY, Purpose.OPERATIONAL)),
            audience=self.random.choice((["all"], ["dept:Grip"], ["all", "-dept:Sound"])),
            wait_ms=self.random.choice((0, 0, 5_000)),
        )

    async def _some_message(self) -> int:
        return int(self.random.choice(await self.ledger.ask(select(t.messages.c.id))).id)

    async def remind(self) -> None:
        await self.ledger.remind(await self._some_message())

    async def undo(self) -> None:
        message_id = await self._some_message()
        step = await self.ledger.do(lambda c: steps.latest(c, message_id))
        if step:
            await self.ledger.do(lambda c: steps.undo(c, step.id, self.ledger.now))

    async def change_status(self) -> None:
        message_id = await self._some_message()
        status = self.random.choice((MessageStatus.PAUSED, MessageStatus.SENDING, MessageStatus.SENDING))
        await self.ledger.do(lambda c: messages.set_status(c, message_id, status))

    async def restart(self) -> None:
        self.claimed.clear()
        self.called.clear()
        self.ledger.worker = f"w{self.random.randrange(10**6)}"
        await self.ledger.do(lambda c: sweeps.expire(c, now_ms=self.ledger.now, worker=self.ledger.worker))

    async def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    async def claim(self) -> None:
        found = await self.ledger.claim(self.random.randrange(1, 6))
        assert not {one.id for one in found} & self.over
        for one in found:
            await self._may_be_sent(one)
        again = {one.id for one in found}
        self.claimed = [one for one in self.claimed if one.id not in again] + found

    async def _may_be_sent(self, claimed: Claimed) -> None:
        row = await self.ledger.one(
            select(t.recipients.c.answer, t.contact_points.c.lookup, t.contact_points.c.problem)
            .join(t.deliveries, t.deliveries.c.recipient_id == t.recipients.c.id)
            .join(t.contact_points, t.contact_points.c.id == t.deliveries.c.contact_point_id)
            .where(t.deliveries.c.id == claimed.id)
        )
        assert row.answer is None
        assert row.problem is None
        s = t.suppressions.c
        assert not await self.ledger.ask(select(s.id).where(s.lookup == row.lookup, s.lifted_at.is_(None)))

    async def mark(self) -> None:
        self.called += await self.ledger.mark(self.claimed)
        self.claimed.clear()

    async def finish(self) -> None:
        if self.called:
            one = self.called.pop(self.random.randrange(len(self.called)))
            await self.ledger.finish(one, self._outcome(one), self.random.random())

    def _outcome(self, one: Claimed) -> Outcome:
        return self.random.choice(
            (
                Accepted(f"SM{one.id}-{one.attempt}", 2),
                Accepted(f"SM{one.id}-{one.attempt}"),
                NotSent(THROTTLED),
                NotSent(LATER),
                Rejected(NO_SUCH),
                Rejected(STOPPED),
                Rejected(LATER),
                InDoubt(SILENT),
            )
        )

    def _fact(self) -> tuple[Fact, ProviderError | None]:
        fact = self.random.choice(list(Fact))
        error = {
            Fact.FAILED: self.random.choice((NO_SIGNAL, NO_SUCH, None)),
            Fact.OPTED_OUT: STOPPED,
            Fact.BOUNCED: NO_SUCH,
        }.get(fact)
        return fact, error

    async def receipt(self) -> None:
        if self.ledger.references:
            reference = self.random.choice(list(self.ledger.references.values()))
            fact, error = self._fact()
            key = f"{reference}:{fact}"  # so that some are told more than once
            await self.ledger.hear(self.ledger.incoming(fact, reference=reference, error=error, key=key))

    async def receipt_by_id(self) -> None:
        """Also for ids that the provider will only give later."""
        delivery = self.random.randrange(1, 60)
        fact, error = self._fact()
        provider_id = f"SM{delivery}-{self.random.choice((1, 1, 2))}"
        key = f"{provider_id}:{fact}"
        await self.ledger.hear(self.ledger.incoming(fact, provider_id=provider_id, error=error, key=key))

    async def answer(self) -> None:
        rows = await self.ledger.ask(
            select(t.recipients.c.id, t.message_versions.c.id.label("version")).join(
                t.message_versions, t.message_versions.c.message_id == t.recipients.c.message_id
            )
        )
        row = self.random.choice(rows)
        await self.ledger.do(
            lambda c: answers.record(
                c,
                recipient_id=row.id,
                version_id=row.version,
                option=self.random.choice(STANDARD_OPTIONS),
                channel=Channel.SMS,
                now_ms=self.ledger.now,
            )
        )

    async def page(self) -> None:
        """Somebody opens the link of a text that was really called, touches it, and perhaps answers."""
        if not self.ledger.references:
            return
        delivery_id, _ = self.random.choice(list(self.ledger.references))
        token = ids.link_token(self.ledger.vault.link_key, delivery_id)
        opened = await self.ledger.database.reading(lambda c: answers.by_token(c, token))
        assert opened is not None
        vault, now = self.ledger.vault, self.ledger.now
        await self.ledger.do(lambda c: hearing.page_opened(c, vault, opened, now))
        if self.random.random() < 0.6:
            await self.ledger.do(lambda c: hearing.page_touched(c, vault, opened, now))
        if self.random.random() < 0.3:
            person = self.random.choice(opened.sharers)
            option = self.random.choice((None, 1, 2))
            await self.ledger.do(lambda c: hearing.page_answered(c, vault, opened, person, option, now))

    async def stop_or_start(self) -> None:
        """A keyword, or a digit, from one of the numbers."""
        index = self.random.choice((*range(9), 50))
        word = self.random.choice(("STOP", "START", "START", "1", "2", "what?"))
        key = f"in{self.random.randrange(10**9)}"
        inbound = Inbound(Channel.SMS, key, number(index), SENDER, word, key)
        await self.ledger.do(
            lambda c: hearing.take_inbound(
                c, self.ledger.vault, self.ledger.account_id, inbound, self.ledger.now
            )
        )

    async def look_up(self) -> None:
        now = self.ledger.now
        for one in await self.ledger.database.reading(lambda c: unknowns.due(c, now)):
            asked = self.random.choice(
                (
                    Found(f"SM{one.delivery_id}-{one.number}", self.random.choice(list(Fact))),
                    NotFound(),
                    CannotSay("Not now.", retryable=True),
                    CannotSay("Never."),
                )
            )
            resolution = resolve(
                asked,
                priority=one.priority,
                person_has_evidence=one.person_has_evidence,
                looks=one.looks + 1,
                now_ms=now,
            )
            found = asked if isinstance(asked, Found) else None
            await self.ledger.do(
                lambda c, one=one, resolution=resolution, found=found: unknowns.settle(
                    c, one, resolution, found, now
                )
            )

    # --------------------------------------------------------------------------------------- what must hold

    async def check(self) -> None:
        await self.ledger.check_counters()
        attempts: dict[int, list[AttemptEvidence]] = {}
        for row in await self.ledger.ask(select(t.attempts)):
            known = Evidence(row.evidence)
            assert known.rank >= self.ranks.get(row.id, 0)  # of one attempt it never falls
            self.ranks[row.id] = known.rank
            assert row.look_at is None or known in TO_BE_ASKED_ABOUT
            attempts.setdefault(row.delivery_id, []).append(AttemptEvidence(row.number, known))
        for row in await self.ledger.ask(select(t.deliveries)):
            known = Evidence(row.evidence)
            assert known is of_delivery(attempts.get(row.id, []))
            assert row.evidence_rank == known.rank
            if row.carried_by is not None:
                assert row.id not in attempts
                continue
            if known.rank >= Evidence.DELIVERED.rank:
                self.over.add(row.id)
                assert row.work != Work.QUEUED
            if row.work in (Work.CLAIMED, Work.SENDING):
                assert row.worker is not None
                assert row.lease_until is not None


@pytest.mark.parametrize("seed", range(16))
async def test_the_counters_equal_a_recount_after_every_step_of_an_evening(
    ledger: Ledger, clock: HandClock, seed: int
) -> None:
    await ledger.hire(CREW)
    walk = Walk(ledger, clock, Random(seed))
    await walk.message()
    await ledger.route()
    happened = [await walk.step() for _ in range(STEPS)]
    assert len(set(happened)) > 12
