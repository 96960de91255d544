"""The inboxes at the providers: what people sent while nobody heard, asked for and handed on as callbacks are.

A STOP that came in while this computer was off must hold before anything is sent, so the inboxes are read when an
engine starts, before the first claim, and every few minutes after that: callbacks get lost.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.dispatch.gateways import Gateway, Gateways
from app.dispatch.writer import Writer
from app.store import incidents
from providers.contract import CannotSay, Clock, Inbound

ASK_EVERY_MS = 300_000
"""However well callbacks come in."""

OVERLAP_MS = 120_000
"""Asked for again each time: the provider's clock and ours differ. What was heard before changes nothing."""

INBOX = "inbox"
"""The kind of the incident; its subject is the account."""

SENTENCE = "{account} does not say what people have sent to you. An opt-out may be among it."
NEXT = "It is asked again by itself. Look at the internet connection: callboard provider test {account}."

Hear = Callable[[int, Sequence[Inbound]], Awaitable[None]]
"""Takes what came in for an account (its key)."""

log = structlog.get_logger(__name__)


class Inboxes:
    """Asks every account that keeps an inbox. ``hear`` is set by who applies what people send; without it nothing
    is asked."""

    def __init__(self, clock: Clock, writer: Writer, gateways: Gateways) -> None:
        self._clock = clock
        self._writer = writer
        self._gateways = gateways
        self._read_until: dict[int, int] = {}
        self._begin = clock.now_ms()
        self._asked_at = clock.monotonic_ms()
        self._failing: set[int] = set()
        self.hear: Hear | None = None

    def begin_at(self, since_ms: int) -> None:
        """Nobody has heard anything since then."""
        self._begin = since_ms

    async def read_when_due(self) -> None:
        """Read them if it is time; those that did not answer are asked again at once."""
        if self._failing or self._clock.monotonic_ms() - self._asked_at >= ASK_EVERY_MS:
            await self.read()

    async def read(self) -> None:
        """Ask every inbox, and hand on what is in it."""
        self._asked_at = self._clock.monotonic_ms()
        for one in list(self._gateways):
            if self.hear and one.stored.enabled and one.provider.capabilities.inbox:
                await self._read(one, self.hear)

    async def _read(self, gateway: Gateway, hear: Hear) -> None:
        account = gateway.stored
        now = self._clock.now_ms()
        since = self._read_until.get(account.id, self._begin) - OVERLAP_MS
        for address in {one.address for one in account.senders}:
            try:
                answer = await gateway.provider.inbox(address, since)
            except Exception as error:  # an adapter must not raise; one that does must not stop the others
                log.exception("adapter raised", provider=account.account.name, error=type(error).__name__)
                answer = CannotSay("The provider's answer could not be understood.")
            if isinstance(answer, CannotSay):
                await self._say_that_it_fails(gateway)
                return
            if answer:
                await hear(account.id, answer)
        self._read_until[account.id] = now
        if account.id in self._failing:
            self._failing.discard(account.id)
            await self._writer.do(
                lambda c: incidents.close(c, INBOX, account.public_id, self._clock.now_ms())
            )

    async def _say_that_it_fails(self, gateway: Gateway) -> None:
        account, name = gateway.stored, gateway.stored.account.name
        self._failing.add(account.id)

        async def note(connection: AsyncConnection) -> None:
            await incidents.open_once(
                connection,
                INBOX,
                account.public_id,
                SENTENCE.format(account=name),
                NEXT.format(account=name),
                self._clock.now_ms(),
            )

        await self._writer.do(note)
