"""Time limits for many requests at once, by the given clock: one task watches them all.

A task of its own for the limit of every request would cost more than the request's own bookkeeping; with
hundreds in flight one watcher looks at the few that are due.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from providers.contract import Clock
from providers.exchange import Exchange


@dataclass(eq=False, slots=True)
class _Limit:
    """One request under way. Times are the clock's, in milliseconds."""

    task: asyncio.Task[object]
    exchange: Exchange
    connect_ms: int
    total_ms: int
    over: bool = False

    @property
    def due_ms(self) -> int:
        return self.total_ms if self.exchange.connected else self.connect_ms


class Deadlines:
    """The limits of one client: ``connect_s`` until there is a connection, ``total_s`` until there is an answer."""

    def __init__(self, clock: Clock, connect_s: float, total_s: float) -> None:
        self._clock = clock
        self._connect_ms = round(connect_s * 1000)
        self._total_ms = round(total_s * 1000)
        self._limits: set[_Limit] = set()
        self._watcher: asyncio.Task[None] | None = None

    @contextmanager
    def limit(self, exchange: Exchange) -> Iterator[None]:
        """Around the awaiting of one request. Raises :class:`TimeoutError` when its time is over.

        Somebody else's cancellation passes through, also when both come together.
        """
        task = asyncio.current_task()
        assert task is not None
        now_ms = self._clock.now_ms()
        limit = _Limit(task, exchange, now_ms + self._connect_ms, now_ms + self._total_ms)
        cancelled_before = task.cancelling()
        self._limits.add(limit)
        if self._watcher is None:
            self._watcher = asyncio.create_task(self._watch())
        try:
            yield
        except asyncio.CancelledError:
            if limit.over and task.uncancel() <= cancelled_before:
                raise TimeoutError from None
            raise
        finally:
            self._limits.discard(limit)
            if not self._limits and self._watcher is not None:
                self._watcher.cancel()
                self._watcher = None

    async def _watch(self) -> None:
        while True:
            now_ms = self._clock.now_ms()
            # A request that begins while we sleep is due no earlier than the connect limit from now.
            wake_ms = now_ms + self._connect_ms
            for limit in self._limits:
                if limit.over:
                    continue
                if limit.due_ms <= now_ms:
                    limit.over = True
                    limit.task.cancel()
                else:
                    wake_ms = min(wake_ms, limit.due_ms)
            await self._clock.sleep_until(wake_ms)
