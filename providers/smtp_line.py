"""Conversations with one mail server, over a few connections that are kept.

The commands are the ``aiosmtplib`` package's; the limits, the stage a conversation has reached and what is done
with a connection afterwards are ours.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from providers.contract import Clock
from providers.smtp_letters import Letter
from providers.smtp_tables import End, Security, Stage
from providers.waiting import within

CONNECT_S: Final = 3.0
"""For name, connection, encryption, greeting and password together."""

TOTAL_S: Final = 10.0
"""For one mail, waiting for a connection included."""

CONNECTIONS: Final = 4
"""At once. Relays allow from one to twenty."""

MAILS_EACH: Final = 100
"""On one connection. Relays end one after a hundred to a thousand; we are the first."""

IDLE_MS: Final = 30_000
"""A connection that has rested this long is not used again: the server is about to close it, or has."""

CALLED: Final = "[127.0.0.1]"
"""How we greet. A server that knows us by a password does not care, and the name of a laptop is nobody's business."""

GO_AHEAD: Final = 354
CLOSING: Final = 421
YES: Final = range(200, 300)
NO: Final = range(400, 600)


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where the mail server is and how we sign in. Without a user name nobody does."""

    host: str
    port: int
    security: Security
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


@dataclass(slots=True)
class Talk:
    """What happened to one mail. Filled in while it runs: a reply that can be judged, or how it ended without."""

    stage: Stage = Stage.WAITING
    code: int | None = None
    text: str = field(default="", repr=False)
    ended: End | None = None

    @property
    def went_stale(self) -> bool:
        """A kept connection had been given up by the server before anything was said on it."""
        return self.stage is Stage.SENDER and (self.ended is End.BROKEN or self.code == CLOSING)

    def forget(self) -> None:
        """What follows is another connection."""
        self.stage, self.code, self.text, self.ended = Stage.CONNECTING, None, "", None


@dataclass(eq=False, slots=True)
class _Connection:
    client: SMTP
    mails: int = 0
    used_ms: int = 0
    clean: bool = True
    """The last mail was taken: no command is needed to begin anew."""


class MailLine:
    """The connections of one account. The first opens with the first mail, in that mail's loop."""

    def __init__(self, clock: Clock, server: MailServer) -> None:
        self._clock = clock
        self._server = server
        self._resting: list[_Connection] = []
        self._slots = asyncio.Semaphore(CONNECTIONS)
        self._trusted: ssl.SSLContext | None = None

    async def post(self, letter: Letter) -> Talk:
        """One mail. Never raises for what the network or the server does."""
        talk = Talk()
        with _ends(talk):
            await within(self._clock, TOTAL_S, self._post(letter, talk))
        return talk

    async def greet(self) -> Talk:
        """Connect and sign in, as for a mail, and say goodbye."""
        talk = Talk()
        with _ends(talk):
            connection = await self._connected(talk)
            talk.code = 250
            _leave(connection)
        return talk

    async def close(self) -> None:
        """Say goodbye on every connection that rests. Those in use end with their mail."""
        resting, self._resting = self._resting, []
        for one in resting:
            _leave(one)

    async def _post(self, letter: Letter, talk: Talk) -> None:
        async with self._slots:
            kept = self._kept()
            if kept is not None:
                with _ends(talk):
                    await self._say(kept, letter, talk)
                if not talk.went_stale:
                    return
                talk.forget()
            await self._say(await self._connected(talk), letter, talk)

    def _kept(self) -> _Connection | None:
        """The connection that was used last, if it can be used again."""
        while self._resting:
            one = self._resting.pop()
            rested_ms = self._clock.monotonic_ms() - one.used_ms
            if one.client.is_connected and rested_ms < IDLE_MS:
                return one
            _leave(one)
        return None

    async def _connected(self, talk: Talk) -> _Connection:
        talk.stage = Stage.CONNECTING
        server = self._server
        client = SMTP(
            hostname=server.host,
            port=server.port,
            local_hostname=CALLED,
            timeout=None,
            use_tls=server.security is Security.TLS,
            start_tls=False,
            tls_context=None if server.security is Security.NONE else self._trust(),
        )
        try:
            await within(self._clock, CONNECT_S, self._introduce(client, talk))
        except BaseException:
            client.close()
            raise
        return _Connection(client)

    async def _introduce(self, client: SMTP, talk: Talk) -> None:
        await client.connect()
        await client.ehlo()
        if self._server.security is Security.STARTTLS:
            if not client.supports_extension("starttls"):
                talk.ended = End.NO_ENCRYPTION
                raise SMTPException("no encryption")
            await client.starttls()
            await client.ehlo()
        if self._server.username:
            talk.stage = Stage.SIGNING_IN
            await client.login(self._server.username, self._server.password)

    def _trust(self) -> ssl.SSLContext:
        """Certificates: the system's, or those SSL_CERT_FILE names when the first connection is made."""
        if self._trusted is None:
            self._trusted = ssl.create_default_context()
        return self._trusted

    async def _say(self, connection: _Connection, letter: Letter, talk: Talk) -> None:
        """The mail over this connection, which rests afterwards if it is still good."""
        talk.stage = Stage.SENDER
        try:
            await self._hand_over(connection, letter, talk)
        except SMTPResponseException as error:
            self._put_away(connection, error.code, taken=False)
            raise
        except BaseException:
            connection.client.close()
            raise
        self._put_away(connection, talk.code, taken=talk.stage is Stage.HANDED_OVER)

    async def _hand_over(self, connection: _Connection, letter: Letter, talk: Talk) -> None:
        client = connection.client
        if not connection.clean:
            await _begin_anew(client)
        await client.mail(letter.return_path)
        talk.stage = Stage.RECIPIENT
        await client.rcpt(letter.to)
        talk.stage = Stage.CONTENT
        protocol = client.protocol
        reply = await client.execute_command(b"DATA")
        if reply.code == GO_AHEAD and protocol is not None:
            # From the first byte on: how many of them have left is not known, the last dot may be among them.
            talk.stage = Stage.HANDED_OVER
            protocol.write(letter.data)
            reply = await protocol.read_response()
        talk.code, talk.text = reply.code, reply.message

    def _put_away(self, connection: _Connection, code: int | None, *, taken: bool) -> None:
        """Let a connection rest for the next mail, if the last reply on it was a plain yes or no."""
        yes, no = code in YES, code in NO and code != CLOSING
        connection.mails += 1
        connection.used_ms = self._clock.monotonic_ms()
        connection.clean = yes and taken
        if (yes or no) and connection.mails < MAILS_EACH and connection.client.is_connected:
            self._resting.append(connection)
        else:
            _leave(connection)


async def _begin_anew(client: SMTP) -> None:
    try:
        await client.rset()
    except SMTPResponseException:
        raise SMTPServerDisconnected("it will not begin anew") from None


def _leave(connection: _Connection) -> None:
    """Goodbye, without waiting for one."""
    protocol = connection.client.protocol
    if protocol is not None:
        with suppress(SMTPException):
            protocol.write(b"QUIT\r\n")
    connection.client.close()


@contextmanager
def _ends(talk: Talk) -> Iterator[None]:
    """Whatever ends a conversation is noted in it."""
    try:
        yield
    except SMTPResponseException as error:
        if error.code < 0:
            talk.ended = End.GARBLED
        else:
            talk.code, talk.text = error.code, error.message
    except TimeoutError:
        talk.ended = _LATE.get(talk.stage, End.SILENT)
    except OSError as error:
        if any(isinstance(one, ssl.SSLCertVerificationError) for one in (error, error.__cause__)):
            talk.ended = End.CERTIFICATE
        else:
            talk.ended = End.UNREACHABLE if talk.stage is Stage.CONNECTING else End.BROKEN
    except SMTPException:
        talk.ended = talk.ended or (End.NO_SIGN_IN if talk.stage is Stage.SIGNING_IN else End.GARBLED)


_LATE: Final = {Stage.WAITING: End.BUSY, Stage.CONNECTING: End.UNREACHABLE}
"""How a conversation ends whose time is over."""
