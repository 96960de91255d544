"""How a text travels: its alphabet, how many segments it takes, and what makes it need more of them.

Sources: 3GPP TS 23.038 (alphabets) and TS 23.040 (texts of several segments). A segment carries 140 bytes; in a
text of several segments each gives 6 of them to the header that puts them in order again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Encoding = Literal["GSM-7", "UCS-2"]

GSM_7: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The 127 characters of the default alphabet (TS 23.038, 6.2.1); the 128th place is the escape."""

GSM_7_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
"""Characters behind the escape (TS 23.038, 6.2.1.1): two places each, never split between two segments."""

DEFAULT_LIMIT: Final = 480
"""Characters of a text unless the production allows more: about three segments of the default alphabet."""

HARD_LIMIT: Final = 1600
"""Characters no text may exceed: providers refuse longer ones."""


@dataclass(frozen=True, slots=True)
class Room:
    """Places in a text that is ``alone`` in its segment, and in ``each`` segment of a longer one."""

    alone: int
    each: int


ROOM: Final[dict[Encoding, Room]] = {
    "GSM-7": Room(160, 153),  # 140 bytes and 134 bytes, in places of 7 bits
    "UCS-2": Room(70, 67),  # the same bytes in UTF-16 units of 16 bits
}


@dataclass(frozen=True, slots=True)
class Measure:
    """The size of a text.

    ``units`` are places of GSM-7 or UTF-16 units of UCS-2; ``left_in_segment`` are the units still free before
    the text takes one segment more. ``offending`` names each character that forces UCS-2, with its index in the
    text; it is empty for GSM-7.
    """

    encoding: Encoding
    units: int
    segments: int
    left_in_segment: int
    offending: tuple[tuple[int, str], ...] = ()


def measure(text: str) -> Measure:
    """Encoding, units and segments of ``text``. An empty text takes one segment, as a carrier counts it."""
    offending = tuple((index, character) for index, character in enumerate(text) if not is_gsm_7(character))
    encoding: Encoding = "UCS-2" if offending else "GSM-7"
    widths = [_width(character, encoding) for character in text]
    units, room = sum(widths), ROOM[encoding]
    if units <= room.alone:
        return Measure(encoding, units, 1, room.alone - units, offending)
    segments, left = _packed(widths, room.each)
    return Measure(encoding, units, segments, left, offending)


def is_gsm_7(character: str) -> bool:
    return character in GSM_7 or character in GSM_7_EXTENSION


def _width(character: str, encoding: Encoding) -> int:
    if encoding == "GSM-7":
        return 2 if character in GSM_7_EXTENSION else 1
    return 2 if ord(character) > 0xFFFF else 1  # beyond 16 bits UTF-16 needs a pair


def _packed(widths: Iterable[int], room: int) -> tuple[int, int]:
    """Segments filled in order, a character of two units never split, and the units left in the last one."""
    segments, left = 1, room
    for width in widths:
        if width > left:
            segments, left = segments + 1, room
        left -= width
    return segments, left


STRAIGHT: Final[dict[str, str]] = {
    **dict.fromkeys("‘’‚‛ʼʹʻ′´`‹›＇", "'"),
    **dict.fromkeys("“”„‟″«»＂", '"'),
    **dict.fromkeys("‐‑‒–—―−⁃﹣－", "-"),
    **dict.fromkeys("•‣▪◦", "-"),  # list marks, as word processors set them
    **dict.fromkeys("\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a", " "),
    **dict.fromkeys("\u202f\u205f\u3000", " "),
    **dict.fromkeys("\u2028\u2029\u0085\u000b", "\n"),
    "⁄": "/",
    "∕": "/",
    "×": "x",
}
"""Characters that phones and word processors put in by themselves, and the one of GSM-7 that says the same."""

STRAIGHT_WHERE_IT_HELPS: Final[dict[str, str]] = {
    "…": "...",
    "№": "No.",
    "ﬁ": "fi",
    "ﬂ": "fl",
    # Invisible: soft hyphen, zero-width spaces, direction marks that come with copied phone numbers.
    **dict.fromkeys("\u00ad\u200b\u2060\ufeff\u200e\u200f\u202a\u202c\u202d\u2066\u2068\u2069", ""),
}
"""Replacements that lengthen the text, or that a text in another script needs as it is. They are made only where
the whole text then fits GSM-7 and takes no more segments than before."""

_ALIKE = str.maketrans(STRAIGHT)
_HELPFUL = str.maketrans(STRAIGHT_WHERE_IT_HELPS)


def straighten(text: str) -> str:
    """``text`` with curly quotes, dashes, ellipses, unusual spaces and the like in their GSM-7 form.

    Everything else stays, accents and emoji too. The result never takes more segments than ``text``.
    """
    alike = text.translate(_ALIKE)
    helped = alike.translate(_HELPFUL)
    fits = all(is_gsm_7(character) for character in helped)
    return helped if fits and measure(helped).segments <= measure(alike).segments else alike
