"""The words of ``callboard provider add`` and ``set`` read as the fields of an account, and what is asked for."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from app.cli.desk import Desk
from app.domain.problem import Refused
from app.services import provider_setup
from providers.contract import Factory

SettingWords = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="A setting; every provider takes base_url. KEY= takes it away."
    ),
]
SecretWords = Annotated[
    list[str] | None,
    typer.Option("--secret", metavar="KEY=ENVVAR", help="A secret, read from this variable."),
]
SenderWords = Annotated[
    list[str] | None,
    typer.Option(
        "--sender", metavar="ADDRESS", help="A number or address of yours to send from; repeatable."
    ),
]


@dataclass(slots=True)
class Given:
    """What a command line says of an account."""

    settings: dict[str, str]
    secrets: dict[str, str]
    senders: list[str]

    def __bool__(self) -> bool:
        return bool(self.settings or self.secrets or self.senders)


def given_by(
    settings: Sequence[str] | None, secrets: Sequence[str] | None, senders: Sequence[str] | None
) -> Given:
    """The fields that were written. Raises :class:`typer.BadParameter` for a word that is no pair, and
    :class:`Refused` for a variable that holds nothing."""
    return Given(
        settings=_pairs("--set", settings or ()),
        secrets={key: _variable(key, value) for key, value in _pairs("--secret", secrets or ()).items()},
        senders=list(senders or ()),
    )


def _pairs(option: str, words: Sequence[str]) -> dict[str, str]:
    found = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key.strip():
            raise typer.BadParameter(f"“{word}” is not written as KEY=VALUE.", param_hint=option)
        found[key.strip()] = value
    return found


_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
"""A name as variables have by custom. Anything else may be the secret itself, and is not repeated."""


def _variable(key: str, name: str) -> str:
    name = name.strip()
    value = os.environ.get(name, "")
    if not value:
        shown = name if _VARIABLE.fullmatch(name) else "VARIABLE"
        raise Refused(
            f"The variable {name} holds nothing."
            if shown == name
            else f"What stands behind {key}= is no variable that holds anything.",
            f"Set one first: read -rs {shown} && export {shown}; then --secret {key}={shown}.",
        )
    return value


def ask_for_missing(desk: Desk, factory: Factory, given: Given, *, has_sender: bool = False) -> None:
    """Fill in from the keyboard what the account needs, where somebody is there to be asked."""
    if not desk.around.has_person():
        return
    for field in provider_setup.missing(factory, given.settings, given.secrets):
        if field.secret:
            given.secrets[field.name] = desk.around.ask_hidden(field.label)
        else:
            given.settings[field.name] = desk.around.ask(field.label)
    if not (has_sender or given.senders or given.settings.get(provider_setup.SERVICE)):
        called = provider_setup.SENDER_WORDS[factory.capabilities.channel].called
        given.senders.append(desk.around.ask(f"The {called} to send from"))
