"""The program as a process of its own: what it loads, how it is stopped, and servers while they run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.rehearsal import whereabouts
from app.rehearsal.sample_crew import SENDER
from tests.cli.counter import Counter

ROOT = Path(__file__).parents[2]

PROBE = """
import sys
from app.__main__ import main
sys.argv = ["callboard", *sys.argv[1:]]
try:
    main()
except SystemExit as left:
    code = left.code
sys.stderr.write("\\nLOADED " + " ".join(sorted(sys.modules)))
sys.exit(code)
"""


@pytest.fixture(autouse=True)
def _any_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLBOARD_PUBLIC_PORT", "0")
    monkeypatch.setenv("CALLBOARD_PRIVATE_PORT", "0")


def _program(home: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "app", *words, "--home", str(home)]


@contextmanager
def _running(home: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """A server and what it says when it is ready. It is ended at the end, whatever happens."""
    process = subprocess.Popen(
        _program(home, *words, "--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        yield process, json.loads(line)
    finally:
        process.kill()
        process.communicate()


HEADLESS = {
    "help": (["--help"], 0),
    "status": (["status"], 1),
    "a dry run": (["send", "--to", "all", "--priority", "urgent", "--body", "x", "--dry-run"], 0),
    "crew list": (["crew", "list", "--json"], 0),
}


@pytest.mark.parametrize(("words", "code"), HEADLESS.values(), ids=HEADLESS)
def test_a_headless_command_does_not_load_the_terminal(counter: Counter, words: list[str], code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *words, "--home", str(counter.home)],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    loaded = done.stderr.rpartition("LOADED ")[2].split()
    assert "app.cli.main" in loaded
    for heavy in ("textual", "twilio", "app.tui", "widgets"):
        assert heavy not in loaded


def test_asking_for_help_loads_neither_database_nor_engine(counter: Counter) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, "--help"], capture_output=True, text=True, cwd=ROOT, check=True
    )
    loaded = set(done.stderr.rpartition("LOADED ")[2].split())
    assert "app.cli.main" in loaded
    assert not loaded & {"sqlalchemy", "pydantic", "app.composition", "rich"}


def test_a_reader_who_has_enough_is_no_error(counter: Counter) -> None:
    process = subprocess.Popen(
        _program(counter.home, "crew", "list"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 0
    process.stderr.close()


def test_a_screen_without_unicode_gets_the_list_all_the_same(counter: Counter) -> None:
    crew = counter.home / "more.csv"
    crew.write_text("name,phone\nJosé Núñez 東,+13105550118\n", encoding="utf-8")
    counter.ask("crew", "import", str(crew))
    for words in (["crew", "list"], ["crew", "list", "--json"]):
        done = subprocess.run(
            _program(counter.home, *words), capture_output=True, cwd=ROOT, check=True,
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
        )  # fmt: skip
        assert b"Ada Lund" in done.stdout
    assert "José Núñez 東" in {one["name"] for one in json.loads(done.stdout)}


@pytest.mark.parametrize(
    ("answer", "code"), [("y\n", 0), ("\n", 1), (None, 130)], ids=["yes", "enter", "Ctrl-C"]
)
def test_a_question_at_a_real_keyboard_can_be_answered_or_left(
    counter: Counter, answer: str | None, code: int
) -> None:
    keyboard, terminal = os.openpty()
    words = ("send", "--to", "all", "--priority", "urgent", "--body", "Gate C.", "--json")
    process = subprocess.Popen(
        _program(counter.home, *words), stdin=terminal, stdout=subprocess.PIPE, stderr=terminal, cwd=ROOT
    )
    os.close(terminal)
    try:
        shown = b""
        while b"(y/N): " not in shown:
            shown += os.read(keyboard, 4096)
        assert b"5 people" in shown
        if answer is None:
            process.send_signal(signal.SIGINT)
        else:
            os.write(keyboard, answer.encode())
        out, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
        os.close(keyboard)
    assert process.returncode == code
    assert counter.give("status").code == (0 if code == 0 else 1)
    assert bool(out) == (code != 130)


@pytest.mark.parametrize(
    ("how", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)], ids=["told to end", "Ctrl-C"]
)
def test_serve_says_where_it_is_and_stops_when_told(counter: Counter, how: signal.Signals, code: int) -> None:
    with _running(counter.home, "serve") as (process, ready):
        assert ready["dispatching"] is True
        assert ready["public"].startswith("http://127.0.0.1:")
        assert ready["providers"] == ["twilio"]
        said = counter.give("serve", "--json")
        assert said.code == 1
        assert "sending from this database already (serve" in said.document["error"]
        assert counter.give("send", "--to", "all", "--priority", "info", "--channel", "sms", "--body", "x", "--yes",
                            "--json").document["dispatching"] is True  # fmt: skip
        process.send_signal(how)
        out, err = process.communicate(timeout=30)
        assert process.returncode == code
        assert out == ""
        events = [json.loads(line)["event"] for line in err.splitlines()]
        assert events[0] == "serving"
        assert events[-1] == "stopping"


@pytest.mark.parametrize(
    "words", [("--workers", "2"), ("--no-dispatcher",)], ids=["two workers", "only listening"]
)
def test_serve_refuses_to_split_a_sqlite_file(counter: Counter, words: tuple[str, ...]) -> None:
    said = counter.give("serve", *words, "--json")
    assert said.code == 1
    assert "SQLite" in said.document["error"]
    assert "PostgreSQL" in said.document["next"]


def test_a_rehearsal_by_itself_is_ready_to_be_used(
    empty: Counter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with _running(empty.home, "rehearse", "serve") as (process, ready):
        for name, value in ready["environment"].items():
            monkeypatch.setenv(name, value)
        words = ready["commands"][0].split()
        assert words[0] == "callboard"
        added = empty.ask(*words[1:])
        assert added["senders"] == [SENDER]
        assert added["base_url"] == ready["base_url"]
        tested = empty.in_real_time("provider", "test", added["name"], "+13105550111", "--yes").document
        assert tested["ok"] is True
        [text] = empty.ask("rehearse", "log")
        assert text["to"] == "+13105550111"
        assert text["truth"][0]["what"] == "accepted"
        assert empty.ask("rehearse", "fault", "twilio", "401", "--for", "1m")["seconds"] == 60
        assert empty.in_real_time("provider", "test", added["name"]).document["ok"] is False
        for wrong, known in (("acme", "503"), "twilio"), (("twilio", "rain"), "503"):
            said = empty.give("rehearse", "fault", *wrong, "--json")
            assert said.code == 1
            assert known in said.document["next"]
        again = empty.give("rehearse", "serve", "--json")
        assert (again.code, again.document["error"]) == (1, "A rehearsal is running here already.")
        port = ready["base_url"].rpartition(":")[2]
        taken = Counter(tmp_path / "other").give("rehearse", "serve", "--port", port, "--json")
        assert taken.code == 1
        assert f"Port {port} of this computer cannot be used" in taken.document["error"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    assert "No rehearsal is running" in empty.give("rehearse", "log", "--json").document["error"]
    assert not (empty.home / whereabouts.FILE).exists()


def _open_to_others(folder: Path) -> list[str]:
    """Everything in the home, and the home, that another user of the machine could look into."""
    return [str(one) for one in (folder, *folder.rglob("*")) if one.stat().st_mode & 0o077]


@pytest.mark.parametrize(
    "words",
    [
        ("init", "--production", "NIGHTFALL", "--yes"),
        ("demo", "--headless", "--virtual", "--seconds", "15", "--crew", "4"),
    ],
    ids=["init", "demo"],
)
@pytest.mark.parametrize("there", [False, True], ids=["new", "an open folder"])
def test_a_home_is_closed_to_every_other_user(tmp_path: Path, words: tuple[str, ...], there: bool) -> None:
    home = tmp_path / "home"
    if there:
        home.mkdir()
        home.chmod(0o755)
    subprocess.run(_program(home, *words), cwd=ROOT, check=True, capture_output=True, umask=0o022)
    assert (home / "callboard.db").exists()
    assert _open_to_others(home) == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_demonstration_that_is_ended_leaves_nothing_behind(tmp_path: Path, how: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "demo", "--headless", "--seconds", "60", "--crew", "4"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    try:
        assert process.stderr is not None
        assert "URGENT" in process.stderr.readline()
        assert list(tmp_path.iterdir())
        process.send_signal(how)
        process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []
