"""A mail server on a real socket of this machine that says what a case makes it say."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from enum import Enum

from app.clock import VirtualClock
from providers.contract import Account, Channel, Mail, Outcome, Outgoing, Provider
from providers.smtp import SMTP as SMTP_KIND
from tests.contract.harness import REFERENCE, START_MS, Result

ADDRESS = "ada.lund@crew.example"
SENDER = "office@nightfall.example"
PASSWORD = "correct-horse-battery"
OPT_OUT = "https://nightfall.callboard.example/m/0123456789abcdef/stop"

MAIL = Mail(
    "NIGHTFALL S2: URGENT: Unit moves to Stage 4",
    "Unit moves to Stage 4.\n.\n.Gate C\n",
    "<p>Unit moves to Stage 4.</p>\n",
    opt_out_url=OPT_OUT,
)
MESSAGE = Outgoing(Channel.EMAIL, ADDRESS, SENDER, MAIL, REFERENCE)


class Does(Enum):
    """What a server does in place of a reply."""

    HANGS = "no reply, ever"
    CLOSES = "the connection ends politely"
    RESETS = "the connection is torn"


Act = str | bytes | Does
"""A reply without its line end, bytes as they are, or something else."""

Script = Mapping[str, Act | Sequence[Act]]
"""What is done at each of these moments: ``greeting``, a verb (``MAIL``), ``dot`` (the whole mail is there). Of
several acts the n-th time gets the n-th, and the times after the last get the last."""

PLAIN: Script = {
    "greeting": "220 mail.example ESMTP",
    "EHLO": "250-mail.example\r\n250-AUTH PLAIN\r\n250 8BITMIME",
    "STARTTLS": "220 go ahead",
    "AUTH": "235 2.7.0 welcome",
    "MAIL": "250 2.1.0 ok",
    "RCPT": "250 2.1.5 ok",
    "DATA": "354 go ahead",
    "dot": "250 2.0.0 Ok: queued as 4bXk9c2",
    "RSET": "250 2.0.0 ok",
    "QUIT": "221 2.0.0 bye",
}


@dataclass(frozen=True)
class Came:
    """One whole mail as it arrived: its envelope as it was said, and its bytes."""

    sender: str
    to: str
    raw: bytes

    @property
    def mail(self) -> EmailMessage:
        read = message_from_bytes(self.raw, policy=SMTP)
        assert isinstance(read, EmailMessage)
        return read


@dataclass
class MailPeer:
    """One mail server on a port the system chooses."""

    script: Script = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    encrypted: bool = False
    """It speaks TLS from the first byte (else after STARTTLS)."""
    came: list[Came] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """Every command that was given."""
    connections: int = 0
    port: int = 0
    _counts: dict[str, int] = field(default_factory=dict)
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> MailPeer:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", 0, ssl=self.tls if self.encrypted else None
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def _next(self, moment: str) -> Act:
        act = {**PLAIN, **self.script}.get(moment, "502 5.5.1 what?")
        if isinstance(act, str | bytes | Does):
            return act
        nth = self._counts.get(moment, 0)
        self._counts[moment] = nth + 1
        return act[min(nth, len(act) - 1)]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.connections += 1
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._open.discard(task)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        envelope = {"MAIL": "", "RCPT": ""}
        if not await _does(self._next("greeting"), reader, writer):
            return
        while line := (await reader.readuntil(b"\r\n")).decode().rstrip("\r\n"):
            self.said.append(line)
            verb, _, rest = line.partition(" ")
            if verb in envelope:
                envelope[verb] = rest
            act = self._next(verb)
            if not await _does(act, reader, writer) or verb == "QUIT":
                return
            if verb == "STARTTLS" and self.tls is not None:
                await writer.start_tls(self.tls)
            if verb == "DATA" and str(act).startswith("354"):
                body = await reader.readuntil(b"\r\n.\r\n")
                raw = body[: -len(b".\r\n")].replace(b"\r\n..", b"\r\n.")
                self.came.append(Came(envelope["MAIL"], envelope["RCPT"], raw))
                if not await _does(self._next("dot"), reader, writer):
                    return


async def _does(act: Act, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """True if the conversation goes on."""
    match act:
        case str():
            writer.write(f"{act}\r\n".encode())
        case bytes():
            writer.write(act)
        case Does.HANGS:
            await reader.read()
        case Does.RESETS:
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        case Does.CLOSES:
            pass
    if isinstance(act, Does):
        return False
    await writer.drain()
    return True


@dataclass(frozen=True)
class MailCase:
    """One labelled exchange: what the server says, and what the outcome must be (see :class:`harness.Case`)."""

    name: str
    script: Script
    outcome: type[Outcome]
    code: str | None = None
    flags: frozenset[str] = frozenset()
    retry_after_s: float | None = None
    takes_ms: int = 0
    requests: int = 0
    scheme: str = "smtp-clear"
    settings: Mapping[str, str] = field(default_factory=dict)


def account(port: int, scheme: str = "smtp-clear", **settings: str) -> Account:
    secrets = {"password": PASSWORD} if "username" in settings else {}
    return Account("mail", "smtp", f"{scheme}://127.0.0.1:{port}", settings, secrets)


def build(port: int, clock: VirtualClock, scheme: str = "smtp-clear", **settings: str) -> Provider:
    return SMTP_KIND.build(account(port, scheme, **settings), clock)


def attempt(case: MailCase, message: Outgoing = MESSAGE) -> Result:
    """Send one mail through the adapter to a server that says what the case makes it say."""
    clock = VirtualClock(START_MS)

    async def run() -> Result:
        async with MailPeer(case.script) as peer:
            adapter = build(peer.port, clock, case.scheme, **case.settings)
            before = clock.now_ms()
            outcome = await adapter.send(message)
            took = clock.now_ms() - before
            await adapter.close()
            return Result(outcome, peer.came, took, f"{adapter!r} {outcome!r}")

    return clock.run(run())


def one_mail(message: Outgoing = MESSAGE, **settings: str) -> Came:
    """The mail as a server that takes everything has it."""
    (came,) = attempt(MailCase("taken", {}, Outcome, settings=settings), message).asked  # type: ignore[arg-type]
    assert isinstance(came, Came)
    return came
