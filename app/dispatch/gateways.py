"""The providers that can be sent through, by channel and in order of preference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.store.accounts import Sender, StoredAccount
from providers.contract import Channel, Provider


@dataclass(frozen=True, slots=True)
class Gateway:
    """One account with its adapter."""

    stored: StoredAccount
    provider: Provider

    @property
    def senders(self) -> tuple[Sender, ...]:
        return self.stored.senders


class Gateways:
    """All gateways of this home."""

    def __init__(self, gateways: Iterable[Gateway]) -> None:
        self._all = list(gateways)

    def __iter__(self) -> Iterator[Gateway]:
        return iter(self._all)

    def sending(self, channel: Channel) -> list[Gateway]:
        """Those that may send on this channel now, the preferred one first."""
        return [
            one for one in self._all if one.stored.channel is channel and one.stored.enabled and one.senders
        ]

    def channels(self) -> frozenset[Channel]:
        return frozenset(one.stored.channel for one in self._all if one.stored.enabled and one.senders)

    def by_id(self, account_id: int) -> Gateway | None:
        return next((one for one in self._all if one.stored.id == account_id), None)

    def by_public_id(self, public_id: str) -> Gateway | None:
        return next((one for one in self._all if one.stored.public_id == public_id), None)

    async def close(self) -> None:
        for one in self._all:
            await one.provider.close()

    def replace(self, gateways: Iterable[Gateway]) -> None:
        """Take over a new list; the old adapters must be closed by whoever built them."""
        self._all = list(gateways)
