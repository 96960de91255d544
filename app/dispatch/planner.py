"""From a pressed key to rows in the queue: freeze the audience, then route it when its undo window is over."""

from __future__ import annotations

from app.domain.actor import ENGINE
from app.domain.routing import Routable, route
from app.store import accounts, audit, freezing, messages, routed, steps
from app.store.engine import Database


async def freeze(database: Database, step_id: int) -> None:
    """Freeze the whole audience of a first step, block by block. Can be resumed by anybody after a crash."""
    whole = False
    while not whole:
        async with database.write() as connection:
            whole = await freezing.freeze_block(connection, step_id, database.clock.now_ms())


async def resume_freezing(database: Database) -> None:
    """Finish what a killed process left half frozen."""
    async with database.read() as connection:
        unfinished = await steps.unfrozen(connection)
    for step_id in unfinished:
        await freeze(database, step_id)


async def route_next_block(database: Database, link_key: bytes) -> bool:
    """Route one block of the most urgent step that is due. False when nothing is left to route.

    One block at a time, so that an URGENT step never waits behind a whole routine one.
    """
    now = database.clock.now_ms()
    due = await database.reading(lambda connection: steps.due(connection, now))
    if not due:
        return False
    async with database.write(by_engine=True) as connection:
        step = await steps.taken(connection, due[0].id)
        message = await messages.by_id(connection, step.message_id)
        if step.routed_at is not None or step.undone_at is not None:
            return True
        available = await accounts.channels_with_provider(connection, message.production_id)
        pending, cursor = await routed.next_block(connection, step)
        people = await routed.listed(connection, message, pending)
        routable = Routable(message.priority, message.purpose, step.channels)
        decisions = {
            one.person_id: route(people[one.person_id].addressee, routable, available, now) for one in pending
        }
        overrides = await routed.write(
            connection,
            message,
            step,
            pending,
            people,
            decisions,
            cursor=cursor,
            link_key=link_key,
            now_ms=now,
        )
        for recipient_id, words in overrides:
            await audit.record(
                connection,
                ENGINE,
                "override",
                f"recipient:{recipient_id}",
                now,
                production_id=message.production_id,
                detail={"message": message.public_id, "what": words},
            )
    return True
