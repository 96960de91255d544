"""What to do about a message whose fate is not known. Never send it again in silence.

In this order: a receipt with our own reference settles it before anybody asks; the provider is asked; then the
priority decides. URGENT goes again unless the person has evidence of it on any channel. Everything else stays
in the uncertain list, where the coordinator decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.domain.priorities import Priority
from app.domain.retries import LOOK_UP_WAITS_MS, URGENT_LOOKS
from providers.contract import CannotSay, Found, NotFound


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    ASK_AGAIN = "ask again"
    SEND_AGAIN = "send again"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Resolution:
    """The verdict, when to ask again, and the sentence for the coordinator."""

    verdict: Verdict
    look_at: int | None = None
    why: str = ""
    next: str = ""


REMIND = "r reminds them, with a new text."


def resolve(
    answer: Found | NotFound | CannotSay,
    *,
    priority: Priority,
    person_has_evidence: bool,
    looks: int,
    now_ms: int,
) -> Resolution:
    """What follows from the provider's answer. ``looks`` counts this question too."""
    if isinstance(answer, Found):
        return Resolution(Verdict.ACCEPTED)
    urgent = priority is Priority.URGENT
    if isinstance(answer, CannotSay) and answer.retryable and not (urgent and looks >= URGENT_LOOKS):
        wait = LOOK_UP_WAITS_MS[min(looks - 1, len(LOOK_UP_WAITS_MS) - 1)]
        look_at = now_ms + wait if looks <= len(LOOK_UP_WAITS_MS) else None
        return Resolution(
            Verdict.ASK_AGAIN if look_at else Verdict.UNCERTAIN,
            look_at,
            "Nobody knows whether it was sent: the provider has not answered yet.",
            REMIND,
        )
    if urgent and not person_has_evidence:
        return Resolution(Verdict.SEND_AGAIN)
    if isinstance(answer, NotFound):
        return Resolution(
            Verdict.UNCERTAIN, None, "The provider has no record of it: it was probably not sent.", REMIND
        )
    return Resolution(
        Verdict.UNCERTAIN, None, "Nobody knows whether it was sent: the provider cannot say.", REMIND
    )
