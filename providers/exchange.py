"""What happened to one HTTP request, for adapters that must know whether it can have been accepted."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum


class Break(Enum):
    """How an exchange ended without an answer."""

    UNREACHABLE = "no connection"
    SLOW_TO_CONNECT = "no connection in time"
    SILENT = "no answer in time"
    BROKEN = "the connection broke"


@dataclass(slots=True)
class Exchange:
    """What happened to one request. Filled in while it runs."""

    started: bool = False
    connected: bool = False
    """There was a connection: from here on the request may have been written, and so accepted."""
    ended: Break | None = None
    status: int | None = None
    text: str = field(default="", repr=False)
    retry_after: str | None = None

    def begin(self) -> None:
        """A request starts: what is known of an earlier one of the same call (a page before) is forgotten."""
        self.started = True
        self.connected = False
        self.ended = None
        self.status = None
        self.text = ""
        self.retry_after = None


EXCHANGE: ContextVar[Exchange] = ContextVar("EXCHANGE")
"""The exchange of the running task: a vendor's package has no argument through which it could be handed on."""
