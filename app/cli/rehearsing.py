"""``callboard demo``: the whole product against the rehearsal carrier."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from app import logs
from app.cli import output
from app.cli.desk import Desk, command, plain_typer
from app.cli.output import Answer
from app.cli.stopping import ended_as_by_ctrl_c
from app.domain.buckets import LABELS, Bucket
from app.domain.problem import Problem, Refused
from app.rehearsal.demo import DemoOptions, run_headless

commands = plain_typer()

MOST_PEOPLE = 20_000
"""More than any production has; the sample's invented numbers reach further."""


@command(commands, "demo", example="callboard demo --headless --seconds 60 --json")
def demo(
    desk: Desk,
    headless: Annotated[bool, typer.Option("--headless", help="Without the terminal.")] = False,
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="N", help="How long people act.", min=1)
    ] = 60,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Another seed, another evening.")] = 7,
    crew: Annotated[
        int, typer.Option("--crew", metavar="N", help="People on the crew list.", min=1, max=MOST_PEOPLE)
    ] = 156,
    virtual: Annotated[
        bool, typer.Option("--virtual", help="In virtual time: over in a moment; headless only.")
    ] = False,
) -> Answer:
    """Show the whole product against the built-in rehearsal carrier. Nothing leaves this computer.

    It sends an URGENT location change to a sample crew by text and e-mail, and shows it being delivered, read and confirmed. The home
    is thrown away afterwards, unless --home names an empty folder to keep it in.
    """
    home = desk.home.expanduser() if desk.home else None
    options = DemoOptions(seconds=seconds, seed=seed, people=crew, virtual=virtual, home=home)
    if headless:
        logs.configure(None)
        with ended_as_by_ctrl_c():
            result = run_headless(options, output.say)
        return Answer(result, figures(result), trouble=_differences(result))
    if virtual:
        raise typer.BadParameter("Virtual time has no terminal: add --headless.", param_hint="--virtual")
    if desk.as_json or not desk.around.has_screen():
        raise Refused("There is no screen here to open the terminal on.", "Add --headless.")
    from app.cli.terminal import open_demonstration  # noqa: PLC0415 - not needed headless

    with ended_as_by_ctrl_c():
        return open_demonstration(desk, options)


def figures(result: dict[str, Any]) -> list[str]:
    """The result of a rehearsal for a person."""
    buckets = [(LABELS[Bucket(name)], people) for name, people in result["buckets"].items() if people]
    lines = [
        f"Delivered {result['delivered']} of {result['recipients']}, read {result['read']}, "
        f"confirmed {result['confirmed']}, in {result['seconds']} s.",
        "",
        *output.pairs(buckets),
    ]
    if result["unreachable"]:
        rows = [(one["person"], one["why"]) for one in result["unreachable"]]
        lines += ["", *output.table(("Not reached", "Why"), rows)]
    if not result["carrier_differences"]:
        lines += ["", "The carrier's own log says the same of every person."]
    return lines


def _differences(result: dict[str, Any]) -> Problem | None:
    count = result["carrier_differences"]
    if not count:
        return None
    return Problem(
        f"What is shown of {output.people(count)} is not what the carrier's log says really happened.",
        "This is a mistake of Callboard: keep the seed, and report it.",
    )
