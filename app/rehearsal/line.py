"""The carrier's own telephone line: requests to loopback only, by its own clock, with a public name on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp
from yarl import URL

from app.clock import within
from app.rehearsal.routes import local_url, public_host
from providers.contract import Clock

ANSWER_S = 15.0
"""Twilio waits 15 s in all for the answer to a callback; a person's phone is given as long."""


class UnreachableError(Exception):
    """Nobody answered at that address (just now)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``location`` is where a redirect leads, as it was written."""

    status: int
    text: str = field(repr=False)
    location: str = ""

    @property
    def taken(self) -> bool:
        """2xx or 3xx: the other side did what was asked."""
        return 200 <= self.status < 400

    @property
    def busy(self) -> bool:
        """It may take the same later."""
        return self.status == 429 or self.status >= 500


class Line:
    """One pool of connections. ``routes`` is looked at for every request, so it may change meanwhile."""

    def __init__(self, clock: Clock, routes: Mapping[str, str]) -> None:
        self._clock = clock
        self._routes = routes
        self._session: aiohttp.ClientSession | None = None

    async def ask(
        self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request to a public address, led to this machine.

        Raises :class:`UnreachableError` if nobody answers, :class:`app.rehearsal.routes.OutsideError` if the
        address is not on this machine.
        """
        local = local_url(url, self._routes)
        try:
            return await within(self._clock, ANSWER_S, self._ask(method, local, url, body, headers or {}))
        except (aiohttp.ClientError, OSError) as broken:  # a TimeoutError is an OSError
            raise UnreachableError from broken

    async def _ask(
        self, method: str, local: str, public: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        # As a tunnel does: the public name in Host, and that the outside leg was https.
        named = {"Host": public_host(public), "X-Forwarded-Proto": "https", **headers}
        async with self._session.request(
            method, URL(local, encoded=True), data=body, headers=named, allow_redirects=False
        ) as answer:
            text = (await answer.read()).decode("utf-8", "replace")
            return Answer(answer.status, text, answer.headers.get("Location", ""))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
