"""The mail server of the rehearsal, as the unchanged adapter meets it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from app.clock import VirtualClock
from app.domain.mails import mail
from app.domain.priorities import Priority
from app.domain.replies import STANDARD_OPTIONS
from app.domain.texts import Wording
from app.rehearsal import log
from app.rehearsal.carrier import Carrier
from app.rehearsal.log import LoggedMessage
from app.rehearsal.people import MailFate, Script, fate_of_mailbox, mail_act
from app.rehearsal.sample_crew import BOUNCES, MAILBOX
from providers.contract import Accepted, Account, Channel, NotSent, Outcome, Outgoing, Provider, Rejected
from providers.smtp import SMTP
from tests.rehearsal.town import PUBLIC, START_MS

SCRIPT = Script.for_seconds(60)
LINK = f"{PUBLIC}/m/0123456789abcdef"
MOVED = mail(
    Wording("NIGHTFALL S2", Priority.URGENT, "Unit moves", "Gate C.\n.\n", STANDARD_OPTIONS), link=LINK
)

Play = Callable[[Provider, Carrier], Awaitable[None]]


def play(act: Play, script: Script = SCRIPT) -> Carrier:
    """Run ``act`` with an adapter and the carrier whose mail server it talks to."""
    clock = VirtualClock(START_MS)
    carrier = Carrier(clock, script=script)

    async def run() -> None:
        await carrier.start()
        account = Account("mail", "smtp", carrier.mail_url, {"bounce_domain": BOUNCES})
        adapter = SMTP.build(account, clock)
        try:
            await act(adapter, carrier)
        finally:
            await adapter.close()
            await carrier.close()

    clock.run(run())
    return carrier


def to(address: str, number: int = 1) -> Outgoing:
    return Outgoing(Channel.EMAIL, address, MAILBOX, MOVED, f"{number:016d}")


def mailbox(fate: Callable[[MailFate], object]) -> str:
    """A mailbox that the script gives such a fate."""
    return next(
        address
        for address in (f"{number}@example.com" for number in range(10_000))
        if fate(fate_of_mailbox(7, address, SCRIPT))
    )


def test_a_mail_is_taken_named_and_logged_with_the_attempt_it_belongs_to() -> None:
    outcomes: list[Outcome] = []

    async def act(adapter: Provider, _carrier: Carrier) -> None:
        outcomes.append(await adapter.send(to("ada@example.com")))

    (logged,) = play(act, Script.silent()).log()
    assert outcomes == [Accepted(logged.id)]
    assert (logged.provider, logged.to, logged.reference) == ("smtp", "ada@example.com", f"{1:016d}")
    assert logged.text.replace("\r\n", "\n") == MOVED.text
    assert [one.what for one in logged.truth] == [log.ACCEPTED]


def test_a_mailbox_there_is_not_is_refused_each_time() -> None:
    address = mailbox(lambda fate: (fate.refused or "").startswith("550"))

    async def act(adapter: Provider, _carrier: Carrier) -> None:
        for _ in range(2):
            outcome = await adapter.send(to(address))
            assert isinstance(outcome, Rejected)
            assert outcome.error.bad_address

    entries = play(act).log()
    assert [[one.what for one in entry.truth] for entry in entries] == [[log.FAILED], [log.FAILED]]
    assert {entry.reference for entry in entries} == {f"{1:016d}"}


def test_a_stranger_is_sent_away_once() -> None:
    address = mailbox(lambda fate: fate.first)
    outcomes: list[Outcome] = []

    async def act(adapter: Provider, _carrier: Carrier) -> None:
        outcomes.extend([await adapter.send(to(address, nth)) for nth in (1, 2)])

    entries = play(act).log()
    assert [type(one) for one in outcomes] == [NotSent, Accepted]
    assert [entry.truth[0].what for entry in entries] == [log.DEFERRED, log.ACCEPTED]


@pytest.mark.parametrize("times", [1, 40])
def test_the_mail_server_hangs_up_when_the_rehearsal_ends(times: int) -> None:
    async def act(adapter: Provider, _carrier: Carrier) -> None:
        sent = await asyncio.gather(*(adapter.send(to(f"{one}@example.com", one)) for one in range(times)))
        assert {type(one) for one in sent} == {Accepted}

    assert len(play(act, Script.silent()).log()) == times


def test_whoever_opens_a_mail_fetches_its_image_and_perhaps_its_page() -> None:
    visits: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        visits.append(" ".join(head.split()[:2]))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    address = next(
        one
        for one in (f"{number}@example.com" for number in range(10_000))
        if (acts := mail_act(7, one, 1, SCRIPT)) is not None and acts.images and acts.follows
    )

    async def act(adapter: Provider, carrier: Carrier) -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        carrier.routes[PUBLIC] = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert isinstance(await adapter.send(to(address)), Accepted)
        await asyncio.wait(carrier._people)
        server.close()

    (logged,) = play(act).log()
    assert visits == ["GET /m/0123456789abcdef/open.gif", "GET /m/0123456789abcdef"]
    assert [one.what for one in logged.truth] == [log.ACCEPTED, log.MACHINE_OPENED, log.OPENED]
    assert isinstance(logged, LoggedMessage)
