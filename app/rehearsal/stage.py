"""What everybody in a rehearsal shares: the clock, the seed, the lines, and who may still begin something."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from app.clock import unless
from app.rehearsal.browsing import Phone
from app.rehearsal.callbacks import Callbacks
from app.rehearsal.postbox import Postbox
from providers.contract import Clock


@dataclass(slots=True)
class Stage:
    clock: Clock
    seed: int
    account_sid: str
    callbacks: Callbacks
    phone: Phone
    postbox: Postbox
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while the carrier settles: whatever the network still has to do, it does now."""
    resting: asyncio.Event = field(default_factory=asyncio.Event)
    """Set for good when the people stop: who has begun something finishes it, nobody begins."""
    begun: set[asyncio.Task[Any]] = field(default_factory=set)
    """People in the middle of doing something."""
    blocked: set[tuple[str, str]] = field(default_factory=set)
    """(number, sender): who sent STOP to whom. The vendor keeps this list, whatever we do."""

    async def network_until(self, at_ms: int) -> None:
        """Wait for a moment, or until the carrier settles."""
        try:
            await unless(self.hurry.wait(), self.clock.sleep_until(at_ms))
        except TimeoutError:
            return

    async def person_until(self, at_ms: int) -> bool:
        """Wait for the moment in which a person begins something. False if the people stopped before."""
        if self.resting.is_set():
            return False
        try:
            await unless(self.resting.wait(), self.clock.sleep_until(at_ms))
        except TimeoutError:
            return False
        return not self.resting.is_set()

    def begin(self) -> None:
        """The running task is a person who has begun: the carrier does not settle before they are done."""
        task = asyncio.current_task()
        assert task is not None
        self.begun.add(task)
        task.add_done_callback(self.begun.discard)
