"""One engine per database file."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from app.store import lease
from app.store.lease import FileLease

HOLDER = """
import sys
from pathlib import Path
from app.store.lease import FileLease
held = FileLease(Path(sys.argv[1]))
assert held.take("serve") is None
print("taken", flush=True)
sys.stdin.read()
"""


def test_a_second_one_is_refused_with_who_has_it(tmp_path: Path) -> None:
    first, second = FileLease(tmp_path / "a.db"), FileLease(tmp_path / "a.db")
    assert not lease.is_taken(tmp_path / "a.db")
    assert first.take("demo") is None
    assert lease.is_taken(tmp_path / "a.db")
    problem = second.take("serve")
    assert problem is not None
    assert problem.sentence.startswith(
        "Another Callboard is sending from this database already (demo, process "
    )
    assert first.held
    assert not second.held
    first.release()
    assert not lease.is_taken(tmp_path / "a.db")
    assert second.take("serve") is None
    second.release()


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stdout.readline() == "taken\n"
    mine = FileLease(database)
    problem = mine.take("demo")
    assert problem is not None
    assert f"serve, process {child.pid}" in problem.sentence
    child.kill()
    child.wait()
    child.stdin.close()
    child.stdout.close()
    assert mine.take("demo") is None
    mine.release()


def test_looking_whether_it_is_taken_never_keeps_anybody_from_taking_it(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            lease.is_taken(database)

    looking = [threading.Thread(target=look) for _ in range(2)]
    for one in looking:
        one.start()
    try:
        for _ in range(300):
            mine = FileLease(database)
            assert mine.take("demo") is None
            mine.release()
    finally:
        over.set()
        for one in looking:
            one.join()


@pytest.mark.parametrize("taken", [False, True])
def test_looking_opens_nothing_for_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    """The tests may run as a user whom no permission stops: so the ways of opening are watched themselves."""
    database = tmp_path / "a.db"
    mine = FileLease(database)
    assert mine.take("serve") is None
    if not taken:
        mine.release()
    (tmp_path / "a.db.engine").chmod(0o444)
    modes: list[str] = []
    opens = Path.open

    def watched(path: Path, mode: str = "r", *more: Any, **named: Any) -> Any:
        modes.append(mode)
        return opens(path, mode, *more, **named)

    monkeypatch.setattr(Path, "open", watched)
    assert lease.is_taken(database) is taken
    assert modes == ["r"]
    mine.release()


def test_looking_makes_no_file(tmp_path: Path) -> None:
    assert not lease.is_taken(tmp_path / "a.db")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_note_of_the_holder_is_no_reason_to_fail(tmp_path: Path) -> None:
    first, second = FileLease(tmp_path / "a.db"), FileLease(tmp_path / "a.db")
    assert first.take("demo") is None
    (tmp_path / "a.db.engine").write_text("{")
    problem = second.take("serve")
    assert problem is not None
    assert "another process" in problem.sentence
    first.release()
