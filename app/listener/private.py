"""The private socket: whether this process lives and whether it can work. Loopback unless configured otherwise."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.store.engine import Database


def private_app(database: Database, is_ready: Callable[[], Awaitable[bool]]) -> Starlette:
    """``/healthz``: the process answers. ``/readyz``: the database answers and messages would go out."""

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"ok": True})

    async def readyz(_request: Request) -> Response:
        try:
            async with database.read() as connection:
                await connection.exec_driver_sql("SELECT 1")
            ready = await is_ready()
        except Exception:
            ready = False
        return JSONResponse({"ok": ready}, 200 if ready else 503)

    return Starlette(
        routes=[Route("/healthz", healthz, methods=["GET"]), Route("/readyz", readyz, methods=["GET"])]
    )
