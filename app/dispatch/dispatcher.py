"""The dispatcher: claim, reserve, mark, check, send, finish.

A delivery is claimed under a lease, its segments are reserved on the sender's schedule, and the attempt is
committed *before* the provider is called. After the call its outcome is written down. Wherever the process is
killed, what it leaves behind says exactly what may have happened.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from random import Random

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.clock import within
from app.dispatch.gateways import Gateway, Gateways, Line
from app.dispatch.writer import Writer
from app.domain import ids, rendering, texts
from app.domain.lanes import WEIGHTS, Shares, portion, portions
from app.domain.priorities import Priority, StepKind
from app.domain.public_address import PublicAddress
from app.domain.rendering import Particulars
from app.store import accounts, claims, messages, trouble
from app.store.accounts import Sender
from app.store.claims import Claimed, Mark
from app.store.crew import field_of
from app.store.engine import Database
from app.store.messages import StoredMessage
from app.store.outcomes import Finish
from app.store.vault import Vault
from providers.contract import Accepted, Channel, Content, InDoubt, NotSent, Outcome, Outgoing, ProviderError

LEASE_MS = 30_000
RENEW_MS = 10_000
"""A lease is renewed three times before it runs out."""

HORIZON_MS = 1_000
"""Nothing is reserved further ahead: what came later but matters more must not wait for it."""

OVERDRAFT_SEGMENTS = 10
"""How many segments of other messages may be granted when an URGENT one comes: it goes out beside them."""

SLOTS = {True: 20, False: 30}
"""Calls in flight of one account, URGENT and others: together the 50 that a provider takes at once."""

BATCH = 200
"""Deliveries claimed at once at most."""

TEXT = "deliveries.text"
"""The field name a rendered text is encrypted for."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ready:
    """A claimed delivery, rendered, with the time its sender's schedule grants."""

    claimed: Claimed
    content: Content
    segments: int
    starts_ms: int


class Dispatcher:
    """Sends what is due through the gateways, in two lanes per channel: URGENT, and everything else."""

    def __init__(
        self,
        database: Database,
        writer: Writer,
        vault: Vault,
        gateways: Gateways,
        public: Callable[[], PublicAddress],
        *,
        worker: str,
        random: Random,
        on_trouble: Callable[[], None],
    ) -> None:
        self._database = database
        self._clock = database.clock
        self._writer = writer
        self._vault = vault
        self._gateways = gateways
        self._public = public
        self._worker = worker
        self._random = random
        self._on_trouble = on_trouble
        self._versions: dict[int, StoredMessage] = {}
        self._calls: dict[int, asyncio.Task[None]] = {}
        self._leases: dict[int, int] = {}
        """Until when each of these is ours, by what we have written down ourselves."""
        self._in_lane: Counter[tuple[int, bool]] = Counter()
        """Calls in flight by account, URGENT and others: a slow mail server keeps no text waiting."""
        self._shares: dict[tuple[int, Channel], Shares] = {}
        """By production and channel."""
        self._wakes: list[asyncio.Event] = []
        self._ended = asyncio.Event()
        self._stopping = False

    # ------------------------------------------------------------------ what others see

    @property
    def in_flight(self) -> frozenset[int]:
        """Deliveries this process holds right now."""
        return frozenset(self._calls)

    def wake(self) -> None:
        """Something may be due."""
        for one in self._wakes:
            one.set()

    async def drain(self, seconds: float) -> None:
        """Stop claiming; let calls in flight finish for up to ``seconds``."""
        self._stopping = True
        self.wake()
        try:
            await within(self._clock, seconds, self._all_ended())
        except TimeoutError:
            log.warning("calls still open at the end of the drain", calls=len(self._calls))
            calls = list(self._calls.values())
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    async def _all_ended(self) -> None:
        """Until no lane can begin another call and no call is open."""
        while self._wakes or self._calls:
            self._ended.clear()
            await self._ended.wait()

    async def renew_leases(self) -> None:
        """Keep what is in flight. Called every ``RENEW_MS``."""
        if held := list(self._calls):
            until = self._clock.now_ms() + LEASE_MS
            kept = await self._writer.do(
                lambda connection: claims.renew(
                    connection, held, worker=self._worker, now_ms=self._clock.now_ms(), lease_until=until
                )
            )
            self._leases |= dict.fromkeys(self._calls.keys() & set(kept), until)

    # ------------------------------------------------------------------ a lane

    async def lane(self, channel: Channel, *, urgent: bool) -> None:
        """Claim and send on one channel until told to stop."""
        wake = asyncio.Event()
        self._wakes.append(wake)
        try:
            for turn in count():
                if self._stopping:
                    return
                wake.clear()
                lines = portions(self._gateways.lines(channel), turn)
                pauses = [
                    await self._turn(line, urgent=urgent, behind=len(lines) - place)
                    for place, line in enumerate(lines, start=1)
                ]
                if 0 in pauses or self._stopping:
                    continue
                await self._pause(wake, min((one for one in pauses if one is not None), default=None))
        finally:
            self._wakes.remove(wake)
            self._ended.set()

    async def _pause(self, wake: asyncio.Event, pause_ms: int | None) -> None:
        """Wait until woken, for ``pause_ms`` at most."""
        if pause_ms is None:
            await wake.wait()
            return
        with suppress(TimeoutError):
            await within(self._clock, pause_ms / 1000, wake.wait())

    async def _turn(self, line: Line, *, urgent: bool, behind: int) -> int | None:
        """One claim for one production, with so many others behind it. Returns how many milliseconds to wait before
        the next, None for until woken."""
        now = self._clock.now_ms()
        if wait_ms := self._gateways.wait_ms(line.account_id, now):
            return wait_ms
        free = SLOTS[urgent] - self._in_lane[line.account_id, urgent]
        if free <= 0:
            return None  # a call that ends wakes the lane
        sender, backlog_ms = await self._least_busy(line, urgent=urgent)
        pace_ms = 1000 / sender.segments_per_second
        horizon_ms = HORIZON_MS if urgent else min(HORIZON_MS, OVERDRAFT_SEGMENTS * pace_ms)
        room = int((horizon_ms - backlog_ms) / pace_ms) if backlog_ms else max(1, int(horizon_ms / pace_ms))
        if room <= 0:
            return max(1, round(backlog_ms - horizon_ms + pace_ms))
        trying = self._gateways.has_stopped(line.account_id)
        limit = 1 if trying else min(portion(free, behind), room, BATCH)
        ready, passed_over = await self._writer.do(
            lambda connection: self._claim(connection, line, sender, limit=limit, room=room, urgent=urgent)
        )
        if ready and trying:
            self._gateways.stop(line.account_id, now)
        for one in ready:
            self._in_lane[line.account_id, urgent] += 1
            call = asyncio.create_task(
                self._call(one, line.gateway, sender), name=f"delivery {one.claimed.id}"
            )
            self._calls[one.claimed.id] = call
            self._leases[one.claimed.id] = one.claimed.lease_until
            call.add_done_callback(partial(self._done, one.claimed.id, line.account_id, urgent))
        return 0 if ready or passed_over else None

    def _done(self, delivery_id: int, account_id: int, urgent: bool, call: asyncio.Task[None]) -> None:
        if self._calls.get(delivery_id) is call:  # what was given back may have been claimed again already
            del self._calls[delivery_id]
            del self._leases[delivery_id]
        was_full = self._in_lane[account_id, urgent] >= SLOTS[urgent]
        self._in_lane[account_id, urgent] -= 1
        self._ended.set()
        if was_full:
            self.wake()

    async def _least_busy(self, line: Line, *, urgent: bool) -> tuple[Sender, int]:
        now = self._clock.now_ms()

        async def filled(connection: AsyncConnection) -> list[tuple[int, Sender]]:
            return [
                (await accounts.backlog_ms(connection, sender.id, urgent=urgent, now_ms=now), sender)
                for sender in line.senders
            ]

        backlog, sender = min(await self._database.reading(filled), key=lambda pair: pair[0])
        return sender, backlog

    async def _claim(
        self,
        connection: AsyncConnection,
        line: Line,
        sender: Sender,
        *,
        limit: int,
        room: int,
        urgent: bool,
    ) -> tuple[list[Ready], int]:
        """Claim up to ``limit`` deliveries that need up to ``room`` segments, or one that needs more. Returns them,
        and how many others were taken out of the queue."""
        now = self._clock.now_ms()
        shares = self._shares.setdefault((line.production_id, line.gateway.stored.channel), Shares())
        taken = await claims.claim(
            connection,
            production_id=line.production_id,
            channel=line.gateway.stored.channel,
            quotas={Priority.URGENT: limit}
            if urgent
            else shares.quotas(await self._waiting(connection, line, now), limit),
            worker=self._worker,
            now_ms=now,
            lease_until=now + LEASE_MS,
        )
        if not taken.claimed:
            return [], taken.passed_over
        ready = [(one, await self._content_of(connection, one)) for one in taken.claimed]
        await claims.keep_texts(
            connection,
            [
                (one.id, self._vault.encrypt(TEXT, words))
                for one, content in ready
                if one.text is None and (words := rendering.kept(content)) is not None
            ],
        )
        segments = [rendering.segments(content) for _, content in ready]
        fitting = _fitting(ready, segments, room, None if urgent else shares)
        left = [one.id for place, (one, _) in enumerate(ready) if place not in fitting]
        if left:
            await claims.release(connection, left, worker=self._worker)
        used = [segments[place] for place in fitting]
        slots = await accounts.reserve(connection, sender, used, urgent=urgent, now_ms=now)
        granted = zip([ready[place] for place in fitting], used, slots.starts_ms, strict=True)
        return [
            Ready(one, content, count, starts) for (one, content), count, starts in granted
        ], taken.passed_over

    async def _waiting(self, connection: AsyncConnection, line: Line, now: int) -> set[Priority]:
        return await claims.waiting(
            connection,
            production_id=line.production_id,
            channel=line.gateway.stored.channel,
            priorities=WEIGHTS,
            now_ms=now,
        )

    async def _content_of(self, connection: AsyncConnection, claimed: Claimed) -> Content:
        """What the first attempt said, or what it is rendered to now."""
        if claimed.text is not None:
            return rendering.of_kept(self._vault.decrypt(TEXT, claimed.text))
        return await self._render(connection, claimed)

    async def _render(self, connection: AsyncConnection, claimed: Claimed) -> Content:
        version = self._versions.get(claimed.version_id)
        if version is None:
            version = await messages.version(connection, claimed.version_id)
            self._versions[claimed.version_id] = version
        particulars = Particulars(
            link=self._public().link(ids.link_token(self._vault.link_key, claimed.id)),
            opt_out_words=claimed.opt_out_words,
            language=claimed.language,
            disregard=claimed.kind is StepKind.DISREGARD,
        )
        return rendering.rendered(claimed.channel, wording_of(version), particulars)

    # ------------------------------------------------------------------ one call

    async def _call(self, ready: Ready, gateway: Gateway, sender: Sender) -> None:
        claimed = ready.claimed
        await self._clock.sleep_until(ready.starts_ms)
        if self._stopping:
            await self._release(claimed)
            return
        reference = ids.attempt_reference(os.urandom)
        granted = await self._writer.mark(
            Mark(
                delivery_id=claimed.id,
                contact_point_id=claimed.contact_point_id,
                attempt=claimed.attempt,
                reference=reference,
                account_id=gateway.stored.id,
                sender_id=sender.id,
                receipt_possible=gateway.provider.capabilities.delivery and bool(self._public().base),
            )
        )
        if not granted:
            await self._release(claimed)
            return
        outcome = self._too_late(claimed) or await self._send(ready, gateway, sender, reference)
        await self._judge(gateway, outcome)
        await self._writer.finish(
            Finish(
                claimed,
                reference,
                outcome,
                self._random.random(),
                gateway.stored.id,
                gateway.provider.capabilities.look_up,
            )
        )
        if not isinstance(outcome, Accepted):
            self._on_trouble()

    async def _judge(self, gateway: Gateway, outcome: Outcome) -> None:
        """An account that is itself at fault is stopped, with one incident; one that takes a message goes on."""
        account, now = gateway.stored, self._clock.now_ms()
        if isinstance(outcome, Accepted):
            if self._gateways.has_stopped(account.id):
                self._gateways.go_on(account.id)
                self.wake()
                await self._writer.do(lambda connection: trouble.close(connection, account, now))
        elif outcome.error.config:
            self._gateways.stop(account.id, now)
            self.wake()  # another account may go on
            error = outcome.error
            await self._writer.do(lambda connection: trouble.open_once(connection, account, error, now))

    async def _release(self, claimed: Claimed) -> None:
        await self._writer.do(
            lambda connection: claims.release(connection, [claimed.id], worker=self._worker)
        )
        self.wake()

    def _too_late(self, claimed: Claimed) -> NotSent | None:
        """After the mark and before the call: has this machine slept, so that others may think us dead?"""
        now = self._clock.now_ms()
        if now > self._leases[claimed.id]:
            return NotSent(
                ProviderError(
                    "lease", "This computer was asleep when it should have been sent.", retryable=True
                )
            )
        if now >= claimed.give_up_at:
            return NotSent(
                ProviderError("stale", "It was too old to send when its turn came.", "Send a new message.")
            )
        return None

    async def _send(self, ready: Ready, gateway: Gateway, sender: Sender, reference: str) -> Outcome:
        claimed = ready.claimed
        public = self._public()
        outgoing = Outgoing(
            channel=claimed.channel,
            to=self._vault.decrypt(field_of(claimed.channel), claimed.cipher),
            sender=sender.address,
            content=ready.content,
            reference=reference,
            callback_url=public.callback_url(gateway.stored.public_id, reference),
            valid_for_s=VALID_FOR_S.get(claimed.priority),
        )
        try:
            return await gateway.provider.send(outgoing)
        except Exception as error:  # an adapter must not raise; if one does, the call may have been made
            log.exception("adapter raised", provider=gateway.stored.account.name, error=type(error).__name__)
            return InDoubt(ProviderError("adapter", "The provider's answer could not be understood."))


def _fitting(
    ready: Sequence[tuple[Claimed, Content]], segments: Sequence[int], room: int, shares: Shares | None
) -> list[int]:
    """The places of those that have room, in the order in which they leave; one at least, however long it is."""
    order = (
        shares.in_turn([(one.priority, count) for (one, _), count in zip(ready, segments, strict=True)])
        if shares
        else iter(range(len(ready)))
    )
    fitting: list[int] = []
    used = 0
    for place in order:
        used += segments[place]
        if fitting and used > room:
            break
        fitting.append(place)
    return fitting


VALID_FOR_S = {Priority.URGENT: 900}
"""A stale call time is worse than none: after a quarter of an hour the carrier should let an URGENT text die."""


def wording_of(version: StoredMessage) -> texts.Wording:
    """The wording of one version, as it is rendered."""
    return texts.Wording(
        version.production, version.priority, version.subject, version.body, version.options, version.location
    )


def worker_name(pid: int, random_bytes: Callable[[int], bytes]) -> str:
    """A name for one process's leases."""
    return f"{pid}-{random_bytes(4).hex()}"
