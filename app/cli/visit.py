"""Opening the home for one command, and closing it again whatever happens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from app import composition, logs
from app.cli.desk import Desk
from app.cli.output import Answer
from app.composition import House

NOTHING_SENDS = "Nothing is sending: open Callboard or run callboard serve."


async def open_house(desk: Desk, **options: Any) -> House:
    """The home of this command line, with the production it names. Raises :class:`app.domain.problem.Refused`."""
    settings = desk.settings(**options)
    composition.make_home(settings.home)
    logs.configure(settings.log_file)
    return await composition.open_house(settings, desk.around.clock, production=settings.production or None)


def at_home(desk: Desk, work: Callable[[House], Awaitable[Answer]], **options: Any) -> Answer:
    """Open the home, do the work there, close it. Raises what the work raises."""

    async def visit() -> Answer:
        house = await open_house(desk, **options)
        try:
            return await work(house)
        finally:
            await house.close()

    return desk.around.run(visit())
