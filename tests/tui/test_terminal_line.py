"""The line to the terminal takes everything at once, whatever the terminal does."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

import pytest

from app.tui.terminal_line import MOST_BEHIND, TerminalLine

PATIENCE_S = 20


@dataclass
class Window:
    """The two ends of a terminal, and what the line said about it."""

    reading: int
    drawing: IO[str]
    gone: threading.Event = field(default_factory=threading.Event)
    caught_up: threading.Event = field(default_factory=threading.Event)

    def line(self) -> TerminalLine:
        return TerminalLine(self.drawing, self.gone.set, self.caught_up.set)

    def read(self, characters: int) -> str:
        found = b""
        while len(found) < characters and (more := os.read(self.reading, characters - len(found))):
            found += more
        return found.decode()


@pytest.fixture
def window() -> Iterator[Window]:
    reading, drawing = os.pipe()
    file = os.fdopen(drawing, "w")
    yield Window(reading, file)
    for end in (lambda: os.close(reading), file.close):
        with contextlib.suppress(OSError):
            end()


def test_what_is_drawn_arrives_in_order(window: Window) -> None:
    line = window.line()
    for one in range(1_000):
        line.write(f"{one:04d}")
    assert window.read(4_000) == "".join(f"{one:04d}" for one in range(1_000))
    line.finish()


def test_a_terminal_that_does_not_read_holds_nobody_up_and_is_drawn_afresh_when_it_reads_again(
    window: Window,
) -> None:
    line = window.line()
    for _ in range(5):
        line.write("x" * MOST_BEHIND)  # nobody reads: a plain write would never return
    assert not window.caught_up.is_set()
    while not window.caught_up.wait(0.001):
        assert set(window.read(4_096)) == {"x"}
    line.write("end")
    line.finish()
    assert not window.gone.is_set()


def test_a_terminal_that_is_gone_is_told_of_once_and_drawn_on_no_more(window: Window) -> None:
    line = window.line()
    os.close(window.reading)
    line.write("who reads this?")
    assert window.gone.wait(PATIENCE_S)
    line.write("x" * 3 * MOST_BEHIND)
    line.finish()
    assert not window.caught_up.is_set()


def test_the_end_waits_no_longer_than_a_moment_for_a_terminal_that_does_not_read(window: Window) -> None:
    line = window.line()
    line.write("x" * MOST_BEHIND)
    line.finish()
    assert not window.gone.is_set()
