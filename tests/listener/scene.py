"""A small production with its listener on loopback, a message sent, and the carrier's people asleep."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlencode

import aiohttp
from sqlalchemy import func, select
from twilio.request_validator import RequestValidator

from app.clock import SystemClock, VirtualClock
from app.rehearsal.carrier import ACCOUNT_SID, AUTH_TOKEN
from app.rehearsal.demo import (
    PUBLIC,
    VIRTUAL_START_MS,
    Demo,
    DemoOptions,
    open_demo,
    send_location_change,
    settle,
)
from app.rehearsal.log import LoggedMessage
from app.rehearsal.people import Script
from app.rehearsal.sample_crew import SENDER
from app.services import watching
from app.services.sending import Sent
from app.store import rollup
from app.store.standings import Standing
from providers.contract import Channel, Clock


@dataclass
class Reply:
    """What the listener answered."""

    status: int
    text: str
    headers: Mapping[str, str]


@dataclass
class Scene:
    """One production, one URGENT message to everybody, delivered."""

    demo: Demo
    sent: Sent
    web: aiohttp.ClientSession

    @property
    def hook(self) -> str:
        assert self.demo.carrier.inbound_url is not None
        return self.demo.carrier.inbound_url.removeprefix(PUBLIC)

    @property
    def here(self) -> str:
        return self.demo.house.servers[0].url

    async def get(self, path: str, **options: Any) -> Reply:
        return await self._ask("GET", path, **options)

    async def post(
        self, path: str, form: Mapping[str, str] | bytes | BinaryIO | None = None, **options: Any
    ) -> Reply:
        return await self._ask("POST", path, data=form, **options)

    async def _ask(self, method: str, path: str, **options: Any) -> Reply:
        async with self.web.request(method, self.here + path, allow_redirects=False, **options) as answer:
            return Reply(
                answer.status,
                await answer.text(errors="replace"),
                {name.lower(): value for name, value in answer.headers.items()},
            )

    async def callback(
        self, path: str, form: Mapping[str, str], *, token: str = AUTH_TOKEN, base: str = PUBLIC
    ) -> Reply:
        """A callback signed as Twilio signs it, for the public address."""
        signature = RequestValidator(token).compute_signature(base + path, dict(form))
        return await self.post(
            path,
            urlencode(form).encode(),
            headers={
                "X-Twilio-Signature": signature,
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )

    def status_form(self, text: LoggedMessage, status: str, **more: str) -> dict[str, str]:
        return {
            "AccountSid": ACCOUNT_SID,
            "MessageSid": text.id,
            "MessageStatus": status,
            "From": SENDER,
            "To": text.to,
            **more,
        }

    async def says(self, number: str, words: str, sid: str) -> Reply:
        """A text from somebody's phone to our number."""
        form = {
            "AccountSid": ACCOUNT_SID,
            "MessageSid": sid,
            "From": number,
            "To": SENDER,
            "Body": words,
            "NumMedia": "0",
        }
        return await self.callback(self.hook, form)

    def text_to(self, number: str) -> LoggedMessage:
        return next(one for one in self.demo.carrier.log() if one.to == number)

    async def rows(self, table: Any) -> int:
        async with self.demo.house.database.read() as connection:
            return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())

    async def standing(self, name: str) -> Standing:
        async with self.demo.house.database.read() as connection:
            from app.domain.buckets import Bucket
            from app.store import standings

            everybody = await standings.standings(connection, 1, list(Bucket))
        return next(one for one in everybody if one.name == name)

    async def number_of(self, name: str) -> str:
        from app.domain.routing import AddressKind
        from app.services import crew

        member = next(one for one in await crew.list_crew(self.demo.house.office) if one.name == name)
        address = member.first(AddressKind.PHONE)
        assert address is not None
        return address.value

    async def link_of(self, name: str) -> str:
        """The path of the crew page in the text this person got."""
        text = self.text_to(await self.number_of(name)).text
        return "/m/" + text.partition(f"{PUBLIC}/m/")[2].split()[0]

    async def mail_link_of(self, name: str) -> str:
        """The path of the crew page in the e-mail this person got."""
        from app.domain.routing import AddressKind
        from app.services import crew

        member = next(one for one in await crew.list_crew(self.demo.house.office) if one.name == name)
        address = member.first(AddressKind.EMAIL)
        assert address is not None
        mail = self.text_to(address.value).text
        return "/m/" + mail.partition(f"{PUBLIC}/m/")[2][:16]

    async def counters_are_true(self) -> bool:
        async with self.demo.house.database.read() as connection:
            return await rollup.counted(connection, 1) == await rollup.recount(connection, 1)

    async def status(self) -> watching.Status:
        return await watching.status(self.demo.house.office, self.sent.message_id)


Play = Callable[[Scene], Awaitable[None]]


TEXTS = frozenset({Channel.SMS})


def play(
    home: Path,
    act: Play,
    *,
    people: int = 156,
    clock: Clock | None = None,
    channels: frozenset[Channel] = TEXTS,
) -> None:
    """Run ``act`` on a scene; in virtual time unless a clock is given."""
    clock = clock or VirtualClock(VIRTUAL_START_MS)

    async def whole() -> None:
        options = DemoOptions(
            people=people,
            home=home,
            script=Script.silent(4),
            virtual=isinstance(clock, VirtualClock),
            channels=channels,
        )
        demo = await open_demo(clock, options)
        try:
            sent = await send_location_change(demo)
            async with aiohttp.ClientSession() as web:
                scene = Scene(demo, sent, web)
                await settle(demo)
                await act(scene)
        finally:
            await demo.close()

    if isinstance(clock, VirtualClock):
        clock.run(whole())
    else:
        import asyncio

        assert isinstance(clock, SystemClock)
        asyncio.run(whole())
