"""How many segments the carrier bills for a text. It counts for itself, as the vendor does, so that a wrong
count of the product shows. Rules and alphabet: 3GPP TS 23.038 and 23.040."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION: Final = frozenset("\f^{}\\[~]|€")
"""Each takes two places, which are never split."""

ROOM: Final = {"GSM-7": (160, 153), "UCS-2": (70, 67)}
"""Places in a text of one segment, and in each segment of a longer one."""


def segments_of(text: str) -> int:
    """The number of segments, at least 1."""
    if all(character in BASIC or character in EXTENSION for character in text):
        widths = [2 if character in EXTENSION else 1 for character in text]
        alone, each = ROOM["GSM-7"]
    else:
        widths = [2 if ord(character) > 0xFFFF else 1 for character in text]
        alone, each = ROOM["UCS-2"]
    return 1 if sum(widths) <= alone else _packed(widths, each)


def _packed(widths: Iterable[int], room: int) -> int:
    segments, used = 1, 0
    for width in widths:
        if used + width > room:
            segments, used = segments + 1, 0
        used += width
    return segments
