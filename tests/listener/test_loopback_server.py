"""Serving on a socket of our own, inside the loop that runs."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from starlette.types import Receive, Scope, Send

from app.clock import VirtualClock, sleep
from app.listener.server import LoopbackServer, listening_socket, serve

START_MS = 1_790_000_000_000


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


async def ask(url: str) -> str:
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as client,
        client.get(url) as answer,
    ):
        return await answer.text()


async def test_it_answers_on_the_port_the_system_chose() -> None:
    listening = listening_socket()
    server = await serve(hello, listening)
    assert server.url == f"http://127.0.0.1:{listening.getsockname()[1]}"
    assert await ask(server.url) == "hello"
    await server.close()


async def test_a_request_that_comes_before_the_server_waits_for_it() -> None:
    listening = listening_socket()
    server = LoopbackServer(hello, listening)
    early = asyncio.create_task(ask(server.url))
    await asyncio.wait({early}, timeout=0)
    assert not early.done()
    await server.start()
    assert await early == "hello"
    await server.close()


async def test_a_taken_port_is_told_at_once() -> None:
    listening = listening_socket()
    with pytest.raises(OSError, match="in use"):
        listening_socket(listening.getsockname()[1])
    listening.close()


async def test_signals_stay_with_the_program() -> None:
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    server = await serve(hello, listening_socket())
    await ask(server.url)
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == before
    await server.close()
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == before


async def test_small_answers_are_not_held_back() -> None:
    seen: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await hello(scope, receive, send)

    server = await serve(app, listening_socket())
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert await reader.readuntil(b"hello")
    for connection in server._server.server_state.connections:  # the accepted side of the connection
        accepted: socket.socket = connection.transport.get_extra_info("socket")
        seen.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
    writer.close()
    await server.close()
    assert len(seen) == 1
    assert seen[0] != 0


async def close_at_once(server: LoopbackServer) -> None:
    await server.start()
    await server.close()


async def close_twice(server: LoopbackServer) -> None:
    await server.start()
    await ask(server.url)
    await server.close()
    await server.close()


async def close_unstarted(server: LoopbackServer) -> None:
    await server.close()


@pytest.mark.parametrize("how", [close_at_once, close_twice, close_unstarted], ids=lambda how: how.__name__)
async def test_closing_leaves_nobody_listening(how: Callable[[LoopbackServer], Awaitable[None]]) -> None:
    server = LoopbackServer(hello, listening_socket())
    await how(server)
    with pytest.raises(aiohttp.ClientConnectorError):
        await ask(server.url)


def test_a_request_under_way_is_finished_before_the_server_closes() -> None:
    clock = VirtualClock(START_MS)
    begun = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await sleep(clock, 5)
        await hello(scope, receive, send)

    async def run() -> str:
        server = await serve(slow, listening_socket())
        asking = asyncio.create_task(ask(server.url))
        await begun.wait()
        await server.close()
        return await asking

    assert clock.run(run()) == "hello"


async def test_nothing_is_logged_about_requests(caplog: Any) -> None:
    caplog.set_level("INFO")
    server = await serve(hello, listening_socket())
    await ask(f"{server.url}/m/secret-token")
    await server.close()
    assert "secret-token" not in caplog.text
