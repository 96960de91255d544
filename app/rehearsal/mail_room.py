"""The mail server of a rehearsal: takes mail on loopback, puts it into mailboxes of people who never existed, and
remembers what really happened.

It speaks SMTP by the ``aiosmtpd`` package, on the loop of everything else. What becomes of a mail and what its
reader does is drawn from the script as for texts.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import Counter
from collections.abc import Callable, Coroutine
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as RULES
from typing import Any, Final

from aiosmtpd.smtp import SMTP, Envelope, Session

from app.listener.server import listening_socket
from app.rehearsal import log
from app.rehearsal.acting import MailReader
from app.rehearsal.browsing import link_in
from app.rehearsal.log import LoggedMessage, Truth
from app.rehearsal.people import Script, fate_of_mailbox, mail_act
from app.rehearsal.stage import Stage

MAIL: Final = "smtp"
"""What the log calls who took a mail."""

NAME: Final = "mail.rehearsal.example"

_IMAGE = re.compile(r'<img src="([^"]+)"')
_RETURNS = re.compile(r"bounce\+([0-9a-z]{16})@.*")

Begin = Callable[[Coroutine[Any, Any, None]], None]


class MailRoom:
    """One mail server, from :meth:`start` to :meth:`close`. After :meth:`start`, ``base_url`` is its address.

    ``begin`` runs what a person does; ``write`` takes the entries of the log.
    """

    def __init__(
        self, stage: Stage, script: Script, *, begin: Begin, write: Callable[[LoggedMessage], None]
    ) -> None:
        self.base_url = ""
        self._stage = stage
        self._script = script
        self._begin = begin
        self._write = write
        self._asked_for: Counter[str] = Counter()
        self._mails_to: Counter[str] = Counter()
        self._server: asyncio.Server | None = None
        self._talks: set[_Talk] = set()

    async def start(self, port: int = 0) -> None:
        """Open the socket. Raises :class:`OSError` if a given port is taken."""
        taken = listening_socket(port)
        self.base_url = f"smtp-clear://127.0.0.1:{taken.getsockname()[1]}"
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Talk(self, self._talks, loop), sock=taken)

    async def close(self) -> None:
        """Hang up on everybody and close the socket."""
        if self._server is not None:
            self._server.close()
        for one in list(self._talks):
            await one.hang_up()

    # ------------------------------------------------------------------ what the package asks

    async def handle_RCPT(  # noqa: N802 - the package's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Whether there is such a mailbox."""
        fate = fate_of_mailbox(self._stage.seed, address, self._script)
        self._asked_for[address] += 1
        no = fate.refused or (fate.first if self._asked_for[address] == 1 else None)
        if no is not None:
            what = log.FAILED if fate.refused else log.DEFERRED
            logged = self._entry(envelope, address, "", accepted=False)
            logged.truth.append(Truth(what, self._stage.clock.now_ms(), {"code": no[:3]}))
            return no
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """A whole mail."""
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=RULES)
        assert isinstance(mail, EmailMessage)
        words, page = _body(mail, "plain"), _body(mail, "html")
        logged = None
        for address in envelope.rcpt_tos:
            logged = self._entry(envelope, address, words, accepted=True)
            logged.truth.append(Truth(log.ACCEPTED, self._stage.clock.now_ms()))
            self._follow(logged, words, page)
        return f"250 2.0.0 Ok: queued as {logged.id}" if logged else "554 5.5.1 Nobody is named"

    def _entry(self, envelope: Envelope, address: str, words: str, *, accepted: bool) -> LoggedMessage:
        back = envelope.mail_from or ""
        named = _RETURNS.fullmatch(back)
        logged = LoggedMessage(
            MAIL,
            secrets.token_hex(8) if accepted else "",
            address,
            back,
            named[1] if named else None,
            words,
            self._stage.clock.now_ms() if accepted else None,
        )
        self._write(logged)
        return logged

    def _follow(self, logged: LoggedMessage, words: str, page: str) -> None:
        """Start what the reader of a mail does."""
        self._mails_to[logged.to] += 1
        act = mail_act(self._stage.seed, logged.to, self._mails_to[logged.to], self._script)
        if act is None:
            return
        image = _IMAGE.search(page)
        reader = MailReader(
            self._stage, logged, link_in(words), image[1] if image else None, logged.accepted_at or 0
        )
        self._begin(reader.act(act))


class _Talk(SMTP):
    """One conversation. Known to its room, so that none outlives it."""

    def __init__(self, room: MailRoom, talks: set[_Talk], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(room, hostname=NAME, ident="rehearsal", loop=loop)
        self._talks = talks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._talks.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._talks.discard(self)
        super().connection_lost(error)

    async def hang_up(self) -> None:
        """End it, whatever it is about."""
        if self.transport is not None:
            self.transport.close()
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()
            await asyncio.gather(self._handler_coroutine, return_exceptions=True)


def _body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    return str(part.get_content()) if part is not None else ""
