"""A sheet over a screen: the keys, a dialog."""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

T = TypeVar("T")

SETTLE_MS = 300
"""Keys are ignored this long after a dialog opens: they were meant for the screen below."""


class Sheet(ModalScreen[T]):
    """Closes once. A second key or click that is on its way by then closes nothing that lies below."""

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        return super().dismiss(result) if self.is_active else AwaitComplete()
