"""``callboard audit``: the log of who did what."""

from __future__ import annotations

from app.cli.desk import Desk, command, command_group
from app.cli.output import Answer
from app.cli.visit import at_home
from app.composition import House
from app.domain.problem import Problem
from app.store import audit

commands = command_group("The audit log: verify.", example="callboard audit verify")


@command(commands, "verify", example="callboard audit verify --json")
def verify(desk: Desk) -> Answer:
    """Walk the whole chain of entries and find the first that was changed or removed."""

    async def work(house: House) -> Answer:
        found = await house.database.reading(audit.verify)
        document = {"ok": found.ok, "entries": found.entries, "first_broken": found.first_broken}
        if found.ok:
            return Answer(document, [_whole(found.entries)])
        return Answer(
            document,
            trouble=Problem(
                f"Entry {found.first_broken} is not as it was written, or one before it is missing.",
                "Keep this database as it is, and compare it with your last copy.",
            ),
        )

    return at_home(desk, work)


def _whole(entries: int) -> str:
    if entries == 0:
        return "There is no entry yet."
    return (
        "The one entry is as it was written."
        if entries == 1
        else f"All {entries:,} entries are as they were written."
    )
