"""The program ``callboard``. Nothing heavy is imported before a command asks for it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.composition import House
    from app.domain.problem import Problem


async def open_terminal(house: House, *, banner: str, read_only: bool, sends: bool) -> None:
    """Show the terminal until it is left. Raises :class:`Refused` if a mistake of ours ended it."""
    from app.domain.problem import Refused  # noqa: PLC0415
    from app.tui.app import CallboardApp  # noqa: PLC0415 - no other command needs Textual

    terminal = CallboardApp(
        house.office,
        house.actor,
        banner=banner,
        demo=house.demo,
        kept=house.kept,
        read_only=read_only,
        on_quit=None if sends else _leave,
    )
    await terminal.run_async()
    if terminal.return_code:
        where = f" The log has the details: {house.settings.log_file}" if house.kept else ""
        raise Refused("The screen ended by a mistake of Callboard's own.", f"Open it again.{where}")


async def _leave() -> Problem | None:
    """Leaving a terminal that does not send leaves nothing undone."""
    return None


OURS_ALONE = 0o077
"""What is taken from every file and folder we make: names, numbers and messages are for this user only."""


def main() -> None:
    """Carry out the command line of this process, and exit."""
    os.umask(OURS_ALONE)
    from app.cli.main import run  # noqa: PLC0415 - an import of this module starts nothing

    sys.exit(run(open_terminal))


if __name__ == "__main__":
    main()
