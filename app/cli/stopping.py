"""Waiting for the signal that ends a server."""

from __future__ import annotations

import asyncio
import signal

import typer

from app.cli import output

ENDS = {signal.SIGTERM: output.DONE, signal.SIGINT: output.INTERRUPTED, signal.SIGHUP: output.DONE}
"""The signals that end a server, and the exit code of each."""


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
