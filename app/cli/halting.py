"""``callboard pause``, ``resume``, ``cancel``: halting a message that is going out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from app.cli import output
from app.cli.desk import CANCEL, Desk, Yes, command, plain_typer
from app.cli.output import Answer
from app.cli.visit import NOTHING_SENDS, at_home
from app.composition import House
from app.domain import times
from app.domain.messages import MessageStatus
from app.domain.problem import Refused
from app.services import halting
from app.services.halting import Halted, Outlook

commands = plain_typer()

Message = Annotated[str, typer.Argument(metavar="MESSAGE", help="The code (M-7F3K) or the id of a message.")]


@command(commands, "pause", example="callboard pause M-7F3K")
def pause(desk: Desk, message: Message) -> Answer:
    """Keep back what has not left of a message. Calls that are in flight go out."""

    async def work(house: House) -> Answer:
        halted = await halting.pause(house.office, house.actor, message)
        return Answer(_halted(halted), [halting.told(halted), f"Go on: callboard resume {halted.code}."])

    return at_home(desk, work)


@command(commands, "resume", example="callboard resume M-7F3K --yes")
def resume(desk: Desk, message: Message, yes: Yes = False) -> Answer:
    """Go on where a message was paused. What became too old meanwhile is not sent any more."""

    async def work(house: House) -> Answer:
        found = await halting.outlook(house.office, message)
        if problem := halting.cannot_resume(found.summary):
            raise Refused(problem.sentence, problem.next)
        desk.must_agree(yes, f"Go on sending {found.summary.code} to {output.people(found.waiting)}?")
        halted = await halting.resume(house.office, house.actor, message)
        remarks = [NOTHING_SENDS] if halted.people and not halted.dispatching else []
        return Answer(_halted(halted), [halting.told(halted)], remarks=remarks)

    return at_home(desk, work)


@command(commands, "cancel", example="callboard cancel M-7F3K --disregard --yes")
def cancel(
    desk: Desk,
    message: Message,
    disregard: Annotated[
        bool, typer.Option("--disregard", help="Also text those who had it to disregard it.")
    ] = False,
    yes: Yes = False,
) -> Answer:
    """Call off what has not left of a message, and say who had it already.

    With --disregard they are told, also of a message that is cancelled already: callboard undo MESSAGE stops that
    while there is time.
    """

    async def work(house: House) -> Answer:
        found = await halting.outlook(house.office, message)
        if found.summary.status is MessageStatus.CANCELLED:
            if not disregard:
                raise Refused(
                    f"{found.summary.code} is cancelled already.",
                    f"Tell those who had it: callboard cancel {found.summary.code} --disregard.",
                )
            desk.must_agree(yes, f"Tell those who had {found.summary.code} to disregard it?")
            return await _tell(house, message, await _before(found, house), [])
        desk.must_agree(yes, _question(found, disregard=disregard), CANCEL)
        halted = await halting.cancel(house.office, house.actor, message)
        document, said = _halted(halted) | {"had_it": halted.had_it}, halting.told(halted)
        if disregard and halted.had_it:
            return await _tell(house, message, document, [said])
        following = [f"Tell them: callboard cancel {halted.code} --disregard."] if halted.had_it else []
        return Answer(document, [said, *following])

    return at_home(desk, work)


def _question(found: Outlook, *, disregard: bool) -> str:
    """What cancelling would do, in numbers."""
    told = f", and tell {output.people(found.had_it)} to disregard it" if disregard and found.had_it else ""
    return f"Cancel {found.summary.code}: not send it to {output.people(found.waiting)}{told}?"


async def _tell(house: House, message: str, document: dict[str, Any], lines: Sequence[str]) -> Answer:
    """The step that tells them to disregard it, after what there is to say about cancelling."""
    step = await halting.disregard(house.office, house.actor, message)
    at = f"{times.wall(step.not_before, house.office.production.time_zone):%H:%M:%S}"
    who = output.people(step.people)
    said = (
        f"Told a moment ago to disregard it: {who}."
        if step.repeated
        else f"The word to disregard it leaves at {at}, to {who}. Until then: callboard undo {step.code}."
    )
    if step.unreachable:
        said = f"{said} {output.people(step.unreachable)} cannot be reached."
    told = {
        "step_id": step.step_id,
        "people": step.people,
        "not_before": output.moment(step.not_before),
        "dispatching": step.dispatching,
        "repeated": step.repeated,
        "unreachable": step.unreachable,
    }
    return Answer(document | told, [*lines, said], remarks=[] if step.dispatching else [NOTHING_SENDS])


async def _before(found: Outlook, house: House) -> dict[str, Any]:
    """The document of a message that was cancelled before."""
    return {
        "message_id": found.summary.public_id,
        "code": found.summary.code,
        "step_id": None,
        "status": found.summary.status.value,
        "people": 0,
        "in_flight": found.in_flight,
        "not_before": None,
        "dispatching": await house.office.is_dispatching(),
        "had_it": found.had_it,
    }


def _halted(halted: Halted) -> dict[str, Any]:
    return {
        "message_id": halted.message_id,
        "code": halted.code,
        "step_id": None,
        "status": halted.status.value,
        "people": halted.people,
        "in_flight": halted.in_flight,
        "not_before": None,
        "dispatching": halted.dispatching,
    }
