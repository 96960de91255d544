"""Every command of the table: it explains itself with an example, and answers in JSON."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.main import get_command

from app.cli.main import TABLE, commands
from tests.cli.counter import Counter

ROOT = get_command(commands)
SERVERS = {("serve",), ("rehearse", "serve")}
"""They answer while they run, and are tested as processes of their own."""


def _paths() -> Iterator[tuple[str, ...]]:
    context = typer.Context(ROOT)
    for entry in TABLE:
        found: Any = ROOT.get_command(context, entry.name)  # type: ignore[attr-defined]
        if not entry.group:
            yield (entry.name,)
            continue
        yield from ((entry.name, name) for name in found.commands)


PATHS = list(_paths())
GROUPS = [(entry.name,) for entry in TABLE if entry.group]


def _options(path: tuple[str, ...]) -> set[str]:
    command: Any = ROOT
    for word in path:
        command = command.get_command(typer.Context(command), word)
    return {option for parameter in command.params for option in parameter.opts if option.startswith("-")}


def _name(path: tuple[str, ...]) -> str:
    return " ".join(path) or "callboard"


@pytest.mark.parametrize("path", [(), *GROUPS, *PATHS], ids=_name)
def test_every_command_explains_itself_with_an_example(empty: Counter, path: tuple[str, ...]) -> None:
    said = empty.give(*path, "--help")
    assert said.code == 0
    assert said.stderr == ""
    assert "--json" in said.stdout
    assert f"Example: callboard {' '.join(path)}" in " ".join(said.stdout.split())
    assert not empty.home.exists()


@pytest.mark.parametrize("path", PATHS, ids=_name)
def test_every_example_is_written_with_options_there_are(empty: Counter, path: tuple[str, ...]) -> None:
    text = " ".join(empty.give(*path, "--help").stdout.split())
    words = shlex.split(text.partition("Example: ")[2])
    assert tuple(words[1 : 1 + len(path)]) == path
    used = {word for word in words if word.startswith("--")}
    assert used <= _options(path)


ARGUMENTS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("demo",): ("--headless", "--virtual", "--seconds", "15", "--crew", "4"),
    ("init",): ("--production", "NIGHTFALL"),
    ("doctor",): (),
    ("crew", "import"): ("{home}/crew.csv",),
    ("crew", "list"): (),
    ("crew", "show"): ("Ada Lund",),
    ("crew", "export"): ("-",),
    ("send",): ("--to", "all", "--priority", "urgent", "--body", "Gate C.", "--yes"),
    ("status",): (),
    ("people",): ("{code}", "--state", "on_the_way"),
    ("remind",): ("{code}", "--yes"),
    ("pause",): ("{code}",),
    ("resume",): ("{code}", "--yes"),
    ("cancel",): ("{code}", "--yes"),
    ("undo",): ("{code}",),
    ("replies",): ("{code}",),
    ("explain",): ("{code}", "Ada Lund"),
    ("provider", "list"): (),
    ("provider", "add"): ("second", "--kind", "twilio", "--set", "account_sid=AC2", "--secret", "auth_token=A_TOKEN",
                          "--sender", "+13105550101"),
    ("provider", "set"): ("twilio", "--set", "account_sid=AC2"),
    ("provider", "enable"): ("twilio",),
    ("provider", "disable"): ("twilio",),
    ("provider", "order"): ("twilio",),
    ("provider", "test"): ("twilio",),
    ("rehearse", "fault"): ("twilio", "503"),
    ("rehearse", "log"): (),
    ("audit", "verify"): (),
}  # fmt: skip

CANNOT = {
    ("remind",),
    ("resume",),
    ("rehearse", "fault"),
    ("rehearse", "log"),
    ("doctor",),
    ("provider", "test"),
}
"""Those that cannot do it here: nothing has gone out yet, nothing is paused, no rehearsal runs, no provider answers."""


@pytest.mark.parametrize("path", [path for path in PATHS if path not in SERVERS], ids=_name)
def test_every_command_answers_with_one_json_document(counter: Counter, path: tuple[str, ...]) -> None:
    code = counter.send()["code"]
    words = [word.format(home=counter.home, code=code) for word in ARGUMENTS[path]]
    if path == ("demo",):
        counter.home = counter.home / "demo"
    said = counter.give(*path, *words, "--json")
    assert said.code == (1 if path in CANNOT else 0), said
    assert said.stdout.count("\n") == 1
    json.loads(said.stdout)


def test_the_table_of_arguments_knows_every_command() -> None:
    assert set(ARGUMENTS) | SERVERS == set(PATHS)


@pytest.mark.parametrize("place", range(3), ids=["before", "between", "after"])
def test_the_common_options_may_stand_before_and_after(counter: Counter, place: int) -> None:
    words = ["crew", "list"]
    words[place:place] = ["--json", "--production", "nightfall"]
    said = counter.give(*words)
    assert said.code == 0
    assert len(said.document) == 5


@pytest.mark.parametrize(
    "words",
    [
        ("stat",),
        ("crew",),
        ("crew", "list", "--loud"),
        ("people",),
        ("status", "M-1", "M-2"),
        ("--read-only", "status"),
        ("rehearse", "serve", "--port", "65536"),
        ("--home", "", "status"),
    ],
    ids=" ".join,
)
def test_wrong_use_exits_2_with_the_way_to_the_help(empty: Counter, words: tuple[str, ...]) -> None:
    said = empty.give(*words, "--json")
    assert said.code == 2
    assert said.document.keys() == {"error", "next"}
    assert "--help" in said.document["next"]
    assert empty.give(*words).stdout == ""


def test_alone_it_wants_a_screen(empty: Counter) -> None:
    said = empty.give()
    assert said.code == 1
    assert "callboard --help" in said.stderr
    assert not empty.home.exists()
