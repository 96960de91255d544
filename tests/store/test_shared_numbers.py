"""Two people on one number: one text, shared evidence, and nobody is forgotten when the other needs it no more."""

from __future__ import annotations

from sqlalchemy import select

from app.domain import ids
from app.domain.buckets import Bucket
from app.domain.evidence import Work
from app.domain.priorities import Priority, Purpose
from app.services import hearing
from app.store import answers
from app.store import tables as t
from app.store.answers import Opened
from providers.contract import Accepted, Channel, Fact, Inbound, NotSent, ProviderError
from tests.house import SENDER, HandClock, Hire, Ledger, number

LATER = ProviderError("20503", "Out of service.", "Try again.", retryable=True)
HOUSEHOLD = [Hire("Ada Lund", number(1)), Hire("Jon Lund", number(1)), Hire("Kim Lund", number(1))]


async def routed(ledger: Ledger, people: int = 2) -> int:
    await ledger.hire(HOUSEHOLD[:people])
    message_id, _ = await ledger.compose()
    await ledger.route()
    return message_id


async def page(ledger: Ledger, delivery_id: int) -> Opened | None:
    """What the link of this delivery leads to."""
    token = ids.link_token(ledger.vault.link_key, delivery_id)
    return await ledger.database.reading(lambda c: answers.by_token(c, token))


async def confirm(ledger: Ledger, message_id: int, name: str) -> None:
    """This person answers for themselves, and the counters are right."""
    await ledger.answer(message_id, name)
    await ledger.check_counters()


async def test_one_text_goes_out_and_both_share_what_is_known(ledger: Ledger) -> None:
    message_id = await routed(ledger)
    (claimed,) = await ledger.call(Accepted("SM1"))
    first, second = await ledger.deliveries_of(message_id)
    assert (first.id, first.carried_by, second.carried_by) == (claimed.id, None, claimed.id)
    assert await ledger.buckets(message_id) == dict.fromkeys(("Ada Lund", "Jon Lund"), Bucket.ON_THE_WAY)
    await ledger.hear(ledger.incoming(Fact.DELIVERED, provider_id="SM1"))
    assert await ledger.buckets(message_id) == dict.fromkeys(("Ada Lund", "Jon Lund"), Bucket.DELIVERED)
    await ledger.check_counters()
    assert await ledger.claim() == []


async def test_the_page_knows_both_and_an_answer_is_only_its_givers(ledger: Ledger) -> None:
    message_id = await routed(ledger)
    (claimed,) = await ledger.call(Accepted("SM1"))
    opened = await page(ledger, claimed.id)
    assert opened is not None
    assert [one.name for one in opened.sharers] == ["Ada Lund", "Jon Lund"]
    jon = opened.sharers[1]
    await ledger.do(lambda c: hearing.page_answered(c, ledger.vault, opened, jon, 1, ledger.now))
    assert await ledger.buckets(message_id) == {"Ada Lund": Bucket.ON_THE_WAY, "Jon Lund": Bucket.CONFIRMED}
    await ledger.check_counters()


async def test_a_digit_by_text_answers_for_nobody(ledger: Ledger) -> None:
    message_id = await routed(ledger)
    await ledger.call(Accepted("SM1"))
    reply = Inbound(Channel.SMS, "SM2", number(1), SENDER, "1", "SM2:received")
    await ledger.do(lambda c: hearing.take_inbound(c, ledger.vault, ledger.account_id, reply, ledger.now))
    assert await ledger.buckets(message_id) == dict.fromkeys(("Ada Lund", "Jon Lund"), Bucket.ON_THE_WAY)
    assert (await ledger.one(select(t.inbound.c.flag))).flag == hearing.FLAG_SHARED


async def test_when_the_carriers_owner_confirms_the_other_still_gets_it(ledger: Ledger) -> None:
    message_id = await routed(ledger, people=3)
    await confirm(ledger, message_id, "Ada Lund")
    first, second, third = await ledger.deliveries_of(message_id)
    assert (first.work, second.work, third.work) == (Work.CANCELLED, Work.QUEUED, Work.QUEUED)
    assert (second.carried_by, third.carried_by) == (None, second.id)
    (claimed,) = await ledger.call(Accepted("SM1"))
    assert claimed.id == second.id
    assert await ledger.buckets(message_id) == {
        "Ada Lund": Bucket.CONFIRMED, "Jon Lund": Bucket.ON_THE_WAY, "Kim Lund": Bucket.ON_THE_WAY,
    }  # fmt: skip
    await ledger.check_counters()


async def test_the_link_of_a_text_that_was_handed_on_leads_to_its_message(ledger: Ledger) -> None:
    message_id = await routed(ledger)
    await confirm(ledger, message_id, "Ada Lund")
    (claimed,) = await ledger.call(Accepted("SM1"))
    opened = await page(ledger, claimed.id)
    assert opened is not None
    assert "Jon Lund" in [one.name for one in opened.sharers]
    assert opened.message.id == message_id


async def test_nothing_is_handed_on_to_somebody_who_has_answered_before(ledger: Ledger) -> None:
    message_id = await routed(ledger)
    await confirm(ledger, message_id, "Jon Lund")
    await confirm(ledger, message_id, "Ada Lund")
    assert await ledger.claim() == []
    assert set((await ledger.buckets(message_id)).values()) == {Bucket.CONFIRMED}


async def test_it_is_handed_on_past_somebody_who_has_answered_before(ledger: Ledger) -> None:
    message_id = await routed(ledger, people=3)
    await confirm(ledger, message_id, "Jon Lund")
    await confirm(ledger, message_id, "Ada Lund")
    (claimed,) = await ledger.call(Accepted("SM1"))
    kim = await ledger.recipient(message_id, "Kim Lund")
    assert (await ledger.delivery(claimed.id)).recipient_id == kim.id
    await ledger.check_counters()


async def test_who_is_carried_and_confirms_leaves_the_text_to_the_other(ledger: Ledger) -> None:
    message_id = await routed(ledger)
    await confirm(ledger, message_id, "Jon Lund")
    (claimed,) = await ledger.claim()
    assert claimed.id == (await ledger.deliveries_of(message_id))[0].id


async def test_a_retry_is_handed_on_too(ledger: Ledger, clock: HandClock) -> None:
    """Ada confirms while the call is open; the provider refuses it for now; Jon still needs it."""
    message_id = await routed(ledger)
    (claimed,) = await ledger.mark(await ledger.claim())
    await confirm(ledger, message_id, "Ada Lund")
    await ledger.finish(claimed, NotSent(LATER))
    clock.advance(60)
    assert await ledger.claim() == []  # this claim finds out that Ada needs it no more
    (again,) = await ledger.call(Accepted("SM1"))
    assert (await ledger.delivery(again.id)).recipient_id == (
        await ledger.recipient(message_id, "Jon Lund")
    ).id
    assert await ledger.buckets(message_id) == {"Ada Lund": Bucket.CONFIRMED, "Jon Lund": Bucket.ON_THE_WAY}
    await ledger.check_counters()


async def test_stop_from_a_shared_number_ends_it_for_both(ledger: Ledger) -> None:
    message_id = await routed(ledger)
    stop = Inbound(Channel.SMS, "SM2", number(1), SENDER, "STOP", "SM2:received")
    await ledger.do(lambda c: hearing.take_inbound(c, ledger.vault, ledger.account_id, stop, ledger.now))
    assert await ledger.claim() == []
    assert set((await ledger.buckets(message_id)).values()) == {Bucket.SUPPRESSED}
    await ledger.check_counters()


async def test_nobody_waits_for_the_quiet_hours_of_the_other(ledger: Ledger) -> None:
    await ledger.hire([Hire("Ada Lund", number(1), quiet=(22 * 60, 6 * 60)), Hire("Jon Lund", number(1))])
    message_id, _ = await ledger.compose(Priority.INFO, purpose=Purpose.OPERATIONAL)
    await ledger.route()
    (claimed,) = await ledger.claim()
    jon = await ledger.recipient(message_id, "Jon Lund")
    assert (await ledger.delivery(claimed.id)).recipient_id == jon.id
