"""Serving an ASGI application on a socket we already own, inside the loop that is already running.

The socket is bound and listening before anything is served: the port is known at once, nobody can take it
in between, and a request that arrives early waits in the kernel instead of being refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

LOOPBACK = "127.0.0.1"

BACKLOG = 512
"""Callbacks of a whole crew can arrive within one second; the kernel caps this at its own limit."""

KEEP_ALIVE_S = 75
"""Longer than the 15 s for which our own clients keep an idle connection, so that the server never closes one
in the moment in which a request is written to it."""

GRACE_S = 3
"""How long requests may still run once the server is told to stop."""


def listening_socket(port: int = 0, host: str = LOOPBACK) -> socket.socket:
    """A bound and listening socket; port 0 lets the system choose. Raises :class:`OSError` if it is taken."""
    # The protocol is named on purpose: asyncio switches off the waiting of small packets (Nagle) only where it
    # sees TCP written out, and an answer in two packets would then take 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


class _Quiet(uvicorn.Server):
    """The server as a part of a program: without signal handlers, because Ctrl-C belongs to the terminal, and
    without waking up ten times a second to see whether it should stop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stop = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        await self.stop.wait()


class LoopbackServer:
    """One application on one socket, from :meth:`start` to :meth:`close`.

    ``protocol`` may be a subclass of the HTTP/1.1 protocol, for a server that must be able to break its line.
    """

    def __init__(
        self, app: Any, listening: socket.socket, protocol: type[asyncio.Protocol] = H11Protocol
    ) -> None:
        host, port = listening.getsockname()[:2]
        self.port: int = port
        self.url = f"http://{host}:{port}"
        self._socket = listening
        self._server = _Quiet(
            uvicorn.Config(
                app,
                http=protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                backlog=BACKLOG,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Serve from now on. The socket has been listening since before."""
        self._running = asyncio.create_task(self._server.serve(sockets=[self._socket]))

    async def wait(self) -> None:
        """Until the server has ended; raises what ended it."""
        if self._running is not None:
            await asyncio.shield(self._running)

    async def close(self) -> None:
        """Take no more requests, let running ones finish, close the socket. May be called twice."""
        if self._running is None:
            self._socket.close()
            return
        self._server.stop.set()
        await asyncio.gather(self._running, return_exceptions=True)
        self._socket.close()


async def serve(app: Any, listening: socket.socket) -> LoopbackServer:
    """Start serving ``app`` on ``listening``; the caller closes what is returned."""
    server = LoopbackServer(app, listening)
    await server.start()
    return server
