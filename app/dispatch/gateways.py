"""The providers that can be sent through: by channel and production, in order of preference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from app.store.accounts import Sender, StoredAccount
from providers.contract import Channel, Provider

TRY_AGAIN_MS = 60_000
"""How often one message tries an account that has stopped: soon enough for somebody who is mending it, and far too
seldom to annoy a provider."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """One account with its adapter."""

    stored: StoredAccount
    provider: Provider


@dataclass(frozen=True, slots=True)
class Line:
    """What one production sends through on one channel: its own senders of one account."""

    gateway: Gateway
    production_id: int
    senders: tuple[Sender, ...]

    @property
    def account_id(self) -> int:
        return self.gateway.stored.id


class Gateways:
    """All gateways of this home. ``stopped`` are accounts at fault: every message would fail the same way."""

    def __init__(self, gateways: Iterable[Gateway], stopped: Iterable[int] = ()) -> None:
        self._all = list(gateways)
        self._try_at: dict[int, int] = dict.fromkeys(stopped, 0)

    def __iter__(self) -> Iterator[Gateway]:
        return iter(self._all)

    def lines(self, channel: Channel) -> list[Line]:
        """For each production that has somewhere to send from on this channel, the account to send through: the
        first in order of preference that has not stopped, else the first."""
        found: dict[int, Line] = {}
        for one in self._all:
            if one.stored.channel is not channel or not one.stored.enabled:
                continue
            for production_id, senders in _by_production(one.stored.senders).items():
                known = found.get(production_id)
                if known is None or (
                    self.has_stopped(known.account_id) and not self.has_stopped(one.stored.id)
                ):
                    found[production_id] = Line(one, production_id, senders)
        return list(found.values())

    def has_stopped(self, account_id: int) -> bool:
        return account_id in self._try_at

    def wait_ms(self, account_id: int, now_ms: int) -> int:
        """How long until one message may try this account; 0 for one that works."""
        return max(0, self._try_at.get(account_id, 0) - now_ms)

    def stop(self, account_id: int, now_ms: int) -> None:
        """Claim nothing more for this account but one message a minute, which finds out whether it works again."""
        self._try_at[account_id] = now_ms + TRY_AGAIN_MS

    def go_on(self, account_id: int) -> None:
        """The account took a message: it works."""
        self._try_at.pop(account_id, None)

    def by_id(self, account_id: int) -> Gateway | None:
        return next((one for one in self._all if one.stored.id == account_id), None)

    def by_public_id(self, public_id: str) -> Gateway | None:
        return next((one for one in self._all if one.stored.public_id == public_id), None)

    async def close(self) -> None:
        for one in self._all:
            await one.provider.close()

    def replace(self, others: Gateways) -> None:
        """Take over a new list; the old adapters must be closed by whoever built them."""
        self._all, self._try_at = others._all, others._try_at


def _by_production(senders: Iterable[Sender]) -> Mapping[int, tuple[Sender, ...]]:
    found: dict[int, tuple[Sender, ...]] = {}
    for one in senders:
        found[one.production_id] = (*found.get(one.production_id, ()), one)
    return found
