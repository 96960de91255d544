"""Judging what came of a request to Twilio: one exchange in, one outcome out. Pure.

The rule behind every line: a message is *not sent* only where Twilio cannot have taken it, and *in doubt*
wherever it may have.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any

from providers.contract import (
    Accepted,
    Found,
    InDoubt,
    Money,
    NotSent,
    Outcome,
    ProviderError,
    Rejected,
)
from providers.exchange import Break, Exchange
from providers.twilio_tables import HTTP_CODES, REFUSED, error_for, fact_for, failure_for

UNREACHABLE = ProviderError(
    "unreachable",
    "Twilio cannot be reached.",
    "Check the internet connection of this machine.",
    retryable=True,
)
SILENT = ProviderError(
    "no_answer", "Twilio did not answer in time.", "It may have been sent: look it up first.", retryable=True
)
BROKEN = ProviderError(
    "connection_broke",
    "The connection to Twilio broke before an answer came.",
    "It may have been sent: look it up first.",
    retryable=True,
)
GARBLED = ProviderError(
    "garbled_answer",
    "Twilio gave an answer that makes no sense.",
    "It may have been sent: look it up first.",
    retryable=True,
)

FAULTS = frozenset({20500, 20503})
"""Twilio's own codes for "it is our fault"."""


def outcome_of(exchange: Exchange, now_ms: int) -> Outcome:
    """What one attempt to send came to. ``now_ms`` turns a ``Retry-After`` that is a date into seconds."""
    if exchange.ended is not None or exchange.status is None:
        return _unanswered(exchange.ended or Break.BROKEN)
    body = fields_of(exchange.text)
    code = number_in(body.get("code"))
    waits = seconds_of(exchange.retry_after, now_ms)
    match exchange.status:
        case status if 200 <= status < 300:
            return _taken(body)
        case status if status == 429 or code == 20429:
            return NotSent(replace(error_for(20429), retry_after_s=waits))
        case status if status >= 500:
            known = error_for(code if code in FAULTS else 20500)
            return InDoubt(replace(known, code=str(code or f"http-{status}"), retry_after_s=waits))
        case status if status >= 400 and status != 408:  # 408: a gateway tired of waiting for Twilio
            return Rejected(refusal(status, code))
        case status:
            return InDoubt(replace(GARBLED, code=f"http-{status}"))


def _taken(body: Mapping[str, Any]) -> Outcome:
    sid = body.get("sid")
    if not isinstance(sid, str) or not sid:
        return InDoubt(GARBLED)
    return Accepted(sid, segments=number_in(body.get("num_segments")) or None, cost=money_in(body))


def refusal(status: int, code: int | None) -> ProviderError:
    """The error of a 4xx answer: by Twilio's own code, else by the status a gateway gave in its place."""
    if code is None:
        code = HTTP_CODES.get(status)
    return error_for(code) if code is not None else replace(REFUSED, code=f"http-{status}")


def _unanswered(how: Break) -> Outcome:
    if how in {Break.UNREACHABLE, Break.SLOW_TO_CONNECT}:
        return NotSent(UNREACHABLE)
    return InDoubt(SILENT if how is Break.SILENT else BROKEN)


def found(message: Mapping[str, Any]) -> Found | None:
    """A message as Twilio shows it now, or None if it is not one."""
    sid, status = message.get("sid"), message.get("status")
    if not isinstance(sid, str) or not sid or not isinstance(status, str):
        return None
    error = failure_for(status, number_in(message.get("error_code")))
    return Found(
        sid,
        fact_for(status, error),
        error,
        segments=number_in(message.get("num_segments")) or None,
        cost=money_in(message),
    )


def fields_of(text: str) -> dict[str, Any]:
    """The fields of a JSON object; none for anything else."""
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def number_in(value: object) -> int | None:
    """A whole number that comes as a number or as text."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        return int(value)
    except ValueError:
        return None


def money_in(message: Mapping[str, Any]) -> Money | None:
    """What a message cost. Twilio writes what we owe with a minus, and nothing until it knows."""
    price, unit = message.get("price"), message.get("price_unit")
    if not isinstance(price, str) or not isinstance(unit, str):
        return None
    try:
        amount = Decimal(price)
    except InvalidOperation:
        return None
    return Money(round(abs(amount) * 1_000_000), unit.upper()) if amount.is_finite() else None


def seconds_of(retry_after: str | None, now_ms: int) -> float | None:
    """The seconds of a ``Retry-After``, which is a number of seconds or a date; None if it is neither."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        at_ms = parsedate_to_datetime(text).timestamp() * 1000
    except ValueError:
        return None
    return max(0.0, (at_ms - now_ms) / 1000)
