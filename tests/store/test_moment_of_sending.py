"""What holds in the moment of sending, whatever held when a delivery was planned."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.domain.actor import Actor
from app.domain.buckets import Bucket
from app.domain.evidence import Evidence, Work
from app.domain.priorities import Priority, Purpose
from app.domain.unknowns import Resolution, Verdict
from app.services import crew
from app.services.office import Office
from app.store import tables as t
from app.store import unknowns
from app.store.vault import Vault
from providers.contract import Accepted, Fact, InDoubt, NotSent, ProviderError
from tests.house import HandClock, Hire, Ledger, number

KIT = Actor("Kit Marsh")
OFF = ProviderError("30003", "The phone is switched off.", "Try again later.", retryable=True)
DOWN = ProviderError("20503", "Out of service.", "Try again.", retryable=True)
SILENT = ProviderError("no_answer", "No answer in time.", "Look it up.", retryable=True)


async def bring(ledger: Ledger, *rows: str) -> None:
    """Bring the crew list up to date: name, phone, consent to texts."""
    listed = "\n".join(["Name,Department,Phone,SMS consent", *rows])
    office = Office(ledger.database, ledger.vault, ledger.production)
    await crew.import_crew(office, KIT, "crew.csv", listed.encode())


def called(ledger: Ledger, ciphers: list[bytes]) -> list[str]:
    vault: Vault = ledger.vault
    return [vault.decrypt("contact_points.phone", one) for one in ciphers]


async def test_a_text_that_waits_goes_to_the_number_it_was_corrected_to(
    ledger: Ledger, clock: HandClock
) -> None:
    await bring(ledger, f"Ada Lund,Camera,{number(1)},yes")
    message_id, _ = await ledger.compose()
    await ledger.route()
    await ledger.call(NotSent(DOWN))
    await bring(ledger, f"Ada Lund,Camera,{number(2)},yes")
    clock.advance(60)
    assert await ledger.claim() == []  # put back, at the new number
    (claimed,) = await ledger.claim()
    assert called(ledger, [claimed.cipher]) == [number(2)]
    assert (claimed.text, claimed.opt_out_words) == (None, True)
    assert len(await ledger.deliveries_of(message_id)) == 1
    await ledger.check_counters()


async def test_what_is_learned_late_of_the_old_number_is_not_held_against_the_new_one(
    ledger: Ledger, clock: HandClock
) -> None:
    await bring(ledger, f"Ada Lund,Camera,{number(1)},yes")
    await ledger.compose()
    await ledger.route()
    await ledger.call(Accepted("SM1"))
    await ledger.hear(ledger.incoming(Fact.FAILED, provider_id="SM1", error=OFF))
    await bring(ledger, f"Ada Lund,Camera,{number(2)},yes")
    clock.advance(300)
    assert await ledger.claim() == []
    (claimed,) = await ledger.mark(await ledger.claim())
    unknown = ProviderError("30005", "The carrier does not know this number.", "Ask.", bad_address=True)
    await ledger.hear(ledger.incoming(Fact.FAILED, provider_id="SM1", error=unknown))
    point = await ledger.one(
        select(t.contact_points.c.problem).where(t.contact_points.c.id == claimed.contact_point_id)
    )
    assert point.problem is None


async def test_whoever_shares_the_old_number_is_still_texted_there(ledger: Ledger, clock: HandClock) -> None:
    await bring(ledger, f"Ada Lund,Camera,{number(1)},yes", f"Jon Lund,Grip,{number(1)},yes")
    message_id, _ = await ledger.compose()
    await ledger.route()
    await bring(ledger, f"Ada Lund,Camera,{number(2)},yes", f"Jon Lund,Grip,{number(1)},yes")
    ciphers = [one.cipher for _ in range(3) for one in await ledger.claim()]
    assert sorted(called(ledger, ciphers)) == [number(1), number(2)]
    assert await ledger.buckets(message_id) == {"Ada Lund": Bucket.ON_THE_WAY, "Jon Lund": Bucket.ON_THE_WAY}
    await ledger.check_counters()


async def test_a_number_that_was_taken_out_of_the_list_is_not_texted(ledger: Ledger) -> None:
    await bring(ledger, f"Ada Lund,Camera,{number(1)},yes")
    message_id, _ = await ledger.compose()
    await ledger.route()
    await bring(ledger, "Ada Lund,Camera,,")
    assert await ledger.claim() == []
    (delivery,) = await ledger.deliveries_of(message_id)
    assert delivery.work == Work.CANCELLED
    assert delivery.why == "The phone number was taken out of the crew list before it went out."
    assert await ledger.buckets(message_id) == {"Ada Lund": Bucket.SUPPRESSED}
    await ledger.check_counters()


async def test_a_consent_that_was_taken_back_holds_for_what_waits(ledger: Ledger) -> None:
    await bring(ledger, f"Ada Lund,Camera,{number(1)},yes", f"Jon Bell,Grip,{number(2)},yes")
    message_id, _ = await ledger.compose(Priority.IMPORTANT, purpose=Purpose.OPERATIONAL)
    await ledger.route()
    await bring(ledger, f"Ada Lund,Camera,{number(1)},no", f"Jon Bell,Grip,{number(2)},yes")
    (claimed,) = await ledger.claim()
    assert called(ledger, [claimed.cipher]) == [number(2)]
    assert await ledger.buckets(message_id) == {"Ada Lund": Bucket.SUPPRESSED, "Jon Bell": Bucket.ON_THE_WAY}


async def reminded(ledger: Ledger, clock: HandClock, first: object) -> tuple[int, int, int]:
    """A message whose first text came to this, and a reminder that was accepted. Returns message and deliveries."""
    await ledger.hire([Hire("Ada Lund", number(1))])
    message_id, _ = await ledger.compose()
    await ledger.route()
    (one,) = await ledger.call(first)  # type: ignore[arg-type]
    clock.advance(60)
    await ledger.remind(message_id)
    await ledger.route()
    (two,) = await ledger.call(Accepted("SM2"))
    return message_id, one.id, two.id


@pytest.mark.parametrize("read", [False, True], ids=["accepted", "read"])
async def test_a_late_failure_of_the_first_text_is_not_tried_again_after_the_reminder(
    ledger: Ledger, clock: HandClock, read: bool
) -> None:
    message_id, first, second = await reminded(ledger, clock, Accepted("SM1"))
    if read:
        await ledger.hear(ledger.incoming(Fact.READ, reference=ledger.references[(second, 1)]))
    await ledger.hear(ledger.incoming(Fact.FAILED, provider_id="SM1", error=OFF))
    assert (await ledger.delivery(first)).work == Work.QUEUED
    clock.advance(300)
    assert await ledger.claim() == []
    stopped = await ledger.delivery(first)
    assert (stopped.work, stopped.evidence) == (Work.CANCELLED, Evidence.FAILED)
    stands = (await ledger.buckets(message_id))["Ada Lund"]
    assert stands is (Bucket.READ if read else Bucket.ON_THE_WAY)
    await ledger.check_counters()


async def test_a_retry_is_not_made_for_somebody_who_read_it_another_way(
    ledger: Ledger, clock: HandClock
) -> None:
    await ledger.hire([Hire("Ada Lund", number(1))])
    message_id, _ = await ledger.compose()
    await ledger.route()
    await ledger.call(Accepted("SM1"))
    await ledger.hear(ledger.incoming(Fact.FAILED, provider_id="SM1", error=OFF))
    person = await ledger.recipient(message_id, "Ada Lund")
    await ledger.do(
        lambda c: c.execute(
            t.recipients.update().where(t.recipients.c.id == person.id).values(bucket=Bucket.READ.value)
        )
    )
    clock.advance(300)
    assert await ledger.claim() == []


async def test_an_unknown_urgent_text_does_not_go_again_beside_the_reminder(
    ledger: Ledger, clock: HandClock
) -> None:
    _, first, _ = await reminded(ledger, clock, InDoubt(SILENT))
    (unknown,) = await ledger.database.reading(lambda c: unknowns.due(c, ledger.now + 60_000))
    again = Resolution(Verdict.SEND_AGAIN)
    await ledger.do(lambda c: unknowns.settle(c, unknown, again, None, ledger.now))
    assert await ledger.claim() == []
    attempts = await ledger.ask(select(t.attempts.c.number).where(t.attempts.c.delivery_id == first))
    assert [one.number for one in attempts] == [1]


async def test_opt_out_words_stay_due_until_a_text_was_really_handed_over(
    ledger: Ledger, clock: HandClock
) -> None:
    await ledger.hire([Hire("Ada Lund", number(1))])
    await ledger.compose()
    await ledger.route()
    clock.advance(3 * 3600)  # it became too old before it was sent
    assert await ledger.claim() == []
    await ledger.compose()
    await ledger.route()
    (claimed,) = await ledger.call(Accepted("SM1"))
    assert claimed.opt_out_words
    await ledger.compose()
    await ledger.route()
    assert [one.opt_out_words for one in await ledger.claim()] == [False]
