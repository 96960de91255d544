"""The guard of a number: whatever goes wrong, nobody's phone is flooded.

A loop in a schedule, an import that put one number behind two hundred names, a slip of the finger: each would send
text after text to the same phone. What comes after so many waits until the hour is over; nothing is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WINDOW_MS: Final = 3_600_000
MOST_IDENTICAL: Final = 20
MOST: Final = 100
"""Texts to one number within an hour: with the same words, and in all."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One text that went to a number: when (epoch ms), and which version of which message it was."""

    at: int
    version_id: int


IDENTICAL = f"This number has had {MOST_IDENTICAL} texts with the same words within an hour."
IN_ALL = f"This number has had {MOST} texts within an hour."
NEXT = "It goes out when the hour is over. Look whose number it is, and what sends so much to it."


def held_until(sent: Sequence[Sent], version_id: int, now_ms: int) -> tuple[int, str] | None:
    """Until when another text in this version must wait, and why; None where it may leave now.

    ``sent`` is what went to the number before, in any order.
    """
    within = sorted(one.at for one in sent if one.at > now_ms - WINDOW_MS)
    same = sorted(one.at for one in sent if one.at > now_ms - WINDOW_MS and one.version_id == version_id)
    waits = [
        (times[-most] + WINDOW_MS, why)
        for times, most, why in ((same, MOST_IDENTICAL, IDENTICAL), (within, MOST, IN_ALL))
        if len(times) >= most
    ]
    return max(waits, default=None)
