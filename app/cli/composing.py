"""The words of ``callboard send`` read as a message. Wrong words raise :class:`typer.BadParameter` (exit code 2)."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from app.domain.message_types import DEFAULTS, TYPE_OF_PRIORITY, MessageType
from app.domain.messages import Composed
from app.domain.priorities import PROFILES, Priority, parse_priority
from app.domain.problem import Refused
from app.domain.replies import STANDARD_OPTIONS, Meaning, ReplyOption
from app.store.audience import parse_who
from providers.contract import Channel

ASKING = frozenset({Priority.URGENT, Priority.IMPORTANT})
"""Priorities that ask for an answer unless told otherwise."""

NONE, STANDARD = "none", "standard"

MEANING_OF_DIGIT = {1: Meaning.CONFIRMED, 2: Meaning.NEEDS_HELP}
"""What a digit means where the option does not say."""


def compose(
    *,
    to: Sequence[str],
    priority: str | None,
    type: str | None,
    subject: str,
    body: str,
    channels: Sequence[str],
    location: str,
    replies: Sequence[str],
) -> Composed:
    """A message from the words of a command line. Priority follows from the type, or the type from the priority."""
    for word in to:
        try:
            parse_who(word)
        except Refused as refused:
            raise typer.BadParameter(str(refused.problem), param_hint="--to") from None
    kind = _type(type) if type is not None else None
    level = _priority(priority) if priority is not None else None
    if level is None:
        if kind is None:
            raise typer.BadParameter(
                "Say how much it matters: --priority urgent, important, info or routine."
            )
        level = DEFAULTS[kind].priority
    kind = kind or TYPE_OF_PRIORITY[level]
    return Composed(
        audience=list(to),
        type=kind,
        priority=level,
        purpose=DEFAULTS[kind].purpose,
        subject=subject.strip(),
        body=body.strip(),
        channels=_channels(channels) or PROFILES[level].channels,
        options=_options(replies, level),
        location=location.strip(),
    )


def from_standard_input() -> str:
    """What is piped into the command, without the space around it."""
    try:
        return sys.stdin.buffer.read().decode("utf-8").strip()
    except UnicodeDecodeError:
        raise typer.BadParameter("What was piped in is no text (UTF-8).", param_hint="--body") from None


def _type(word: str) -> MessageType:
    name = word.strip().lower().replace("-", "_").replace(" ", "_")
    if name not in list(MessageType):
        known = ", ".join(one.value for one in MessageType)
        raise typer.BadParameter(f"There is no type “{word}”. There is: {known}.", param_hint="--type")
    return MessageType(name)


def _priority(word: str) -> Priority:
    found = parse_priority(word)
    if found is None:
        known = ", ".join(one.value for one in Priority)
        raise typer.BadParameter(
            f"There is no priority “{word}”. There is: {known}.", param_hint="--priority"
        )
    return found


def _channels(words: Sequence[str]) -> tuple[Channel, ...]:
    found = []
    for word in words:
        name = word.strip().lower().replace("-", "_")
        if name not in list(Channel):
            known = ", ".join(one.value for one in Channel)
            raise typer.BadParameter(
                f"There is no channel “{word}”. There is: {known}.", param_hint="--channel"
            )
        found.append(Channel(name))
    return tuple(dict.fromkeys(found))


def _options(words: Sequence[str], priority: Priority) -> tuple[ReplyOption, ...]:
    if not words:
        return STANDARD_OPTIONS if priority in ASKING else ()
    if len(words) == 1 and words[0].strip().lower() in (NONE, STANDARD):
        return STANDARD_OPTIONS if words[0].strip().lower() == STANDARD else ()
    options = tuple(_option(word) for word in words)
    if len({one.digit for one in options}) != len(options):
        raise typer.BadParameter("Two answers have the same digit.", param_hint="--reply")
    return tuple(sorted(options, key=lambda one: one.digit))


def _option(word: str) -> ReplyOption:
    digit, equals, rest = word.partition("=")
    label, colon, meaning = rest.rpartition(":")
    if not colon:
        label, meaning = rest, ""
    number = digit.strip()
    known = ", ".join(one.value for one in Meaning)
    if not equals or len(number) != 1 or number not in "123456789" or not label.strip():
        raise typer.BadParameter(
            f"“{word}” is no answer. Write none, standard, or a digit with its words: 1=I will be there:confirmed.",
            param_hint="--reply",
        )
    if meaning and meaning.strip().lower() not in list(Meaning):
        raise typer.BadParameter(
            f"“{meaning}” is no meaning of an answer. There is: {known}.", param_hint="--reply"
        )
    named = Meaning(meaning.strip().lower()) if meaning else None
    return ReplyOption(int(number), label.strip(), named or MEANING_OF_DIGIT.get(int(number), Meaning.OTHER))
