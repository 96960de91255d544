"""``callboard provider``: accounts at providers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from app import composition
from app.cli import output
from app.cli.account_words import SecretWords, SenderWords, SettingWords, ask_for_missing, given_by
from app.cli.desk import Desk, Yes, command, command_group
from app.cli.output import Answer
from app.cli.visit import at_home
from app.composition import House
from app.domain.problem import Problem, Refused
from app.services import provider_setup, provider_trial, providers
from app.services.providers import BY, STATE_WORDS, Listed
from providers.contract import Channel

Name = Annotated[str, typer.Argument(metavar="NAME", help="The account.")]

commands = command_group(
    "Provider accounts: list, add, set, enable, disable, order, test.", example="callboard provider list"
)


@command(commands, "list", example="callboard provider list")
def list_providers(desk: Desk) -> Answer:
    """The accounts in order of preference, and the kinds without one."""

    async def work(house: House) -> Answer:
        rows = await providers.listed(house.office, composition.factories())
        return Answer(_documents(rows), _lines(rows))

    return at_home(desk, work)


def _documents(rows: Sequence[Listed]) -> list[dict[str, Any]]:
    return [
        {
            "name": one.name,
            "kind": one.kind,
            "channel": one.channel.value,
            "configured": one.configured,
            "enabled": one.enabled,
            "state": one.state.value,
            "capabilities": list(one.capabilities),
            "base_url": one.base_url or None,
            "senders": list(one.senders),
        }
        for one in rows
    ]


def _lines(rows: Sequence[Listed]) -> list[str]:
    return output.table(
        ("Name", "Kind", "Channel", "State", "Can report", "Sends from"),
        [
            (
                one.name,
                one.kind,
                one.channel.value,
                STATE_WORDS[one.state],
                ", ".join(one.capabilities),
                ", ".join(sender or "a pool of the provider" for sender in one.senders),
            )
            for one in rows
        ],
    )


@command(
    commands,
    "add",
    example="callboard provider add twilio --set account_sid=AC… --secret auth_token=TWILIO_TOKEN --sender +13105550100",
)
def add(
    desk: Desk,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name of your own for the account.")],
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="K", help="Its kind, if NAME is none.")
    ] = None,
    settings: SettingWords = None,
    secrets: SecretWords = None,
    senders: SenderWords = None,
    rate: Annotated[
        int | None,
        typer.Option("--rate", metavar="N", help="Segments (or mails) a second that each sender may send."),
    ] = None,
) -> Answer:
    """Set up an account. What is missing is asked for, secrets hidden. Nothing is sent."""
    given = given_by(settings, secrets, senders)

    async def work(house: House) -> Answer:
        factory = providers.kind_of(composition.factories(), kind or name)
        ask_for_missing(desk, factory, given)
        added = await provider_setup.add(
            house.office,
            house.actor,
            factory,
            name=name,
            settings=given.settings,
            secrets=given.secrets,
            senders=given.senders,
            segments_per_second=rate,
            loopback_only=house.demo,
        )
        document: dict[str, Any] = {
            "name": added.name,
            "kind": added.kind,
            "channel": added.channel.value,
            "base_url": added.base_url,
            "senders": list(added.senders),
            "segments_per_second": added.segments_per_second,
            "inbound_url": added.inbound_url,
        }
        lines = [f"{added.name} is set up. Check it: callboard provider test {added.name}."]
        if added.inbound_url:
            lines.append(f"Tell the provider where messages from people go: {added.inbound_url}")
        remarks = []
        if added.unprotected:
            remarks.append(IN_CLEAR.format(scheme=added.unprotected))
        if not house.office.public().base:
            remarks.append(UNHEARD if factory.capabilities.reply else UNLINKED)
        return Answer(document, lines, remarks)

    return at_home(desk, work)


@command(
    commands,
    "set",
    example="callboard provider set twilio --set account_sid=AC… --secret auth_token=TWILIO_TOKEN",
)
def change(
    desk: Desk,
    name: Name,
    settings: SettingWords = None,
    secrets: SecretWords = None,
    senders: SenderWords = None,
) -> Answer:
    """Change an account; what is not named stays. With NAME alone its credentials are asked for, secrets hidden.

    Whatever is sending takes the change over by itself.
    """
    given = given_by(settings, secrets, senders)

    async def work(house: House) -> Answer:
        stored = await providers.find(house.office, name)
        factory = providers.kind_of(composition.factories(), stored.account.kind)
        if not given:
            ask_for_missing(desk, factory, given, has_sender=bool(stored.senders))
        changed = await provider_setup.change(
            house.office,
            house.actor,
            factory,
            stored,
            settings=given.settings,
            secrets=given.secrets,
            senders=given.senders,
            loopback_only=house.demo,
        )
        document = {
            "name": changed.name,
            "kind": changed.kind,
            "channel": changed.channel.value,
            "base_url": changed.base_url,
            "senders": list(changed.senders),
            "inbound_url": changed.inbound_url,
        }
        line = f"{changed.name} is changed. Check it: callboard provider test {changed.name}."
        return Answer(
            document, [line], [IN_CLEAR.format(scheme=changed.unprotected)] if changed.unprotected else []
        )

    return at_home(desk, work)


UNHEARD = "No public address is set: no receipts and no replies will come in (callboard doctor)."
UNLINKED = "No public address is set: nobody will be seen to have read it by their page (callboard doctor)."
IN_CLEAR = "The address begins with {scheme}: the credentials go over the network in clear."


@command(commands, "enable", example="callboard provider enable twilio")
def enable(desk: Desk, name: Name) -> Answer:
    """Let an account send again. Whatever is sending takes the change over by itself."""

    async def work(house: House) -> Answer:
        done = await providers.enable(house.office, house.actor, composition.factories(), name)
        said = "is enabled." if done.changed else "was enabled already."
        return Answer(_documents(done.rows), [f"{done.name} {said}", "", *_lines(done.rows)])

    return at_home(desk, work)


@command(commands, "disable", example="callboard provider disable twilio")
def disable(desk: Desk, name: Name) -> Answer:
    """Let nothing more go out through an account. Receipts and replies to what it sent still come in.

    Whatever is sending takes the change over by itself.
    """

    async def work(house: House) -> Answer:
        done = await providers.disable(house.office, house.actor, composition.factories(), name)
        said = "is disabled." if done.changed else "was disabled already."
        remarks = [_silence(done.silent, done.name)] if done.silent else []
        return Answer(_documents(done.rows), [f"{done.name} {said}", "", *_lines(done.rows)], remarks)

    return at_home(desk, work)


def _silence(channel: Channel, name: str) -> str:
    """What it means that no account of a channel sends."""
    return (
        f"Nobody is reached by {BY[channel]} until an account is enabled: callboard provider enable {name}. "
        "What is queued waits, until it is too old to send."
    )


@command(commands, "order", example="callboard provider order backup twilio")
def order(
    desk: Desk,
    names: Annotated[
        list[str], typer.Argument(metavar="NAME", help="The accounts that come first, in this order.")
    ],
) -> Answer:
    """Say which accounts come first; the others follow as they were. The first enabled one of a channel sends.

    Whatever is sending takes the change over by itself.
    """

    async def work(house: House) -> Answer:
        done = await providers.order(house.office, house.actor, composition.factories(), names)
        now = ", ".join(one.name for one in done.rows if one.configured)
        said = "The order is" if done.changed else "The order was this already"
        return Answer(_documents(done.rows), [f"{said}: {now}.", "", *_lines(done.rows)])

    return at_home(desk, work)


@command(commands, "test", example="callboard provider test twilio +13105550111 --yes")
def try_account(
    desk: Desk,
    name: Name,
    address: Annotated[
        str | None, typer.Argument(metavar="[ADDRESS]", help="Where to send a test; none only checks.")
    ] = None,
    yes: Yes = False,
) -> Answer:
    """Ask the provider whether an account works; send a test.

    Something is only sent where an ADDRESS is given: the number or e-mail address it goes to.
    """

    async def work(house: House) -> Answer:
        stored = await providers.find(house.office, name)
        if address is not None:
            what = BY[stored.channel]
            desk.must_agree(yes, f"Send a test {what} to {address} through {stored.account.name}?")
        house.gateways = await composition.build_gateways(house)
        gateway = house.gateways.by_id(stored.id)
        if gateway is None:
            raise Refused(
                f"This Callboard has no provider of the kind {stored.account.kind}.",
                "Install what brought it, or set the account up again.",
            )
        if address is None:
            tested = await provider_trial.check(house.office, stored, gateway.provider)
        else:
            tested = await provider_trial.send_test(
                house.office, house.actor, stored, gateway.provider, address
            )
        document = {"ok": tested.ok, "outcome": tested.outcome, "why": tested.why, "next": tested.next}
        if not tested.ok:
            return Answer(document, trouble=Problem(tested.why, tested.next))
        return Answer(document, [f"{tested.why} {tested.next}".strip()])

    return at_home(desk, work)
