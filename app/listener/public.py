"""The public socket: provider callbacks and crew pages. The only one a tunnel is given.

Nothing here trusts a request: signatures are checked against the configured public addresses before a body is
parsed, bodies are limited, tokens are looked up by hash, and GET changes nothing above *opened*.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.dispatch.gateways import Gateways
from app.dispatch.writer import Writer
from app.domain.mails import OPENED_PATH, STOP_PATH
from app.domain.public_address import PublicAddress
from app.listener.bodies import limited_body, too_large
from app.listener.intake import Intake
from app.listener.pages import CrewPages
from app.store.engine import Database
from app.store.vault import Vault
from providers.contract import CallbackRefused, CallbackRequest

BODY_LIMIT = 1024 * 1024
"""Bytes. The largest callback of any provider we know is a batch far below this."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Doors:
    """What the public socket needs of the house."""

    database: Database
    vault: Vault
    gateways: Gateways
    writer: Writer
    intake: Intake
    public: Callable[[], PublicAddress]


def public_app(doors: Doors) -> Starlette:
    """The application behind the public socket."""
    pages = CrewPages(doors.database, doors.vault, doors.writer)

    async def hooks(request: Request) -> Response:
        return await _callback(doors, request)

    return Starlette(
        routes=[
            Route("/hooks/{account}", hooks, methods=["GET", "POST"]),
            Route("/m/{token}", pages.show, methods=["GET"]),
            Route("/m/{token}/seen", pages.seen, methods=["POST"]),
            Route("/m/{token}/answer", pages.answer, methods=["POST"]),
            Route(f"/m/{{token}}{OPENED_PATH}", pages.image, methods=["GET"]),
            Route(f"/m/{{token}}{STOP_PATH}", pages.stop, methods=["GET", "POST"]),
            Route("/probe", _probe, methods=["GET"]),
        ]
    )


async def _probe(_request: Request) -> Response:
    return PlainTextResponse("callboard\n")


async def _callback(doors: Doors, request: Request) -> Response:
    gateway = doors.gateways.by_public_id(request.path_params["account"])
    if gateway is None:
        return PlainTextResponse("No such account.\n", 404)
    try:
        body = await limited_body(request, BODY_LIMIT)
    except ClientDisconnect:
        return Response(status_code=400)
    if body is None:
        return too_large()
    query = request.scope["query_string"].decode("latin-1")
    path = request.scope.get("raw_path", request.url.path.encode()).decode("latin-1").partition("?")[0]
    asked = CallbackRequest(
        method=request.method,
        urls=doors.public().candidates(f"{path}?{query}" if query else path),
        query=query,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
    )
    parsed = gateway.provider.parse_callback(asked)
    if isinstance(parsed, CallbackRefused):
        log.warning("callback refused", provider=gateway.stored.account.name, status=parsed.status)
        return PlainTextResponse(f"{parsed.sentence}\n", parsed.status)
    try:
        await doors.intake.take(gateway.stored.id, parsed)
    except OSError:
        log.exception("neither database nor spool takes a callback")
        return PlainTextResponse("Not now. Try again.\n", 503)
    return Response(
        parsed.answer_body,
        status_code=parsed.answer_status,
        media_type=parsed.answer_type or None,
    )
