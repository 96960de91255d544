"""Texts from people to our numbers: delivered by callback, and kept as the vendor keeps them, for who asks."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from app.rehearsal.callbacks import Callbacks
from app.rehearsal.twilio_rules import VERSION
from providers.contract import Clock

NAMELESS_SENDER: Final = "+15005550006"
"""Where replies go if the text came from a Messaging Service that chose the number."""


@dataclass(slots=True)
class Received:
    """One text somebody sent to a number of ours. ``tell`` is called when the other side has heard of it."""

    sid: str
    sender: str
    to: str
    body: str
    created_ms: int
    tell: Callable[[], None] = field(repr=False)
    told: bool = False

    def heard(self) -> None:
        """By callback or because they asked: from now on they know."""
        if not self.told:
            self.told = True
            self.tell()


class Postbox:
    """What people sent, oldest first. ``url`` is where it is delivered; None if nobody wants it."""

    def __init__(self, clock: Clock, account_sid: str, callbacks: Callbacks, url: str | None) -> None:
        self._clock = clock
        self._account_sid = account_sid
        self._callbacks = callbacks
        self.url = url
        self.received: list[Received] = []

    async def take(
        self, sender: str, to: str, body: str, tell: Callable[[], None] = lambda: None
    ) -> Received:
        """Somebody sends a text. Returns when it was delivered, or never will be."""
        one = Received(
            f"SM{secrets.token_hex(16)}", sender, to or NAMELESS_SENDER, body, self._clock.now_ms(), tell
        )
        self.received.append(one)
        if self.url is not None and await self._callbacks.post(self.url, self._fields(one)):
            one.heard()
        return one

    def _fields(self, one: Received) -> dict[str, str]:
        return {
            "AccountSid": self._account_sid,
            "ApiVersion": VERSION,
            "Body": one.body,
            "From": one.sender,
            "MessageSid": one.sid,
            "NumMedia": "0",
            "NumSegments": "1",
            "SmsMessageSid": one.sid,
            "SmsSid": one.sid,
            "SmsStatus": "received",
            "To": one.to,
        }
