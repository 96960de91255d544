"""The program as it is used: started in a pseudo-terminal, driven by keys, read from the screen."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pyte
import pytest

from app.clock import SystemClock

pytestmark = pytest.mark.proof

PATIENCE_MS = 60_000
"""A screen that does not come within a minute does not come."""


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """A program in a pseudo-terminal of a given size, with an emulator that knows what is on its screen."""

    def __init__(self, arguments: list[str], columns: int, rows: int, home: Path) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._clock = SystemClock()
        self.said = b""
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._leader = leader
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app", *arguments],
            stdin=follower,
            stdout=follower,
            stderr=follower,
            close_fds=True,
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509 - the child needs it to be told of a new size
            env={name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
            | {"TERM": "xterm-256color", "CALLBOARD_HOME": str(home), "COLORTERM": "truecolor"},
        )
        os.close(follower)

    def press(self, *keys: str) -> None:
        for key in keys:
            os.write(self._leader, KEYS.get(key, key).encode())

    def resize(self, columns: int, rows: int) -> None:
        self._screen.reset()
        self._screen.resize(rows, columns)
        fcntl.ioctl(self._leader, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    @property
    def lines(self) -> list[str]:
        return list(self._screen.display)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def until(self, what: str, seen: Callable[[str], object]) -> None:
        """Read until the screen shows it."""
        end = self._clock.monotonic_ms() + PATIENCE_MS
        while not seen(self.text):
            if self._clock.monotonic_ms() > end or not self._read(500):
                self._let_it_end()
                if seen(self.text):
                    return
                pytest.fail(f"never saw {what}; the screen shows:\n{self.text}")

    def _let_it_end(self) -> None:
        """A program that ends closes its terminal a moment before it is gone."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=5)

    def leave(self) -> int:
        """Press q, and y until the program has ended (a dialog is deaf for its first moment); its exit code."""
        self.press("q")
        self.until("the way out", lambda text: "Leave Callboard" in text or self.process.poll() is not None)
        return self.confirm()

    def confirm(self) -> int:
        """Press y until the program has ended; its exit code."""
        end = self._clock.monotonic_ms() + PATIENCE_MS
        while self.process.poll() is None and self._clock.monotonic_ms() < end:
            with contextlib.suppress(OSError):
                self.press("y")
            self._read(200)
        return self.process.wait(timeout=5)

    def ended(self) -> int:
        """Read what it still says until it has ended by itself; its exit code."""
        end = self._clock.monotonic_ms() + PATIENCE_MS
        while self._clock.monotonic_ms() < end and self._read(200):
            pass
        return self.process.wait(timeout=5)

    def close_window(self) -> int:
        """Close it as a window manager does, with much still to be drawn that nobody reads; its exit code."""
        columns, rows = self._screen.columns, self._screen.lines
        for more in range(40):
            size = struct.pack("HHHH", rows + 20 + more % 2, columns + 40, 0, 0)
            fcntl.ioctl(self._leader, termios.TIOCSWINSZ, size)
            select.select([], [], [], 0.05)
        os.close(self._leader)
        self._leader = -1
        return self.process.wait(timeout=PATIENCE_MS / 1000)

    def _read(self, wait_ms: int) -> bool:
        ready, _, _ = select.select([self._leader], [], [], wait_ms / 1000)
        if not ready:
            return self.process.poll() is None
        try:
            data = os.read(self._leader, 65536)
        except OSError:
            return False
        self.said = (self.said + data)[-200_000:]
        self._stream.feed(data)
        return bool(data)

    def close(self) -> None:
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait(timeout=10)
        if self._leader >= 0:
            os.close(self._leader)


KEYS = {"enter": "\r", "esc": "\x1b", "tab": "\t", "down": "\x1b[B", "up": "\x1b[A", "ctrl+q": "\x11"}


@pytest.fixture(params=[(80, 24), (120, 40)], ids=["80x24", "120x40"])
def demo(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terminal]:
    columns, rows = request.param
    terminal = Terminal(["demo", "--seconds", "40", "--crew", "60"], columns, rows, tmp_path)
    try:
        yield terminal
    finally:
        terminal.close()


def numbers_after(text: str, words: str) -> list[int]:
    line = next((line for line in text.splitlines() if words in line), "")
    return [int(one) for one in re.findall(r"\d+", line.partition(words)[2])]


# A screen is painted piece by piece: it is there when all of it is, and nothing of the one before.


def is_center(text: str) -> bool:
    old = ("Where they stand", "Keys of this screen", "esc closes", "f5", "esc Back")
    return "What happens" in text and "q Quit" in text and not any(words in text for words in old)


def is_message(text: str) -> bool:
    return "Where they stand" in text and "esc Back" in text and "What happens" not in text


def test_the_main_job_by_keys(demo: Terminal) -> None:
    demo.until("the message", lambda text: "Unit moves to Stage 4" in text and "60" in text)
    demo.until("somebody who has not read it", lambda text: "Delivered, not read" in text)
    assert "DEMO" in demo.lines[0]
    demo.until("a reminder that can be sent", lambda text: re.search(r"r Remind \d+", demo.lines[-1]))
    demo.press("r")
    demo.until("the hold bar", lambda text: re.search(r"Reminding \d+ people", text))
    demo.press("u")
    demo.until("the end of the hold bar", lambda text: "Reminding" not in text)
    demo.press("enter")
    demo.until("the message itself", is_message)
    demo.press("esc")
    demo.until("the Center again", is_center)
    demo.press("?")
    demo.until("the keys", lambda text: "Keys of this screen" in text)
    demo.press("esc")
    demo.until("no more help", is_center)
    demo.press("n")
    demo.until("a message to write", lambda text: "f5" in text)
    demo.press("esc")
    demo.until("the Center once more", is_center)
    assert demo.leave() == 0
    assert b"Traceback" not in demo.said


def test_a_resize_to_nothing_and_back_keeps_the_screen(demo: Terminal) -> None:
    demo.until("the message", lambda text: "Unit moves to Stage 4" in text)
    for columns, rows in ((40, 10), (200, 60), (80, 24)):
        demo.resize(columns, rows)
        os.kill(demo.process.pid, signal.SIGWINCH)
        if columns == 40:
            demo.until("one line that says so", lambda text: "60" in text and "16" in text)
        else:
            demo.until("the message again", lambda text: "Unit moves to Stage 4" in text)
    assert demo.leave() == 0
    assert b"Traceback" not in demo.said


@pytest.mark.parametrize(
    ("words", "what_becomes_of_it"),
    [((), "What waits is thrown away"), (("--home", "kept"), "until you open it again")],
    ids=["thrown away", "kept"],
)
def test_leaving_a_demonstration_says_what_becomes_of_what_waits(
    words: tuple[str, ...], what_becomes_of_it: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    terminal = Terminal(["demo", "--crew", "200", *words], 80, 24, tmp_path / "none")
    try:
        terminal.until("texts that wait", lambda text: "Unit moves to Stage 4" in text and "200" in text)
        terminal.press("q")
        terminal.until("what becomes of it", lambda text: what_becomes_of_it in text)
        assert terminal.confirm() == 0
    finally:
        terminal.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_a_demonstration_whose_window_is_closed_leaves_nothing_behind(
    how: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    terminal = Terminal(["demo", "--crew", "6"], 80, 24, tmp_path / "none")
    try:
        terminal.until("the message", lambda text: "Unit moves to Stage 4" in text)
        assert list(tmp_path.iterdir())
        terminal.process.send_signal(how)
        terminal.ended()
        assert list(tmp_path.iterdir()) == []
        assert b"Traceback" not in terminal.said
    finally:
        terminal.close()


@pytest.mark.parametrize("arguments", [["demo", "--crew", "6"], []], ids=["demonstration", "own production"])
def test_a_window_that_is_closed_while_much_is_to_be_drawn_ends_the_program(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "passing"))
    (tmp_path / "passing").mkdir()
    home = tmp_path / "home"
    if not arguments:
        subprocess.run(
            [sys.executable, "-m", "app", "--home", str(home), "init", "--production", "DAYBREAK",
             "--region", "US", "--time-zone", "America/Los_Angeles", "--yes"],
            check=True, capture_output=True,
        )  # fmt: skip
    terminal = Terminal(arguments, 80, 24, home)
    try:
        terminal.until("the screen", lambda text: "Quit" in text)
        terminal.close_window()
        assert list((tmp_path / "passing").iterdir()) == []
    finally:
        terminal.close()
