"""Twilio's Messages API on loopback: as strict as the vendor about what it is sent, with the vendor's answers.

Paths, fields, status codes, error codes and the shape of every answer follow Twilio's published API description
and error dictionary; the wording of the messages is ours. In one thing it is stricter: a field it does not know
is an error, where Twilio ignores it, because here it can only be a typing error of ours.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Protocol
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.rehearsal.postbox import Received
from app.rehearsal.twilio_rules import (
    LARGEST_PAGE,
    LIST_FIELDS,
    MESSAGES,
    PAGE_SIZE,
    VALIDITY_S,
    VERSION,
    Refusal,
    check,
    form_of,
    only_known,
    whole,
)


@dataclass(slots=True)
class Message:
    """One text as the vendor keeps it. Times are milliseconds since 1970, UTC."""

    sid: str
    to: str = field(repr=False)
    sender: str | None
    service: str | None
    body: str = field(repr=False)
    segments: int
    created_ms: int
    callback: str | None = None
    valid_for_s: int = VALIDITY_S[-1]
    status: str = "queued"
    error_code: int | None = None
    sent_ms: int | None = None
    updated_ms: int = 0


class Exchange(Protocol):
    """Where the API hands texts over. The carrier is one."""

    account_sid: str
    auth_token: str

    def accept(self, message: Mapping[str, str]) -> Message:
        """Take a text whose fields are well formed, or raise :class:`Refusal` for its number."""
        ...

    def messages(self) -> Sequence[Message]:
        """Every text taken so far, oldest first."""
        ...

    def received(self) -> Sequence[Received]:
        """Every text from people so far, oldest first."""
        ...


def twilio_api(exchange: Exchange) -> Starlette:
    """The API as an ASGI application."""
    root = f"/{VERSION}/Accounts/{{account}}"
    api = _Api(exchange)
    return Starlette(
        routes=[
            Route(f"{root}/Messages.json", api.guarded(api.messages), methods=["GET", "POST"]),
            Route(f"{root}/Messages/{{sid}}.json", api.guarded(api.message), methods=["GET"]),
            Route(f"{root}.json", api.guarded(api.account), methods=["GET"]),
        ],
        exception_handlers={Refusal: _refused, HTTPException: _no_such_thing},
    )


Endpoint = Callable[[Request], Awaitable[Response]]


class _Api:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def guarded(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint for whoever has the account's credentials."""

        async def guarded(request: Request) -> Response:
            self._authenticate(request)
            return await endpoint(request)

        return guarded

    def _authenticate(self, request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        expected = base64.b64encode(f"{self._exchange.account_sid}:{self._exchange.auth_token}".encode())
        if scheme.casefold() != "basic" or not hmac.compare_digest(given.encode(), expected):
            raise Refusal(20003)
        if request.path_params["account"] != self._exchange.account_sid:
            raise Refusal(20404, request.url.path)

    async def messages(self, request: Request) -> Response:
        if request.method == "POST":
            return await self._create(request)
        return self._list(request)

    async def _create(self, request: Request) -> Response:
        content_type = request.headers.get("content-type", "").split(";")[0].strip().casefold()
        if content_type != "application/x-www-form-urlencoded":
            raise Refusal(20001, "Content-Type", status=415)
        fields = form_of(await request.body())
        check(fields)
        message = self._exchange.accept(fields)
        return JSONResponse(self.resource(message), 201)

    async def message(self, request: Request) -> Response:
        sid = request.path_params["sid"]
        for message in self._exchange.messages():
            if message.sid == sid:
                return JSONResponse(self.resource(message))
        raise Refusal(20404, request.url.path)

    async def account(self, _request: Request) -> Response:
        sid = self._exchange.account_sid
        return JSONResponse(
            {
                "sid": sid,
                "friendly_name": "Rehearsal",
                "status": "active",
                "type": "Full",
                "owner_account_sid": sid,
                "date_created": _rfc2822(0),
                "date_updated": _rfc2822(0),
                "uri": f"/{VERSION}/Accounts/{sid}.json",
            }
        )

    def _list(self, request: Request) -> Response:
        wanted = dict(request.query_params.multi_items())
        only_known(wanted, LIST_FIELDS)
        size = whole(wanted, "PageSize", PAGE_SIZE, range(1, LARGEST_PAGE + 1))
        page = whole(wanted, "Page", 0, range(1_000_000))
        everything: list[Message | Received] = [*self._exchange.messages(), *self._exchange.received()]
        everything.sort(key=lambda one: one.created_ms)
        matching = [one for one in reversed(everything) if _matches(one, wanted)]
        shown = matching[page * size : (page + 1) * size]
        path = f"/{VERSION}/Accounts/{self._exchange.account_sid}/Messages.json"

        def uri(number: int) -> str:
            return f"{path}?{urlencode({**wanted, 'PageSize': str(size), 'Page': str(number)})}"

        more = len(matching) > (page + 1) * size
        return JSONResponse(
            {
                "messages": [
                    self.resource(one) if isinstance(one, Message) else self._received(one) for one in shown
                ],
                "page": page,
                "page_size": size,
                "start": page * size,
                "end": page * size + max(0, len(shown) - 1),
                "uri": uri(page),
                "first_page_uri": uri(0),
                "previous_page_uri": uri(page - 1) if page else None,
                "next_page_uri": uri(page + 1) if more else None,
            }
        )

    def resource(self, message: Message) -> dict[str, Any]:
        """A text as the vendor shows it. Numbers are text, the price is unknown until it was sent."""
        account = self._exchange.account_sid
        uri = f"/{VERSION}/Accounts/{account}/Messages/{message.sid}"
        pending = message.service is not None and message.status == "accepted"
        return {
            "account_sid": account,
            "api_version": VERSION,
            "body": message.body,
            "date_created": _rfc2822(message.created_ms),
            "date_sent": _rfc2822(message.sent_ms) if message.sent_ms is not None else None,
            "date_updated": _rfc2822(message.updated_ms or message.created_ms),
            "direction": "outbound-api",
            "error_code": message.error_code,
            "error_message": None,
            "from": None if pending else message.sender,
            "messaging_service_sid": message.service,
            "num_media": "0",
            "num_segments": "0" if pending else str(message.segments),
            "price": None if message.sent_ms is None else f"-{0.0083 * message.segments:.5f}",
            "price_unit": "USD",
            "sid": message.sid,
            "status": message.status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": message.to,
            "uri": f"{uri}.json",
        }

    def _received(self, one: Received) -> dict[str, Any]:
        """A text from somebody as the vendor shows it. Who is shown it has heard of it."""
        one.heard()
        account = self._exchange.account_sid
        uri = f"/{VERSION}/Accounts/{account}/Messages/{one.sid}"
        return {
            "account_sid": account,
            "api_version": VERSION,
            "body": one.body,
            "date_created": _rfc2822(one.created_ms),
            "date_sent": _rfc2822(one.created_ms),
            "date_updated": _rfc2822(one.created_ms),
            "direction": "inbound",
            "error_code": None,
            "error_message": None,
            "from": one.sender,
            "messaging_service_sid": None,
            "num_media": "0",
            "num_segments": "1",
            "price": None,
            "price_unit": "USD",
            "sid": one.sid,
            "status": "received",
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": one.to,
            "uri": f"{uri}.json",
        }


def _matches(message: Message | Received, wanted: Mapping[str, str]) -> bool:
    # A text that is still queued has no date of sending yet and counts on the day it was made.
    sent_ms = message.sent_ms if isinstance(message, Message) else None
    day = datetime.fromtimestamp((sent_ms or message.created_ms) / 1000, UTC).strftime("%Y-%m-%d")
    return (
        wanted.get("To", message.to) == message.to
        and wanted.get("From", message.sender) == message.sender
        and wanted.get("DateSent", day)[:10] == day
        and wanted.get("DateSent>", day)[:10] <= day <= wanted.get("DateSent<", day)[:10]
    )


def _rfc2822(at_ms: int) -> str:
    return format_datetime(datetime.fromtimestamp(at_ms // 1000, UTC))


def error_response(code: int, what: str = "", status: int | None = None) -> Response:
    """An error as the vendor writes it."""
    usual, message = MESSAGES[code]
    status = status or usual
    body = {
        "code": code,
        "message": message.format(what=what),
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if status == 401 else None
    return JSONResponse(body, status, headers)


async def _refused(_request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return error_response(refusal.code, refusal.what, refusal.status)


async def _no_such_thing(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        return error_response(20004, request.method)
    return error_response(20404, request.url.path)
