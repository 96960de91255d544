"""What becomes of a text and what the person does about it: drawn, never decided by the moment.

Every draw comes from the seed, the number and how many texts the number has had before. So a run in virtual time,
a real one and one in which the texts leave in another order all end the same. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Script:
    """How fast things happen and whether anybody does anything.

    ``first_within_s`` and ``later_within_s``: everything that follows from a first and from a later text to a
    number happens within so many seconds of its acceptance, or never.
    """

    first_within_s: float
    later_within_s: float
    people: bool = True
    """Somebody opens, reads, answers. Without: phones ring and nobody looks."""
    mishaps: bool = True
    """Wrong numbers, phones without signal, late, doubled and reordered receipts."""

    @classmethod
    def for_seconds(cls, seconds: float) -> Script:
        """A rehearsal of so many seconds in all: 30 % of it for what follows from the first text, 20 % for what
        follows from a reminder, so that a reminder in the middle still has its effect before the end."""
        return cls(first_within_s=0.30 * seconds, later_within_s=0.20 * seconds)

    @classmethod
    def silent(cls, seconds: float = 10.0) -> Script:
        """Every text is delivered within 30 % of ``seconds`` and nobody does anything."""
        return cls(0.30 * seconds, 0.20 * seconds, people=False, mishaps=False)

    def within_s(self, nth: int) -> float:
        return self.first_within_s if nth == 1 else self.later_within_s


@dataclass(frozen=True, slots=True)
class Fate:
    """What the network does with texts to a number. ``refused`` and ``undelivered`` are Twilio's error codes."""

    refused: int | None = None
    undelivered: int | None = None
    late: bool = False


DELIVERED: Final = Fate()

FATES: Final[tuple[tuple[float, Fate], ...]] = (
    # Shares as a coordinator meets them with a crew list that is some weeks old; they sum to 1.
    (0.8800, DELIVERED),
    (0.0700, Fate(late=True)),  # the receipt comes much later than the text
    (0.0075, Fate(undelivered=30003)),  # switched off, no signal
    (0.0075, Fate(undelivered=30005)),  # the carrier does not know the number
    (0.0075, Fate(undelivered=30006)),  # landline
    (0.0075, Fate(undelivered=30007)),  # taken for spam
    (0.0100, Fate(refused=21211)),  # no such number
    (0.0100, Fate(refused=21610)),  # opted out of this sender long ago
)

BACK_ON_AIR: Final = 0.5
"""The chance that a phone that was switched off (30003) is on again for a later text."""

BY_LINK, BY_TEXT, BY_STOP, NOTHING = "link", "text", "stop", "nothing"

REACTIONS: Final[tuple[tuple[float, str], ...]] = (
    (0.55, BY_LINK),
    (0.12, BY_TEXT),
    (0.03, BY_STOP),
    (0.30, NOTHING),
)

WOKEN: Final = 0.60
"""The share of those who did nothing so far whom a further text wakes."""

WAKING: Final[tuple[tuple[float, str], ...]] = ((0.80, BY_LINK), (0.20, BY_TEXT))

ANSWER_SHARE: Final = 0.70
"""Of those who open the page: the others only read."""

OPTIONS: Final[tuple[tuple[float, str], ...]] = ((0.93, "1"), (0.07, "2"))

REPLIES: Final[tuple[tuple[float, str], ...]] = (
    (0.36, "1"),
    (0.14, "OK"),
    (0.12, "copy that"),
    (0.10, "10-4"),
    (0.10, "👍"),
    (0.08, "1 thx"),
    (0.06, "2 - car broke down"),
    (0.04, "what?"),
)

MACHINE_SHARE: Final = 0.08
"""Phones whose message app fetches the link for a preview before anybody looks."""

DOUBLED: Final = 0.05
REORDERED: Final = 0.05
"""Shares of texts with a receipt told twice, and with "delivered" told before "sent"."""


@dataclass(frozen=True, slots=True)
class MailFate:
    """What a mail server does with mail to an address. ``refused`` is what it says each time, ``first`` what it
    says only the first time."""

    refused: str | None = None
    first: str | None = None


TAKEN: Final = MailFate()

MAIL_FATES: Final[tuple[tuple[float, MailFate], ...]] = (
    # As with the numbers; they sum to 1.
    (0.9600, TAKEN),
    (0.0200, MailFate(refused="550 5.1.1 There is no such mailbox here")),
    (0.0100, MailFate(refused="554 5.7.1 Mail from you is not wanted here")),
    (0.0100, MailFate(first="450 4.7.1 Greylisted: come back in some minutes")),
)

MAIL_OPENED: Final = 0.55
"""The share of mails that are looked at while the rehearsal lasts: most people read the text first."""

MAIL_IMAGES: Final = 0.70
"""Of those, mail programs that fetch images."""

MAIL_FOLLOWED: Final = 0.35
"""Of those, people who follow a link of it."""


@dataclass(frozen=True, slots=True)
class Act:
    """What a person does. Seconds count from the acceptance of the text, ``_after`` from the step before."""

    how: str
    at_s: float
    touch_after_s: float
    answer_after_s: float
    option: str | None
    reply: str


@dataclass(frozen=True, slots=True)
class MailAct:
    """What a person does with a mail: ``images`` are fetched when it is opened, ``page`` is done if the person
    ``follows`` its link."""

    images: bool
    follows: bool
    page: Act


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that follows from one text, in seconds after its acceptance."""

    fate: Fate
    queued_s: float
    sent_s: float
    arrives_s: float
    receipt_s: float
    doubled: bool
    reordered: bool
    machine_s: float | None
    act: Act | None


def fate_of_number(seed: int, number: str, script: Script) -> Fate:
    """A wrong number stays one: drawn from the number alone."""
    return _pick(_drawn(seed, number).random(), FATES) if script.mishaps else DELIVERED


def plan(seed: int, number: str, nth: int, script: Script) -> Plan:
    """What follows from the ``nth`` text (counted from 1) that the carrier accepts for ``number``.

    All chances are drawn first and always in the same order: a changed share moves nothing but itself.
    """
    chances = _drawn(seed, number, nth)
    network = [chances.random() for _ in range(8)]
    person = [chances.random() for _ in range(10)]
    window = script.within_s(nth)
    fate = fate_of_number(seed, number, script)
    if fate.undelivered == 30003 and nth > 1 and network[0] < BACK_ON_AIR:
        fate = DELIVERED
    # Fractions of the window: the network takes its first eighth, the person acts after that, and the last
    # step of the slowest person ends at 0.96. A late receipt comes when most people have long acted.
    arrives = _between(0.03, 0.12, network[1])
    receipt = _between(0.60, 0.95, network[2]) if fate.late else arrives + _between(0.005, 0.03, network[2])
    machine = arrives + _between(0.003, 0.02, person[0]) if person[1] < MACHINE_SHARE else None
    reached = script.people and fate.undelivered is None and fate.refused is None
    return Plan(
        fate,
        queued_s=window * _between(0.002, 0.010, network[3]),
        sent_s=window * _between(0.012, 0.028, network[4]),
        arrives_s=window * arrives,
        receipt_s=window * receipt,
        doubled=script.mishaps and network[5] < DOUBLED,
        reordered=script.mishaps and network[6] < REORDERED,
        machine_s=window * machine if reached and machine is not None else None,
        act=_act(seed, number, nth, window, person[2:]) if reached else None,
    )


def reaction(seed: int, number: str, nth: int) -> str:
    """How the person reacts to the ``nth`` text: whoever did nothing so far may be woken by one more."""
    how, asleep = NOTHING, True
    for one in range(1, nth + 1):
        chances = _drawn(seed, number, one, "reaction")
        chance, waking = chances.random(), chances.random()
        if one > 1 and asleep:
            how = _pick(waking, WAKING) if chance < WOKEN else NOTHING
        else:
            how = _pick(chance, REACTIONS)
        asleep = asleep and how == NOTHING
    return how


def _act(seed: int, number: str, nth: int, window: float, chance: list[float]) -> Act | None:
    how = reaction(seed, number, nth)
    if how == NOTHING:
        return None
    answers = chance[0] < ANSWER_SHARE
    return Act(
        how,
        at_s=window * _between(0.15, 0.80, chance[1] ** 2),  # most look soon, some much later
        touch_after_s=window * _between(0.01, 0.06, chance[2]),
        answer_after_s=window * _between(0.02, 0.10, chance[3]),
        option=_pick(chance[4], OPTIONS) if answers and how == BY_LINK else None,
        reply="STOP" if how == BY_STOP else _pick(chance[5], REPLIES),
    )


def fate_of_mailbox(seed: int, address: str, script: Script) -> MailFate:
    """A mailbox there is not stays none: drawn from the address alone."""
    return _pick(_drawn(seed, address).random(), MAIL_FATES) if script.mishaps else TAKEN


def mail_act(seed: int, address: str, nth: int, script: Script) -> MailAct | None:
    """What the owner of a mailbox does with the ``nth`` mail (counted from 1) that is in it."""
    chances = _drawn(seed, address, nth)
    opened, images, follows, *page = [chances.random() for _ in range(8)]
    if not script.people or opened >= MAIL_OPENED:
        return None
    window = script.within_s(nth)
    return MailAct(
        images < MAIL_IMAGES,
        follows < MAIL_FOLLOWED,
        Act(
            BY_LINK,
            at_s=window * _between(0.15, 0.80, page[0]),
            touch_after_s=window * _between(0.01, 0.06, page[1]),
            answer_after_s=window * _between(0.02, 0.10, page[2]),
            option=_pick(page[4], OPTIONS) if page[3] < ANSWER_SHARE else None,
            reply="",
        ),
    )


def holder_of(seed: int, number: str, choices: list[str]) -> str | None:
    """Which of several people on one number holds the phone: always the same place in the list."""
    if not choices:
        return None
    return choices[int(_drawn(seed, number, "holder").random() * len(choices))]


def _drawn(*parts: object) -> Random:
    """The chances that belong to these words alone."""
    return Random(":".join(str(part) for part in parts))  # noqa: S311 - a script, not a secret


def _between(low: float, high: float, chance: float) -> float:
    return low + (high - low) * chance


def _pick(chance: float, shares: tuple[tuple[float, T], ...]) -> T:
    for share, one in shares:
        if chance < share:
            return one
        chance -= share
    return shares[-1][1]
