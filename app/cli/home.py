"""``callboard init``: the first minutes of a home."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app import composition
from app.cli import output
from app.cli.desk import Desk, Yes, command, plain_typer
from app.cli.output import Answer
from app.cli.visit import at_home
from app.composition import FIRST_PRODUCTION, House
from app.config import FILE
from app.domain.problem import Refused
from app.services.productions import REGION, set_up

commands = plain_typer()

CONFIGURATION = """\
# Settings of this Callboard. Variables (CALLBOARD_PUBLIC_URL=…) and options stand above what is written here.

# The production that is meant where none is named.
# production = "NIGHTFALL S2"

# The https address under which the outside reaches this computer: receipts, replies and crew pages.
# public_url = "https://call.example.com"
# Whether that address will still lead here tomorrow. Only then a link goes into a text.
# public_url_stable = false

# Where Callboard listens. Only the public port may ever be given to a tunnel.
# public_port = 8085
# private_port = 8086
"""


@command(
    commands,
    "init",
    example="callboard init --production 'NIGHTFALL S2' --region US --time-zone America/Los_Angeles --yes",
)
def init(
    desk: Desk,
    region: Annotated[
        str | None, typer.Option("--region", metavar="US", help="The country of numbers written without one.")
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option("--time-zone", metavar="Z", help="The production's, as America/Los_Angeles.")
    ] = None,
    yes: Yes = False,
) -> Answer:
    """Set up this home and a production (--production). What is not given is asked for."""
    name, desk.production = desk.production, None  # it is about to be made, not to be looked for
    asks = desk.around.has_person() and not yes
    if name is None and not asks and not yes:
        raise Refused(
            "Nobody is here to say which production this is.",
            "Name it: callboard init --production 'NIGHTFALL S2' --region US --time-zone America/Los_Angeles.",
        )
    if asks:
        name = desk.around.ask("Production", FIRST_PRODUCTION) if name is None else name
        region = region or desk.around.ask("Country of its phone numbers", REGION)
        time_zone = time_zone or desk.around.ask("Time zone", composition.system_time_zone())

    is_new = not desk.settings(production="").key_file.exists()

    async def work(house: House) -> Answer:
        made = await set_up(
            house.office,
            house.actor,
            name=FIRST_PRODUCTION if name is None else name,
            region=region,
            time_zone=time_zone,
            zone_here=composition.system_time_zone(),
            placeholder=FIRST_PRODUCTION,
        )
        _write_configuration(house.settings.home / FILE)
        one, created = made.production, made.created or is_new
        document = {
            "home": str(house.settings.home),
            "production": one.name,
            "region": one.region,
            "time_zone": one.time_zone,
            "user": house.actor.name,
            "role": house.actor.role.value,
            "created": created,
        }
        lines = output.pairs(
            [
                ("Home", house.settings.home),
                ("Production", f"{one.name} ({one.region}, {one.time_zone})"),
                ("You are", f"{house.actor.name}, {house.actor.role.value}"),
            ]
        )
        following = "Next: callboard crew import FILE, then callboard provider add."
        return Answer(document, [*lines, following if created else "It was set up already."])

    return at_home(desk, work, production="")


def _write_configuration(file: Path) -> None:
    """An example of every setting, for whoever looks for them. A file that is there stays as it is."""
    if not file.exists():
        file.write_text(CONFIGURATION, encoding="utf-8")
