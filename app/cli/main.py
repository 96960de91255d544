"""The command table. Each command's module is imported when the command is given, so that help comes at once."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command as built
from typer.main import get_group

from app.cli import output
from app.cli.desk import (
    AsJson,
    Desk,
    Home,
    OpenTerminal,
    Production,
    Surroundings,
    carry_out,
    desk_of,
    plain_typer,
)
from app.cli.output import Answer
from app.domain.problem import Problem, Refused


@dataclass(frozen=True, slots=True)
class Entry:
    """One word after ``callboard``: the module that holds it, and what it does in one line."""

    name: str
    module: str
    summary: str
    group: bool = False


TABLE = (
    Entry("demo", "rehearsing", "Show the whole product against the built-in rehearsal carrier."),
    Entry("init", "home", "Set up this home: database, first production, first user."),
    Entry("doctor", "serving", "Check everything a message needs on its way."),
    Entry("serve", "serving", "Send and listen without a terminal, until told to stop."),
    Entry("crew", "crew", "The crew list: import, list, show, export.", group=True),
    Entry("send", "sending", "Send a message, or look at what sending it would do."),
    Entry("status", "watching", "How far a message got."),
    Entry("people", "watching", "Who stands where with a message, why, and what to do next."),
    Entry("remind", "sending", "Remind everybody who has not read a message."),
    Entry("pause", "halting", "Keep back what has not left of a message."),
    Entry("resume", "halting", "Go on where a message was paused."),
    Entry("cancel", "halting", "Call off a message, and tell those who had it to disregard it."),
    Entry("undo", "sending", "Call off the newest step of a message while there is time."),
    Entry("replies", "watching", "What people wrote and chose, newest last."),
    Entry("explain", "watching", "Everything that happened to a message, or to one person of it."),
    Entry("provider", "providers", "Provider accounts: list, add, set, order, test.", group=True),
    Entry("rehearse", "rehearsals", "The rehearsal carrier by itself: serve, fault, log.", group=True),
    Entry("audit", "audit", "The audit log: verify.", group=True),
)

WrongUse: type[Exception] = typer.BadParameter.__bases__[0]
"""What the command line parser raises for every kind of wrong use."""


class CommandTable(TyperGroup):
    """The words of :data:`TABLE`. Wrong use is answered in JSON too where JSON was asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return [entry.name for entry in TABLE]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        del ctx
        entry = next((one for one in TABLE if one.name == cmd_name), None)
        if entry is None:
            return None
        found = get_group(import_module(f"app.cli.{entry.module}").commands)
        if entry.group:
            found.name = entry.name
            return found
        return found.commands[entry.name]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.summary) for entry in TABLE])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        del prog_name, complete_var, windows_expand_args  # one program, one name, no shell's completion
        words = list(sys.argv[1:] if args is None else args)
        code = self._main(words, **extra)
        if standalone_mode:
            sys.exit(code)
        return code

    def _main(self, words: list[str], **extra: Any) -> int:
        try:
            if any(not _is_text(word) for word in words):
                raise typer.BadParameter("There are bytes in this command that are no text (UTF-8).")
            given = super().main(args=words, prog_name="callboard", standalone_mode=False, **extra)
        except WrongUse as wrong:
            return _wrong_use(wrong, as_json="--json" in words)
        except (KeyboardInterrupt, typer.Abort):
            return output.INTERRUPTED
        return given if isinstance(given, int) else output.DONE


def _is_text(word: str) -> bool:
    """The system hands on bytes that are no text as lone surrogates; nothing can store or send those."""
    return not any("\ud800" <= character <= "\udfff" for character in word)


def _wrong_use(wrong: Any, *, as_json: bool) -> int:
    wrong.show()
    if as_json:
        path = wrong.ctx.command_path if wrong.ctx else "callboard"
        first = wrong.format_message().strip().partition("\n")[0]
        output.print_document({"error": first, "next": f"{path} --help shows how it is written."})
    return output.WRONG_USE


commands = plain_typer(cls=CommandTable)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"callboard {version('callboard')}")
        raise typer.Exit


@commands.callback(
    invoke_without_command=True,
    epilog="Example: callboard send --to all --priority urgent --subject 'Unit moves' --body 'Gate C.' --dry-run",
)
def callboard(
    context: typer.Context,
    read_only: Annotated[bool, typer.Option("--read-only", help="Look, and send nothing.")] = False,
    _show_version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
    as_json: AsJson = False,
    production: Production = None,
    home: Home = None,
) -> None:
    """Post tonight's call, see who has not read it, and reach them. Without a command it opens the terminal."""
    desk = desk_of(context, as_json, production, home)
    if context.invoked_subcommand is None:
        carry_out(desk, lambda: _terminal(desk, read_only=read_only))
    elif read_only:
        raise typer.BadParameter("--read-only is for the terminal, which opens without a command.")


def _terminal(desk: Desk, *, read_only: bool) -> Answer:
    if desk.as_json or not desk.around.has_screen():
        raise Refused("There is no screen here to open the terminal on.", "Give a command: callboard --help.")
    from app.cli.terminal import open_callboard  # noqa: PLC0415 - opens database and engine

    return open_callboard(desk, read_only=read_only)


def run(open_terminal: OpenTerminal, words: Sequence[str] | None = None) -> int:
    """Carry out one command line. Returns the exit code."""
    given = list(sys.argv[1:] if words is None else words)
    try:
        code = built(commands).main(args=given, standalone_mode=False, obj=Surroundings(open_terminal))
    except KeyboardInterrupt:
        return output.INTERRUPTED
    except Exception as error:
        return _mistake(error, as_json="--json" in given)
    return int(code)


def _mistake(error: Exception, *, as_json: bool) -> int:
    """Whatever nobody expected is a mistake of ours. Its traceback goes into the log, which takes numbers and
    addresses out; on the screen it would help nobody and could show them. Before there is a log there is no
    home either, and nothing to hide."""
    from app import logs  # noqa: PLC0415 - nothing is logged where nothing goes wrong

    file = logs.note_mistake(error)
    if file is None:
        traceback.print_exception(error)
    what = Problem(
        f"This is a mistake of Callboard ({type(error).__name__}).",
        f"Report it with the end of {file}." if file else "Report it with the lines above.",
    )
    output.refuse(what, as_json=as_json)
    return output.NOT_DONE
