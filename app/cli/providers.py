"""``callboard provider``: accounts at providers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from app import composition
from app.cli import output
from app.cli.desk import Desk, Yes, command, command_group
from app.cli.output import Answer
from app.cli.visit import at_home
from app.composition import House
from app.domain.problem import Problem, Refused
from app.services import providers
from providers.contract import Factory

commands = command_group("Provider accounts: list, add, set, test.", example="callboard provider list")


@command(commands, "list", example="callboard provider list")
def list_providers(desk: Desk) -> Answer:
    """The accounts that are set up, in order of preference, and the kinds that are not."""

    async def work(house: House) -> Answer:
        rows = await providers.listed(house.office, composition.factories())
        document = [
            {
                "name": one.name,
                "kind": one.kind,
                "channel": one.channel.value,
                "configured": one.configured,
                "enabled": one.enabled,
                "capabilities": list(one.capabilities),
                "base_url": one.base_url or None,
                "senders": list(one.senders),
            }
            for one in rows
        ]
        lines = output.table(
            ("Name", "Kind", "Channel", "State", "Can report", "Sends from"),
            [
                (
                    one.name,
                    one.kind,
                    one.channel.value,
                    _state(one.configured, one.enabled),
                    ", ".join(one.capabilities),
                    ", ".join(sender or "a pool of the provider" for sender in one.senders),
                )
                for one in rows
            ],
        )
        return Answer(document, lines)

    return at_home(desk, work)


def _state(configured: bool, enabled: bool) -> str:
    return "ready" if enabled else "disabled" if configured else "not set up"


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
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting; every provider takes base_url."),
    ] = None,
    secrets: Annotated[
        list[str] | None,
        typer.Option("--secret", metavar="KEY=ENVVAR", help="A secret, read from this variable."),
    ] = None,
    senders: Annotated[
        list[str] | None,
        typer.Option("--sender", metavar="ADDRESS", help="A number of yours to send from; repeatable."),
    ] = None,
    rate: Annotated[
        int, typer.Option("--rate", metavar="N", help="Segments a second that each sender may send.")
    ] = providers.SEGMENTS_PER_SECOND,
) -> Answer:
    """Set up an account. What is missing is asked for, secrets hidden. Nothing is sent."""
    given = _pairs("--set", settings or [])
    hidden = {key: _variable(value) for key, value in _pairs("--secret", secrets or []).items()}
    numbers = list(senders or [])

    async def work(house: House) -> Answer:
        factory = providers.kind_of(composition.factories(), kind or name)
        _ask_for_missing(desk, factory, given, hidden, numbers)
        added = await providers.add(
            house.office,
            house.actor,
            factory,
            name=name,
            settings=given,
            secrets=hidden,
            senders=numbers,
            segments_per_second=rate,
            loopback_only=house.demo,
        )
        document: dict[str, Any] = {
            "name": added.name,
            "kind": added.kind,
            "channel": added.channel.value,
            "base_url": added.base_url,
            "senders": list(added.senders),
            "segments_per_second": rate,
            "inbound_url": added.inbound_url,
        }
        lines = [f"{added.name} is set up. Check it: callboard provider test {added.name}."]
        if added.inbound_url:
            lines.append(f"Tell the provider where messages from people go: {added.inbound_url}")
        remarks = []
        if added.unprotected:
            remarks.append(IN_CLEAR)
        if not added.inbound_url:
            remarks.append(
                "No public address is set: no receipts and no replies will come in (callboard doctor)."
            )
        return Answer(document, lines, remarks)

    return at_home(desk, work)


@command(
    commands,
    "set",
    example="callboard provider set twilio --set account_sid=AC… --secret auth_token=TWILIO_TOKEN",
)
def change(
    desk: Desk,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The account.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting; KEY= takes it away."),
    ] = None,
    secrets: Annotated[
        list[str] | None,
        typer.Option("--secret", metavar="KEY=ENVVAR", help="A secret, read from this variable."),
    ] = None,
    senders: Annotated[
        list[str] | None,
        typer.Option("--sender", metavar="ADDRESS", help="One more number to send from; repeatable."),
    ] = None,
) -> Answer:
    """Change an account; what is not named stays. With NAME alone its credentials are asked for, secrets hidden.

    Whatever is sending takes the change over by itself.
    """
    given = _pairs("--set", settings or [])
    hidden = {key: _variable(value) for key, value in _pairs("--secret", secrets or []).items()}
    numbers = list(senders or [])

    async def work(house: House) -> Answer:
        stored = await providers.find(house.office, name)
        factory = providers.kind_of(composition.factories(), stored.account.kind)
        if not given and not hidden and not numbers:
            _ask_for_missing(desk, factory, given, hidden, [one.address for one in stored.senders])
        changed = await providers.change(
            house.office,
            house.actor,
            factory,
            stored,
            settings=given,
            secrets=hidden,
            senders=numbers,
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
        return Answer(document, [line], [IN_CLEAR] if changed.unprotected else [])

    return at_home(desk, work)


IN_CLEAR = "The address begins with http: the credentials go over the network in clear."


def _pairs(option: str, words: Sequence[str]) -> dict[str, str]:
    found = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key.strip():
            raise typer.BadParameter(f"“{word}” is not written as KEY=VALUE.", param_hint=option)
        found[key.strip()] = value
    return found


def _variable(name: str) -> str:
    value = os.environ.get(name.strip(), "")
    if not value:
        raise Refused(
            f"The variable {name} holds nothing.",
            f"Set it first: read -rs {name.strip()} && export {name.strip()}.",
        )
    return value


def _ask_for_missing(
    desk: Desk, factory: Factory, given: dict[str, str], hidden: dict[str, str], numbers: list[str]
) -> None:
    """Fill in from the keyboard what the account needs, where somebody is there to be asked."""
    if not desk.around.has_person():
        return
    for field in providers.missing(factory, given, hidden):
        if field.secret:
            hidden[field.name] = desk.around.ask_hidden(field.label)
        else:
            given[field.name] = desk.around.ask(field.label)
    if not numbers and not given.get(providers.SERVICE):
        numbers.append(desk.around.ask("The number to send from"))


@command(commands, "test", example="callboard provider test twilio +13105550111 --yes")
def try_account(
    desk: Desk,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The account.")],
    address: Annotated[
        str | None, typer.Argument(metavar="[ADDRESS]", help="Where to send a test text; none only checks.")
    ] = None,
    yes: Yes = False,
) -> Answer:
    """Ask the provider whether the account works, and send a test text where an address is given."""

    async def work(house: House) -> Answer:
        stored = await providers.find(house.office, name)
        if address is not None:
            desk.must_agree(yes, f"Send a test text to {address} through {stored.account.name}?")
        house.gateways = await composition.build_gateways(house)
        gateway = house.gateways.by_id(stored.id)
        if gateway is None:
            raise Refused(
                f"This Callboard has no provider of the kind {stored.account.kind}.",
                "Install what brought it, or set the account up again.",
            )
        if address is None:
            tested = await providers.check(gateway.provider)
        else:
            tested = await providers.send_test(house.office, house.actor, stored, gateway.provider, address)
        document = {"ok": tested.ok, "outcome": tested.outcome, "why": tested.why, "next": tested.next}
        if not tested.ok:
            return Answer(document, trouble=Problem(tested.why, tested.next))
        return Answer(document, [f"{tested.why} {tested.next}".strip()])

    return at_home(desk, work)
