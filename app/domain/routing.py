"""Who is reached by which paths: one pure, explained decision for one person and one message.

The decision is made at the moment of sending, from the consents, opt-outs and quiet hours of that moment. What
is left out carries its reason and the next step: the answer to "why not?" comes from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.domain.priorities import PROFILES, Priority, Purpose, QuietRule
from app.domain.quiet_hours import PROMOTIONAL_NIGHT, Window, held
from providers.contract import Channel


class AddressKind(StrEnum):
    PHONE = "phone"
    EMAIL = "email"


class LineType(StrEnum):
    MOBILE = "mobile"
    LANDLINE = "landline"
    UNKNOWN = "unknown"


class Consent(StrEnum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


ADDRESS_OF_CHANNEL: dict[Channel, AddressKind] = {
    Channel.SMS: AddressKind.PHONE,
    Channel.VOICE: AddressKind.PHONE,
    Channel.EMAIL: AddressKind.EMAIL,
}
"""Push goes to devices and in-app to the person's own page: neither has an address on the crew list."""


@dataclass(frozen=True, slots=True)
class ContactPoint:
    """One address of a person, without the address."""

    id: int
    kind: AddressKind
    line_type: LineType = LineType.UNKNOWN
    problem: str | None = None
    """Why nothing should be sent here any more ("wrong number"), learned from a provider."""
    consents: Mapping[Channel, Consent] | None = None
    opted_out: frozenset[Channel] = frozenset()

    def consent(self, channel: Channel) -> Consent:
        return (self.consents or {}).get(channel, Consent.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Addressee:
    """What routing needs to know of a person."""

    person_id: int
    time_zone: str
    quiet: Window | None
    contact_points: tuple[ContactPoint, ...]


@dataclass(frozen=True, slots=True)
class Routable:
    """What routing needs to know of a message."""

    priority: Priority
    purpose: Purpose
    channels: tuple[Channel, ...]
    needed_by_ms: int | None = None
    """When the call it concerns comes: an IMPORTANT message is not held past it."""


class Reason(StrEnum):
    """Why a path, or a whole person, is left out."""

    OPTED_OUT = "opted_out"
    NO_CONSENT = "no_consent"
    BAD_ADDRESS = "bad_address"
    LANDLINE = "landline"
    NO_ADDRESS = "no_address"
    NO_PROVIDER = "no_provider"
    CORRECTED = "corrected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


HELD = ("Held for their quiet hours.", "It goes out when they end.")
"""What to say of somebody who is asleep."""

SENTENCES: dict[Reason, tuple[str, str]] = {
    Reason.OPTED_OUT: ("Opted out of {channel}.", "Reach them another way, or ask them to text START."),
    Reason.NO_CONSENT: (
        "Has not agreed to {channel}.",
        "Ask for their consent and note it in the crew list.",
    ),
    Reason.BAD_ADDRESS: (
        "The {address} does not work: {detail}.",
        "Ask for the right {address} and correct it.",
    ),
    Reason.LANDLINE: ("The number is a landline and cannot take texts.", "Call, or ask for a mobile number."),
    Reason.NO_ADDRESS: ("No {address} in the crew list.", "Add one to the crew list and import it again."),
    Reason.NO_PROVIDER: (
        "No provider sends on the channels of this message.",
        "Look which there are, and add or enable one: callboard provider list.",
    ),
    Reason.CORRECTED: (
        "The {address} was taken out of the crew list before it went out.",
        "Add the right one to the crew list, then remind them.",
    ),
    Reason.CANCELLED: ("Cancelled before it was sent.", "Nothing to do."),
    Reason.EXPIRED: ("It was too old to send when its turn came.", "Send a new message."),
}
"""For each reason: what to say, and what to do."""

CHANNEL_WORDS: dict[Channel, str] = {
    Channel.SMS: "texts",
    Channel.VOICE: "calls",
    Channel.PUSH: "push messages",
    Channel.EMAIL: "e-mail",
    Channel.IN_APP: "messages on their page",
}
ADDRESS_WORDS: dict[AddressKind, str] = {
    AddressKind.PHONE: "phone number",
    AddressKind.EMAIL: "e-mail address",
}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A path that is not taken, and why."""

    reason: Reason
    channel: Channel | None
    why: str
    next: str


@dataclass(frozen=True, slots=True)
class Path:
    """A path that is taken: this channel, this contact point, at once or at the end of the quiet hours."""

    channel: Channel
    contact_point_id: int
    held_until_ms: int | None = None
    override: str | None = None
    """What was passed over on purpose, for the audit: URGENT pierces quiet hours and a missing consent."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The paths to take and the paths left out. Without a path the person is suppressed, for ``suppression``."""

    paths: tuple[Path, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def suppression(self) -> LeftOut | None:
        """The one reason to show when nothing is sent: the one most in need of an act."""
        if self.paths:
            return None
        return min(self.left_out, key=lambda one: _TELLING[one.reason], default=left_out(Reason.NO_PROVIDER))


_TELLING = {reason: place for place, reason in enumerate(Reason)}


def left_out(reason: Reason, channel: Channel | None = None, detail: str = "") -> LeftOut:
    """The reason in words for this channel."""
    words = {
        "channel": CHANNEL_WORDS.get(channel, "messages") if channel else "messages",
        "address": ADDRESS_WORDS.get(ADDRESS_OF_CHANNEL.get(channel, AddressKind.PHONE), "address")
        if channel
        else "address",
        "detail": _within_a_sentence(detail) or "the reason is not known",
    }
    why, following = SENTENCES[reason]
    return LeftOut(reason, channel, why.format(**words), following.format(**words))


_PLAIN_BEGINNINGS = frozenset({"The", "This", "It", "A", "An", "No", "There"})
"""First words that are written small inside a sentence. Any other may be a name."""


def _within_a_sentence(words: str) -> str:
    """The first sentence of these words as it is written after a colon: a small letter, no full stop."""
    first = words.partition(". ")[0].strip().rstrip(".")
    word, space, rest = first.partition(" ")
    return f"{word.lower()}{space}{rest}" if word in _PLAIN_BEGINNINGS else first


def route(person: Addressee, message: Routable, available: frozenset[Channel], now_ms: int) -> Decision:
    """Every path this person can be reached by for this message, now.

    ``available`` are the channels with a provider; a channel without one is not planned. All channels of a
    message go out in parallel, each to the first contact point that can take it.
    """
    paths: list[Path] = []
    missed: list[LeftOut] = []
    for channel in message.channels:
        if channel is Channel.VOICE or channel not in ADDRESS_OF_CHANNEL or channel not in available:
            continue  # calls are a step of their own, made to those who have not read
        taken, reasons = _first_path(person, message, channel, now_ms)
        if taken:
            paths.append(taken)
        else:
            missed.extend(reasons)
    return Decision(tuple(paths), tuple(missed))


def _first_path(
    person: Addressee, message: Routable, channel: Channel, now_ms: int
) -> tuple[Path | None, list[LeftOut]]:
    kind = ADDRESS_OF_CHANNEL[channel]
    reasons: list[LeftOut] = []
    for point in person.contact_points:
        if point.kind is not kind:
            continue
        obstacle, override = _obstacle(point, message, channel)
        if obstacle:
            reasons.append(obstacle)
            continue
        held_until, pierced = quiet_until(message, person.time_zone, person.quiet, now_ms)
        overrides = "; ".join(one for one in (override, pierced) if one)
        return Path(channel, point.id, held_until, overrides or None), reasons
    return None, reasons or [left_out(Reason.NO_ADDRESS, channel)]


def obstacle_now(
    person: Addressee, message: Routable, channel: Channel, contact_point_id: int
) -> LeftOut | None:
    """Why this path, planned some time ago, must not be taken now: asked in the moment of sending."""
    point = next((one for one in person.contact_points if one.id == contact_point_id), None)
    if point is None:
        return left_out(Reason.CORRECTED, channel)
    return _obstacle(point, message, channel)[0]


def _obstacle(point: ContactPoint, message: Routable, channel: Channel) -> tuple[LeftOut | None, str | None]:
    if channel in point.opted_out:
        return left_out(Reason.OPTED_OUT, channel), None
    if point.problem:
        return left_out(Reason.BAD_ADDRESS, channel, point.problem), None
    if channel is Channel.SMS and point.line_type is LineType.LANDLINE:
        return left_out(Reason.LANDLINE, channel), None
    consent = point.consent(channel)
    if consent is Consent.YES:
        return None, None
    if message.purpose is Purpose.PROMOTIONAL:
        return left_out(Reason.NO_CONSENT, channel), None
    if consent is Consent.NO:
        if message.purpose is Purpose.SAFETY and message.priority is Priority.URGENT:
            return None, "no consent, sent because it is URGENT and about safety"
        return left_out(Reason.NO_CONSENT, channel), None
    return None, None


def quiet_until(
    message: Routable, time_zone: str, quiet: Window | None, now_ms: int
) -> tuple[int | None, str | None]:
    """Until when this message waits for somebody's quiet hours (None: it goes out now), and the words for the audit
    where it goes out in them on purpose. Asked when a person is routed, and again in the moment of sending."""
    theirs = [quiet] if quiet else []
    if message.purpose is Purpose.PROMOTIONAL:
        return held(now_ms, time_zone, [*theirs, PROMOTIONAL_NIGHT], None), None
    rule = PROFILES[message.priority].quiet
    needed_by = message.needed_by_ms if rule is QuietRule.HOLD_UNLESS_CALL_IS_SOONER else None
    until = held(now_ms, time_zone, theirs, needed_by)
    if until is not None and rule is QuietRule.PIERCE:
        return None, "quiet hours, pierced because it is URGENT"
    return until, None
