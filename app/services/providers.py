"""Provider accounts: which there are, which of them send, and in what order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.actor import Actor
from app.domain.problem import Refused
from app.services.office import Office, may_set_up
from app.store import accounts, audit, trouble
from app.store.accounts import StoredAccount
from providers.contract import Channel, Factory


class AccountState(StrEnum):
    """Whether messages go out through an account now."""

    SENDS = "sends"
    IN_RESERVE = "in_reserve"
    """Enabled, but another account of its channel comes before it."""
    STOPPED = "stopped"
    """At fault itself: what waits for it is kept, and it is tried once a minute."""
    ELSEWHERE = "elsewhere"
    """All its numbers belong to other productions."""
    DISABLED = "disabled"
    NOT_INSTALLED = "not_installed"
    """Enabled, but what brought its kind of provider is not installed."""
    NOT_SET_UP = "not_set_up"


STATE_WORDS = {
    AccountState.SENDS: "sends",
    AccountState.IN_RESERVE: "in reserve",
    AccountState.STOPPED: "stopped: see callboard provider test",
    AccountState.ELSEWHERE: "sends for another production",
    AccountState.DISABLED: "disabled",
    AccountState.NOT_INSTALLED: "its kind is not installed",
    AccountState.NOT_SET_UP: "not set up",
}

BY = {
    Channel.SMS: "text",
    Channel.VOICE: "call",
    Channel.PUSH: "push message",
    Channel.EMAIL: "e-mail",
    Channel.IN_APP: "their page",
}
"""What people are reached by on a channel."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of the list: an account that is set up, or a kind of provider that is not (yet)."""

    name: str
    kind: str
    channel: Channel
    state: AccountState
    enabled: bool
    capabilities: tuple[str, ...]
    base_url: str = ""
    senders: tuple[str, ...] = ()

    @property
    def configured(self) -> bool:
        return self.state is not AccountState.NOT_SET_UP


async def listed(office: Office, kinds: Mapping[str, Factory]) -> list[Listed]:
    """The accounts in order of preference, then the kinds that have none."""
    async with office.database.read() as connection:
        return await _rows(connection, office, kinds)


async def _rows(connection: AsyncConnection, office: Office, kinds: Mapping[str, Factory]) -> list[Listed]:
    stored = await accounts.all_accounts(connection, office.vault)
    return rows_of(stored, kinds, office.production.id, await trouble.stopped_accounts(connection))


def rows_of(
    stored: Iterable[StoredAccount],
    kinds: Mapping[str, Factory],
    production_id: int,
    stopped: Collection[int] = (),
) -> list[Listed]:
    """The rows of these accounts as a production sees them, in their order, then those of the kinds that have
    none."""
    rows: list[Listed] = []
    taken: set[Channel] = set()
    for one in stored:
        state = _state(one, kinds, production_id, stopped, taken)
        if state is AccountState.SENDS:
            taken.add(one.channel)
        rows.append(
            Listed(
                name=one.account.name,
                kind=one.account.kind,
                channel=one.channel,
                state=state,
                enabled=one.enabled,
                capabilities=_capabilities(kinds.get(one.account.kind)),
                base_url=one.account.base_url,
                senders=tuple(sender.address for sender in one.senders),
            )
        )
    used = {one.kind for one in rows}
    return rows + [
        Listed(
            kind, kind, factory.capabilities.channel, AccountState.NOT_SET_UP, False, _capabilities(factory)
        )
        for kind, factory in kinds.items()
        if kind not in used
    ]


def _state(
    one: StoredAccount,
    kinds: Mapping[str, Factory],
    production_id: int,
    stopped: Collection[int],
    taken: set[Channel],
) -> AccountState:
    if not one.enabled:
        return AccountState.DISABLED
    if one.account.kind not in kinds:
        return AccountState.NOT_INSTALLED
    if all(sender.production_id != production_id for sender in one.senders):
        return AccountState.ELSEWHERE
    if one.id in stopped:
        return AccountState.STOPPED
    return AccountState.IN_RESERVE if one.channel in taken else AccountState.SENDS


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
        return _named(await accounts.all_accounts(connection, office.vault), name)


def _named(stored: Sequence[StoredAccount], name: str) -> StoredAccount:
    for one in stored:
        if one.account.name.casefold() == name.strip().casefold():
            return one
    if not stored:
        raise Refused(
            f"There is no account {name}: none is set up yet.", "Set one up: callboard provider add."
        )
    raise Refused(
        f"There is no account {name}.", f"There is: {', '.join(one.account.name for one in stored)}."
    )


@dataclass(frozen=True, slots=True)
class Switched:
    """The account that was to be enabled or disabled, whether that changed anything, and all accounts after it.

    ``silent`` is the account's channel where nobody can be reached by it now.
    """

    name: str
    changed: bool
    rows: tuple[Listed, ...]
    silent: Channel | None


async def enable(office: Office, actor: Actor, kinds: Mapping[str, Factory], name: str) -> Switched:
    """Let an account send again. Raises :class:`Refused` for a name there is not, and somebody who may not."""
    return await _switch(office, actor, kinds, name, enabled=True)


async def disable(office: Office, actor: Actor, kinds: Mapping[str, Factory], name: str) -> Switched:
    """Let nothing more go out through an account; receipts and replies are heard as before. Calls that are open
    are finished. Raises :class:`Refused` for a name there is not, and somebody who may not."""
    return await _switch(office, actor, kinds, name, enabled=False)


async def _switch(
    office: Office, actor: Actor, kinds: Mapping[str, Factory], name: str, *, enabled: bool
) -> Switched:
    may_set_up(actor, "provider accounts")
    async with office.database.write() as connection:
        account = _named(await accounts.all_accounts(connection, office.vault), name)
        if account.enabled != enabled:
            await accounts.set_enabled(connection, account.id, enabled)
            await trouble.close(connection, account, office.clock.now_ms())
            await audit.record(
                connection,
                actor,
                "provider enable" if enabled else "provider disable",
                f"account:{account.public_id}",
                office.clock.now_ms(),
                production_id=office.production.id,
            )
        rows = await _rows(connection, office, kinds)
    sends = {one.channel for one in rows if one.state is AccountState.SENDS}
    return Switched(
        name=account.account.name,
        changed=account.enabled != enabled,
        rows=tuple(rows),
        silent=None if account.channel in sends else account.channel,
    )


@dataclass(frozen=True, slots=True)
class Ordered:
    """All accounts in their order now, and whether it is another one."""

    changed: bool
    rows: tuple[Listed, ...]


async def order(office: Office, actor: Actor, kinds: Mapping[str, Factory], names: Sequence[str]) -> Ordered:
    """Put these accounts first, in this order; the others follow as they were. A name said twice counts once.

    Raises :class:`Refused` for a name there is not, and somebody who may not.
    """
    may_set_up(actor, "provider accounts")
    async with office.database.write() as connection:
        stored = await accounts.all_accounts(connection, office.vault)
        before = [one.id for one in stored]
        first = [_named(stored, name).id for name in names]
        after = list(dict.fromkeys([*first, *before]))
        if after != before:
            await accounts.set_order(connection, after)
            by_id = {one.id: one.public_id for one in stored}
            await audit.record(
                connection,
                actor,
                "provider order",
                "accounts",
                office.clock.now_ms(),
                production_id=office.production.id,
                detail={"order": [by_id[one] for one in after]},
            )
        rows = await _rows(connection, office, kinds)
    return Ordered(changed=after != before, rows=tuple(rows))
