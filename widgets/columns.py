"""The columns of a table, and how they share the width there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """A column: ``width`` columns wide, and ``grow`` shares of what is left over.

    Where there is not room for all, the column with the highest ``drop`` is left out first; one with 0 never. Where
    those that stay still do not fit, they give way down to their ``least``: first those that would grow least.
    """

    title: str
    width: int
    grow: int = 0
    right: bool = False
    drop: int = 0
    most: int = 0
    """It does not grow beyond this; 0 stands for no limit."""
    least: int = 0
    """It does not shrink below this; 0 stands for its width."""


def widths(columns: Sequence[Column], room: int) -> list[int]:
    """The width of each column in ``room`` columns, with a space after each; 0 for one that is left out."""
    kept = list(range(len(columns)))
    while _needed(columns, kept) > room:
        place = max(kept, key=lambda one: (columns[one].drop, one), default=None)
        if place is None or columns[place].drop == 0:
            break
        kept.remove(place)
    found = [columns[place].width if place in kept else 0 for place in range(len(columns))]
    _give_way(columns, kept, found, _needed(columns, kept) - room)
    left = room - _needed(columns, kept)
    growing = [place for place in kept if columns[place].grow]
    while left > 0 and growing:
        shares = sum(columns[place].grow for place in growing)
        given = 0
        for place in list(growing):
            extra = min(left - given, max(1, left * columns[place].grow // shares))
            most = columns[place].most
            if most and found[place] + extra >= most:
                extra = max(0, most - found[place])
                growing.remove(place)
            found[place] += extra
            given += extra
        left -= given
    return found


def _give_way(columns: Sequence[Column], kept: Sequence[int], found: list[int], missing: int) -> None:
    """Take the columns that are missing from those that can give."""
    while missing > 0:
        giving = [place for place in kept if found[place] > (columns[place].least or columns[place].width)]
        if not giving:
            return
        found[min(giving, key=lambda place: (columns[place].grow, -found[place]))] -= 1
        missing -= 1


def _needed(columns: Sequence[Column], kept: Sequence[int]) -> int:
    return sum(columns[place].width + 1 for place in kept)
