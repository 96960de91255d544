"""What people write on a phone, brought to one plain form before it is compared with a table."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

QUESTION_MARKS: Final = frozenset("?¿؟՞\u037e፧⁇⁈⁉‽⸮︖﹖？❓❔")
"""Question marks of the world's scripts, and the two emoji. The Greek one
(U+037E) looks like a semicolon."""

APOSTROPHES: Final = frozenset("'’‘‛ʼ＇`´′")

_STRETCHED = re.compile(r"([a-z])\1{2,}")


def plain(text: str) -> str:
    """``text`` in lower case, without accents, invisible marks, emoji colours and enclosing keycaps.

    Letters and digits of any width and shape become the ordinary ones ("ＯＫ", "①", "1️⃣", "١"); every run of
    spaces on one line becomes one space. Line ends stay. Apostrophes become the straight one.
    """
    straight = "".join("'" if character in APOSTROPHES else character for character in text)
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", straight).casefold())
    kept = "".join(_one(character) for character in apart)
    return "\n".join(" ".join(line.split()) for line in kept.splitlines()).strip()


def unstretched(text: str) -> str:
    """``text`` with letters held down for emphasis shortened to one: "okkkk" and "STOOOP" mean ok and stop."""
    return _STRETCHED.sub(r"\1", text)


def asks(text: str) -> bool:
    """Whether a question mark of any script stands in ``text`` as it was written."""
    return any(character in QUESTION_MARKS for character in text)


def _one(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.digit(character))
    if character in "\n\r\t":
        return character
    if category in _INVISIBLE or 0x1F3FB <= ord(character) <= 0x1F3FF:
        return ""
    return character


_INVISIBLE = frozenset({"Mn", "Me", "Cf", "Cc", "Cs"})
"""Accents, variation selectors and keycaps; joiners and direction marks; control characters. The range beside it
holds the five skin tones of Unicode."""
