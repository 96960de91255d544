"""The way in for everything that arrives: durably stored before it is answered, on disk if the database cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from app.clock import within
from app.dispatch.writer import Writer
from app.listener.spool import Spool, Spooled
from app.services import hearing
from app.store import incidents
from app.store.engine import takes_nothing
from app.store.receipts import Incoming
from app.store.vault import Vault
from providers.contract import CallbackBatch, Clock, Inbound

PATIENCE_S = 2.0
"""How long a callback waits for the database before it goes to the spool. Providers hang up after 10 to 15 s."""

RAW = "receipts.raw"

SPOOL = "spool"
"""The kind and subject of the incident about files that cannot be read."""

UNREADABLE = "Some of what came in while the database took no writes cannot be read."
UNREADABLE_NEXT = (
    "Look after those who still count as not read. The files end in .unreadable, in the folder “spool”: "
    "put back the key file they were made with and name them .callback again, or delete them."
)

log = structlog.get_logger(__name__)


class Intake:
    """Stores callbacks through the engine's writer."""

    def __init__(self, writer: Writer, spool: Spool, vault: Vault, clock: Clock) -> None:
        self._writer = writer
        self._spool = spool
        self._vault = vault
        self._clock = clock
        self._in_trouble: bool | None = None

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
        except Exception as error:  # whatever keeps it from being stored now, it must not be lost
            log.warning("callback cannot be stored, it goes to the spool", error=type(error).__name__)
            self._spool.keep(spooled, now)

    async def hear(self, account_id: int, inbound: Sequence[Inbound]) -> None:
        """Take what people sent, found in a provider's inbox."""
        await self.take(account_id, CallbackBatch(inbound=inbound))

    async def flush(self) -> int:
        """Store what waits in the spool. Returns how many callbacks that were.

        Files that cannot be read are set aside, with one incident until there are none. Raises what the database
        says if it takes nothing; a callback that is at fault itself is raised too, after those behind it.
        """
        stored = 0
        at_fault: Exception | None = None
        for path, spooled in list(self._spool.waiting()):
            try:
                await self._store(spooled)
            except Exception as error:
                if takes_nothing(error):  # the next one would fare no better, and the order is kept
                    raise
                at_fault = at_fault or error
                log.exception("a callback in the spool cannot be stored", file=path.name)
                continue
            path.unlink(missing_ok=True)
            stored += 1
        await self._report(self._spool.unreadable() > 0)
        if at_fault:
            raise at_fault
        return stored

    async def _report(self, in_trouble: bool) -> None:
        if in_trouble == self._in_trouble:
            return
        now = self._clock.now_ms()
        if in_trouble:
            await self._writer.do(
                lambda connection: incidents.open_once(
                    connection, SPOOL, SPOOL, UNREADABLE, UNREADABLE_NEXT, now
                )
            )
        else:
            await self._writer.do(lambda connection: incidents.close(connection, SPOOL, SPOOL, now))
        self._in_trouble = in_trouble

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
