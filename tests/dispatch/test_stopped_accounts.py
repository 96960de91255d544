"""An account that is itself at fault: one message a minute tries it, everything else is kept, one incident says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.dispatch.gateways import Gateway, Gateways
from app.domain.buckets import Bucket
from app.domain.evidence import Work
from app.domain.priorities import Priority
from app.services import watching
from app.store import accounts, incidents
from app.store import tables as t
from app.store.incidents import Incident
from providers.contract import Accepted, Channel, Outcome, ProviderError, Rejected
from tests.dispatch.night import OTHER, Call, Night, Paper, another_production, fresh, on_paper
from tests.house import START_MS, Hire, crew_of, number, rehearsal_account

REFUSED = ProviderError(
    "20003", "The credentials are refused.", "Enter them again (callboard provider set NAME).", config=True
)
HOUR_MS = 3_600_000


def refusing_until(moment_ms: int) -> Any:
    def answer(call: Call) -> Outcome:
        return Rejected(REFUSED) if call.at_ms < moment_ms else Accepted(f"SM{call.message.reference}")

    return answer


async def standing(night: Night) -> list[Incident]:
    return await night.ledger.database.reading(incidents.standing)


def test_everybody_is_kept_and_gets_it_once_the_account_works_again(home: Path) -> None:
    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose()
        await night.sleep(600)
        refused = [one for one in night.provider.calls if one.at_ms < START_MS + 600_000]
        in_flight, tries = 30, 10
        assert len(refused) <= in_flight + tries
        (incident,) = await standing(night)
        assert incident.sentence == "Nothing goes out through twilio: The credentials are refused."
        assert incident.next.startswith("Enter them again (callboard provider set twilio).")
        people = await watching.people(night.office, await code_of(night, message_id), "non_reader")
        assert {one.why for one in people} == {f"It waits. {incident.sentence}"}
        assert {one.next for one in people} == {incident.next}
        assert await night.buckets(message_id) == {Bucket.ON_THE_WAY}
        await night.sleep(90)
        await night.engine.settled()
        assert await standing(night) == []
        taken = [one.to for one in night.provider.calls if one.at_ms >= START_MS + 600_000]
        assert sorted(taken) == sorted(number(one) for one in range(60))
        await night.ledger.check_counters()

    on_paper(home, act, people=crew_of(60), answer=refusing_until(START_MS + 600_000))


def test_waiting_for_all_to_leave_ends_where_nothing_can(home: Path) -> None:
    async def act(night: Night) -> None:
        await night.ledger.compose()
        await night.engine.settled()
        assert night.clock.now_ms() < START_MS + 60_000
        assert Work.QUEUED in {Work(one) for one in await night.works()}

    on_paper(home, act, people=crew_of(3), answer=refusing_until(START_MS + 99 * HOUR_MS))


def test_what_became_too_old_meanwhile_is_not_sent(home: Path) -> None:
    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose()
        await night.sleep(20)
        night.clock._now_ms += 2 * HOUR_MS  # the machine sleeps
        await night.sleep(30)
        assert {Work(one) for one in await night.works()} == {Work.EXPIRED}
        assert await night.buckets(message_id) == {Bucket.SUPPRESSED}
        await night.ledger.check_counters()

    on_paper(home, act, people=crew_of(3), answer=refusing_until(START_MS + 99 * HOUR_MS))


def test_a_fault_of_one_number_stops_nobody_else(home: Path) -> None:
    wrong = ProviderError("21211", "This is not a phone number.", "Ask.", bad_address=True, config=True)

    async def act(night: Night) -> None:
        await night.ledger.compose()
        await night.engine.settled()
        assert len(night.provider.calls) == 3
        assert await standing(night) == []

    on_paper(
        home,
        act,
        people=crew_of(3),
        answer=lambda call: Rejected(wrong) if call.to == number(0) else Accepted(call.message.reference),
    )


def test_the_next_account_in_order_takes_over(home: Path) -> None:
    async def act(night: Night) -> None:
        ledger = night.ledger
        await ledger.do(
            lambda c: accounts.add(
                c,
                ledger.vault,
                replace(rehearsal_account("http://127.0.0.1:9"), name="backup"),
                public_id="B",
                channel=Channel.SMS,
                senders=[(OTHER, 30)],
                production_id=ledger.production.id,
                now_ms=ledger.now,
            )
        )
        first, second = await ledger.database.reading(lambda c: accounts.all_accounts(c, ledger.vault))
        spare = Paper(night.clock)
        night.engine.gateways.replace(Gateways([Gateway(first, night.provider), Gateway(second, spare)]))
        assert await night.engine.start("tests") is None
        await ledger.compose()
        await night.sleep(30)
        await night.engine.settled()
        assert sorted(one.to for one in spare.calls) == sorted(number(one) for one in range(40))
        assert {one.message.sender for one in spare.calls} == {OTHER}
        (incident,) = await standing(night)
        assert incident.sentence.startswith("Nothing goes out through twilio")

    on_paper(
        home,
        act,
        people=crew_of(40),
        answer=refusing_until(START_MS + 99 * HOUR_MS),
        start=False,
    )


async def code_of(night: Night, message_id: int) -> str:
    row = await night.ledger.one(select(t.messages.c.code).where(t.messages.c.id == message_id))
    return str(row.code)


# ---------------------------------------------------------------------------- two productions, their own numbers


def test_each_production_sends_from_its_own_numbers(home: Path) -> None:
    async def act(night: Night) -> None:
        other = await another_production(night.ledger, sender=OTHER)
        await other.hire([Hire("Kim Roe", number(7)), Hire("Lou Orr", number(8))])
        night.engine.gateways.replace(await fresh(night))
        assert await night.engine.start("tests") is None
        await night.ledger.compose()
        await other.compose(Priority.ROUTINE)
        await night.engine.settled()
        senders = {(one.to, one.message.sender) for one in night.provider.calls}
        ours = {(number(one), night.ledger.sender.address) for one in range(2)}
        assert senders == ours | {(number(7), OTHER), (number(8), OTHER)}

    on_paper(home, act, people=crew_of(2), start=False)


def test_a_production_without_a_number_of_its_own_borrows_none(home: Path) -> None:
    async def act(night: Night) -> None:
        other = await another_production(night.ledger, sender=None)
        await other.hire([Hire("Kim Roe", number(7))])
        message_id, _ = await other.compose()
        await night.engine.settled()
        assert night.provider.calls == []
        row = await other.recipient(message_id, "Kim Roe")
        assert (row.bucket, row.why) == (
            Bucket.SUPPRESSED,
            "No provider sends on the channels of this message.",
        )

    on_paper(home, act)
