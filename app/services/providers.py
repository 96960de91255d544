"""Provider accounts: which there are, and which kinds of provider have none yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.problem import Refused
from app.services.office import Office
from app.store import accounts
from app.store.accounts import StoredAccount
from providers.contract import Channel, Factory


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of the list: an account that is set up, or a kind of provider that is not (yet)."""

    name: str
    kind: str
    channel: Channel
    configured: bool
    enabled: bool
    capabilities: tuple[str, ...]
    base_url: str = ""
    senders: tuple[str, ...] = ()


async def listed(office: Office, kinds: Mapping[str, Factory]) -> list[Listed]:
    """The accounts in order of preference, then the kinds that have none."""
    async with office.database.read() as connection:
        stored = await accounts.all_accounts(connection, office.vault)
    rows = [
        Listed(
            name=one.account.name,
            kind=one.account.kind,
            channel=one.channel,
            configured=True,
            enabled=one.enabled,
            capabilities=_capabilities(kinds.get(one.account.kind)),
            base_url=one.account.base_url,
            senders=tuple(sender.address for sender in one.senders),
        )
        for one in stored
    ]
    used = {one.kind for one in rows}
    return rows + [
        Listed(kind, kind, factory.capabilities.channel, False, False, _capabilities(factory))
        for kind, factory in kinds.items()
        if kind not in used
    ]


def _capabilities(factory: Factory | None) -> tuple[str, ...]:
    return tuple(factory.capabilities.names()) if factory else ()


def kind_of(kinds: Mapping[str, Factory], name: str) -> Factory:
    """The kind of provider of this name. Raises :class:`Refused`."""
    found = kinds.get(name.strip().lower())
    if found is None:
        raise Refused(
            f"There is no kind of provider “{name}”.", f"Name one with --kind. There is: {', '.join(kinds)}."
        )
    return found


async def find(office: Office, name: str) -> StoredAccount:
    """The account of this name. Raises :class:`Refused`."""
    async with office.database.read() as connection:
        stored = await accounts.all_accounts(connection, office.vault)
    for one in stored:
        if one.account.name.casefold() == name.strip().casefold():
            return one
    there_is = ", ".join(one.account.name for one in stored) or "none yet: callboard provider add"
    raise Refused(f"There is no account {name}.", f"There is: {there_is}.")
