"""Bodies of requests, read no further than their limit: anybody can write to the public address."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response


async def limited_body(request: Request, limit: int) -> bytes | None:
    """The body, or None as soon as it is larger than ``limit`` bytes.

    Raises :class:`starlette.requests.ClientDisconnect` where it breaks off.
    """
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > limit:
        return None
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            return None
        parts.append(part)
    return b"".join(parts)


def too_large() -> Response:
    """What is answered to a body above its limit."""
    return PlainTextResponse("Too large.\n", 413)
