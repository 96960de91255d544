"""The chase: remind those who have not read it, and take a step back while there is time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import ids
from app.domain.actor import Actor
from app.domain.buckets import Bucket
from app.domain.messages import MessageStatus
from app.domain.priorities import GUARD_S, StepKind, undo_window_s
from app.domain.problem import Problem, Refused
from app.domain.routing import Decision, LeftOut, Routable, route
from app.domain.times import spell
from app.services.office import Office, find_message, may_send
from app.store import accounts, addressees, audit, board, freezing, messages, steps
from app.store.board import Summary
from app.store.messages import StoredMessage
from app.store.steps import Step


@dataclass(frozen=True, slots=True)
class StepTaken:
    """A step as it was asked for. ``repeated`` when this is the one of a moment ago: nobody is asked twice."""

    message_id: str
    code: str
    step_id: str
    people: int
    not_before: int
    dispatching: bool
    repeated: bool = False
    unreachable: int = 0
    """How many more were meant and cannot be reached: opted out, a wrong number, a landline."""


def guarded(since_ms: int, now_ms: int) -> bool:
    """Whether a reminder of that moment still stands for a second press.

    One that lies ahead was asked for before the clock was set back: it guards nothing.
    """
    return 0 <= now_ms - since_ms < GUARD_S * 1000


def cannot_remind(summary: Summary, now_ms: int) -> Problem | None:
    """Why a reminder cannot be sent now, or None. The same words on the key and in the command."""
    if summary.status is not MessageStatus.SENDING:
        following = "Resume it first." if summary.status is MessageStatus.PAUSED else "Send a new one."
        return Problem(f"The message is {summary.status.value}.", following)
    if summary.open_step and summary.open_step.kind is StepKind.FIRST:
        return Problem("The message has not gone out yet.", "Wait for the end of its undo window.")
    since = summary.last_reminder_at
    if since is not None and guarded(since, now_ms):
        wait = GUARD_S - (now_ms - since) // 1000
        return Problem(f"A reminder was sent {spell(now_ms - since)} ago.", f"Wait {wait} s.")
    if summary.to_remind or summary.buckets.get(Bucket.SUPPRESSED, 0):
        return None
    return STILL_LEAVING if summary.non_readers else ALL_READ


ALL_READ = Problem("Everybody has read it.", "Nothing to do.")
STILL_LEAVING = Problem("It is still to leave for those who have not read it.", "Wait until it has left.")
NOBODY_LEFT = Problem(
    "Nobody is left who can be reminded.", "See why: callboard people MESSAGE --state suppressed."
)


async def taken_before(office: Office, message: StoredMessage, step: Step) -> StepTaken:
    """What a second press of the same key returns: the step of a moment ago."""
    return StepTaken(
        message.public_id,
        message.code,
        step.public_id,
        step.people,
        step.not_before,
        await office.is_dispatching(),
        repeated=True,
        unreachable=step.unreachable,
    )


async def remind(office: Office, actor: Actor, name: str, only: Collection[int] | None = None) -> StepTaken:
    """Remind all non-readers of a message, or the marked recipients among them.

    Those without a path are counted and left out; those who were left out before and have a path now are among
    them. A second press within the guard returns the first reminder.
    Raises :class:`Refused`, also where nobody can be reached.
    """
    may_send(actor)
    message = await find_message(office, name)
    now = office.clock.now_ms()
    public_id = ids.ulid(now, office.random_bytes)
    not_before = now + undo_window_s(StepKind.REMINDER, message.priority) * 1000
    async with office.database.read() as connection:
        reach = await _reach(connection, message, now, only)
    async with office.database.write() as connection:
        last = await steps.latest(connection, message.id, StepKind.REMINDER)
        if last and guarded(last.created_at, now):
            return await taken_before(office, message, last)
        summary = (await board.summaries(connection, office.production.id, now, only=message.id))[0]
        if problem := cannot_remind(summary, now):
            raise Refused(problem.sentence, problem.next)
        if not reach.recipients:
            if reach.obstacle:
                raise Refused("Nobody of them can be reached.", f"{reach.obstacle.why} {reach.obstacle.next}")
            obstacle = STILL_LEAVING if summary.non_readers else NOBODY_LEFT
            raise Refused(obstacle.sentence, obstacle.next)
        step_id = await steps.add(
            connection,
            public_id=public_id,
            message_id=message.id,
            version_id=message.version_id,
            kind=StepKind.REMINDER,
            actor=actor.name,
            channels=message.channels,
            now_ms=now,
            not_before=not_before,
        )
        people = await freezing.freeze_non_readers(
            connection, step_id, message.id, now, reach.recipients, reach.unreachable
        )
        await freezing.note_left_out(connection, reach.left_out)
        if people == 0:
            raise Refused("None of those marked is still to be reminded.", "Unmark them, or mark others.")
        await audit.record(
            connection,
            actor,
            "remind",
            f"message:{message.public_id}",
            now,
            production_id=office.production.id,
            detail={"step": public_id, "people": people, "unreachable": reach.unreachable},
        )
    return StepTaken(
        message.public_id,
        message.code,
        public_id,
        people,
        not_before,
        await office.is_dispatching(),
        unreachable=reach.unreachable,
    )


@dataclass(frozen=True, slots=True)
class _Reach:
    """Who of those meant has a path now, and why the others have none; ``obstacle`` is one of those reasons."""

    recipients: tuple[int, ...]
    left_out: tuple[tuple[int, LeftOut], ...]

    @property
    def unreachable(self) -> int:
        return len(self.left_out)

    @property
    def obstacle(self) -> LeftOut | None:
        return self.left_out[0][1] if self.left_out else None


COUNTED_AT_MOST = 1_000
"""Where more people than these would be meant, how many of them can be reached is not worked out while figures are
live: the key says no number then, the step does."""


async def can_be_reminded(connection: AsyncConnection, summary: Summary, now_ms: int) -> int | None:
    """How many people a reminder would go to now: the decision of the step itself. None where they are too many to
    be looked at again and again."""
    meant = summary.to_remind + summary.buckets.get(Bucket.SUPPRESSED, 0)
    if cannot_remind(summary, now_ms) or meant > COUNTED_AT_MOST:
        return None
    message = await messages.by_id(connection, summary.id)
    return len((await _reach(connection, message, now_ms, None)).recipients)


async def _reach(
    connection: AsyncConnection, message: StoredMessage, now_ms: int, only: Collection[int] | None
) -> _Reach:
    """Route the non-readers before anything is written, so that the write stays short."""
    wanted = await freezing.to_remind(connection, message.id)
    left_before = await freezing.left_out(connection, message.id)
    meant = wanted | left_before
    if only is not None:
        meant = {recipient: person for recipient, person in meant.items() if recipient in set(only)}
    decisions = await decisions_for(connection, message, meant, now_ms)
    return _Reach(
        recipients=tuple(recipient for recipient, one in decisions.items() if one.paths),
        left_out=tuple(
            (recipient, one.suppression)
            for recipient, one in decisions.items()
            if one.suppression and (recipient in wanted or only is not None)
        ),
    )


async def decisions_for(
    connection: AsyncConnection, message: StoredMessage, meant: Mapping[int, int], now_ms: int
) -> dict[int, Decision]:
    """How these recipients (each with their person) would be reached by a further step, were it routed now."""
    people = await addressees.of_people(connection, message.production_id, set(meant.values()))
    available = await accounts.channels_with_provider(connection, message.production_id)
    routable = Routable(message.priority, message.purpose, message.channels)
    return {
        recipient: route(people[person].addressee, routable, available, now_ms)
        for recipient, person in meant.items()
    }


def _too_late(code: str, step: Step | None) -> Refused:
    """Why the newest step that was not undone cannot be called off."""
    if step is None:
        return Refused(f"Nothing can be undone: all of {code} was called off already.", "Nothing to do.")
    return Refused("Nothing can be undone: it has gone out.", "Send a correction instead.")


async def undo(office: Office, actor: Actor, name: str) -> StepTaken:
    """Call off the newest step of a message, as long as nothing of it is routed. Raises :class:`Refused`."""
    may_send(actor)
    message = await find_message(office, name)
    now = office.clock.now_ms()
    async with office.database.write() as connection:
        step = await steps.latest(connection, message.id)
        if step is None or not await steps.undo(connection, step.id, now):
            raise _too_late(message.code, step)
        if step.kind is StepKind.FIRST:
            await messages.set_status(connection, message.id, MessageStatus.CANCELLED)
        await audit.record(
            connection,
            actor,
            "undo",
            f"message:{message.public_id}",
            now,
            production_id=office.production.id,
            detail={"step": step.public_id, "kind": step.kind.value},
        )
    return StepTaken(
        message.public_id,
        message.code,
        step.public_id,
        step.people,
        step.not_before,
        await office.is_dispatching(),
    )
