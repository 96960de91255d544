"""One line about all sieges of a run: how often the sender was killed, and what became of what it left behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

SIEGE = "siege"
"""The name under which a test records the figures of its siege."""


def line_of(sieges: Iterable[Mapping[str, int]]) -> str:
    """The figures of all sieges, added up."""
    total: Counter[str] = Counter()
    for figures in sieges:
        total.update(figures)
    return ", ".join(f"{name} {count}" for name, count in total.items())
