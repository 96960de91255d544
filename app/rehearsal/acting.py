"""One person and one text or mail: what they do about it, at the time the script says.

Something counts as done, and is written to the log, when the other side answered that it took it.
"""

from __future__ import annotations

from typing import Final

from app.clock import sleep
from app.rehearsal import log
from app.rehearsal.browsing import link_in
from app.rehearsal.log import LoggedMessage, Truth
from app.rehearsal.people import BY_LINK, BY_STOP, Act, MailAct, holder_of
from app.rehearsal.postbox import NAMELESS_SENDER
from app.rehearsal.stage import Stage
from app.rehearsal.twilio_api import Message

LOOKS_MS: Final = 50
"""Nobody reads a text before it has been on the phone for a moment."""


class Visitor:
    """Somebody with a link to their page before them. ``created_ms`` is when what holds it was accepted,
    ``arrives_ms`` when it is there to be seen."""

    def __init__(
        self, stage: Stage, logged: LoggedMessage, link: str | None, created_ms: int, arrives_ms: int
    ) -> None:
        self._stage = stage
        self._logged = logged
        self._link = link
        self._created_ms = created_ms
        self._arrives_ms = arrives_ms

    async def preview(self, at_s: float) -> None:
        """The phone's message app fetches the link by itself. That is no person."""
        if self._link is None or not await self._stage.person_until(self._moment(at_s)):
            return
        self._stage.begin()
        if await self._stage.phone.open(self._link) is not None:
            self._happened(log.MACHINE_OPENED)

    async def browse(self, link: str, act: Act) -> None:
        """Open the page, look, touch it, press a button."""
        stage = self._stage
        page = await stage.phone.open(link)
        if page is None:
            return
        self._happened(log.OPENED)
        await sleep(stage.clock, act.touch_after_s)
        if await stage.phone.touch(page):
            self._happened(log.READ)
        if act.option is None or act.option not in page.options:
            return
        await sleep(stage.clock, act.answer_after_s)
        person = holder_of(stage.seed, self._logged.to, list(page.persons))
        if await stage.phone.press(page, act.option, person):
            detail = {"option": act.option} | ({"person": person} if person is not None else {})
            self._happened(log.ANSWERED, **detail)

    def _moment(self, at_s: float) -> int:
        planned = self._created_ms + round(at_s * 1000)
        return max(planned, self._arrives_ms + LOOKS_MS)

    def _happened(self, what: str, **detail: str) -> None:
        self._logged.truth.append(Truth(what, self._stage.clock.now_ms(), detail))


class Person(Visitor):
    """The holder of one phone, with one text just on its way to them."""

    def __init__(self, stage: Stage, message: Message, logged: LoggedMessage, arrives_ms: int) -> None:
        super().__init__(stage, logged, link_in(message.body), message.created_ms, arrives_ms)
        self._message = message

    async def act(self, act: Act) -> None:
        """Do what the script says, unless the people have stopped before it begins."""
        reply = act.reply if act.how != BY_LINK else act.option
        by_link = act.how == BY_LINK and self._link is not None
        if not by_link and reply is None:
            return  # would have read the page, but there is none
        if not await self._stage.person_until(self._moment(act.at_s)):
            return
        self._stage.begin()
        if by_link:
            assert self._link is not None
            await self.browse(self._link, act)
        elif reply is not None:
            await self._reply(reply, stops=act.how == BY_STOP)

    async def _reply(self, text: str, *, stops: bool) -> None:
        stage, message = self._stage, self._message
        sender = message.sender or message.service or NAMELESS_SENDER
        if stops:
            stage.blocked.add((message.to, sender))
        await stage.postbox.take(
            message.to,
            message.sender or "",
            text,
            lambda: self._happened(log.OPTED_OUT if stops else log.REPLIED, text=text),
        )


class MailReader(Visitor):
    """The owner of one mailbox, with one mail in it. ``image`` is the address of its one image."""

    def __init__(
        self, stage: Stage, logged: LoggedMessage, link: str | None, image: str | None, created_ms: int
    ) -> None:
        super().__init__(stage, logged, link, created_ms, created_ms)
        self._image = image

    async def act(self, act: MailAct) -> None:
        """Open the mail, and follow its link if the script says so, unless the people have stopped before."""
        if not await self._stage.person_until(self._moment(act.page.at_s)):
            return
        self._stage.begin()
        if act.images and self._image is not None and await self._stage.phone.fetch(self._image):
            self._happened(
                log.MACHINE_OPENED
            )  # the mail program fetched it; whether anybody read is not known
        if act.follows and self._link is not None:
            await self.browse(self._link, act.page)
