"""A person's phone with the link open: fetch the page, look, touch it, press a button."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urlencode, urljoin

from app.clock import sleep
from app.rehearsal.line import Answer, Line, UnreachableError
from app.rehearsal.routes import OutsideError
from providers.contract import Clock

LINK: Final = re.compile(r"https?://[^\s/]+/m/[0-9A-Za-z]{16}(?![0-9A-Za-z])")

TRIES_S: Final = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Before each try of a person whose page does not load."""

REDIRECTS: Final = 3

FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


def link_in(text: str) -> str | None:
    """The first link to a crew page in a text."""
    match = LINK.search(text)
    return match.group() if match else None


@dataclass(frozen=True, slots=True)
class Page:
    """A crew page as the phone sees it. ``seen`` and ``action`` are absolute public addresses."""

    seen: str | None
    action: str | None
    options: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()
    hidden: Mapping[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    """Picks out of the page what a thumb and a script would use."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: str | None = None
        self.action: str | None = None
        self.options: list[str] = []
        self.persons: list[str] = []
        self.hidden: dict[str, str] = {}
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "body":
            self.seen = named.get("data-seen") or None
        elif tag == "form" and self.action is None and named.get("method", "get").casefold() == "post":
            self.action, self._inside = named.get("action") or None, True
        elif self._inside:
            self._in_form(tag, named)

    def _in_form(self, tag: str, named: Mapping[str, str]) -> None:
        name, value = named.get("name"), named.get("value", "")
        kind = named.get("type", "").casefold()
        if tag == "button" and name == "option":
            self.options.append(value)
        elif tag == "input" and kind == "radio" and name == "person":
            self.persons.append(value)
        elif tag == "input" and kind == "hidden" and name:
            self.hidden[name] = value

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


def read_page(url: str, html: str) -> Page:
    """The page at a public address."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return Page(
        urljoin(url, reader.seen) if reader.seen else None,
        urljoin(url, reader.action) if reader.action else None,
        tuple(reader.options),
        tuple(reader.persons),
        reader.hidden,
    )


class Phone:
    """Somebody's phone. Every step tells whether the other side took it; a page that does not load is tried
    again a few times."""

    def __init__(self, clock: Clock, line: Line) -> None:
        self._clock = clock
        self._line = line

    async def open(self, url: str) -> Page | None:
        """Fetch a page; None if it could not be had."""
        answer = await self._ask("GET", url)
        return read_page(url, answer.text) if answer is not None else None

    async def fetch(self, url: str) -> bool:
        """Fetch something that is no page."""
        return await self._ask("GET", url) is not None

    async def touch(self, page: Page) -> bool:
        """A touch, which the page's script reports."""
        return page.seen is not None and await self._ask("POST", page.seen, b"") is not None

    async def press(self, page: Page, option: str, person: str | None) -> bool:
        """Press an answer's button, having chosen who one is where the page asks."""
        if page.action is None or option not in page.options:
            return False
        fields = {**page.hidden, **({"person": person} if person is not None else {}), "option": option}
        return await self._ask("POST", page.action, urlencode(fields).encode()) is not None

    async def _ask(self, method: str, url: str, body: bytes | None = None) -> Answer | None:
        for wait_s in TRIES_S:
            await sleep(self._clock, wait_s)
            try:
                answer = await self._follow(method, url, body)
            except UnreachableError:
                continue
            except OutsideError:
                return None
            if not answer.busy:
                return answer if answer.taken else None
        return None

    async def _follow(self, method: str, url: str, body: bytes | None) -> Answer:
        """One request and the pages it redirects to. What counts as done is the first answer: a button was
        pressed even if the page that thanks for it does not load."""
        first = answer = await self._line.ask(method, url, body, FORM if body is not None else None)
        for _ in range(REDIRECTS):
            if not answer.location or not 300 <= answer.status < 400:
                break
            url = urljoin(url, answer.location)
            try:
                answer = await self._line.ask("GET", url)
            except (UnreachableError, OutsideError):
                break
        return answer if method == "GET" else first
