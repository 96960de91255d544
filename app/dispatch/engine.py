"""The engine: writer, planner, dispatcher and timers as one thing that starts, settles and stops.

It owns nothing of the terminal. It runs on the terminal's own loop or headless, and it is never needed to look:
screens and commands read the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.clock import behind_ms, within
from app.dispatch import planner
from app.dispatch.dispatcher import RENEW_MS, Dispatcher
from app.dispatch.gateways import Gateways
from app.dispatch.inboxes import Inboxes
from app.dispatch.reconciler import Reconciler
from app.dispatch.supervisor import Supervisor
from app.dispatch.writer import Writer
from app.domain.problem import Problem
from app.domain.public_address import PublicAddress
from app.domain.times import spell
from app.store import accounts, due, engines, heartbeat, holding, incidents, receipts, sweeps
from app.store.engine import Database
from app.store.lease import FileLease, sends_already
from app.store.vault import Vault
from providers.contract import Channel

HEARTBEAT_MS = 10_000
"""How often lost leases, old deliveries, half-frozen steps, parked receipts and the spool are looked after."""

SETTLE_MS = 20
"""How often the calls in flight are looked at while waiting for the last of them to be written down."""

QUEUE_MS = 1_000
"""How often the queue is looked at while waiting for it to settle, when no commit says so first."""

DRAIN_S = 10.0
"""Calls in flight get this long to finish when the engine stops: as long as one call may take."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a start found and put right."""

    requeued: int
    unknown: int


class Engine:
    """Sends what is due. One for each database file; on PostgreSQL several share a database."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        gateways: Gateways,
        public: Callable[[], PublicAddress],
        *,
        worker: str,
        random: Random,
    ) -> None:
        self.database = database
        self.gateways = gateways
        self.writer = Writer(database, worker)
        self._vault = vault
        self._worker = worker
        self._clock = database.clock
        self._poked = asyncio.Event()
        self.flush_spool: Callable[[], Awaitable[int]] | None = None
        self.reload: Callable[[], Awaitable[None]] | None = None
        """Takes over changed provider accounts; set by who built the gateways."""
        self._accounts = ""
        self.supervisor = Supervisor(database)
        self.dispatcher = Dispatcher(
            database,
            self.writer,
            vault,
            gateways,
            public,
            worker=worker,
            random=random,
            on_trouble=self._poked.set,
        )
        self.reconciler = Reconciler(database, self.writer, vault, gateways, on_settled=self._poked.set)
        self.inboxes = Inboxes(self._clock, self.writer, gateways)
        self._lease = FileLease(database.path) if database.path else None
        self._started = False
        self._running = False
        self._beaten_at = self._clock.monotonic_ms()
        self._was_behind = False
        """Whether the wall clock was behind at the last look."""

    async def start(self, what: str, *, beside: bool = False) -> Problem | None:
        """Take the lease, put right what the last process left, and begin. A problem says who sends already.

        ``beside``: also where another engine sends, if the database can be shared.
        """
        if taken := await self._take(what, beside=beside):
            return taken
        try:
            await self._recover()
            if self._lease is None:
                await self.database.writing(partial(self._enter, what=what), by_engine=True)
        except BaseException:
            self._let_go()
            raise
        self._started = self._running = True
        self.supervisor.start("writer", self.writer.run)
        await self._hear_what_waits()
        self.supervisor.start("timers", self._timers)
        self.supervisor.start("look-ups", self.reconciler.run)
        self.supervisor.start("sweeps", self._sweeps)
        self.supervisor.start("leases", self._leases)
        if self._lease is None:
            self.supervisor.start("heartbeat", partial(self._beat, what))
        for channel in Channel:
            for urgent in (True, False):
                name = f"{channel.value} dispatcher, {'urgent' if urgent else 'others'}"
                self.supervisor.start(name, lambda c=channel, u=urgent: self.dispatcher.lane(c, urgent=u))  # type: ignore[misc]
        return None

    @property
    def running(self) -> bool:
        return self._running

    async def drain(self) -> None:
        """Stop claiming and let open calls finish. Callbacks are still written down until :meth:`stop`."""
        if self._running:
            self._running = False
            await self.dispatcher.drain(DRAIN_S)

    async def stop(self) -> None:
        """Drain, write everything down, release the lease. Does nothing where the engine never started."""
        await self.drain()
        if not self._started:
            return
        self._started = False
        try:
            await within(self._clock, DRAIN_S, self._written())
        except TimeoutError:
            log.warning(
                "the database takes no writes: what is not written down is found out at the next start"
            )
        await self.supervisor.stop()
        if self._lease is None:
            await self._leave()
        self._let_go()

    async def _leave(self) -> None:
        """Whoever looks knows at once; where the database cannot be reached they know a little later."""
        try:
            leaving = self.database.writing(partial(engines.leave, worker=self._worker), by_engine=True)
            await within(self._clock, DRAIN_S, leaving)
        except Exception as error:
            log.warning("could not sign off", error=type(error).__name__)

    async def _written(self) -> None:
        while not self.writer.idle:
            await self._clock.sleep_until(self._clock.now_ms() + 5)

    def _let_go(self) -> None:
        if self._lease:
            self._lease.release()

    def poke(self) -> None:
        """Something may be due: look now."""
        self._poked.set()

    async def settled(self) -> None:
        """Until nothing is queued for now, claimed, being sent or to be looked up. Held messages and retries of
        later are left alone; so are receipts that have not come."""
        with self.database.listening() as bell:
            while True:
                bell.clear()
                now = self._clock.now_ms()
                at = await self.database.reading(partial(due.busy_until, now_ms=now))
                if at is None and self.writer.idle and not self.dispatcher.in_flight:
                    return
                again = now + SETTLE_MS if at is None else at if at > now else now + QUEUE_MS
                waits: list[asyncio.Future[Any]] = [
                    asyncio.ensure_future(bell.wait()),
                    asyncio.ensure_future(self._clock.sleep_until(again)),
                ]
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for one in waits:
                    one.cancel()
                await asyncio.gather(*waits, return_exceptions=True)

    async def _take(self, what: str, *, beside: bool) -> Problem | None:
        if self._lease:
            return self._lease.take(what)
        at_work = [] if beside else await engines.at_work(self.database)
        return sends_already(at_work[0]) if at_work else None

    async def _recover(self) -> Recovered:
        """On a file this process alone has the database: every lease of anybody else has run out. Where others
        send, only what has really run out is taken back, and their clock is as good as this one."""
        await planner.resume_freezing(self.database)
        now = self._clock.now_ms()
        async with self.database.write(by_engine=True) as connection:
            self.inboxes.begin_at(min(await heartbeat.last(connection) or now, now))
            alone = self._lease is not None or not await engines.fresh(connection, now)
            if alone and (behind := await heartbeat.set_back_by(connection, now)):
                await heartbeat.follow_clock(connection, behind, now)
                await heartbeat.note_set_back(connection, spell(behind), now)
            await heartbeat.beat(connection, now)
            requeued, unknown = await sweeps.expire(
                connection, now_ms=now, worker=self._worker if self._lease else None
            )
        if requeued or unknown:
            log.info("recovered", requeued=requeued, unknown=unknown)
        return Recovered(requeued, unknown)

    async def _hear_what_waits(self) -> None:
        """Store what came in while the database took no writes, or while nobody listened, before anything is
        claimed: it may be a STOP."""
        try:
            if self.flush_spool:
                await within(self._clock, DRAIN_S, self.flush_spool())
        except Exception:  # the sweeps try again and report
            log.exception("spool could not be stored at the start")
        try:
            await within(self._clock, DRAIN_S, self.inboxes.read())
        except TimeoutError:
            log.warning("not all inboxes could be read at the start")

    async def _enter(self, connection: AsyncConnection, what: str) -> None:
        now = self._clock.now_ms()
        await engines.forget_old(connection, now)
        await engines.beat(connection, self._worker, what, now)

    async def _beat(self, what: str) -> None:
        """Say again and again that this engine is there, as long as it can write."""
        while True:
            await self._clock.sleep_until(self._clock.now_ms() + engines.BEAT_MS)
            await self.writer.do(
                lambda connection: engines.beat(connection, self._worker, what, self._clock.now_ms())
            )

    async def _leases(self) -> None:
        while True:
            await self._clock.sleep_until(self._clock.now_ms() + RENEW_MS)
            await self.dispatcher.renew_leases()

    async def _timers(self) -> None:
        with self.database.listening(to_engine=False) as bell:
            while True:
                self._poked.clear()
                bell.clear()
                await self._do_what_is_due()
                self.dispatcher.wake()
                await self._until_next(bell)

    async def _take_over_accounts(self) -> None:
        revision = await self.database.reading(accounts.revision)
        if revision != self._accounts and self._accounts and self.reload:
            await self.reload()
        self._accounts = revision

    async def _do_what_is_due(self) -> None:
        await self._take_over_accounts()
        while await planner.route_next_block(self.database, self._vault.link_key):
            self.dispatcher.wake()
        now = self._clock.now_ms()
        await self.writer.do(lambda connection: holding.wake(connection, now))
        self.reconciler.look()

    async def _sweeps(self) -> None:
        while True:
            await self._look_after(self._clock.now_ms())
            await self._clock.sleep_until(self._clock.now_ms() + HEARTBEAT_MS)

    async def _look_after(self, now: int) -> None:
        """The sweeps for every state in between."""
        await planner.resume_freezing(self.database)
        await self.writer.do(lambda connection: self._sweep(connection, now))
        if self.flush_spool:
            await self.flush_spool()
        await self.inboxes.read_when_due()

    async def _sweep(self, connection: AsyncConnection, now: int) -> None:
        """All in one transaction: on a quiet night it writes nothing, and costs nothing."""
        await sweeps.expire(
            connection,
            now_ms=now,
            worker=self._worker if self._lease else None,
            in_flight=self.dispatcher.in_flight,
        )
        await sweeps.give_up(connection, now)
        await receipts.retry_parked(connection, now)
        if self._clock.monotonic_ms() - self._beaten_at >= heartbeat.BEAT_MS:
            self._beaten_at = self._clock.monotonic_ms()
            await heartbeat.beat(connection, now)
        await self._mind_the_clock(connection, now)

    async def _mind_the_clock(self, connection: AsyncConnection, now: int) -> None:
        was_behind, self._was_behind = self._was_behind, behind_ms(self._clock) > heartbeat.SLACK_MS
        if self._was_behind:
            await heartbeat.note_set_back(connection, spell(behind_ms(self._clock)), now)
            return
        since = await incidents.opened_at(connection, heartbeat.CLOCK, heartbeat.CLOCK)
        if since is not None and (was_behind or not since <= now < since + heartbeat.NOTICE_MS):
            await heartbeat.note_in_step(connection, now)

    async def _until_next(self, bell: asyncio.Event) -> None:
        """Wait until something is due, something was asked for, or the next heartbeat."""
        now = self._clock.now_ms()
        following = await self.database.reading(partial(due.next_due, now_ms=now))
        at = min(following if following is not None else now + HEARTBEAT_MS, now + HEARTBEAT_MS)
        waits = {
            asyncio.ensure_future(self._clock.sleep_until(at)),
            asyncio.ensure_future(bell.wait()),
            asyncio.ensure_future(self._poked.wait()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
