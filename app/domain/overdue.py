"""When to ask about a message that its provider took and has not spoken of since.

Callbacks get lost: a tunnel changes its address, a listener restarts, a provider gives up after seconds. Without
asking, what arrived would stand as "sent" for ever, and its reader would be reminded for nothing.
"""

from __future__ import annotations

from typing import Final

WAITS_MS: Final = (2 * 60_000, 10 * 60_000, 60 * 60_000)
"""After the provider took it. A phone that is on has it within seconds; one that has said nothing for an hour is off,
and what it does in the morning is told by callback."""


def next_look(accepted_at: int, looks: int, now_ms: int) -> int | None:
    """When to ask next (epoch ms) after so many questions, None for not again. A time that has passed (this machine
    slept) is now."""
    return max(accepted_at + WAITS_MS[looks], now_ms) if looks < len(WAITS_MS) else None
