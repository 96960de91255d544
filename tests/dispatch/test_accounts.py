"""A running engine takes over which accounts send, and in what order."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from app import composition
from app.domain.buckets import Bucket
from app.domain.priorities import Priority
from app.rehearsal import log
from app.rehearsal.carrier import ACCOUNT_SID, AUTH_TOKEN
from app.services import provider_setup, providers
from tests.dispatch.night import KIT, Night, with_carrier
from tests.house import SENDER, crew_of, number

KINDS = composition.factories()
SECOND = "+13105550101"


def taken(night: Night) -> Counter[str]:
    return Counter(one.to for one in night.network.log() if one.has(log.ACCEPTED))


def test_what_is_queued_waits_while_the_account_is_disabled_and_goes_out_once_afterwards(home: Path) -> None:
    async def act(night: Night) -> None:
        message_id, _ = await night.ledger.compose(priority=Priority.IMPORTANT)
        await night.until(lambda: len(taken(night)) >= 3)
        await providers.disable(night.office, KIT, KINDS, "twilio")
        await night.sleep(5)
        went = taken(night)
        assert len(went) < 20
        await night.sleep(60)
        assert taken(night) == went
        assert Bucket.ON_THE_WAY in await night.buckets(message_id)
        await providers.enable(night.office, KIT, KINDS, "twilio")
        await night.settle()
        assert taken(night) == {number(one): 1 for one in range(40)}
        assert await night.buckets(message_id) == {Bucket.DELIVERED}
        await night.ledger.check_counters()

    with_carrier(home, act, people=crew_of(40), rate=1)


def test_the_account_that_comes_first_sends_from_the_next_message_on(home: Path) -> None:
    async def act(night: Night) -> None:
        await provider_setup.add(
            night.office,
            KIT,
            KINDS["twilio"],
            name="backup",
            settings={"base_url": night.network.base_url, "account_sid": ACCOUNT_SID},
            secrets={"auth_token": AUTH_TOKEN},
            senders=[SECOND],
        )
        await night.ledger.compose()
        await night.settle()
        await providers.order(night.office, KIT, KINDS, ["backup"])
        await night.ledger.compose()
        await night.settle()
        assert [one.sender for one in night.network.log()] == [SENDER, SECOND]

    with_carrier(home, act, people=crew_of(1))
