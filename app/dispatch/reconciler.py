"""The reconciler: asks providers about messages whose fate is not known or whose receipt is overdue, and acts on the
answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import structlog

from app.dispatch.dispatcher import TEXT
from app.dispatch.gateways import Gateways
from app.dispatch.writer import Writer
from app.domain import rendering
from app.domain.unknowns import resolve
from app.store import overdue, unknowns
from app.store.crew import field_of
from app.store.engine import Database
from app.store.overdue import Overdue
from app.store.unknowns import Unknown
from app.store.vault import Vault
from providers.contract import CannotSay, Found, LookUp, NotFound

AT_ONCE = 5
"""Look-ups in flight: they share the provider's limits with sending."""

log = structlog.get_logger(__name__)


class Reconciler:
    """Settles unknown attempts, in the order that the domain sets, then those whose receipt is overdue."""

    def __init__(
        self,
        database: Database,
        writer: Writer,
        vault: Vault,
        gateways: Gateways,
        *,
        on_settled: Callable[[], None],
    ) -> None:
        self._database = database
        self._writer = writer
        self._vault = vault
        self._gateways = gateways
        self._on_settled = on_settled
        self._look = asyncio.Event()

    async def run(self) -> None:
        """Ask whenever told to look, until cancelled. A part of its own: a provider that does not answer takes
        its time, and nothing that is to be sent waits for that."""
        while True:
            await self._look.wait()
            self._look.clear()
            for settle in (self.settle_due, self.settle_overdue):
                asked = unknowns.DUE_ROWS
                while asked >= unknowns.DUE_ROWS:
                    asked = await settle()
                    if asked:
                        self._on_settled()

    def look(self) -> None:
        """Something may be due to be asked about."""
        self._look.set()

    async def settle_due(self) -> int:
        """Ask about the unknowns whose look-up is due. Returns how many were asked about."""
        now = self._database.clock.now_ms()
        due = await self._database.reading(partial(unknowns.due, now_ms=now))
        for start in range(0, len(due), AT_ONCE):
            await asyncio.gather(*(self._settle(one) for one in due[start : start + AT_ONCE]))
        return len(due)

    async def settle_overdue(self) -> int:
        """Ask about the attempts whose receipt is overdue. Returns how many were asked about."""
        now = self._database.clock.now_ms()
        due = await self._database.reading(partial(overdue.due, now_ms=now))
        for start in range(0, len(due), AT_ONCE):
            await asyncio.gather(*(self._ask_after(one) for one in due[start : start + AT_ONCE]))
        return len(due)

    async def _ask_after(self, one: Overdue) -> None:
        question = LookUp(
            to=self._vault.decrypt(field_of(one.channel), one.cipher),
            sender=one.sender,
            content=None,
            sent_at_ms=one.started_at,
            provider_id=one.provider_id,
        )
        answer = await self._asked(one.account_id, question)
        found = answer if isinstance(answer, Found) else None
        now = self._database.clock.now_ms()
        await self._writer.do(lambda connection: overdue.settle(connection, one, found, now))

    async def _settle(self, unknown: Unknown) -> None:
        answer = await self._ask(unknown)
        now = self._database.clock.now_ms()
        resolution = resolve(
            answer,
            priority=unknown.priority,
            person_has_evidence=unknown.person_has_evidence,
            looks=unknown.looks + 1,
            now_ms=now,
        )
        found = answer if isinstance(answer, Found) else None
        await self._writer.do(lambda connection: unknowns.settle(connection, unknown, resolution, found, now))

    async def _ask(self, unknown: Unknown) -> Found | NotFound | CannotSay:
        question = LookUp(
            to=self._vault.decrypt(field_of(unknown.channel), unknown.cipher),
            sender=unknown.sender,
            content=rendering.of_kept(self._vault.decrypt(TEXT, unknown.text)) if unknown.text else None,
            sent_at_ms=unknown.started_at,
        )
        return await self._asked(unknown.account_id, question)

    async def _asked(self, account_id: int, question: LookUp) -> Found | NotFound | CannotSay:
        gateway = self._gateways.by_id(account_id)
        if gateway is None or not gateway.provider.capabilities.look_up:
            return CannotSay("This provider cannot be asked.")
        try:
            return await gateway.provider.look_up(question)
        except (
            Exception
        ) as error:  # an adapter must not raise; one that does must not keep the others waiting
            log.exception("adapter raised", provider=gateway.stored.account.name, error=type(error).__name__)
            return CannotSay("The provider's answer could not be understood.", retryable=True)
