"""What Twilio takes and what it says when it does not: fields, limits, error codes, magic numbers, as data.

From Twilio's published API description and error dictionary; the wording of the messages is ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

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


def check(fields: Mapping[str, str]) -> None:
    """Raise the vendor's :class:`Refusal` for a text that is not well formed."""
    only_known(fields, CREATE_FIELDS)
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
    whole(fields, "ValidityPeriod", VALIDITY_S[-1], VALIDITY_S)


def _is_address(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and bool(HOST.match(parts.hostname or ""))


def form_of(body: bytes) -> dict[str, str]:
    """The fields of a form, each given once. Raises :class:`Refusal`."""
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


def only_known(fields: Mapping[str, str], known: frozenset[str]) -> None:
    """Raise :class:`Refusal` for a field that does not exist."""
    if unknown := sorted(set(fields) - known):
        raise Refusal(20001, unknown[0])


def whole(fields: Mapping[str, str], name: str, default: int, allowed: range) -> int:
    text = fields.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and int(text) in allowed):
        raise Refusal(20001, name)
    return int(text)
