"""A line that breaks: the faults of a provider's answers, laid over its unchanged API."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Final

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.clock import unless
from app.rehearsal.faults import ANSWERS, Faults
from app.rehearsal.twilio_api import error_response

RETRY_AFTER_S: Final = 2

ABORT_WITH_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER on, for no time: closing tells the other side that the connection was reset."""


class BreakableLine(H11Protocol):
    """The HTTP protocol, which lets the application reach the connection it is asked over."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class Breaking:
    """An ASGI application with the active fault of ``provider`` laid over it."""

    def __init__(self, app: ASGIApp, faults: Faults, provider: str) -> None:
        self._app = app
        self._faults = faults
        self._provider = provider
        self._over = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = self._faults.active(self._provider, ANSWERS)
        if kind is None:
            await self._app(scope, receive, send)
        elif (refusal := _refusal(kind)) is not None:
            await refusal(scope, receive, send)
        else:
            if kind != "timeout_before":
                await self._app(scope, receive, _nowhere)
            await self._break(kind, scope, receive, send)

    async def _break(self, kind: str, scope: Scope, receive: Receive, send: Send) -> None:
        if kind == "garbage":
            await PlainTextResponse("<<< 4711 upstream", 201)(scope, receive, send)
            return
        if kind in {"timeout_before", "timeout_after"}:
            try:
                await unless(self._over.wait(), _hung_up(receive))
                return
            except TimeoutError:  # the rehearsal ends before the other side gave up
                pass
        _reset(scope["state"]["transport"])
        await _hung_up(receive)

    def release(self) -> None:
        """Break every connection that is being kept waiting."""
        self._over.set()


def _refusal(kind: str) -> Response | None:
    match kind:
        case "503":
            return error_response(20503)
        case "401":
            return error_response(20003)
        case "429":
            response = error_response(20429)
            response.headers["Retry-After"] = str(RETRY_AFTER_S)
            return response
    return None


async def _nowhere(_message: Message) -> None:
    """Where an answer goes that never arrives."""


async def _hung_up(receive: Receive) -> None:
    """Until the other side has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _reset(transport: asyncio.Transport) -> None:
    raw: socket.socket | None = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT_WITH_RESET)
    transport.abort()
