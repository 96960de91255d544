"""Time, in one place: the system's clock, and a virtual one that jumps to the next thing that is due.

Everything else is handed a :class:`providers.contract.Clock`; the linter bans ``time`` and ``asyncio.sleep``
outside this module, so that a simulated week runs in seconds over real sockets.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import selectors
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from providers.waiting import sleep, unless, within

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from providers.contract import Clock

T = TypeVar("T")

__all__ = ["SystemClock", "VirtualClock", "behind_ms", "sleep", "unless", "within"]

LONGEST_NAP_S = 1.0
"""A sleeping laptop does not advance the timer that wakes us: long waits are cut and the clock is read again."""

SETTLE_S = 0.0001
"""How long a virtual clock listens to the sockets before it believes that nothing is running. Loopback hands a
packet over before the call that sent it returns; a tenth of a millisecond leaves room for a busy kernel."""


class SystemClock:
    """The clock of this machine, which never falls back while the program runs.

    A wall clock that is set back by an hour would make everything that is due wait an hour longer, so the time
    goes on from where it was, at the pace of the monotonic clock. It follows every step forward: that is also
    what a laptop's sleep looks like. ``behind_ms`` tells how far the wall clock was set back.
    """

    def __init__(
        self,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        monotonic_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000,
    ) -> None:
        self._wall_ms = wall_ms
        self._monotonic_ms = monotonic_ms
        self._ahead_ms = wall_ms() - monotonic_ms()

    def now_ms(self) -> int:
        monotonic = self._monotonic_ms()
        self._ahead_ms = max(self._ahead_ms, self._wall_ms() - monotonic)
        return monotonic + self._ahead_ms

    def monotonic_ms(self) -> int:
        return self._monotonic_ms()

    def behind_ms(self) -> int:
        """How far this machine's wall clock is behind the time used here; 0 unless somebody set it back."""
        return max(0, self.now_ms() - self._wall_ms())

    async def sleep_until(self, at_ms: int) -> None:
        while (left := (at_ms - self.now_ms()) / 1000) > 0:  # noqa: ASYNC110 - this is where waiting is made
            await asyncio.sleep(min(left, LONGEST_NAP_S))
        await asyncio.sleep(0)

    @contextmanager
    def working(self) -> Iterator[None]:
        yield


def behind_ms(clock: Clock) -> int:
    """How far the wall clock of this machine was set back since the program began; 0 for a clock without one."""
    return clock.behind_ms() if isinstance(clock, SystemClock) else 0


class VirtualClock:
    """A clock that stands still while anything runs and jumps to the next due time when nothing does.

    It needs its own event loop (:meth:`run`), because only the loop knows that nothing is running: no callback
    is ready, no socket is readable, and no work is marked by :meth:`working`. Waiting in ``sleep_until`` counts
    as idle, whoever waits, so a simulated carrier on the same loop sleeps in the same virtual time.
    """

    def __init__(self, start_ms: int) -> None:
        self._now_ms = start_ms
        self._start_ms = start_ms
        self._due: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._work = 0

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic_ms(self) -> int:
        return self._now_ms - self._start_ms

    async def sleep_until(self, at_ms: int) -> None:
        if at_ms <= self._now_ms:
            await asyncio.sleep(0)
            return
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._due, (at_ms, next(self._order), wake))
        await wake

    @contextmanager
    def working(self) -> Iterator[None]:
        self._work += 1
        try:
            yield
        finally:
            self._work -= 1

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run ``main`` to its end on a loop whose idle moments move this clock."""
        with asyncio.Runner(loop_factory=self._loop) as runner:
            return runner.run(main)

    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.SelectorEventLoop(
            _IdleSelector(selectors.DefaultSelector(), lambda: self._work > 0, self._jump)
        )

    def _jump(self) -> bool:
        """Move to the next due time and wake who waits for it. False if nothing may move."""
        while self._due and self._due[0][2].done():
            heapq.heappop(self._due)
        if not self._due:
            return False
        at_ms = self._due[0][0]
        self._now_ms = max(self._now_ms, at_ms)
        while self._due and self._due[0][0] <= self._now_ms:
            wake = heapq.heappop(self._due)[2]
            if not wake.done():
                wake.set_result(None)
        return True


class _IdleSelector(selectors.BaseSelector):
    """A selector that tells when the loop would have to wait."""

    def __init__(
        self, real: selectors.BaseSelector, is_working: Callable[[], bool], on_idle: Callable[[], bool]
    ) -> None:
        self._real = real
        self._is_working = is_working
        self._on_idle = on_idle

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self._is_working():
            return self._real.select(timeout)
        time.sleep(SETTLE_S)
        ready = self._real.select(0)
        if ready or self._on_idle():
            return ready
        return self._real.select(timeout)

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Any:
        return self._real.get_map()
