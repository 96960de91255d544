"""Orders to a running rehearsal, on a private socket of this machine: faults, the log, stop, settle.

Requests must be JSON and name this machine as their host: a web page that somebody has open cannot send such a
request here without asking first.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.rehearsal.faults import KINDS, PROVIDERS, Faults
from app.rehearsal.log import LoggedMessage

Endpoint = Callable[[Request], Awaitable[Response]]


class Rehearsal(Protocol):
    """What can be ordered. The carrier is one."""

    faults: Faults

    def log(self) -> Sequence[LoggedMessage]: ...

    async def stop_people(self) -> None: ...

    async def settle(self) -> None: ...


def control_api(rehearsal: Rehearsal) -> Starlette:
    """``POST /fault {"provider","kind","seconds"}``, ``GET /log``, ``POST /stop-people``, ``POST /settle``."""

    async def fault(request: Request) -> Response:
        try:
            order = json.loads(await request.body())
            provider, kind, seconds = order["provider"], order["kind"], order["seconds"]
            if isinstance(seconds, bool) or not isinstance(seconds, int | float):
                raise TypeError
        except (ValueError, KeyError, TypeError):
            return _wrong('Name "provider", "kind" and "seconds" (a number).')
        try:
            rehearsal.faults.set(str(provider), str(kind), seconds)
        except ValueError as wrong:
            return _wrong(str(wrong))
        return JSONResponse({"provider": provider, "kind": kind, "seconds": seconds, "means": KINDS[kind][1]})

    async def log(_request: Request) -> Response:
        return JSONResponse([message.as_json() for message in rehearsal.log()])

    async def stop_people(_request: Request) -> Response:
        await rehearsal.stop_people()
        return JSONResponse({})

    async def settle(_request: Request) -> Response:
        await rehearsal.settle()
        return JSONResponse({})

    return Starlette(
        routes=[
            Route("/fault", _json_only(fault), methods=["POST"]),
            Route("/log", log, methods=["GET"]),
            Route("/stop-people", _json_only(stop_people), methods=["POST"]),
            Route("/settle", _json_only(settle), methods=["POST"]),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )


def _json_only(endpoint: Endpoint) -> Endpoint:
    async def guarded(request: Request) -> Response:
        if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
            return _wrong("Send JSON (Content-Type: application/json).", 415)
        return await endpoint(request)

    return guarded


def _wrong(sentence: str, status: int = 400) -> Response:
    return JSONResponse(
        {
            "error": sentence,
            "providers": list(PROVIDERS),
            "kinds": {kind: means for kind, (_, means) in KINDS.items()},
        },
        status,
    )
