"""Setting up an account at a provider, and changing it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from app.domain import ids
from app.domain.actor import Actor
from app.domain.email_address import parse_email
from app.domain.phone import Phone, parse_phone
from app.domain.problem import Refused
from app.domain.public_address import is_loopback
from app.services.office import Office, may_set_up
from app.store import accounts, audit, trouble
from app.store.accounts import StoredAccount
from providers.contract import Account, Channel, Factory, Field

BASE_URL: Final = "base_url"
"""The setting every kind of provider has."""

SERVICE: Final = "messaging_service_sid"
"""A pool of sender numbers at the provider: it chooses the number, so none has to be named here."""

PER_SECOND: Final[dict[Channel, int]] = {
    # What carriers give an unregistered long number in the United States; every other kind of sender has more.
    Channel.SMS: 1,
    # Mailbox hosts that send for a company slow down or refuse what comes much faster than this.
    Channel.EMAIL: 5,
}
"""Segments (mails) a second of a sender where nothing is said."""

RATES: Final = (1, 1_000)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SHORT_CODE = re.compile(r"[0-9]{3,8}")
_WORD = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
"""A sender that is a name, not a number: at most 11 letters and digits (3GPP TS 23.040, 9.1.2.5)."""


def missing(factory: Factory, settings: Mapping[str, str], secrets: Mapping[str, str]) -> list[Field]:
    """Fields this kind of account needs and that were not given."""
    return [
        field
        for field in factory.fields
        if field.required
        and not field.default
        and not (secrets if field.secret else settings).get(field.name, "").strip()
    ]


@dataclass(frozen=True, slots=True)
class Added:
    """A new account. ``inbound_url`` is the address the provider must be told for messages from people; None
    where the outside cannot reach us."""

    name: str
    kind: str
    channel: Channel
    base_url: str
    senders: tuple[str, ...]
    inbound_url: str | None
    segments_per_second: int
    unprotected: str
    """How its address begins, where credentials and words then go over the network in clear; else nothing."""


async def add(
    office: Office,
    actor: Actor,
    factory: Factory,
    *,
    name: str,
    settings: Mapping[str, str],
    secrets: Mapping[str, str],
    senders: Sequence[str],
    segments_per_second: int | None = None,
    loopback_only: bool = False,
) -> Added:
    """Set up an account for this production. Nothing is asked of the provider.

    ``settings`` may hold ``base_url``. Without ``segments_per_second`` a sender has the pace of its channel. With ``loopback_only`` (a demonstration) the account must be on this
    machine. Raises :class:`Refused` for a field there is not, one that is missing, a name that is taken, a
    sender that cannot be one, and somebody who may not set up accounts.
    """
    may_set_up(actor, "provider accounts")
    if not _NAME.fullmatch(name):
        raise Refused(
            f"“{name}” cannot be the name of an account.",
            "Use letters, digits, dots and dashes: twilio-backup.",
        )
    settings, secrets = _fields(factory, settings, secrets)
    base_url = settings.pop(BASE_URL, "") or factory.default_base_url
    _check_address(factory, base_url, loopback_only=loopback_only)
    numbers = [_sender(factory, one, office.production.region) for one in senders]
    if not numbers and settings.get(SERVICE):
        numbers = [""]
    if not numbers:
        raise _no_sender(factory)
    if segments_per_second is None:
        segments_per_second = PER_SECOND.get(factory.capabilities.channel, 1)
    if not RATES[0] <= segments_per_second <= RATES[1]:
        raise Refused(
            f"A sender cannot send {segments_per_second} segments a second.",
            f"Choose from {RATES[0]} to {RATES[1]:,}.",
        )
    now = office.clock.now_ms()
    public_id = ids.ulid(now, office.random_bytes)
    account = Account(name=name, kind=factory.kind, base_url=base_url, settings=settings, secrets=secrets)
    async with office.database.write() as connection:
        for one in await accounts.all_accounts(connection, office.vault):
            if one.account.name.casefold() == name.casefold():
                raise Refused(
                    f"There is an account {one.account.name} already.",
                    f"Give this one another name: provider add NAME --kind {factory.kind}.",
                )
        await accounts.add(
            connection,
            office.vault,
            account,
            public_id=public_id,
            channel=factory.capabilities.channel,
            senders=[(number, segments_per_second) for number in dict.fromkeys(numbers)],
            production_id=office.production.id,
            now_ms=now,
        )
        await audit.record(
            connection,
            actor,
            "provider add",
            f"account:{public_id}",
            now,
            production_id=office.production.id,
            detail={"kind": factory.kind, "senders": len(numbers)},
        )
    return _as_it_is(office, factory, account, public_id, numbers, segments_per_second)


def _as_it_is(
    office: Office,
    factory: Factory,
    account: Account,
    public_id: str,
    numbers: Sequence[str],
    segments_per_second: int,
) -> Added:
    public = office.public().base if factory.capabilities.reply else ""
    scheme = urlsplit(account.base_url).scheme
    protected = factory.schemes[scheme] or is_loopback(account.base_url)
    return Added(
        name=account.name,
        kind=factory.kind,
        channel=factory.capabilities.channel,
        base_url=account.base_url,
        senders=tuple(numbers),
        inbound_url=f"{public}/hooks/{public_id}" if public else None,
        segments_per_second=segments_per_second,
        unprotected="" if protected else scheme,
    )


async def change(
    office: Office,
    actor: Actor,
    factory: Factory,
    stored: StoredAccount,
    *,
    settings: Mapping[str, str],
    secrets: Mapping[str, str],
    senders: Sequence[str],
    loopback_only: bool = False,
) -> Added:
    """Give an account other settings, other secrets or more senders; what is not named stays as it is.

    A setting of no characters is taken away. A new sender has the rate of the account's first. A running engine
    takes the change over by itself. Raises :class:`Refused` as :func:`add` does, and where nothing is named.
    """
    may_set_up(actor, "provider accounts")
    if not settings and not secrets and not senders:
        raise Refused(
            "Nothing was said that should change.",
            "Say what: --set KEY=VALUE, --secret KEY=VARIABLE or --sender ADDRESS.",
        )
    before = stored.account
    kept, hidden = _fields(
        factory,
        {BASE_URL: before.base_url, **before.settings, **settings},
        {**before.secrets, **secrets},
    )
    base_url = kept.pop(BASE_URL, "") or factory.default_base_url
    _check_address(factory, base_url, loopback_only=loopback_only)
    had = [one.address for one in stored.senders]
    written = [_sender(factory, one, office.production.region) for one in senders]
    new = [one for one in dict.fromkeys(written) if one not in had]
    if not any(had + new) and not kept.get(SERVICE):
        raise _no_sender(factory)
    of_channel = PER_SECOND.get(factory.capabilities.channel, 1)
    rate = stored.senders[0].segments_per_second if stored.senders else of_channel
    account = Account(name=before.name, kind=before.kind, base_url=base_url, settings=kept, secrets=hidden)
    async with office.database.write() as connection:
        await accounts.change(
            connection,
            office.vault,
            stored,
            account,
            senders=[(number, rate) for number in new],
            production_id=office.production.id,
        )
        await trouble.close(connection, stored, office.clock.now_ms())
        await audit.record(
            connection,
            actor,
            "provider set",
            f"account:{stored.public_id}",
            office.clock.now_ms(),
            production_id=office.production.id,
            detail={"changed": sorted({*settings, *secrets}), "senders": len(new)},
        )
    return _as_it_is(office, factory, account, stored.public_id, [*had, *new], rate)


def _fields(
    factory: Factory, settings: Mapping[str, str], secrets: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Settings and secrets as they are stored: known, each where it belongs, defaults filled in."""
    known = {field.name: field for field in factory.fields}
    names = list(dict.fromkeys([BASE_URL, *(name for name, field in known.items() if not field.secret)]))
    for name in settings:
        if name in known and known[name].secret:
            raise Refused(
                f"{name} is a secret: the shell would remember it.",
                f"Put it into a variable and name that: --secret {name}=VARIABLE; or leave it out to be asked.",
            )
        if name not in names:
            raise Refused(f"{factory.label} has no setting {name}.", f"There is: {', '.join(names)}.")
    hidden = [name for name, field in known.items() if field.secret]
    for name in secrets:
        if name not in hidden:
            raise Refused(f"{factory.label} has no secret {name}.", f"There is: {', '.join(hidden)}.")
    if lacking := missing(factory, settings, secrets):
        field = lacking[0]
        how = f"--secret {field.name}=VARIABLE" if field.secret else f"--set {field.name}=…"
        raise Refused(f"{factory.label} needs the {field.label}.", f"Give it with {how}.")
    defaults = {field.name: field.default for field in factory.fields if field.default and not field.secret}
    return (
        defaults | {name: value.strip() for name, value in settings.items() if value.strip()},
        {name: value.strip() for name, value in secrets.items() if value.strip()},
    )


def _check_address(factory: Factory, base_url: str, *, loopback_only: bool) -> None:
    try:
        parts = urlsplit(base_url)
        usable = parts.scheme in factory.schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not base_url.isprintable() or " " in base_url:
        forms = " or ".join(f"{scheme}://host:port" for scheme in factory.schemes)
        raise Refused(f"“{base_url}” is no address of a provider.", f"Write it as {forms}.")
    if loopback_only and not is_loopback(base_url):
        raise Refused(
            "This is a demonstration: it never talks to anything outside this computer.",
            "Use your own home for real accounts: callboard init.",
        )


def _no_sender(factory: Factory) -> Refused:
    words = SENDER_WORDS[factory.capabilities.channel]
    return Refused(f"The account has no {words.called} to send from.", f"Name it: --sender {words.example}.")


def _sender(factory: Factory, text: str, region: str) -> str:
    """One of our own senders as the provider needs it."""
    return _SENDER_OF[factory.capabilities.channel](text, region)


def _number(text: str, region: str) -> str:
    """A number, a short code, or a name."""
    written = text.strip()
    if _SHORT_CODE.fullmatch(written) or _WORD.fullmatch(written):
        return written
    read = parse_phone(written, region)
    if not isinstance(read, Phone) or read.extension:
        why = "It has an extension." if isinstance(read, Phone) else read.why
        raise Refused(f"“{text}” cannot be a sender. {why}", "Write it with its country: +13105550100.")
    return read.e164


def _mailbox(text: str, _region: str) -> str:
    """The address that stands as From. Replies go there: somebody should read them."""
    read = parse_email(text)
    if not isinstance(read, str):
        raise Refused(f"“{text}” cannot be a sender. {read.why}", "Write it as office@example.com.")
    return read


@dataclass(frozen=True, slots=True)
class SenderWords:
    """What a sender of a channel is called, and what one looks like."""

    called: str
    example: str


SENDER_WORDS: Final[dict[Channel, SenderWords]] = {
    Channel.SMS: SenderWords("number", "+13105550100"),
    Channel.VOICE: SenderWords("number", "+13105550100"),
    Channel.EMAIL: SenderWords("address", "office@example.com"),
    Channel.PUSH: SenderWords("name", "NIGHTFALL"),
    Channel.IN_APP: SenderWords("name", "NIGHTFALL"),
}

_SENDER_OF: Final[dict[Channel, Callable[[str, str], str]]] = {
    Channel.SMS: _number,
    Channel.VOICE: _number,
    Channel.EMAIL: _mailbox,
    Channel.PUSH: _number,
    Channel.IN_APP: _number,
}
"""How what was written becomes a sender of the channel, with the production's region."""
