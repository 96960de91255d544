"""What nobody expected: a sentence on the screen, the traceback in the log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import logs
from app.__main__ import open_terminal
from app.cli.main import run
from app.services import watching
from tests.cli.counter import Counter


@pytest.fixture(autouse=True)
def _log_closed_at_the_end() -> Iterator[None]:
    yield
    logs.configure(None)


@pytest.mark.parametrize("as_json", [False, True], ids=["for a person", "as JSON"])
def test_a_mistake_of_ours_shows_no_traceback_and_no_number(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    async def breaks(*_words: object) -> None:
        raise RuntimeError("cannot count +1 310 555 0111 of ada@example.com")

    monkeypatch.setattr(watching, "status", breaks)
    code = run(open_terminal, ["status", "--home", str(counter.home), *(["--json"] if as_json else [])])
    said = capsys.readouterr()
    assert code == 1
    assert "mistake of Callboard (RuntimeError)" in said.err
    assert not [word for word in ("Traceback", "555", "ada@") if word in said.out + said.err]
    assert (json.loads(said.out).keys() == {"error", "next"}) if as_json else (said.out == "")
    log = counter.home / "logs" / "callboard.log"
    assert str(log) in said.err
    logged = log.read_text(encoding="utf-8")
    assert "Traceback" in logged
    assert "cannot count" in logged
    assert not [word for word in ("555", "ada@") if word in logged]


def test_a_mistake_before_there_is_a_log_shows_where_it_happened(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def breaks(**_options: object) -> None:
        raise RuntimeError("no settings")

    monkeypatch.setattr("app.config.load", breaks)
    monkeypatch.setattr("app.logs.note_mistake", lambda _error: None)
    assert run(open_terminal, ["status", "--home", str(tmp_path), "--json"]) == 1
    said = capsys.readouterr()
    assert "Traceback" in said.err
    assert "lines above" in json.loads(said.out)["next"]
