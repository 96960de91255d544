"""``callboard`` alone: the terminal, with engine and listener in the same process where nobody else runs them."""

from __future__ import annotations

from app import composition, logs
from app.cli.desk import Desk
from app.cli.output import Answer
from app.cli.stopping import ended_as_by_ctrl_c
from app.cli.visit import open_house
from app.composition import House
from app.domain.problem import Refused
from app.rehearsal.demo import DemoOptions, open_demo, send_location_change

NOTHING = Answer(None)


def open_callboard(desk: Desk, *, read_only: bool) -> Answer:
    """Open the home and show the terminal until it is left. Raises :class:`Refused`."""

    async def visit() -> None:
        house = await open_house(desk)
        try:
            banner = "" if read_only else await begin(house)
            if house.engine is None:
                composition.look_out(house)
            await show(desk, house, banner=banner, read_only=read_only)
        finally:
            await house.close()

    with ended_as_by_ctrl_c():
        desk.around.run(visit())
    return NOTHING


def open_demonstration(desk: Desk, options: DemoOptions) -> Answer:
    """The terminal on a rehearsal: the URGENT location change goes out at once, reminding is left to the person."""

    async def visit() -> None:
        logs.configure(None)
        demo = await open_demo(desk.around.clock, options)
        try:
            logs.configure(demo.house.settings.log_file)
            await send_location_change(demo)
            await show(desk, demo.house)
        finally:
            logs.configure(None)
            await demo.close()

    desk.around.run(visit())
    return NOTHING


async def begin(house: House) -> str:
    """Start to send and to listen. Returns the sentence that stays on screen where something is missing."""
    try:
        problem = await composition.start(house, "terminal")
    except Refused as refused:
        if house.engine is None:
            raise
        problem = refused.problem
    return str(problem) if problem else ""


async def show(desk: Desk, house: House, *, banner: str = "", read_only: bool = False) -> None:
    if desk.around.open_terminal is None:
        raise Refused("This program has no terminal.", "Give a command: callboard --help.")
    await desk.around.open_terminal(
        house, banner=banner, read_only=read_only, sends=house.engine is not None and house.engine.running
    )
