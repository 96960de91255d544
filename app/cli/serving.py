"""``callboard serve`` and ``callboard doctor``: sending without a terminal, and whether everything is there."""

from __future__ import annotations

from typing import Annotated

import structlog
import typer

from app import composition, logs
from app.cli import output
from app.cli.desk import Desk, command, plain_typer
from app.cli.health import Check, examine
from app.cli.output import Answer
from app.cli.stopping import until_told
from app.cli.visit import open_house
from app.composition import House
from app.domain.problem import Problem, Refused

commands = plain_typer()

log = structlog.get_logger(__name__)

Port = Annotated[
    int | None, typer.Option(metavar="N", min=0, max=65535, help="In place of the configured one.")
]


def cannot_split(dialect: str, workers: int, dispatcher: bool) -> Problem | None:
    """Why this database cannot be shared like that, or None. SQLite has one engine: two would write by turns."""
    if workers > 1 and dialect == "sqlite":
        return Problem("A SQLite file has one worker.", "Leave --workers out, or use PostgreSQL.")
    if not dispatcher and dialect == "sqlite":
        return Problem(
            "On a SQLite file one process sends and listens.", "Leave --no-dispatcher out, or use PostgreSQL."
        )
    if workers > 1 or not dispatcher:
        return Problem(
            "One process is one worker, and sends as well.", "Start callboard serve once for each."
        )
    return None


@command(commands, "serve", example="callboard serve --no-listener")
def serve(
    desk: Desk,
    no_listener: Annotated[bool, typer.Option("--no-listener", help="Only send.")] = False,
    no_dispatcher: Annotated[
        bool, typer.Option("--no-dispatcher", help="Only listen; not on SQLite.")
    ] = False,
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", min=1, help="More than one: not on SQLite.")
    ] = 1,
    public_port: Port = None,
    private_port: Port = None,
) -> Answer:
    """Send and listen without a terminal until told to stop (Ctrl-C, SIGTERM); open calls are finished first."""

    async def work() -> None:
        house = await open_house(desk, public_port=public_port, private_port=private_port)
        try:
            if problem := cannot_split(house.database.dialect, workers, not no_dispatcher):
                raise Refused(problem.sentence, problem.next)
            logs.configure_server(house.settings.log_file)
            problem = await composition.start(house, "serve", listener=not no_listener, beside=True)
            if problem:
                raise Refused(problem.sentence, problem.next)
            _tell(desk, house)
            try:
                await until_told()
            finally:
                log.info("stopping")
        finally:
            await house.close()

    desk.around.run(work())
    return Answer(None, printed=True)


def _tell(desk: Desk, house: House) -> None:
    """That it runs, and where."""
    public, private = [server.url for server in house.servers] or (None, None)
    accounts = [] if house.gateways is None else list(house.gateways)
    document = {
        "dispatching": True,
        "public": public,
        "private": private,
        "public_url": house.settings.public_url or None,
        "providers": [one.stored.account.name for one in accounts],
    }
    log.info("serving", **document)
    if desk.as_json:
        output.print_document(document)
    else:
        where = f", and listens on {public}" if public else ""
        output.show(Answer(None, [f"Callboard sends{where}. Ctrl-C stops it."]), as_json=False)


@command(commands, "doctor", example="callboard doctor --json")
def doctor(desk: Desk) -> Answer:
    """Check everything a message needs on its way: database, providers, listener, clock, disk."""

    checks = desk.around.run(examine(desk))
    wrong = [one for one in checks if not one.ok]
    document = {
        "ok": not wrong,
        "checks": [{"name": one.name, "ok": one.ok, "why": one.why, "next": one.next} for one in checks],
    }
    rows = [("ok" if one.ok else "NOT OK", one.name, f"{one.why} {one.next}".strip()) for one in checks]
    return Answer(document, output.table(("", "Check", ""), rows), trouble=_trouble(wrong))


def _trouble(wrong: list[Check]) -> Problem | None:
    if not wrong:
        return None
    return Problem(
        "One thing needs a look." if len(wrong) == 1 else f"{len(wrong)} things need a look.",
        f"First: {wrong[0].next or wrong[0].why}",
    )
