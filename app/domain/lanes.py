"""Who goes next: how the priorities that are not URGENT share a sender, and productions share the open calls.

URGENT has calls and a place on the schedule of its own. The other three share what is left by weight, counted in
segments, so that a long daily report cannot keep tomorrow's call times waiting and is itself never forgotten.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final, TypeVar

from app.domain.priorities import Priority

T = TypeVar("T")

WEIGHTS: Final[dict[Priority, int]] = {Priority.IMPORTANT: 6, Priority.INFO: 3, Priority.ROUTINE: 1}
"""Of ten segments that leave while all three wait, so many are for each."""


class Shares:
    """The account of one sender's lane: what each priority has had, in segments divided by its weight.

    Who has had the least goes next. Who comes after a pause begins where the others are: a night without daily
    reports is no credit for the morning.
    """

    def __init__(self) -> None:
        self._had: dict[Priority, float] = {}

    def quotas(self, waiting: Collection[Priority], places: int) -> dict[Priority, int]:
        """How many of so many places each of the waiting priorities gets, if a place is one segment."""
        self._join(waiting)
        planned = dict(self._had)
        quotas = dict.fromkeys(sorted(waiting, key=lambda one: one.rank), 0)
        for _ in range(places if quotas else 0):
            chosen = self._next(planned, quotas)
            quotas[chosen] += 1
            planned[chosen] += 1 / WEIGHTS[chosen]
        return {priority: count for priority, count in quotas.items() if count}

    def in_turn(self, candidates: Sequence[tuple[Priority, int]]) -> Iterator[int]:
        """The places of these candidates (priority and segments) in the order in which they may leave.

        Each is charged when the next one is asked for: stop asking, and the rest costs nothing. Candidates are of
        priorities that were waiting when the quotas were made.
        """
        self._join(self._had.keys() | {priority for priority, _ in candidates})
        queues: dict[Priority, list[int]] = {}
        for place, (priority, _) in enumerate(candidates):
            queues.setdefault(priority, []).append(place)
        while queues:
            chosen = self._next(self._had, queues)
            place = queues[chosen].pop(0)
            if not queues[chosen]:
                del queues[chosen]
            yield place
            self._had[chosen] += candidates[place][1] / WEIGHTS[chosen]

    @staticmethod
    def _next(had: dict[Priority, float], among: Collection[Priority]) -> Priority:
        return min(among, key=lambda one: (had[one], one.rank))

    def _join(self, waiting: Collection[Priority]) -> None:
        floor = min((self._had[one] for one in waiting if one in self._had), default=0.0)
        self._had = {one: max(self._had.get(one, floor), floor) for one in waiting}


def portions(lines: Sequence[T], start: int) -> list[T]:
    """The lines (one a production) in the order of this turn: everybody begins once in a round."""
    if not lines:
        return []
    first = start % len(lines)
    return [*lines[first:], *lines[:first]]


def portion(free: int, behind: int) -> int:
    """How many of the free calls a line may take when so many lines come behind it in this turn."""
    return -(-free // (behind + 1))
