"""How often one link may be used, and single-use marks for the page's own script."""

from __future__ import annotations

import secrets
from collections import OrderedDict

from providers.contract import Clock

PER_MINUTE = 60
"""Requests a link takes in a minute: a person and two link scanners stay far below it."""

REMEMBERED = 10_000
"""Links whose use is remembered at once; the oldest is forgotten first. A link token has one length, and what has
not its shape is refused before it is counted: so what is remembered has a fixed size."""


class TokenRate:
    """A counter per link and minute. Limits are per link, never per address: every tunnel comes from loopback."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def allows(self, token: str) -> bool:
        """Count one use; False when the link was used too often this minute."""
        minute = self._clock.now_ms() // 60_000
        began, count = self._seen.pop(token, (minute, 0))
        count = count + 1 if began == minute else 1
        self._seen[token] = (minute, count)
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return count <= PER_MINUTE

    def nonce(self) -> str:
        """A fresh mark that lets the page's own script run and no other."""
        return secrets.token_urlsafe(12)
