"""Delivering signed callbacks, as the vendor does: many at once, more than once if nobody answers."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from app.clock import sleep
from app.rehearsal.faults import CALLBACKS, Faults
from app.rehearsal.line import Line, UnreachableError
from app.rehearsal.routes import OutsideError
from providers.contract import Clock

AT_ONCE: Final = 20
"""Callbacks under way at the same time."""

WAITS_S: Final = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Before each try. More patient than Twilio, which gives up after 15 s unless asked for more: a listener that
restarts must not spoil a rehearsal. What the product does about lost callbacks is the fault "callbacks_lost"."""

DELIVERED, REFUSED, LOST = "delivered", "refused", "lost"
OUTCOMES: Final = (DELIVERED, REFUSED, LOST)


class Callbacks:
    """The outbox of the carrier. ``counts`` says how many callbacks were delivered, refused (4xx) or lost."""

    def __init__(self, clock: Clock, line: Line, faults: Faults, auth_token: str) -> None:
        self._clock = clock
        self._line = line
        self._faults = faults
        # The vendor's own code signs, so that our check of signatures is not measured against itself.
        self._signer: Any = RequestValidator(auth_token)
        self._room = asyncio.Semaphore(AT_ONCE)
        self.pending: set[asyncio.Task[bool]] = set()
        self.counts: Counter[str] = Counter()

    def post(self, url: str, fields: Mapping[str, str]) -> asyncio.Task[bool]:
        """Deliver a callback in the background. The task's result says whether it was taken."""
        task = asyncio.create_task(self._deliver(url, fields))
        self.pending.add(task)
        task.add_done_callback(self.pending.discard)
        return task

    async def _deliver(self, url: str, fields: Mapping[str, str]) -> bool:
        try:
            outcome = await self._try(url, fields)
        except OutsideError:
            outcome = REFUSED
        self.counts[outcome] += 1
        return outcome == DELIVERED

    async def _try(self, url: str, fields: Mapping[str, str]) -> str:
        body = urlencode(fields).encode()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "User-Agent": "TwilioProxy/1.1",
            "I-Twilio-Idempotency-Token": secrets.token_hex(16),
            # For the public address: that is the one the vendor would have asked.
            "X-Twilio-Signature": self._signer.compute_signature(url, dict(fields)),
        }
        for wait_s in WAITS_S:
            await sleep(self._clock, wait_s)
            await self._faults.wait_while("twilio", "callbacks_stopped")
            if self._faults.active("twilio", CALLBACKS) == "callbacks_lost":
                return LOST
            async with self._room:
                try:
                    answer = await self._line.ask("POST", url, body, headers)
                except UnreachableError:
                    continue
            if answer.taken:
                return DELIVERED
            if not answer.busy:
                return REFUSED
        return LOST
