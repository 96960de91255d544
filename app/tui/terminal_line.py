"""The line to the terminal: it takes everything at once, whatever the terminal does.

A window can be closed, an ssh connection can hang, somebody can press Ctrl-S in the shell behind it. The engine that
sends tonight's messages runs beside the screen and must not wait for any of that. So what is drawn goes into a thread
of its own; what a terminal that does not read would be behind with is left out, and drawn afresh once it reads again.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import IO, Any, Final, cast

from textual.drivers.linux_driver import LinuxDriver

MOST_BEHIND: Final = 1_000_000
"""Characters kept for a terminal that does not read: some dozens of whole screens."""

PATIENCE_S: Final = 1.0
"""How long the end of the program waits for a terminal to take the last of what was drawn."""


class TerminalLine:
    """A file to draw into that never blocks and never fails.

    ``on_gone`` is called once when the terminal does not exist any more, ``on_caught_up`` when it has read what it was
    behind with and some of the drawing was left out; both from the thread that writes.
    """

    def __init__(
        self, terminal: IO[str], on_gone: Callable[[], None], on_caught_up: Callable[[], None]
    ) -> None:
        self._terminal = terminal
        self._on_gone = on_gone
        self._on_caught_up = on_caught_up
        self._waiting: list[str] = []
        self._size = 0
        self._left_out = False
        self._gone = False
        self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True, name="terminal line")
        self._thread.start()

    def write(self, text: str) -> None:
        with self._changed:
            if self._gone:
                return
            if self._size > MOST_BEHIND:
                self._left_out = True
                return
            self._waiting.append(text)
            self._size += len(text)
            self._changed.notify()

    def flush(self) -> None:
        """What was written is on its way already."""

    def fileno(self) -> int:
        return self._terminal.fileno()

    def isatty(self) -> bool:
        return self._terminal.isatty()

    def finish(self) -> None:
        """Write what is left, as far as the terminal takes it."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join(PATIENCE_S)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if not self._waiting:
                    return
                text, self._waiting = "".join(self._waiting), []
            try:
                self._terminal.write(text)
                self._terminal.flush()
            except (OSError, ValueError):
                self._lose()
                return
            with self._changed:
                self._size -= len(text)
                caught_up = self._left_out and not self._waiting
                if caught_up:
                    self._left_out = False
            if caught_up:
                self._on_caught_up()

    def _lose(self) -> None:
        with self._changed:
            self._gone = True
            self._waiting.clear()
        self._on_gone()


class TerminalDriver(LinuxDriver):
    """Textual's own driver, drawing into a :class:`TerminalLine`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # It draws on stderr, where a process has one, and asks of it what a TerminalLine answers.
        self._line = TerminalLine(cast("IO[str]", self._file), _hang_up, self._draw_afresh)
        self._file = cast("Any", self._line)

    def close(self) -> None:
        super().close()
        self._line.finish()

    def _draw_afresh(self) -> None:
        self._loop.call_soon_threadsafe(lambda: self._app.refresh(layout=True))


def _hang_up() -> None:
    """A terminal that is gone ends the program as the signal does that tells of it, which may not have come."""
    os.kill(os.getpid(), signal.SIGHUP)
