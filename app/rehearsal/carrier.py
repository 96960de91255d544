"""The carrier of a rehearsal: takes texts over the vendor's API, delivers them to people who never existed, and
remembers what really happened. Beside it is a mail server (:mod:`app.rehearsal.mail_room`) for the same people.

Everything it does is on this machine: one socket speaks the vendor's API, a second SMTP, a private one takes orders
(:mod:`app.rehearsal.control`), callbacks and open pages go to loopback through a table of routes.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Coroutine, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from app.listener.server import LoopbackServer, listening_socket
from app.rehearsal import log
from app.rehearsal.acting import Person
from app.rehearsal.breaking import BreakableLine, Breaking
from app.rehearsal.browsing import Phone
from app.rehearsal.callbacks import Callbacks
from app.rehearsal.control import control_api
from app.rehearsal.delivery import Delivery, times
from app.rehearsal.faults import Faults
from app.rehearsal.line import Line
from app.rehearsal.log import LoggedMessage, Truth
from app.rehearsal.mail_room import MailRoom
from app.rehearsal.people import Script, fate_of_number, plan
from app.rehearsal.postbox import Postbox, Received
from app.rehearsal.segments import segments_of
from app.rehearsal.stage import Stage
from app.rehearsal.twilio_api import Message, twilio_api
from app.rehearsal.twilio_rules import VALIDITY_S, Refusal
from providers.contract import Clock

ACCOUNT_SID: Final = "AC" + "0123456789abcdef" * 2
AUTH_TOKEN: Final = "a-rehearsal-opens-nothing"  # noqa: S105 - known to everybody, good for nothing

PROVIDER: Final = "twilio"

RATE: Final = 30.0
"""Segments a second for each sender: what a registered campaign of a small company is given in the United
States. A plain long code has 1."""


class Carrier:
    """One carrier, from :meth:`start` to :meth:`close`.

    ``routes`` maps public origins (``https://host``) to origins on this machine and may change at any time.
    ``inbound_url`` is the public address for messages from people. After :meth:`start`, ``base_url`` is the
    address for the adapter, ``mail_url`` that of the mail server and ``control_url`` the one for orders; port 0 lets
    the system choose.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int = 7,
        account_sid: str = ACCOUNT_SID,
        auth_token: str = AUTH_TOKEN,
        routes: Mapping[str, str] | None = None,
        inbound_url: str | None = None,
        script: Script | None = None,
        rate: float = RATE,
        port: int = 0,
        mail_port: int = 0,
        control_port: int = 0,
    ) -> None:
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.routes: dict[str, str] = dict(routes or {})
        self.faults = Faults(clock)
        self.base_url = ""
        self.control_url = ""
        self._clock = clock
        self._seed = seed
        self._script = script or Script.for_seconds(60)
        self._rate = rate
        self._ports = (port, mail_port, control_port)
        self._line = Line(clock, self.routes)
        self._callbacks = Callbacks(clock, self._line, self.faults, auth_token)
        phone = Phone(clock, self._line)
        self.postbox = Postbox(clock, account_sid, self._callbacks, inbound_url)
        self._stage = Stage(clock, seed, account_sid, self._callbacks, phone, self.postbox)
        self._messages: list[Message] = []
        self._log: list[LoggedMessage] = []
        self._texts_to: Counter[str] = Counter()
        self._free_at: dict[str, float] = {}
        self._network: set[asyncio.Task[None]] = set()
        self._people: set[asyncio.Task[None]] = set()
        self._mail_room = MailRoom(
            self._stage,
            self._script,
            begin=lambda work: self._begin(self._people, work),
            write=self._log.append,
        )
        self._breaking = Breaking(twilio_api(self), self.faults, PROVIDER)
        self._servers: list[LoopbackServer] = []

    async def start(self) -> None:
        """Open the sockets. Raises :class:`OSError` if a given port is taken."""
        port, mail_port, control_port = self._ports
        api = LoopbackServer(self._breaking, listening_socket(port), BreakableLine)
        self._servers.append(api)
        control = LoopbackServer(control_api(self), listening_socket(control_port))
        self._servers.append(control)
        for server in self._servers:
            await server.start()
        await self._mail_room.start(mail_port)
        self.base_url, self.control_url = api.url, control.url

    @property
    def mail_url(self) -> str:
        """The address of the mail server."""
        return self._mail_room.base_url

    @property
    def inbound_url(self) -> str | None:
        """Where messages from people are delivered."""
        return self.postbox.url

    @inbound_url.setter
    def inbound_url(self, url: str | None) -> None:
        self.postbox.url = url

    @property
    def callback_counts(self) -> Mapping[str, int]:
        """How many callbacks were ``delivered``, ``refused`` by the listener, and ``lost``."""
        return self._callbacks.counts

    def messages(self) -> list[Message]:
        """Every text accepted so far, oldest first, as the vendor keeps it."""
        return self._messages

    def received(self) -> list[Received]:
        """Every text people sent to our numbers, oldest first, as the vendor keeps it."""
        return self.postbox.received

    def log(self) -> list[LoggedMessage]:
        """Every text and mail that was handed over, and what really happened to it."""
        return list(self._log)

    def accept(self, fields: Mapping[str, str]) -> Message:
        """Take a well-formed text. Raises :class:`Refusal` where the number is wrong or opted out."""
        now_ms = self._clock.now_ms()
        to, sender, service = fields["To"], fields.get("From"), fields.get("MessagingServiceSid")
        body, callback = fields["Body"], fields.get("StatusCallback")
        logged = LoggedMessage(PROVIDER, "", to, sender or "", _reference(callback), body, None)
        self._log.append(logged)
        source = sender or service or ""
        blocked = (to, source) in self._stage.blocked
        refused = 21610 if blocked else fate_of_number(self._seed, to, self._script).refused
        if refused is not None:
            logged.truth.append(Truth(log.FAILED, now_ms, {"code": str(refused)}))
            raise Refusal(refused, to)
        message = Message(
            f"SM{secrets.token_hex(16)}",
            to,
            sender,
            service,
            body,
            segments_of(body),
            now_ms,
            callback,
            int(fields.get("ValidityPeriod", VALIDITY_S[-1])),
            status="accepted" if service and not sender else "queued",
        )
        self._messages.append(message)
        logged.id, logged.accepted_at = message.sid, now_ms
        logged.truth.append(Truth(log.ACCEPTED, now_ms))
        self._follow(message, logged, source)
        return message

    def _follow(self, message: Message, logged: LoggedMessage, source: str) -> None:
        """Start everything that follows from an accepted text."""
        self._texts_to[message.to] += 1
        then = plan(self._seed, message.to, self._texts_to[message.to], self._script)
        when = times(then, message.created_ms, self._on_air(source, message.segments), message.valid_for_s)
        self._begin(self._network, Delivery(self._stage, message, logged, then, when).run())
        if when.expires is not None:
            return
        person = Person(self._stage, message, logged, when.arrives)
        if then.machine_s is not None:
            self._begin(self._people, person.preview(then.machine_s))
        if then.act is not None:
            self._begin(self._people, person.act(then.act))

    def _on_air(self, source: str, segments: int) -> tuple[int, int]:
        """When the sender's pace lets a text of so many segments begin and end."""
        begins = max(float(self._clock.now_ms()), self._free_at.get(source, 0.0))
        self._free_at[source] = begins + 1000 * segments / self._rate
        return round(begins), round(self._free_at[source])

    @staticmethod
    def _begin(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def stop_people(self) -> None:
        """From now on nobody begins anything; whoever is in the middle of something finishes it."""
        self._stage.resting.set()

    async def settle(self) -> None:
        """Deliver every receipt that is still to come, now, and wait for whoever is in the middle of something.

        Returns when nothing is pending: held-back callbacks have been let go, a listener that was down was
        tried again until it answered or the carrier gave up.
        """
        self._stage.hurry.set()
        try:
            while pending := self._network | self._callbacks.pending | self._stage.begun:
                done, _ = await asyncio.wait(pending)
                for task in done:
                    if not task.cancelled():
                        task.result()  # a mistake in the rehearsal itself must not pass as silence
        finally:
            self._stage.hurry.clear()

    async def close(self) -> None:
        """Drop everything and close the sockets."""
        tasks = self._network | self._people | self._callbacks.pending
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._breaking.release()
        await self._mail_room.close()
        await asyncio.gather(*(server.close() for server in self._servers))
        await self._line.close()


def _reference(callback: str | None) -> str | None:
    """Our reference in a callback address: the value of its ``r``."""
    given = parse_qs(urlsplit(callback or "").query).get("r")
    return given[0] if given else None
