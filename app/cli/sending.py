"""``callboard send``, ``remind``, ``undo``: what reaches people. Nothing is sent without a yes."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Annotated, Any

import typer

from app import composition
from app.cli import output
from app.cli.composing import compose, from_standard_input
from app.cli.desk import Desk, Yes, command, plain_typer
from app.cli.output import Answer
from app.cli.visit import NOTHING_SENDS, at_home
from app.cli.watching import bucket_rows
from app.clock import sleep
from app.composition import House
from app.domain import times
from app.domain.buckets import JSON_ORDER, Bucket
from app.domain.messages import Composed, headline
from app.domain.problem import Problem, Refused
from app.services import chasing, sending, watching
from app.services.chasing import StepTaken
from app.services.sending import Preflight, Sent
from app.services.watching import Status
from app.store import due

commands = plain_typer()

LOOK_AGAIN_S = 0.2
"""How often the queue is looked at while another process works on it."""

Message = Annotated[str, typer.Argument(metavar="MESSAGE", help="The code (M-7F3K) or the id of a message.")]


@command(
    commands,
    "send",
    example="callboard send --to all --to -dept:Post --priority urgent --subject 'Unit moves' --body 'Gate C.'",
)
def send(
    desk: Desk,
    to: Annotated[
        list[str],
        typer.Option(
            "--to", metavar="WHO", help="all, dept:Camera, unit:Main or person:NAME; - in front leaves out."
        ),
    ],
    priority: Annotated[
        str | None, typer.Option("--priority", metavar="P", help="urgent, important, info or routine.")
    ] = None,
    type: Annotated[
        str | None, typer.Option("--type", metavar="T", help="What it is about: location_change, call_time …")
    ] = None,
    subject: Annotated[str, typer.Option("--subject", metavar="S", help="The headline.")] = "",
    body: Annotated[str, typer.Option("--body", metavar="B", help="The message; - reads it.")] = "",
    channel: Annotated[
        list[str] | None,
        typer.Option("--channel", metavar="C", help="sms, voice, push, email, in_app; else the priority's."),
    ] = None,
    location: Annotated[str, typer.Option("--location", metavar="L", help="Where it is about.")] = "",
    reply: Annotated[
        list[str] | None,
        typer.Option("--reply", metavar="OPTION", help="none, standard, or DIGIT=WORDS:MEANING, repeated."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what sending would do.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Send it from here, and return when it has left.")
    ] = False,
    yes: Yes = False,
) -> Answer:
    """Send a message. Before it leaves there is an undo window: callboard undo MESSAGE.

    MEANING is confirmed, declined, needs_help or other. URGENT and IMPORTANT messages ask for 1 (confirm) and 2
    (there is a problem) unless --reply says otherwise.
    """
    composed = compose(
        to=to,
        priority=priority,
        type=type,
        subject=subject,
        body=from_standard_input() if body == "-" else body,
        channels=channel or [],
        location=location,
        replies=reply or [],
    )

    async def work(house: House) -> Answer:
        if dry_run:
            sheet = await sending.preflight(house.office, composed)
            document = {"message_id": None, "code": None} | _sheet(sheet)
            return Answer(document | {"dispatching": await house.office.is_dispatching()}, sheet_lines(sheet))
        return await _send(house, desk, composed, yes=yes, wait=wait)

    return at_home(desk, work)


async def _send(house: House, desk: Desk, composed: Composed, *, yes: bool, wait: bool) -> Answer:
    if not yes and desk.around.has_person():
        for line in sheet_lines(await sending.preflight(house.office, composed)):
            output.say(line)
    people = await watching.head_count(house.office, list(composed.audience))
    desk.must_agree(yes, f"Send “{headline(composed.subject, composed.body)}” to {output.people(people)}?")
    sent = await sending.send(house.office, house.actor, composed)
    dispatching = wait or sent.dispatching
    document = {"message_id": sent.message_id, "code": sent.code, "step_id": sent.step_id} | _sheet(
        sent.sheet
    )
    document |= {"not_before": output.moment(sent.not_before), "dispatching": dispatching}
    if wait:
        await send_all(house)
        return await _left(house, sent, document)
    at = f"{times.wall(sent.not_before, house.office.production.time_zone):%H:%M:%S}"
    lines = [
        f"{sent.code} leaves at {at}, to {output.people(sent.sheet.recipients)}.",
        *sheet_lines(sent.sheet),
        f"Until it leaves: callboard undo {sent.code}.",
    ]
    return Answer(document, lines, remarks=[] if dispatching else [NOTHING_SENDS])


async def _left(house: House, sent: Sent, document: dict[str, Any]) -> Answer:
    """What became of a message that was waited for."""
    found = await watching.status(house.office, sent.message_id)
    document = document | {
        "buckets": {bucket.value: found.summary.buckets.get(bucket, 0) for bucket in JSON_ORDER}
    }
    if found.summary.under_way and found.stopped:
        stopped = found.stopped[0]
        return Answer(document, output.pairs(bucket_rows(found)), trouble=Problem(stopped.why, stopped.next))
    failed = found.summary.buckets.get(Bucket.NOT_REACHED, 0)
    if failed and len(found.unreachable) == sent.sheet.recipients:
        return Answer(document, output.pairs(bucket_rows(found)), trouble=_reached_nobody(found))
    if left_over := found.summary.in_queue:
        return Answer(document, output.pairs(bucket_rows(found)), trouble=_not_all_left(sent.code, left_over))
    lines = [f"{sent.code} has left.", *output.pairs(bucket_rows(found))]
    remark = f"{output.people(failed)} not reached: callboard people {sent.code} --state not_reached."
    return Answer(document, lines, remarks=[remark] if failed else [])


def _not_all_left(code: str, people: int) -> Problem:
    return Problem(
        f"{code} has not left for {output.people(people)}.",
        f"It is tried again while something sends (callboard serve). Why: callboard people {code} --state on_the_way.",
    )


def _reached_nobody(found: Status) -> Problem:
    """That nobody was reached, with the reason most of them share and what to do about it."""
    tried = Counter((one.why, one.next) for one in found.unreachable if one.bucket is Bucket.NOT_REACHED)
    ((why, following), _) = tried.most_common(1)[0]
    return Problem(f"Nobody was reached. {why}".strip(), following or "Look closer: callboard doctor.")


async def send_all(house: House) -> None:
    """Until nothing is queued, claimed, being sent or of unknown fate: here, or watched while another process
    does it. Raises :class:`Refused` where nothing can be sent from here."""
    try:
        elsewhere = await composition.start(house, "send", listener=bool(house.settings.public_url))
    except Refused as refused:
        if house.engine is None:
            raise
        output.say(str(refused.problem))
        elsewhere = None
    if elsewhere is None:
        assert house.engine is not None
        await house.engine.settled()
        return
    while await house.office.is_dispatching():
        quiet = partial(due.busy_until, now_ms=house.clock.now_ms())
        if await house.database.reading(quiet) is None:
            return
        await sleep(house.clock, LOOK_AGAIN_S)
    raise Refused("The process that was sending has ended.", "Send the rest: callboard serve.")


def _sheet(sheet: Preflight) -> dict[str, Any]:
    return {
        "recipients": sheet.recipients,
        "excluded": [
            {
                "person": one.person,
                "person_id": one.person_id,
                "department": one.department,
                "why": one.why,
                "next": one.next,
            }
            for one in sheet.excluded
        ],
        "channels": {channel.value: people for channel, people in sheet.channels.items()},
        "segments": sheet.segments,
        "offending": sheet.offending,
        "held": sheet.held,
        "overrides": sheet.overrides,
        "shared": sheet.shared,
        "cost": output.price(sheet.cost),
        "eta_seconds": sheet.eta_seconds,
        "remarks": list(sheet.remarks),
    }


def sheet_lines(sheet: Preflight) -> list[str]:
    """The sheet before sending: who is reached by what, who is not, how many segments, what it costs."""
    channels = ", ".join(f"{channel.value} {people}" for channel, people in sheet.channels.items())
    rows: list[tuple[str, object]] = [
        ("People", f"{sheet.recipients}, {len(sheet.excluded)} of them not reached"),
        ("Channels", channels or "none"),
    ]
    if sheet.channels:
        rows += [
            ("Segments", sheet.segments),
            ("Cost", output.price_text(sheet.cost)),
            ("Done in", f"about {times.spell(sheet.eta_seconds * 1000)}"),
        ]
    if sheet.shared:
        rows.append(
            ("Shared", f"{output.people(sheet.shared)} share a number with somebody: one text for both")
        )
    if sheet.held:
        rows.append(("Held", f"{sheet.held}, until their quiet hours end"))
    if sheet.overrides:
        rows.append(("Overrides", f"{sheet.overrides}: quiet hours or a missing consent, pierced and logged"))
    if sheet.offending:
        rows.append(("Note", f"“{sheet.offending}” halves the room of every text"))
    rows += [("Note", remark) for remark in sheet.remarks]
    lines = output.pairs(rows)
    if sheet.excluded:
        excluded = [(one.person, one.department, one.why, one.next) for one in sheet.excluded]
        lines += ["", *output.table(("Not reached", "Department", "Why", "Next"), excluded)]
    return lines


@command(commands, "remind", example="callboard remind M-7F3K --yes")
def remind(desk: Desk, message: Message, yes: Yes = False) -> Answer:
    """Remind everybody who has not read a message. Within two minutes a second call changes nothing."""

    async def work(house: House) -> Answer:
        found = await watching.status(house.office, message)
        reached = await watching.can_be_reminded(house.office, found.summary)
        whom = "everybody who has not read it" if reached is None else output.people(reached)
        question = f"Remind {whom} of {found.summary.code}?"
        desk.must_agree(yes, question)
        step = await chasing.remind(house.office, house.actor, message)
        at = f"{times.wall(step.not_before, house.office.production.time_zone):%H:%M:%S}"
        who = output.people(step.people)
        said = (
            f"Reminded a moment ago: {who}." if step.repeated else f"The reminder leaves at {at}, to {who}."
        )
        if step.unreachable:
            said = f"{said} {output.people(step.unreachable)} cannot be reached."
        return Answer(
            _step(step) | {"repeated": step.repeated, "unreachable": step.unreachable},
            [said],
            remarks=[] if step.dispatching else [NOTHING_SENDS],
        )

    return at_home(desk, work)


@command(commands, "undo", example="callboard undo M-7F3K")
def undo(desk: Desk, message: Message) -> Answer:
    """Call off the newest step of a message, as long as nothing of it has gone out."""

    async def work(house: House) -> Answer:
        step = await chasing.undo(house.office, house.actor, message)
        line = f"Called off: {output.people(step.people)} will not get it."
        return Answer(_step(step) | {"undone": True}, [line])

    return at_home(desk, work)


def _step(step: StepTaken) -> dict[str, Any]:
    return {
        "message_id": step.message_id,
        "code": step.code,
        "step_id": step.step_id,
        "people": step.people,
        "not_before": output.moment(step.not_before),
        "dispatching": step.dispatching,
    }
