"""What really happened to each text and mail, whatever the product believes: the measure for every counter."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

ACCEPTED, SENT, DELIVERED, UNDELIVERED, FAILED = "accepted", "sent", "delivered", "undelivered", "failed"
MACHINE_OPENED, OPENED, READ = "machine_opened", "opened", "read"
ANSWERED, REPLIED, OPTED_OUT = "answered", "replied", "opted_out"
DEFERRED = "deferred"
"""A mail server asked for the mail to be brought again later."""


@dataclass(frozen=True, slots=True)
class Truth:
    """One thing that happened. ``at`` is in milliseconds since 1970, UTC.

    ``detail`` holds ``code`` (undelivered, failed, deferred), ``option`` and ``person`` (answered), ``text`` (replied).
    """

    what: str
    at: int
    detail: dict[str, str] = field(default_factory=dict, repr=False)

    def as_json(self) -> dict[str, str]:
        return {"what": self.what, "at": iso(self.at), **self.detail}


@dataclass(slots=True)
class LoggedMessage:
    """One text or mail that was handed over. ``id`` is empty and ``accepted_at`` None where the number or mailbox
    was refused; ``text`` of a mail is its plain words, none where it was refused.

    ``reference`` says which attempt of the product it was: the ``r`` of the callback address, or what stands behind
    the + of the address that a mail would come back to.
    """

    provider: str
    id: str
    to: str = field(repr=False)
    sender: str
    reference: str | None
    text: str = field(repr=False)
    accepted_at: int | None
    truth: list[Truth] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    """The statuses whose callbacks were taken (2xx), in the order of the answers: what the other side has said it
    knows."""

    def has(self, what: str) -> bool:
        return any(truth.what == what for truth in self.truth)

    def as_json(self) -> dict[str, Any]:
        return {
            "provider": self.provider,
            "id": self.id,
            "to": self.to,
            "reference": self.reference,
            "text": self.text,
            "accepted_at": iso(self.accepted_at) if self.accepted_at is not None else None,
            "truth": [truth.as_json() for truth in self.truth],
        }


def iso(at_ms: int) -> str:
    """A moment as text, in UTC, to the millisecond."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
