"""What a person reads: one message rendered for one channel, always to the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.domain.priorities import Priority
from app.domain.replies import Meaning, ReplyOption

OPT_OUT_WORDS = {
    "en": "Reply STOP to opt out.",
    "es": "Responda STOP para no recibir mas.",
    "fr": "STOP pour arreter.",
}
"""On the first text ever to a number, and on every promotional one. Plain letters: an accent would halve the
room of the whole text."""


@dataclass(frozen=True, slots=True)
class Wording:
    """The parts of one version of a message."""

    production: str
    priority: Priority
    subject: str
    body: str
    options: Sequence[ReplyOption] = ()
    location: str = ""


def sms(wording: Wording, *, link: str | None, opt_out_words: bool, language: str = "en") -> str:
    """The text as it is sent. Begins with the production's name, so that nobody wonders who writes.

    ``link`` is given only where the public address is stable; without one the answer is asked for by digit.
    """
    opening = f"{wording.production}: "
    if wording.priority is Priority.URGENT:
        opening += "URGENT: "
    parts = [opening + _subject_and_body(wording)]
    if place := where(wording):
        parts.append(place)
    if wording.options:
        parts.append(asking(wording.options))
    if link:
        parts.append(link)
    if opt_out_words:
        parts.append(OPT_OUT_WORDS.get(language, OPT_OUT_WORDS["en"]))
    return " ".join(parts)


DISREGARD = "DISREGARD:"
IS_CANCELLED = "This message is cancelled."


def disregarded(wording: Wording, named: str) -> Wording:
    """The wording that tells somebody to disregard what they had under this headline, where subject and body stand
    apart. It asks for nothing and names no place."""
    return replace(wording, subject=f"{DISREGARD} {named}", body=IS_CANCELLED, options=(), location="")


def disregard(
    wording: Wording, *, headline: str, link: str | None, opt_out_words: bool, language: str = "en"
) -> str:
    """The text to somebody who had a message that is cancelled. It names the message by its headline and asks for
    nothing: an answer to it would be taken for one to something that holds no more."""
    # The dots of a headline that was cut: an ellipsis is one character, and halves the room of the whole text.
    named = _sentence(headline.replace("…", "..."))
    parts = [f"{wording.production}: {DISREGARD} {named} {IS_CANCELLED}"]
    if link:
        parts.append(link)
    if opt_out_words:
        parts.append(OPT_OUT_WORDS.get(language, OPT_OUT_WORDS["en"]))
    return " ".join(parts)


def where(wording: Wording) -> str:
    """Where it is about, as a sentence; nothing where subject and body name every part of the place already."""
    told = f"{wording.subject} {wording.body}".casefold()
    parts = [part.strip() for part in wording.location.split(",") if part.strip()]
    if all(part.casefold() in told for part in parts):
        return ""
    return _sentence(f"Where: {wording.location.strip()}")


def asking(options: Sequence[ReplyOption]) -> str:
    """How an answer is asked for: by digits, never by YES or CANCEL, which carriers take for keywords."""
    words = [f"{option.digit} {_ASKED.get(option.meaning, option.label)}" for option in options]
    return f"Reply {', '.join(words)}."


_ASKED = {Meaning.CONFIRMED: "to confirm", Meaning.NEEDS_HELP: "if there is a problem"}


def _subject_and_body(wording: Wording) -> str:
    subject, body = wording.subject.strip(), wording.body.strip()
    if body.casefold().startswith(subject.casefold()):
        subject = ""
    return " ".join(_sentence(part) for part in (subject, body) if part)


def _sentence(words: str) -> str:
    """With a full stop where what follows would run into it."""
    return words if words[-1] in ".!?:;)" else f"{words}."
