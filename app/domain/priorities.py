"""The four priorities, and everything that follows from one: channels, quiet hours, undo window, patience."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from providers.contract import Channel


class Priority(StrEnum):
    """How much it matters tonight."""

    URGENT = "urgent"
    IMPORTANT = "important"
    INFO = "info"
    ROUTINE = "routine"

    @property
    def rank(self) -> int:
        """0 is claimed first."""
        return _RANKS[self]

    @property
    def label(self) -> str:
        return _LABELS[self]

    @property
    def symbol(self) -> str:
        return _SYMBOLS[self]


_RANKS = {priority: rank for rank, priority in enumerate(Priority)}
_LABELS = {
    Priority.URGENT: "URGENT",
    Priority.IMPORTANT: "Important",
    Priority.INFO: "Info",
    Priority.ROUTINE: "Routine",
}
PRIORITY_OF_RANK = {rank: priority for priority, rank in _RANKS.items()}
_SYMBOLS = {Priority.URGENT: "!!", Priority.IMPORTANT: "!", Priority.INFO: "i", Priority.ROUTINE: "."}

OTHER_NAMES = {"high": Priority.IMPORTANT, "medium": Priority.INFO, "low": Priority.ROUTINE}
"""Names other tools use for the same thing."""


class Purpose(StrEnum):
    """Why it is sent. It decides which consent and which quiet-hour rules apply."""

    SAFETY = "safety"
    OPERATIONAL = "operational"
    PROMOTIONAL = "promotional"


class StepKind(StrEnum):
    """One round of sending a message."""

    FIRST = "first"
    REMINDER = "reminder"
    LADDER = "ladder"
    CALL = "call"
    DISREGARD = "disregard"
    CORRECTION = "correction"


class QuietRule(StrEnum):
    """What a message does in a person's quiet hours."""

    PIERCE = "pierce"
    HOLD_UNLESS_CALL_IS_SOONER = "hold unless the call is sooner"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Profile:
    """What a priority means. A production can edit its own copy."""

    channels: tuple[Channel, ...]
    quiet: QuietRule
    undo_s: int
    """The undo window of the first step; "first provider call" times count from its end."""
    give_up_s: int
    """After this long without acceptance a delivery is not tried again."""
    unknown_wait_s: int | None
    """URGENT only: how long a callback may clear up an unknown before it is looked up and sent again."""


PROFILES: dict[Priority, Profile] = {
    Priority.URGENT: Profile(
        (Channel.SMS, Channel.VOICE, Channel.PUSH, Channel.EMAIL, Channel.IN_APP),
        QuietRule.PIERCE,
        undo_s=5,
        give_up_s=2 * 3600,
        unknown_wait_s=20,
    ),
    Priority.IMPORTANT: Profile(
        (Channel.SMS, Channel.PUSH, Channel.EMAIL, Channel.IN_APP),
        QuietRule.HOLD_UNLESS_CALL_IS_SOONER,
        undo_s=30,
        give_up_s=6 * 3600,
        unknown_wait_s=None,
    ),
    Priority.INFO: Profile(
        (Channel.PUSH, Channel.EMAIL, Channel.IN_APP),
        QuietRule.HOLD,
        undo_s=60,
        give_up_s=24 * 3600,
        unknown_wait_s=None,
    ),
    Priority.ROUTINE: Profile(
        (Channel.EMAIL, Channel.IN_APP), QuietRule.HOLD, undo_s=60, give_up_s=24 * 3600, unknown_wait_s=None
    ),
}
"""The defaults of a production."""

REMIND_UNDO_S: dict[Priority, int] = {
    Priority.URGENT: 3,
    Priority.IMPORTANT: 10,
    Priority.INFO: 10,
    Priority.ROUTINE: 10,
}
CALL_UNDO_S = 10

GUARD_S = 120
"""A second press of the same key within this time returns the first step: nobody is reminded twice."""


def undo_window_s(kind: StepKind, priority: Priority) -> int:
    """Seconds between the key and the first provider call."""
    if kind is StepKind.CALL:
        return CALL_UNDO_S
    if kind is StepKind.REMINDER:
        return REMIND_UNDO_S[priority]
    return PROFILES[priority].undo_s


def parse_priority(text: str) -> Priority | None:
    """The priority somebody typed, in any case and by any of its names."""
    word = text.strip().lower()
    if word in OTHER_NAMES:
        return OTHER_NAMES[word]
    return next((priority for priority in Priority if priority.value == word), None)
