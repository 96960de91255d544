"""What a provider is to Callboard: the words both sides share, and nothing else.

This module is the lowest of the project: it imports nothing of it. An adapter turns an :class:`Outgoing` into
one request and the answer into one of four outcomes; whether to try again, elsewhere or never is the
dispatcher's decision, made from the flags of the error.

Rules every adapter keeps (the shared contract tests check them):

* one call of ``send`` makes at most one request that could be accepted; retries of an SDK are off;
* ``NotSent`` is returned only where the provider cannot have accepted it, ``InDoubt`` wherever it may have;
* ``send`` never raises for anything the network or the provider does;
* the signature of a callback is verified before its body is looked at;
* neither secrets nor addresses appear in a log line, an error sentence or ``repr``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable


class Clock(Protocol):
    """The only source of time. Everything that waits or asks the time is given one."""

    def now_ms(self) -> int:
        """Wall-clock time in milliseconds since 1970, UTC. May step backwards when somebody sets the clock."""
        ...

    def monotonic_ms(self) -> int:
        """Milliseconds from an arbitrary start that never step backwards."""
        ...

    async def sleep_until(self, at_ms: int) -> None:
        """Wait until ``now_ms() >= at_ms``; returns at once (after one turn of the loop) if that has passed."""
        ...

    def working(self) -> AbstractContextManager[None]:
        """Mark work that the event loop cannot see (a thread, a child process): virtual time stands still."""
        ...


class Channel(StrEnum):
    """The five ways to reach a person. These names are used in options, JSON, the database and on screen."""

    SMS = "sms"
    VOICE = "voice"
    PUSH = "push"
    EMAIL = "email"
    IN_APP = "in_app"


@dataclass(frozen=True, slots=True)
class Text:
    """What a text message says."""

    words: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with an e-mail."""

    name: str
    media_type: str
    """Type and subtype, as in a Content-Type header: ``application/pdf``."""
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mail:
    """What an e-mail holds: the same words as plain text and as HTML, and files."""

    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    attachments: tuple[Attachment, ...] = field(repr=False, default=())
    opt_out_url: str | None = field(repr=False, default=None)
    """Where a POST ends e-mail for the recipient at once, and a GET only asks (RFC 8058). None where there is no
    such page."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a call says, and what is left on an answering machine."""

    words: str = field(repr=False)
    headline: str = field(repr=False)
    language: str = "en"


Content = Text | Mail | Spoken
"""Rendered for one channel: texts and chats are :class:`Text`, e-mail is :class:`Mail`, calls are :class:`Spoken`."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to one address, rendered to the last byte. A retry carries the same bytes.

    ``reference`` is the attempt's own random reference; it travels to the provider so that every callback
    can name the attempt. ``callback_url`` already carries it; without one the provider sends no callbacks.
    """

    channel: Channel
    to: str = field(repr=False)
    sender: str
    content: Content
    reference: str
    callback_url: str | None = None
    valid_for_s: int | None = None
    """After this many seconds the provider should give up (a stale call time is worse than none)."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in millionths of a currency unit. Never a float."""

    micros: int
    currency: str


@dataclass(frozen=True, slots=True)
class ProviderError:
    """Why a provider did not do it, as flags for the dispatcher and one sentence for the coordinator."""

    code: str
    sentence: str
    next_step: str = ""
    retryable: bool = False
    """The same request to the same address may work later."""
    throttled: bool = False
    """Too fast: nothing is wrong with the message or the address."""
    retry_after_s: float | None = None
    bad_address: bool = False
    """The address itself cannot be reached by this channel, now or later."""
    opted_out: bool = False
    config: bool = False
    """The account, the sender or a credential is at fault: every further send would fail the same way."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took it and named it."""

    provider_id: str
    segments: int | None = None
    cost: Money | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider answered no. It did not accept the message."""

    error: ProviderError


@dataclass(frozen=True, slots=True)
class NotSent:
    """Known not accepted: it never got there whole, or the provider refused to take it just now."""

    error: ProviderError


@dataclass(frozen=True, slots=True)
class InDoubt:
    """It may have been accepted: the line broke after the request was written. Never silently sent again."""

    error: ProviderError


Outcome = Accepted | Rejected | NotSent | InDoubt


class Fact(StrEnum):
    """What a receipt can state about an attempt. The rank of a fact is the domain's business."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    BOUNCED = "bounced"
    BOUNCED_AFTER_ACCEPTANCE = "bounced_after_acceptance"
    OPTED_OUT = "opted_out"
    OPENED = "opened"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One fact a provider told us about one attempt, found by our reference or by the provider's own id."""

    fact: Fact
    provider_id: str | None
    reference: str | None
    dedupe_key: str
    """The same event told twice has the same key (unique per provider account)."""
    error: ProviderError | None = None
    detail: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Every field the provider sent, known to us or not. May contain addresses: stored encrypted only."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message somebody sent to one of our addresses."""

    channel: Channel
    provider_id: str
    sender: str = field(repr=False)
    to: str
    text: str = field(repr=False)
    dedupe_key: str
    detail: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """A callback as it arrived, not yet believed.

    ``urls`` are the configured public addresses, current and recent, with the path and the raw query of the
    request appended: what the provider may have signed. They never come from the request's own headers.
    """

    method: str
    urls: Sequence[str]
    query: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CallbackBatch:
    """What a genuine callback said, and what to answer once it is stored."""

    receipts: Sequence[Receipt] = ()
    inbound: Sequence[Inbound] = ()
    answer_status: int = 204
    answer_body: str = ""
    answer_type: str = ""


@dataclass(frozen=True, slots=True)
class CallbackRefused:
    """403 for a wrong signature, 400 for a body that cannot be read. Nothing is stored."""

    status: int
    sentence: str


@dataclass(frozen=True, slots=True)
class LookUp:
    """What we know of an attempt whose fate we do not know (or whose receipt is overdue)."""

    to: str = field(repr=False)
    sender: str
    content: Content | None
    """None where the channel keeps no words: the address and the time have to do."""
    sent_at_ms: int
    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The provider has it. ``fact`` is its state now."""

    provider_id: str
    fact: Fact
    error: ProviderError | None = None
    segments: int | None = None
    cost: Money | None = None


@dataclass(frozen=True, slots=True)
class NotFound:
    """The provider looked and has no such message."""


@dataclass(frozen=True, slots=True)
class CannotSay:
    """The provider cannot be asked, or did not answer. Asking again later may help if ``retryable``."""

    sentence: str
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Whether the account would work, in one sentence, with the next step when it would not."""

    ok: bool
    sentence: str
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this provider can ever report. A figure it cannot report is shown as "n/a", never as 0."""

    channel: Channel
    delivery: bool
    read: bool
    click: bool
    reply: bool
    cost: bool
    look_up: bool
    idempotency: bool
    inbox: bool = False
    """It keeps what people sent to us and can be asked for it."""

    def names(self) -> list[str]:
        """The capabilities it has, as words for lists and JSON."""
        words = ("delivery", "read", "click", "reply", "cost", "look_up", "idempotency", "inbox")
        return [word for word in words if getattr(self, word)]


@runtime_checkable
class Provider(Protocol):
    """One account at one provider for one channel."""

    kind: str
    capabilities: Capabilities

    async def send(self, message: Outgoing) -> Outcome:
        """Make exactly one request. Never raises for what the network or the provider does."""
        ...

    async def look_up(self, question: LookUp) -> Found | NotFound | CannotSay:
        """Ask the provider what became of a message."""
        ...

    async def inbox(self, to: str, since_ms: int) -> Sequence[Inbound] | CannotSay:
        """What people sent to this address of ours since then, oldest first, with the keys a callback about it has.

        An empty address means every address the account chooses from. Asked only where ``capabilities.inbox``.
        """
        ...

    def parse_callback(self, request: CallbackRequest) -> CallbackBatch | CallbackRefused:
        """Verify the signature, then read what it says. Pure: no network, no clock."""
        ...

    def price(self, message: Outgoing, segments: int) -> Money | None:
        """What one message of this many segments will probably cost, or None where that is unknown."""
        ...

    async def check(self) -> CheckResult:
        """Ask the provider whether the credentials and the account work, without sending anything."""
        ...

    async def close(self) -> None:
        """Release connections. The object is not used afterwards."""
        ...


@dataclass(frozen=True, slots=True)
class Field:
    """One setting of a provider account: how it is asked for, stored and shown."""

    name: str
    label: str
    secret: bool = False
    required: bool = True
    default: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """A provider account as it was set up: what an adapter is built from."""

    name: str
    kind: str
    base_url: str
    settings: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


class Factory(Protocol):
    """An entry of the group ``callboard.providers``: describes a kind of provider and builds its adapters."""

    kind: str
    label: str
    capabilities: Capabilities
    default_base_url: str
    """Empty where every account has an address of its own; ``fields`` then ask for ``base_url``."""
    schemes: Mapping[str, bool]
    """How an address of this kind may begin, the usual first, and whether what is said there is protected on the
    way."""
    fields: Sequence[Field]

    def build(self, account: Account, clock: Clock) -> Provider:
        """An adapter for this account. Opens no connection and imports the provider's SDK only now."""
        ...

    def price(self, to: str, segments: int) -> Money | None:
        """What a message of so many segments to this number will probably cost, known without an account;
        ``to`` may be a country's prefix alone. None where it is not known."""
        ...
