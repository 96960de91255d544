"""The product's own clock, on a machine whose wall clock is set forward now and then."""

from __future__ import annotations

from app.clock import SystemClock


class SkippingClock(SystemClock):
    """``ahead_ms`` before this machine's clock. Everything keeps its pace and its waits; what nobody wants to sit
    through is skipped, as a laptop's sleep is: ``ahead_ms`` rises, and who waits notices within a second."""

    def __init__(self, ahead_ms: int = 0) -> None:
        machine = SystemClock()
        self.ahead_ms = ahead_ms
        super().__init__(wall_ms=lambda: machine.now_ms() + self.ahead_ms)
