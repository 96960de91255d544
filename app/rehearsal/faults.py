"""Faults of a provider while the rehearsal runs: what a coordinator practises and a test needs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from app.clock import unless
from providers.contract import Clock

PROVIDERS: Final = ("twilio",)

ANSWERS, CALLBACKS = "answers", "callbacks"

KINDS: Final[dict[str, tuple[str, str]]] = {
    # kind: (what it touches, what happens)
    "503": (ANSWERS, "Every request is answered with 503; nothing is accepted."),
    "429": (ANSWERS, "Every request is told to come again in 2 seconds; nothing is accepted."),
    "401": (ANSWERS, "The credentials are refused; nothing is accepted."),
    "timeout_before": (ANSWERS, "Requests are taken and never answered; nothing is accepted."),
    "timeout_after": (ANSWERS, "Texts are accepted, but the answer never comes."),
    "garbage": (ANSWERS, "Texts are accepted, but the answer makes no sense."),
    "reset": (ANSWERS, "Texts are accepted, but the connection breaks before the answer."),
    "callbacks_stopped": (CALLBACKS, "Callbacks are held back until the fault is over."),
    "callbacks_lost": (CALLBACKS, "Callbacks of this time are lost for good."),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one provider until a moment in milliseconds since 1970."""

    kind: str
    until_ms: int


class Faults:
    """The faults of now. One that touches the answers and one that touches the callbacks can hold at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._faults: dict[tuple[str, str], Fault] = {}
        self._changed = asyncio.Event()

    def set(self, provider: str, kind: str, seconds: float) -> None:
        """Begin a fault, in place of an earlier one that touches the same.

        Raises :class:`ValueError`, with a sentence for a person, for a provider or kind that does not exist.
        """
        if provider not in PROVIDERS:
            raise ValueError(f"There is no provider “{provider}” here. Choose from: {', '.join(PROVIDERS)}.")
        if kind not in KINDS:
            raise ValueError(f"There is no fault “{kind}”. Choose from: {', '.join(KINDS)}.")
        if not 0 < seconds <= 86_400:
            raise ValueError("A fault lasts more than 0 seconds and at most 24 hours.")
        touches, _ = KINDS[kind]
        self._faults[provider, touches] = Fault(kind, self._clock.now_ms() + round(seconds * 1000))
        self._wake()

    def clear(self) -> None:
        """End every fault now."""
        self._faults.clear()
        self._wake()

    def active(self, provider: str, touches: str) -> str | None:
        """The kind of fault that holds now, if any."""
        fault = self._faults.get((provider, touches))
        return fault.kind if fault is not None and self._clock.now_ms() < fault.until_ms else None

    async def wait_while(self, provider: str, kind: str) -> None:
        """Returns once this fault does not hold (any more)."""
        touches, _ = KINDS[kind]
        while self.active(provider, touches) == kind:
            until_ms = self._faults[provider, touches].until_ms
            try:
                await unless(self._changed.wait(), self._clock.sleep_until(until_ms))
            except TimeoutError:  # another fault was set, or all were cleared
                continue

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
