"""A message as it is composed, and the rules it must keep before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.domain import texts
from app.domain.message_types import MessageType
from app.domain.priorities import Priority, Purpose
from app.domain.problem import Problem
from app.domain.replies import ReplyOption
from app.domain.sms import DEFAULT_LIMIT, HARD_LIMIT
from providers.contract import Channel

SUBJECT_LIMIT = 120
"""Characters. A subject line longer than this is cut by every phone."""

HEADLINE_LIMIT = 40
"""Characters of a body that stand for a subject that was not written."""

LONGEST_LINK = 80


class MessageStatus(StrEnum):
    """What was decided about a message. Whether it is finished is computed from its rows, never declared."""

    DRAFT = "draft"
    AWAITING_APPROVAL = "awaiting approval"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


GOES_OUT = frozenset({MessageStatus.SENDING, MessageStatus.CANCELLED})
"""What of these messages is queued has its turn. For a cancelled one that is the word to disregard it; all else of it
is called off in its turn."""


@dataclass(frozen=True, slots=True)
class Composed:
    """What the coordinator wrote, ready to be checked and sent."""

    audience: Sequence[str]
    type: MessageType
    priority: Priority
    purpose: Purpose
    subject: str
    body: str
    channels: Sequence[Channel]
    options: Sequence[ReplyOption] = ()
    location: str = ""


def headline(subject: str, body: str) -> str:
    """What a message is called in a list and in a question: its subject, else the beginning of its body, on one
    line and cut between two words where there are any."""
    named = " ".join((subject if subject.strip() else body).split())
    if subject.strip() or len(named) <= HEADLINE_LIMIT:
        return named
    whole_words, space, _ = named[: HEADLINE_LIMIT - 1].rpartition(" ")
    if named[HEADLINE_LIMIT - 1] == " " or not space:
        whole_words = named[: HEADLINE_LIMIT - 1]
    return f"{whole_words}…"


def wording_of(message: Composed, production: str) -> texts.Wording:
    """The parts of the text this message becomes."""
    return texts.Wording(
        production, message.priority, message.subject, message.body, message.options, message.location
    )


def problem_of(message: Composed, production: str) -> Problem | None:
    """What is wrong with the wording, or None. The limits are those of the text that is really sent."""
    if not message.audience:
        return Problem("Nobody is addressed.", "Say who it is for: all, dept:Camera, person:Ada Lund.")
    if not message.subject.strip() and not message.body.strip():
        return Problem("The message is empty.", "Write what people must know.")
    if len(message.subject) > SUBJECT_LIMIT:
        return Problem(
            f"The subject has {len(message.subject)} characters; the limit is {SUBJECT_LIMIT}.",
            "Shorten it, and say the rest in the message.",
        )
    if Channel.SMS in message.channels:
        wording = wording_of(message, production)
        length = len(texts.sms(wording, link="x" * LONGEST_LINK, opt_out_words=True))
        if length > HARD_LIMIT:
            return Problem(
                f"The text has {length} characters with its link and reply line; no carrier takes more than {HARD_LIMIT}.",
                "Shorten it, or send it by e-mail.",
            )
        written = len(" ".join(part for part in (message.body, texts.where(wording)) if part))
        if written > DEFAULT_LIMIT:
            return Problem(
                f"The message has {written} characters; a text takes {DEFAULT_LIMIT}.",
                "Shorten it, or send it without the channel sms.",
            )
    return None
