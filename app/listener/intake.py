"""The way in for everything that arrives: durably stored before it is answered, on disk if the database cannot."""

from __future__ import annotations

import asyncio

import structlog

from app.clock import within
from app.dispatch.writer import Writer
from app.listener.spool import Spool, Spooled
from app.services import hearing
from app.store.receipts import Incoming
from app.store.vault import Vault
from providers.contract import CallbackBatch, Clock, Inbound

PATIENCE_S = 2.0
"""How long a callback waits for the database before it goes to the spool. Providers hang up after 10 to 15 s."""

RAW = "receipts.raw"

log = structlog.get_logger(__name__)


class Intake:
    """Stores callbacks through the engine's writer."""

    def __init__(self, writer: Writer, spool: Spool, vault: Vault, clock: Clock) -> None:
        self._writer = writer
        self._spool = spool
        self._vault = vault
        self._clock = clock

    async def take(self, account_id: int, batch: CallbackBatch) -> None:
        """Store one callback. Returns when it is durable; raises :class:`OSError` when not even the disk takes it."""
        now = self._clock.now_ms()
        spooled = Spooled(
            receipts=tuple(
                Incoming(
                    account_id=account_id,
                    dedupe_key=one.dedupe_key,
                    fact=one.fact,
                    reference=one.reference,
                    provider_id=one.provider_id,
                    error=one.error,
                    raw=self._vault.encrypt_json(RAW, dict(one.detail)),
                    received_at=now,
                )
                for one in batch.receipts
            ),
            inbound=tuple((account_id, one) for one in batch.inbound),
        )
        try:
            await within(self._clock, PATIENCE_S, self._store(spooled))
        except TimeoutError:
            log.warning("database takes no writes, callback goes to the spool")
            self._spool.keep(spooled, now)

    async def flush(self) -> int:
        """Store what waits in the spool. Returns how many callbacks that were."""
        stored = 0
        for path, spooled in list(self._spool.waiting()):
            await self._store(spooled)
            path.unlink(missing_ok=True)
            stored += 1
        return stored

    async def _store(self, spooled: Spooled) -> None:
        await asyncio.gather(
            *([self._writer.take(spooled.receipts)] if spooled.receipts else []),
            *(self._hear(account_id, one) for account_id, one in spooled.inbound),
        )

    async def _hear(self, account_id: int, inbound: Inbound) -> None:
        now = self._clock.now_ms()
        await self._writer.do(
            lambda connection: hearing.take_inbound(connection, self._vault, account_id, inbound, now)
        )
