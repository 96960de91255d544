"""Waiting for the signal that ends a server."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer

from app.cli import output

ENDS = {signal.SIGTERM: output.DONE, signal.SIGINT: output.INTERRUPTED, signal.SIGHUP: output.DONE}
"""The signals that end a server, and the exit code of each."""


LIKE_CTRL_C = (signal.SIGTERM, signal.SIGHUP)
"""Signals that would end the process on the spot, and leave behind what is thrown away at the end."""


@contextmanager
def ended_as_by_ctrl_c() -> Iterator[None]:
    """Let the first SIGTERM or SIGHUP do what Ctrl-C does. Those that follow it are passed over: a second Ctrl-C
    would break into the clearing away."""
    told = False

    def tell(_number: int, _frame: FrameType | None) -> None:
        nonlocal told
        if not told:
            told = True
            signal.raise_signal(signal.SIGINT)

    before = {which: signal.signal(which, tell) for which in LIKE_CTRL_C}
    try:
        yield
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)


async def until_told() -> None:
    """Wait for SIGTERM, SIGHUP or Ctrl-C. Raises :class:`typer.Exit` for Ctrl-C, once it came."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[int] = loop.create_future()

    def tell(code: int) -> None:
        if not told.done():
            told.set_result(code)

    for which, code in ENDS.items():
        loop.add_signal_handler(which, tell, code)
    try:
        code = await told
    finally:
        for which in ENDS:
            loop.remove_signal_handler(which)
    if code:
        raise typer.Exit(code)
