"""The crew page: the message, one tap to answer. Works without scripts, reads well on a phone, needs no login."""

from __future__ import annotations

from functools import cache
from urllib.parse import parse_qs

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from app.dispatch.writer import Writer
from app.domain import ids, times
from app.domain.messages import MessageStatus
from app.domain.problem import Problem
from app.listener.bodies import limited_body, too_large
from app.listener.page_words import words_for
from app.listener.rate import TokenRate
from app.services import hearing
from app.store import answers
from app.store.answers import Opened
from app.store.engine import Database
from app.store.vault import Vault
from providers.contract import Channel

FORM_LIMIT = 4 * 1024
"""Bytes of an answer: a digit and a person."""

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-{nonce}'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}


DOT = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00"
    b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
"""An image of one transparent point."""


@cache
def templates() -> Environment:
    """The page templates. What people wrote is text in them, never markup."""
    return ImmutableSandboxedEnvironment(
        loader=PackageLoader("app.listener", "templates"), autoescape=True, undefined=StrictUndefined
    )


class CrewPages:
    """The pages behind ``/m/<token>``."""

    def __init__(self, database: Database, vault: Vault, writer: Writer) -> None:
        self._database = database
        self._clock = database.clock
        self._vault = vault
        self._writer = writer
        self._rate = TokenRate(database.clock)

    async def show(self, request: Request) -> Response:
        """The page. Fetching it proves that something fetched it, no more."""
        found = await self._opened(request)
        if isinstance(found, Response):
            return found
        await self._note_opened(request, found)
        return self._page(request, found)

    async def image(self, request: Request) -> Response:
        """The image in an e-mail was fetched: by a mail program or by a scanner, which cannot be told apart."""
        found = await self._opened(request)
        if isinstance(found, Response):
            return found
        await self._note_opened(request, found)
        return Response(DOT, media_type="image/gif", headers=dict(_plain_headers()))

    async def _note_opened(self, request: Request, found: Opened) -> None:
        if not _is_head(request):
            now = self._clock.now_ms()
            await self._writer.do(lambda connection: hearing.page_opened(connection, self._vault, found, now))

    async def stop(self, request: Request) -> Response:
        """The page that ends e-mail. GET only asks, since scanners follow links; POST ends it at once, pressed by
        a person or sent by a mail program (RFC 8058), whatever its body says."""
        found = await self._opened(request)
        if isinstance(found, Response):
            return found
        if found.channel is not Channel.EMAIL:
            return self._gone()
        pressed = request.method == "POST"
        if pressed:
            now = self._clock.now_ms()
            await self._writer.do(lambda connection: hearing.mail_refused(connection, found, now))
        return self._render(
            "stop.html",
            {
                "words": words_for(found.language),
                "language": found.language,
                "production": found.message.production,
                "token": request.path_params["token"],
                "stopped": pressed,
            },
            status=200,
        )

    async def seen(self, request: Request) -> Response:
        """A person touched the page (the script of the page says so, after two seconds and a gesture)."""
        found = await self._opened(request)
        if isinstance(found, Response):
            return found
        now = self._clock.now_ms()
        await self._writer.do(lambda connection: hearing.page_touched(connection, self._vault, found, now))
        return Response(status_code=204)

    async def answer(self, request: Request) -> Response:
        """A button was pressed."""
        found = await self._opened(request)
        if isinstance(found, Response):
            return found
        form = await _form(request)
        if isinstance(form, Response):
            return form
        person = hearing.who_answers(found, form.get("person"))
        if isinstance(person, Problem):
            return self._page(request, found, problem=person, status=422)
        digit = form.get("option", "")
        if digit and not (digit.isascii() and digit.isdigit()):
            return PlainTextResponse("That is not one of the answers.\n", 400)
        now = self._clock.now_ms()
        option = int(digit) if digit else None
        problem = await self._writer.do(
            lambda connection: hearing.page_answered(connection, self._vault, found, person, option, now)
        )
        if problem:
            return self._page(request, found, problem=problem, status=422)
        return RedirectResponse(f"/m/{request.path_params['token']}", 303, headers=dict(_plain_headers()))

    async def _opened(self, request: Request) -> Opened | Response:
        token = request.path_params["token"]
        if not ids.is_link_token(token):
            return self._gone()
        if not self._rate.allows(token):
            return PlainTextResponse("Too many requests. Wait a minute.\n", 429, {"retry-after": "60"})
        found = await self._database.reading(lambda connection: answers.by_token(connection, token))
        if found is None:
            return self._gone()
        return found

    def _gone(self) -> Response:
        return self._render("gone.html", {"words": words_for("en")}, status=404)

    def _page(
        self, request: Request, opened: Opened, *, problem: Problem | None = None, status: int = 200
    ) -> Response:
        message = opened.message
        answered = {
            sharer.public_id: next((one for one in message.options if one.digit == sharer.answer), None)
            for sharer in opened.sharers
        }
        return self._render(
            "message.html",
            {
                "words": words_for(opened.language),
                "language": opened.language,
                "message": message,
                "sent": times.clock_text(message.created_at, opened.time_zone),
                "token": request.path_params["token"],
                "sharers": opened.sharers,
                "answered": answered,
                "problem": problem,
                "cancelled": message.status is MessageStatus.CANCELLED,
            },
            status=status,
        )

    def _render(self, name: str, values: dict[str, object], *, status: int) -> Response:
        nonce = self._rate.nonce()
        page = templates().get_template(name).render(nonce=nonce, **values)
        headers = {key: value.format(nonce=nonce) for key, value in HEADERS.items()}
        return HTMLResponse(page, status, headers)


def _is_head(request: Request) -> bool:
    return request.method == "HEAD"


def _plain_headers() -> Headers:
    return Headers({"cache-control": "no-store", "referrer-policy": "no-referrer"})


async def _form(request: Request) -> dict[str, str] | Response:
    """The fields of a small form, each once; or what is answered to one that is too large or no form at all."""
    body = await limited_body(request, FORM_LIMIT)
    if body is None:
        return too_large()
    try:
        return {key: values[-1] for key, values in parse_qs(body.decode(), max_num_fields=10).items()}
    except (UnicodeDecodeError, ValueError):
        return PlainTextResponse("That form cannot be read.\n", 400)
