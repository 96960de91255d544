"""The drawing characters of the screens, and plain ones for terminals that have no box glyphs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One character for each thing that is drawn. All are one column wide."""

    full: str
    empty: str
    rule: str
    cursor: str
    mark: str
    dot: str
    more: str


UNICODE = Glyphs(full="━", empty="╌", rule="─", cursor="▸", mark="●", dot="·", more="…")
ASCII = Glyphs(full="#", empty="-", rule="-", cursor=">", mark="*", dot="|", more="~")


def glyphs_for(encoding: str | None) -> Glyphs:
    """The characters a terminal with this encoding can show."""
    try:
        "".join((UNICODE.full, UNICODE.empty, UNICODE.rule, UNICODE.cursor, UNICODE.mark)).encode(
            encoding or "ascii"
        )
    except (LookupError, UnicodeEncodeError):
        return ASCII
    return UNICODE
