"""Twilio's Messages API on loopback: as strict as the vendor about what it is sent, with the vendor's answers.

Paths, fields, status codes, error codes and the shape of every answer follow Twilio's published API description
and error dictionary; the wording of the messages is ours. In one thing it is stricter: a field it does not know
is an error, where Twilio ignores it, because here it can only be a typing error of ours.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

VERSION: Final = "2010-04-01"
BODY_LIMIT: Final = 1600
PAGE_SIZE, LARGEST_PAGE = 50, 1000
VALIDITY_S: Final = range(1, 36_001)

E164: Final = re.compile(r"\+[1-9][0-9]{6,14}\Z")
"""Only the shape: the numbers of a rehearsal are fictional and belong to nobody."""

SENDER: Final = re.compile(r"(\+[1-9][0-9]{6,14}|[1-9][0-9]{4,5}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11})\Z")
"""A number, a short code or a name of up to eleven letters."""

SERVICE: Final = re.compile(r"MG[0-9a-f]{32}\Z")
HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\Z")
"""A valid host name; underscores are refused in callback addresses."""

CREATE_FIELDS: Final = frozenset(
    {"To", "From", "MessagingServiceSid", "Body", "StatusCallback", "ValidityPeriod", "SmartEncoded"}
)
LIST_FIELDS: Final = frozenset(
    {"To", "From", "DateSent", "DateSent>", "DateSent<", "Page", "PageSize", "PageToken"}
)

MAGIC_TO: Final = {
    # The vendor's own test numbers and what they always answer.
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
MAGIC_FROM: Final = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}

MESSAGES: Final[dict[int, tuple[int, str]]] = {
    # code: (HTTP status, message)
    20001: (400, "Unknown or invalid parameter: {what}"),
    20003: (401, "Authenticate"),
    20004: (405, "The method {what} is not allowed here"),
    20404: (404, "The requested resource {what} was not found"),
    20429: (429, "Too Many Requests"),
    20503: (503, "Service Unavailable"),
    21211: (400, "The 'To' number {what} is not a valid phone number."),
    21212: (
        400,
        "The 'From' number {what} is not a valid phone number, shortcode, or alphanumeric sender ID.",
    ),
    21408: (400, "Permission to send an SMS has not been enabled for the region of {what}."),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21606: (400, "The 'From' phone number {what} cannot send messages from your account."),
    21609: (400, "The 'StatusCallback' URL {what} is not a valid URL."),
    21610: (400, "Attempt to send to unsubscribed recipient {what}."),
    21611: (429, "The 'From' number {what} has exceeded the maximum number of queued messages."),
    21612: (400, "There is no route from this sender to {what}."),
    21614: (400, "'To' number {what} is not a valid mobile number."),
    21617: (400, "The concatenated message body exceeds the 1600 character limit."),
    21701: (400, "The Messaging Service {what} does not exist."),
}


class Refusal(Exception):
    """The vendor says no. ``what`` is the value its message names."""

    def __init__(self, code: int, what: str = "", status: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.what = what
        self.status = status


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
        fields = _form(await request.body())
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
        _only_known(wanted, LIST_FIELDS)
        size = _whole(wanted, "PageSize", PAGE_SIZE, range(1, LARGEST_PAGE + 1))
        page = _whole(wanted, "Page", 0, range(1_000_000))
        matching = [one for one in reversed(self._exchange.messages()) if _matches(one, wanted)]
        shown = matching[page * size : (page + 1) * size]
        path = f"/{VERSION}/Accounts/{self._exchange.account_sid}/Messages.json"

        def uri(number: int) -> str:
            return f"{path}?{urlencode({**wanted, 'PageSize': str(size), 'Page': str(number)})}"

        more = len(matching) > (page + 1) * size
        return JSONResponse(
            {
                "messages": [self.resource(one) for one in shown],
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


def check(fields: Mapping[str, str]) -> None:
    """Raise the vendor's :class:`Refusal` for a text that is not well formed."""
    _only_known(fields, CREATE_FIELDS)
    to, sender, service = fields.get("To", ""), fields.get("From", ""), fields.get("MessagingServiceSid", "")
    body, callback = fields.get("Body", ""), fields.get("StatusCallback")
    refusals = (
        # In the order in which the vendor looks; the first that holds is the answer.
        (not to, 21604, ""),
        (not sender and not service, 21603, ""),
        (not body, 21602, ""),
        (len(body) > BODY_LIMIT, 21617, ""),
        (not E164.match(to), 21211, to),
        (bool(sender) and not SENDER.match(sender), 21212, sender),
        (bool(service) and not SERVICE.match(service), 21701, service),
        (callback is not None and not _is_address(callback), 21609, callback or ""),
        (sender in MAGIC_FROM, MAGIC_FROM.get(sender, 0), sender),
        (to in MAGIC_TO, MAGIC_TO.get(to, 0), to),
    )
    for holds, code, what in refusals:
        if holds:
            raise Refusal(code, what)
    _whole(fields, "ValidityPeriod", VALIDITY_S[-1], VALIDITY_S)


def _is_address(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and bool(HOST.match(parts.hostname or ""))


def _form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), errors="strict"
        )
    except ValueError:
        raise Refusal(20001, "the body is no form") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Refusal(20001, "a field is given twice")
    return fields


def _only_known(fields: Mapping[str, str], known: frozenset[str]) -> None:
    if unknown := sorted(set(fields) - known):
        raise Refusal(20001, unknown[0])


def _whole(fields: Mapping[str, str], name: str, default: int, allowed: range) -> int:
    text = fields.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and int(text) in allowed):
        raise Refusal(20001, name)
    return int(text)


def _matches(message: Message, wanted: Mapping[str, str]) -> bool:
    # A text that is still queued has no date of sending yet and counts on the day it was made.
    day = datetime.fromtimestamp((message.sent_ms or message.created_ms) / 1000, UTC).strftime("%Y-%m-%d")
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
