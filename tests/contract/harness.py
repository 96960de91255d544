"""The contract every adapter keeps, as a table of labelled exchanges that runs against any of them.

A server on a real socket of this machine behaves as a case says; the unchanged adapter sends one message to it;
outcome, flags, number of requests and the time that passed are compared. Time is virtual: ten seconds of waiting
take none.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.clock import VirtualClock
from providers.contract import (
    Accepted,
    Channel,
    InDoubt,
    NotSent,
    Outcome,
    Outgoing,
    Provider,
    Rejected,
    Text,
)

START_MS = 1_790_000_000_000
"""A Monday in September 2026; any moment would do."""

NUMBER = "+16265550162"
SENDER = "+15005550006"
TEXT = "Nightfall: crew call moved to 05:30, Stage 5. Reply 1 to confirm."
REFERENCE = "k3m9x2p7q4w8z1v6"
PUBLIC = "https://nightfall.callboard.example"

MESSAGE = Outgoing(
    Channel.SMS, NUMBER, SENDER, Text(TEXT), REFERENCE, f"{PUBLIC}/hooks/main?r={REFERENCE}", valid_for_s=900
)


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: str


class Behaviour(Protocol):
    """What a server does with a connection on which one whole request has arrived."""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """True if the connection stays open for another request."""
        ...


def answers(status: int, body: object = "", headers: Mapping[str, str] | None = None) -> Behaviour:
    """A whole answer; ``body`` is sent as JSON unless it is text."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        content = (body if isinstance(body, str) else json.dumps(body)).encode()
        lines = {"Content-Type": "application/json", "Content-Length": str(len(content)), **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        writer.write(f"HTTP/1.1 {status} Answer\r\n{head}\r\n".encode() + content)
        await writer.drain()
        return True

    return behave


def writes(raw: bytes, then: Behaviour) -> Behaviour:
    """Some bytes, whatever they are, and then something else."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(raw)
        await writer.drain()
        return await then(reader, writer)

    return behave


async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """No answer, ever."""
    await reader.read()
    return False


async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """The connection ends politely, without an answer."""
    return False


async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """The connection is torn."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    return False


class Server:
    """One server on a port the system chooses. Every request is kept in ``asked``; the n-th gets the n-th
    behaviour, and those after the last get the last."""

    def __init__(self, *behaviours: Behaviour, before_reading: Behaviour | None = None) -> None:
        self.asked: list[Asked] = []
        self.connections = 0
        self.url = ""
        self._behaviours = behaviours
        self._before_reading = before_reading
        self._open: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Server:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.connections += 1
        try:
            if self._before_reading is not None and not await self._before_reading(reader, writer):
                return
            while (asked := await _read(reader)) is not None:
                self.asked.append(asked)
                behave = self._behaviours[min(len(self.asked), len(self._behaviours)) - 1]
                if not await behave(reader, writer):
                    return
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._open.discard(task)


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, target, headers, body.decode())


def closed_port_url() -> str:
    """An address at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@dataclass(frozen=True)
class Case:
    """One labelled exchange: what the server does, and what the outcome must be.

    ``flags`` are the flags of the error that must be set; all others must not be.
    """

    name: str
    behave: Behaviour
    outcome: type[Outcome]
    code: str | None = None
    flags: frozenset[str] = frozenset()
    retry_after_s: float | None = None
    takes_ms: int = 0
    requests: int = 1
    scheme: str = "http"
    before_reading: Behaviour | None = None


FLAGS = ("retryable", "throttled", "bad_address", "opted_out", "config")

RETRYABLE = frozenset({"retryable"})

LINE_CASES = (
    # What a line can do to any adapter, whatever the provider. Connect limit 3 s, total 10 s.
    Case("time-out before acceptance: no TLS in time", hangs, NotSent, None, RETRYABLE, takes_ms=3_000, requests=0,
         scheme="https", before_reading=hangs),
    Case("the other side speaks no TLS", hangs, NotSent, None, RETRYABLE, requests=0, scheme="https",
         before_reading=writes(b"HTTP/1.1 400 Bad Request\r\n\r\n", closes)),
    Case("the connection is torn before TLS", hangs, NotSent, None, RETRYABLE, requests=0, scheme="https",
         before_reading=resets),
    Case("time-out after acceptance", hangs, InDoubt, None, RETRYABLE, takes_ms=10_000),
    Case("time-out in the middle of the answer",
         writes(b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{", hangs), InDoubt, None, RETRYABLE,
         takes_ms=10_000),
    Case("reset after the request", resets, InDoubt, None, RETRYABLE),
    Case("closed without an answer", closes, InDoubt, None, RETRYABLE),
    Case("closed in the middle of the answer",
         writes(b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{", closes), InDoubt, None, RETRYABLE),
    Case("not HTTP", writes(b"220 mail.example ESMTP\r\n", closes), InDoubt, None, RETRYABLE),
    Case("500 without a body", answers(500), InDoubt, None, RETRYABLE),
    Case("502 of a gateway", answers(502, "<html>Bad Gateway</html>"), InDoubt, None, RETRYABLE),
    Case("503", answers(503, {}), InDoubt, None, RETRYABLE),
    Case("503 with Retry-After", answers(503, {}, {"Retry-After": "30"}), InDoubt, None, RETRYABLE, 30.0),
    Case("504 of a gateway", answers(504), InDoubt, None, RETRYABLE),
    Case("408 of a gateway", answers(408), InDoubt, None, RETRYABLE),
    Case("redirect, which is not followed", answers(307, "", {"Location": "/elsewhere"}), InDoubt, None, RETRYABLE),
    Case("success with garbage", answers(201, "<<< 4711 upstream"), InDoubt, None, RETRYABLE),
    Case("success with an empty body", answers(201), InDoubt, None, RETRYABLE),
    Case("success with bytes that are no text",
         writes(b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\n\xff\xfe\xfa\xfb", closes), InDoubt, None,
         RETRYABLE),
    Case("success with a list", answers(201, [1, 2]), InDoubt, None, RETRYABLE),
    Case("success without an id", answers(201, {"status": "queued"}), InDoubt, None, RETRYABLE),
    Case("success with an id that is none", answers(201, {"sid": 17}), InDoubt, None, RETRYABLE),
    Case("429 without Retry-After", answers(429), NotSent, None, frozenset({"retryable", "throttled"})),
    Case("429 with seconds", answers(429, {}, {"Retry-After": "7"}), NotSent, None,
         frozenset({"retryable", "throttled"}), 7.0),
    Case("429 with a date", answers(429, {}, {"Retry-After": "Mon, 21 Sep 2026 14:13:40 GMT"}), NotSent, None,
         frozenset({"retryable", "throttled"}), 20.0),
    Case("429 with a date that has passed", answers(429, {}, {"Retry-After": "Mon, 21 Sep 2020 14:13:40 GMT"}),
         NotSent, None, frozenset({"retryable", "throttled"}), 0.0),
    Case("429 with nonsense", answers(429, {}, {"Retry-After": "soon"}), NotSent, None,
         frozenset({"retryable", "throttled"})),
    Case("401 without a body", answers(401), Rejected, None, frozenset({"config"})),
)  # fmt: skip

Build = Callable[[str, VirtualClock], Provider]


@dataclass
class Result:
    """What one attempt came to, and what the server saw of it."""

    outcome: Outcome
    asked: Sequence[Any]
    """The requests (the mails) that arrived whole."""
    took_ms: int
    text: str = field(default="")
    """Everything the outcome says of itself, for the redaction checks."""


def attempt(case: Case, build: Build, message: Outgoing = MESSAGE) -> Result:
    """Send one message through an adapter to a server that behaves as the case says."""
    clock = VirtualClock(START_MS)

    async def run() -> Result:
        async with Server(case.behave, before_reading=case.before_reading) as server:
            adapter = build(server.url.replace("http:", f"{case.scheme}:"), clock)
            before = clock.now_ms()
            outcome = await adapter.send(message)
            took = clock.now_ms() - before
            await adapter.close()
            return Result(outcome, server.asked, took, f"{adapter!r} {outcome!r}")

    return clock.run(run())


class Expected(Protocol):
    """What a case expects, whatever the other side speaks."""

    @property
    def outcome(self) -> type[Outcome]: ...
    @property
    def code(self) -> str | None: ...
    @property
    def flags(self) -> frozenset[str]: ...
    @property
    def retry_after_s(self) -> float | None: ...
    @property
    def takes_ms(self) -> int: ...
    @property
    def requests(self) -> int: ...


def check(case: Expected, result: Result) -> None:
    """The whole contract of one attempt."""
    assert type(result.outcome) is case.outcome, result.outcome
    assert len(result.asked) == case.requests
    assert result.took_ms == case.takes_ms
    if isinstance(result.outcome, Accepted):
        return
    error = result.outcome.error
    assert {name for name in FLAGS if getattr(error, name)} == set(case.flags)
    assert error.retry_after_s == case.retry_after_s
    assert error.code
    assert error.sentence.endswith(".")
    assert not error.next_step or error.next_step.endswith(".")
    if case.code is not None:
        assert error.code == case.code


def assert_nothing_leaks(said: str, *secrets: str) -> None:
    """None of the secrets, in any of the ways they travel, is in what was said."""
    for secret in secrets:
        for spelling in (secret, secret.replace("+", "%2B"), secret.lstrip("+")):
            assert spelling not in said
