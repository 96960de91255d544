"""What is being written, and the words about it: its size, its price, its reach."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from app.domain import routing, sms, texts, times
from app.domain.message_types import DEFAULTS, MessageType
from app.domain.messages import Composed, wording_of
from app.domain.priorities import PROFILES, Priority, QuietRule, StepKind, undo_window_s
from app.domain.problem import Problem
from app.domain.replies import STANDARD_OPTIONS
from app.services.office import Office
from app.services.sending import SAMPLE_TOKEN, Preflight
from app.tui.board_rows import CHANNEL_WORDS, people_words
from providers.contract import Channel, Money
from widgets.cells import Tone
from widgets.status_line import Fact


@dataclass(slots=True)
class Draft:
    """A message as it is typed. Closing Compose keeps it; sending ends it."""

    type: MessageType = MessageType.CALL_TIME
    priority: Priority = DEFAULTS[MessageType.CALL_TIME].priority
    channels: tuple[Channel, ...] = PROFILES[DEFAULTS[MessageType.CALL_TIME].priority].channels
    """Those that are wished for; only those that can be sent on are used."""
    channels_chosen: bool = False
    """The channels were chosen by hand, so they no longer follow the priority."""
    to: str = "all"
    subject: str = ""
    body: str = ""
    asks: bool = True

    def set_type(self, kind: MessageType) -> None:
        """Another type brings its own priority."""
        self.type = kind
        self.set_priority(DEFAULTS[kind].priority)

    def set_priority(self, priority: Priority) -> None:
        self.priority = priority
        if not self.channels_chosen:
            self.channels = PROFILES[priority].channels

    @property
    def audience(self) -> list[str]:
        """The words of the audience; a comma separates them."""
        return [word.strip() for word in self.to.split(",") if word.strip()]

    def by(self, available: Collection[Channel]) -> tuple[Channel, ...]:
        """The channels it goes out on, where these are available."""
        return tuple(one for one in self.channels if one in available)

    def composed(self, available: Collection[Channel]) -> Composed:
        """The message as it is sent where these channels are available."""
        return Composed(
            audience=self.audience,
            type=self.type,
            priority=self.priority,
            purpose=DEFAULTS[self.type].purpose,
            subject=self.subject.strip(),
            body=self.body.strip(),
            channels=self.by(available),
            options=STANDARD_OPTIONS if self.asks else (),
        )


def text_of(office: Office, composed: Composed, *, opt_out_words: bool = False) -> str:
    """The text as a phone shows it, with a link that stands for the real one."""
    wording = wording_of(composed, office.production.name)
    return texts.sms(wording, link=office.public().link(SAMPLE_TOKEN), opt_out_words=opt_out_words)


def segments_words(count: int) -> str:
    return "1 segment" if count == 1 else f"{count:,} segments"


def link_words(text: str) -> str:
    """What the x's at the end of a link stand for."""
    return "everybody gets a link of their own" if SAMPLE_TOKEN in text else ""


def size_facts(text: str) -> list[Fact]:
    """How many segments a text takes, and the characters that make it more."""
    size = sms.measure(text)
    facts = [
        Fact(segments_words(size.segments), Tone.STRONG if size.segments == 1 else Tone.WARN),
        Fact(f"{size.encoding}, {size.units} used, {size.left_in_segment} left", Tone.DIM),
    ]
    if size.offending:
        found = " ".join(dict.fromkeys(character for _, character in size.offending))
        curable = not sms.measure(sms.straighten(text)).offending
        cure = "f4 straightens" if curable else "leave it out to save"
        facts.append(Fact(f"{found[:12]} halves the room: {cure}", Tone.WARN))
    return facts


NO_PROVIDER = "no provider"
"""Why a channel is off, in the line of channels."""


def no_provider(channel: Channel) -> Problem:
    """Why this channel cannot be switched on."""
    words = routing.CHANNEL_WORDS[channel]
    return Problem(f"No provider is set up for {words}.", "See what can be set up: callboard provider list.")


def nothing_on(available: Collection[Channel]) -> Problem:
    """Why a message without a channel does not go out."""
    if not available:
        return Problem("Nothing can be sent: no provider is set up.", "Add one: callboard provider add.")
    words = " or ".join(CHANNEL_WORDS[one] for one in Channel if one in available)
    return Problem("It goes out by nothing.", f"Switch on {words} in the line By, with space.")


QUIET_WORDS: dict[QuietRule, str] = {
    QuietRule.PIERCE: "rings in quiet hours",
    QuietRule.HOLD_UNLESS_CALL_IS_SOONER: "held in quiet hours unless the call is sooner",
    QuietRule.HOLD: "held in quiet hours",
}


def priority_words(priority: Priority) -> str:
    """What a priority means, in a line."""
    profile = PROFILES[priority]
    return f"{QUIET_WORDS[profile.quiet]}; u undoes it for {profile.undo_s} s"


def money_words(cost: Money | None) -> str:
    return f"about {cost.micros / 1_000_000:.2f} {cost.currency}" if cost else "price not known"


def reach_facts(sheet: Preflight) -> list[Fact]:
    """Who gets it, by which channel, and what that takes."""
    reached = sheet.recipients - len(sheet.excluded)
    by = [f"{count:,} by {CHANNEL_WORDS[channel]}" for channel, count in sheet.channels.items()]
    missing = len(sheet.excluded)
    return [
        Fact(people_words(reached), Tone.STRONG),
        *(Fact(one) for one in by),
        Fact(
            f"{missing:,} not reached" if missing else "nobody is left out",
            Tone.WARN if missing else Tone.DIM,
        ),
    ]


def cost_facts(sheet: Preflight, priority: Priority) -> list[Fact]:
    """What it takes, and when it is done."""
    if not sheet.channels:
        return [Fact("nothing goes out", Tone.WARN)]
    undo_s = undo_window_s(StepKind.FIRST, priority)
    return [
        Fact(segments_words(sheet.segments)),
        Fact(money_words(sheet.cost), Tone.DIM, drop=1),
        Fact(f"goes out after {undo_s} s"),
        Fact(
            f"{'rest' if sheet.held else 'all'} sent in about {times.spell(sheet.eta_seconds * 1000)}",
            drop=2,
        ),
    ]


def caution_facts(sheet: Preflight) -> list[Fact]:
    """What one should know before sending."""
    facts = []
    if sheet.held:
        facts.append(Fact(f"{sheet.held:,} held for quiet hours", Tone.WARN))
    if sheet.overrides:
        facts.append(Fact(f"{sheet.overrides:,} against their preferences (logged)", Tone.WARN))
    if sheet.shared:
        share = "shares" if sheet.shared == 1 else "share"
        facts.append(Fact(f"{sheet.shared:,} {share} a phone with somebody: one text for both", Tone.DIM))
    if sheet.offending:
        facts.append(Fact(f"{' '.join(sheet.offending)} halves the room", Tone.WARN))
    facts += [Fact(remark, Tone.WARN) for remark in sheet.remarks]
    return facts
