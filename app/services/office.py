"""The production office: what every service works with."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from app.domain.actor import Actor
from app.domain.problem import Problem, Refused
from app.domain.public_address import PublicAddress
from app.store import messages
from app.store.engine import Database
from app.store.messages import StoredMessage
from app.store.productions import Production
from app.store.vault import Vault
from providers.contract import Clock, Money


async def _nothing_sends() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Office:
    """One production's data, and how to reach it.

    ``is_dispatching`` tells whether any process sends from this database now; ``price`` what so many
    segments through this kind of provider will probably cost; ``trouble`` why nothing of what this process does
    can be stored just now, or None while all is well.
    """

    database: Database
    vault: Vault
    production: Production
    public: Callable[[], PublicAddress] = PublicAddress
    is_dispatching: Callable[[], Awaitable[bool]] = _nothing_sends
    price: Callable[[str, int], Money | None] = lambda _kind, _segments: None
    trouble: Callable[[], Problem | None] = lambda: None
    random_bytes: Callable[[int], bytes] = field(default=os.urandom)

    @property
    def clock(self) -> Clock:
        return self.database.clock


def may_send(actor: Actor) -> None:
    """Raise :class:`Refused` for somebody who may only look."""
    if not actor.may_send:
        raise Refused(
            f"{actor.name} may look but not send.", "Ask a coordinator, or have one change your role."
        )


def may_set_up(actor: Actor, what: str) -> None:
    """Raise :class:`Refused` for somebody who may not set up ``what`` ("a production")."""
    if not actor.may_set_up:
        raise Refused(f"{actor.name} may not set up {what}.", "Ask a coordinator or the production manager.")


async def find_message(office: Office, name: str) -> StoredMessage:
    """The message of this id or short code. Raises :class:`Refused`."""
    async with office.database.read() as connection:
        found = await messages.by_name(connection, office.production.id, name)
    if found is None:
        raise Refused(
            f"There is no message “{name.strip()}” in {office.production.name}.",
            "List them: callboard status.",
        )
    return found
