"""A line to a PostgreSQL server that can be cut: nothing comes through then, and nobody is told."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

SOCKET = ".s.PGSQL.5432"
CHUNK = 65_536


class Line:
    """Carries bytes to the socket of a server and back, while it is whole."""

    def __init__(self, server: Path) -> None:
        self._server = server / SOCKET
        self._whole = asyncio.Event()
        self._whole.set()
        self._carrying: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        self._whole.clear()

    def mend(self) -> None:
        """Everything that waited comes through now."""
        self._whole.set()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, in both directions."""
        theirs, ours = await asyncio.open_unix_connection(self._server)
        for source, target in ((reader, ours), (theirs, writer)):
            task = asyncio.create_task(self._carry(source, target))
            self._carrying.add(task)
            task.add_done_callback(self._carrying.discard)

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(CHUNK):
                await self._whole.wait()
                target.write(data)
                await target.drain()
            await self._whole.wait()
        target.close()

    async def close(self) -> None:
        for task in list(self._carrying):
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)


@asynccontextmanager
async def line_to(server: Path) -> AsyncIterator[tuple[Line, Path]]:
    """A line, and the folder in which a client finds the socket at its near end."""
    with tempfile.TemporaryDirectory(prefix="callboard-line-") as folder:
        line = Line(server)
        near = await asyncio.start_unix_server(line.connect, Path(folder) / SOCKET)
        try:
            yield line, Path(folder)
        finally:
            near.close()
            await line.close()
