"""The desk a command is given at: the options every command takes, and what is around it.

One decorator registers every command. It adds the common options, prints the answer, and is the one place where
a refusal becomes an exit code and a sentence.
"""

from __future__ import annotations

import asyncio
import getpass
import inspect
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar

import typer

from app.cli import output
from app.cli.output import Answer
from app.domain.problem import Problem, Refused

if TYPE_CHECKING:
    from app.composition import House
    from app.config import Settings
    from providers.contract import Clock

T = TypeVar("T")
Function = Callable[..., Answer]

COMMON = "callboard"
"""Where the common options are kept while a command line is read: they may stand before or after the command."""

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
Production = Annotated[
    str | None,
    typer.Option("--production", metavar="NAME", help="Which production, where there are several."),
]


def folder(text: str) -> Path:
    """The folder somebody named. An empty word would mean the folder they happen to stand in."""
    if not text.strip():
        raise typer.BadParameter("The name of the folder is empty.")
    return Path(text)


Home = Annotated[
    Path | None,
    typer.Option("--home", metavar="DIR", parser=folder, help="The folder of configuration and data."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


@dataclass(frozen=True, slots=True)
class Act:
    """Something that needs a yes, and how it is spoken of."""

    do: str
    done: str


SEND, CANCEL = Act("send", "sent"), Act("cancel", "cancelled")


class OpenTerminal(Protocol):
    """Shows the terminal until it is left. ``sends`` tells whether this process is the one that sends."""

    def __call__(self, house: House, *, banner: str, read_only: bool, sends: bool) -> Awaitable[None]: ...


class Surroundings:
    """What is around a command: time, the person at the keyboard, and the terminal it may open."""

    def __init__(self, open_terminal: OpenTerminal | None = None) -> None:
        self.open_terminal = open_terminal
        self._clock: Clock | None = None

    @property
    def clock(self) -> Clock:
        if self._clock is None:
            from app.clock import SystemClock  # noqa: PLC0415 - asking for help needs no clock

            self._clock = SystemClock()
        return self._clock

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run ``work`` to its end."""
        return asyncio.run(work)

    def has_screen(self) -> bool:
        """Whether the terminal could be opened here."""
        return sys.stdin.isatty() and sys.stdout.isatty()

    def has_person(self) -> bool:
        """Whether somebody is there to be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def ask(self, question: str, default: str = "") -> str:
        """One line from the person. Raises :class:`EOFError` when they leave."""
        with _ctrl_c_at_once():
            sys.stderr.write(output.plain(f"{question}{f' [{default}]' if default else ''}: "))
            sys.stderr.flush()
            line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.strip() or default

    def ask_hidden(self, question: str) -> str:
        """One line that is not shown while it is typed."""
        with _ctrl_c_at_once():
            return getpass.getpass(output.plain(f"{question}: "), stream=sys.stderr)

    def agrees(self, question: str) -> bool:
        """Whether the person says yes. Anything else is no."""
        return self.ask(f"{question} (y/N)").casefold() in {"y", "yes"}


@contextmanager
def _ctrl_c_at_once() -> Iterator[None]:
    """While a question is open Ctrl-C ends it: asyncio would only note the first one, and go on waiting."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass(slots=True)
class Desk:
    """The options that stand for every command, and the surroundings."""

    around: Surroundings
    as_json: bool = False
    production: str | None = None
    home: Path | None = None

    def settings(self, **options: Any) -> Settings:
        """The settings with the options of this command line on top, and ``options`` on top of those. Raises
        :class:`Refused`."""
        from app import config  # noqa: PLC0415 - asking for help needs no settings

        if self.production is not None and not self.production.strip():
            raise Refused("--production names no production.", "Name one, or leave the option out.")
        home = self.home.expanduser() if self.home else None
        return config.load(**({"home": home, "production": self.production} | options))

    def must_agree(self, yes: bool, question: str, act: Act = SEND) -> None:
        """Nothing is sent or cancelled unless ``--yes`` or a person says so. Raises :class:`Refused`."""
        if yes:
            return
        if not self.around.has_person():
            raise Refused(
                f"Nothing was {act.done}: nobody is here to confirm it.",
                f"Add --yes to {act.do} without asking.",
            )
        if not self.around.agrees(question):
            raise Refused(f"Nothing was {act.done}.", "Give the command again when it is right.")


def desk_of(context: typer.Context, as_json: bool, production: str | None, home: Path | None) -> Desk:
    """The desk of this command line, with what stands at this place of it added."""
    desk = context.meta.get(COMMON)
    if not isinstance(desk, Desk):
        around = context.find_root().obj
        desk = Desk(around if isinstance(around, Surroundings) else Surroundings())
        context.meta[COMMON] = desk
    desk.as_json = desk.as_json or as_json
    desk.production = desk.production if production is None else production
    desk.home = desk.home if home is None else home
    return desk


def plain_typer(**options: Any) -> typer.Typer:
    """A collection of commands without colours, boxes and completion."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, **options)


def command_group(help: str, *, example: str) -> typer.Typer:
    """Commands under one word, such as ``crew``; the common options may also stand before the second word."""
    group = plain_typer(help=help, epilog=f"Example: {example}", no_args_is_help=True)

    def common(
        context: typer.Context, as_json: AsJson = False, production: Production = None, home: Home = None
    ) -> None:
        desk_of(context, as_json, production, home)

    common.__doc__ = help
    common.__annotations__["context"] = typer.Context
    group.callback()(common)
    return group


def command(group: typer.Typer, name: str, *, example: str) -> Callable[[Function], Function]:
    """Register ``function(desk, …)`` as a command. Its docstring is the help; ``example`` stands below it."""

    def register(function: Function) -> Function:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        common = inspect.signature(_common, eval_str=True).parameters.values()

        def call(
            context: typer.Context, as_json: bool, production: str | None, home: Path | None, **given: Any
        ) -> None:
            desk = desk_of(context, as_json, production, home)
            try:
                carry_out(desk, lambda: function(desk, **given))
            except typer.BadParameter as wrong:
                wrong.ctx = wrong.ctx or context  # so that the parser can name the command's help
                raise

        parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in (*own, *common)]
        call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        call.__annotations__ = {one.name: one.annotation for one in parameters}
        call.__doc__ = function.__doc__
        group.command(name, epilog=f"Example: {example}")(call)
        return function

    return register


def _common(
    context: typer.Context, as_json: AsJson = False, production: Production = None, home: Home = None
) -> None:
    """The options every command takes."""


def carry_out(desk: Desk, work: Callable[[], Answer]) -> None:
    """Do the work and print its answer, or say why it was not done. Raises :class:`typer.Exit`."""
    try:
        answer = work()
    except Exception as error:
        problem = expected(error)
        if problem is None:
            raise
        _print(lambda: output.refuse(problem, as_json=desk.as_json))
        raise typer.Exit(output.NOT_DONE) from None
    _print(lambda: output.show(answer, as_json=desk.as_json))
    if answer.trouble:
        raise typer.Exit(output.NOT_DONE)


def _print(write: Callable[[], None]) -> None:
    """Whoever does not want to read on (``| head``) is no error: the work is done."""
    try:
        write()
    except BrokenPipeError:
        output.hush()
        raise typer.Exit(output.DONE) from None


def expected(error: Exception) -> Problem | None:
    """What an error means for a person, or None for a mistake of ours."""
    if isinstance(error, Refused):
        return error.problem
    if isinstance(error, EOFError):
        return Problem("Nothing was done: no answer came.", "Give the command again.")
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return Problem(
            f"{where}{error.strerror}.", "Check the name, the permissions and the space on the disk."
        )
    if isinstance(error, ModuleNotFoundError) and error.name in DRIVERS:
        return Problem(
            f"This Callboard cannot talk to {DRIVERS[error.name]} yet.",
            f"Add what it needs: python -m pip install {error.name}.",
        )
    return _of_database(error)


DRIVERS = {"asyncpg": "PostgreSQL"}
"""Packages that only some databases need, and which."""


def _of_database(error: Exception) -> Problem | None:
    if "sqlalchemy" not in sys.modules:
        return None
    import sqlite3  # noqa: PLC0415

    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - loaded already, or this is not its error

    from app.store.engine import is_busy_or_full  # noqa: PLC0415

    if is_busy_or_full(error):
        return Problem("The database is busy or its disk is full just now.", "Try again in a moment.")
    if not isinstance(error, DBAPIError | sqlite3.Error):
        return None
    said = str(error.orig if isinstance(error, DBAPIError) else error)
    return next((problem for sign, problem in _SAID_BY_SQLITE.items() if sign in said), None)


_DAMAGED = Problem(
    "The database file is damaged, or it is no database.",
    "Put a copy of it in its place: Callboard keeps one beside it from before each update.",
)
_SAID_BY_SQLITE = {
    "file is not a database": _DAMAGED,
    "malformed": _DAMAGED,
    "readonly database": Problem(
        "The database can only be read: nothing can be changed or sent.",
        "Get the right to write to the home folder, or name another one: --home DIR.",
    ),
}
"""Words of SQLite, and what they mean for a person."""
