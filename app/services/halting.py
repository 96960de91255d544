"""Halting a message: pause and resume it, or cancel it and tell those who had it to disregard it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import ids
from app.domain.actor import Actor
from app.domain.buckets import Bucket
from app.domain.messages import MessageStatus
from app.domain.priorities import GUARD_S, StepKind, undo_window_s
from app.domain.problem import Problem, Refused
from app.domain.times import spell
from app.services.chasing import StepTaken, decisions_for, guarded, taken_before
from app.services.office import Office, find_message, may_send
from app.store import audit, board, freezing, halting, messages, steps, stopping, sweeps
from app.store.board import Summary
from app.store.messages import StoredMessage


@dataclass(frozen=True, slots=True)
class Halted:
    """What pausing, resuming or cancelling came to.

    ``people`` are those for whom something waited: it is kept back, goes on, or was called off. ``in_flight`` calls
    were with a provider already and may still go out; ``had_it`` people had the message and were not told to
    disregard it.
    """

    message_id: str
    code: str
    status: MessageStatus
    people: int
    in_flight: int
    had_it: int
    dispatching: bool


@dataclass(frozen=True, slots=True)
class Outlook:
    """What halting a message would mean now: how many it is still to go out to, how many calls are in flight, and
    how many had it and were not told to disregard it."""

    summary: Summary
    waiting: int
    in_flight: int
    had_it: int


PAUSED_ALREADY = Problem("The message is paused already.", "Resume it, or cancel it.")
NOT_PAUSED = Problem("The message is not paused.", "Nothing to do.")
CANCELLED = Problem("The message is cancelled.", "Send a new one.")
NOTHING_WAITS = Problem("All of it has left: nothing is left to pause.", "Cancel it, or send a correction.")
CANCELLED_ALREADY = Problem("The message is cancelled already.", "Tell those who had it to disregard it.")
NOT_CANCELLED = Problem("The message is not cancelled.", "Cancel it first.")
NOBODY_HAD_IT = Problem("It is cancelled, and nobody had it.", "Nothing to do.")
ALL_TOLD = Problem("Everybody who had it was told to disregard it.", "Nothing to do.")
NOBODY_CAN_BE_TOLD = Problem(
    "Nobody who had it can be reached.", "Reach them another way: callboard people MESSAGE --state delivered."
)

MAY_LEAVE = frozenset({Bucket.ON_THE_WAY, Bucket.UNCERTAIN, Bucket.HELD})
"""Where something may still go out by itself: another try of what fails, or of what nobody knows the fate of."""

HAD_IT = frozenset(Bucket) - {Bucket.NOT_REACHED, Bucket.HELD, Bucket.SUPPRESSED}
"""In a cancelled message: those who are still on the way have it at the provider."""

HALTABLE = frozenset({MessageStatus.SENDING, MessageStatus.PAUSED})


def told(halted: Halted) -> str:
    """What pausing, resuming or cancelling came to, in a few sentences."""
    something, nothing = OUTCOMES[halted.status]
    words = [
        f"{halted.code} {something if halted.people else nothing}.".format(people=_people(halted.people))
    ]
    if halted.status is MessageStatus.CANCELLED:
        words.append(f"{_people(halted.had_it)} had it." if halted.had_it else "Nobody had it.")
    if halted.in_flight and halted.status is not MessageStatus.SENDING:
        words.append(in_flight_words(halted.in_flight))
    return " ".join(words)


OUTCOMES: dict[MessageStatus, tuple[str, str]] = {
    MessageStatus.PAUSED: ("is paused: it waits for {people}", "is paused: nothing of it waits"),
    MessageStatus.SENDING: ("goes on, to {people}", "goes on: nothing of it waits"),
    MessageStatus.CANCELLED: ("is cancelled: {people} will not get it", "is cancelled: nothing of it waited"),
}
"""What to say where something waited, and where nothing did."""


def in_flight_words(calls: int) -> str:
    """What cannot be kept back any more."""
    return f"{'1 call is' if calls == 1 else f'{calls:,} calls are'} in flight and may still go out."


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def cannot_pause(summary: Summary) -> Problem | None:
    """Why a message cannot be paused, or None. The same words on the key and in the command."""
    if summary.status is MessageStatus.PAUSED:
        return PAUSED_ALREADY
    if summary.status is not MessageStatus.SENDING:
        return CANCELLED
    leaves = any(summary.buckets.get(bucket, 0) for bucket in MAY_LEAVE)
    return None if summary.under_way or summary.still_to_leave or leaves else NOTHING_WAITS


def cannot_resume(summary: Summary) -> Problem | None:
    """Why a message cannot be resumed, or None."""
    if summary.status is MessageStatus.CANCELLED:
        return CANCELLED
    return None if summary.status is MessageStatus.PAUSED else NOT_PAUSED


def cannot_cancel(summary: Summary, now_ms: int) -> Problem | None:
    """Why there is nothing to cancel and nobody to be told, or None."""
    return None if summary.status in HALTABLE else cannot_disregard(summary, now_ms)


def cannot_disregard(summary: Summary, now_ms: int) -> Problem | None:
    """Why nobody can be told to disregard a message now, or None."""
    if summary.status is not MessageStatus.CANCELLED:
        return NOT_CANCELLED
    since = summary.last_disregard_at
    if since is not None and guarded(since, now_ms):
        wait = GUARD_S - (now_ms - since) // 1000
        return Problem(f"They were told to disregard it {spell(now_ms - since)} ago.", f"Wait {wait} s.")
    return None if any(summary.buckets.get(bucket, 0) for bucket in HAD_IT) else NOBODY_HAD_IT


async def outlook(office: Office, name: str) -> Outlook:
    """What halting a message would mean now. Raises :class:`Refused`."""
    message = await find_message(office, name)
    async with office.database.read() as connection:
        return Outlook(
            summary=await _summary(connection, office, message),
            waiting=await halting.waiting(connection, message.id),
            in_flight=await halting.in_flight(connection, message.id),
            had_it=len(await halting.had_it(connection, message.id)),
        )


async def pause(office: Office, actor: Actor, name: str) -> Halted:
    """Keep back what has not left; calls in flight go out. Undo windows and give-up times run on.

    Raises :class:`Refused`, also where nothing is left to pause.
    """
    may_send(actor)
    message = await find_message(office, name)
    async with office.database.write() as connection:
        if problem := cannot_pause(await _summary(connection, office, message)):
            raise Refused(problem.sentence, problem.next)
        people = await halting.waiting(connection, message.id)
        await _decide(connection, office, actor, message, MessageStatus.PAUSED, people)
        return await _halted(connection, office, message, MessageStatus.PAUSED, people)


async def resume(office: Office, actor: Actor, name: str) -> Halted:
    """Go on where a message was paused. What became too old meanwhile is not sent any more, and says so.

    Raises :class:`Refused` where it is not paused.
    """
    may_send(actor)
    message = await find_message(office, name)
    async with office.database.write() as connection:
        if problem := cannot_resume(await _summary(connection, office, message)):
            raise Refused(problem.sentence, problem.next)
        await sweeps.give_up(connection, office.clock.now_ms())
        people = await halting.waiting(connection, message.id)
        await _decide(connection, office, actor, message, MessageStatus.SENDING, people)
        return await _halted(connection, office, message, MessageStatus.SENDING, people)


async def cancel(office: Office, actor: Actor, name: str) -> Halted:
    """Call off everything of a message that has not left; calls in flight go out.

    Those who had it learn nothing by this: see :func:`disregard`. Raises :class:`Refused` where it is cancelled.
    """
    may_send(actor)
    message = await find_message(office, name)
    now = office.clock.now_ms()
    async with office.database.write() as connection:
        if message.status not in HALTABLE:
            raise Refused(CANCELLED_ALREADY.sentence, CANCELLED_ALREADY.next)
        people = await halting.waiting(connection, message.id)
        # In the order in which the engine takes these rows: steps, deliveries, and the message last.
        await steps.end_all(connection, message.id, now)
        await stopping.call_off_message(connection, message.id, now)
        await _decide(connection, office, actor, message, MessageStatus.CANCELLED, people)
        return await _halted(connection, office, message, MessageStatus.CANCELLED, people)


DECIDED: dict[MessageStatus, tuple[str, frozenset[MessageStatus], Problem]] = {
    MessageStatus.PAUSED: ("pause", frozenset({MessageStatus.SENDING}), PAUSED_ALREADY),
    MessageStatus.SENDING: ("resume", frozenset({MessageStatus.PAUSED}), NOT_PAUSED),
    MessageStatus.CANCELLED: ("cancel", HALTABLE, CANCELLED_ALREADY),
}
"""For each decision: its word in the audit, from which status it can be made, and what to say if that has changed."""


async def _decide(
    connection: AsyncConnection,
    office: Office,
    actor: Actor,
    message: StoredMessage,
    to: MessageStatus,
    people: int,
) -> None:
    action, among, otherwise = DECIDED[to]
    if not await messages.move_status(connection, message.id, to, among=among):
        raise Refused(otherwise.sentence, otherwise.next)
    await audit.record(
        connection,
        actor,
        action,
        f"message:{message.public_id}",
        office.clock.now_ms(),
        production_id=office.production.id,
        detail={"people": people, "before": message.status.value, "after": to.value},
    )


async def _halted(
    connection: AsyncConnection, office: Office, message: StoredMessage, status: MessageStatus, people: int
) -> Halted:
    return Halted(
        message.public_id,
        message.code,
        status,
        people,
        await halting.in_flight(connection, message.id),
        len(await halting.had_it(connection, message.id)),
        await office.is_dispatching(),
    )


async def _summary(connection: AsyncConnection, office: Office, message: StoredMessage) -> Summary:
    now = office.clock.now_ms()
    return (await board.summaries(connection, office.production.id, now, only=message.id))[0]


async def disregard(office: Office, actor: Actor, name: str) -> StepTaken:
    """Tell exactly those who had a cancelled message to disregard it: who have it, may have it, or are being called.

    A second press within the guard returns the first step. Raises :class:`Refused`, also where nobody is left to be
    told, or nobody of them can be reached.
    """
    may_send(actor)
    message = await find_message(office, name)
    now = office.clock.now_ms()
    not_before = now + undo_window_s(StepKind.DISREGARD, message.priority) * 1000
    public_id = ids.ulid(now, office.random_bytes)
    async with office.database.read() as connection:
        meant = await halting.had_it(connection, message.id)
        decisions = await decisions_for(connection, message, meant, now)
    reached = [recipient for recipient, one in decisions.items() if one.paths]
    left_out = [(recipient, one.suppression) for recipient, one in decisions.items() if one.suppression]
    async with office.database.write() as connection:
        last = await steps.latest(connection, message.id, StepKind.DISREGARD)
        if last and guarded(last.created_at, now):
            return await taken_before(office, message, last)
        if problem := cannot_disregard(await _summary(connection, office, message), now):
            raise Refused(problem.sentence, problem.next)
        if not reached:
            problem = NOBODY_CAN_BE_TOLD if left_out else ALL_TOLD
            raise Refused(problem.sentence, problem.next)
        step_id = await steps.add(
            connection,
            public_id=public_id,
            message_id=message.id,
            version_id=message.version_id,
            kind=StepKind.DISREGARD,
            actor=actor.name,
            channels=message.channels,
            now_ms=now,
            not_before=not_before,
        )
        await freezing.freeze_these(connection, step_id, now, reached, len(left_out))
        await freezing.note_left_out(connection, left_out)
        await audit.record(
            connection,
            actor,
            "disregard",
            f"message:{message.public_id}",
            now,
            production_id=office.production.id,
            detail={"step": public_id, "people": len(reached), "unreachable": len(left_out)},
        )
    return StepTaken(
        message.public_id,
        message.code,
        public_id,
        len(reached),
        not_before,
        await office.is_dispatching(),
        unreachable=len(left_out),
    )
