"""What went wrong, for a person: one sentence and the next step."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """An expected failure as a value.

    ``sentence`` says what is wrong, ``next`` what to do about it; both end with a full stop.
    """

    sentence: str
    next: str

    def __str__(self) -> str:
        return f"{self.sentence} {self.next}".strip()


class Refused(Exception):
    """A service could not do what was asked. Carries the :class:`Problem` to show; nothing has changed."""

    def __init__(self, sentence: str, next: str) -> None:
        super().__init__(sentence)
        self.problem = Problem(sentence, next)
