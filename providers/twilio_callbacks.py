"""Reading what Twilio calls back with: the signature first, then the form. Pure.

The signature is Twilio's: the full address as it was requested, followed by name and value of every form field
in the order of the names, HMAC-SHA1 with the auth token, base64. It carries no time, so a replay is genuine; the
key of the event makes it a duplicate.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import parse_qs, parse_qsl, urlsplit, urlunsplit

from providers.contract import CallbackBatch, CallbackRefused, CallbackRequest, Channel, Inbound, Receipt
from providers.twilio_answers import number_in
from providers.twilio_tables import INBOUND_STATUSES, fact_for, failure_for

SIGNATURE = "x-twilio-signature"
FORM = "application/x-www-form-urlencoded"
NOTHING_TO_SAY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""The answer to a message from a person: taken, no automatic reply."""

MAX_FIELDS = 500
"""Twilio sends about thirty. More is not Twilio."""

UNSIGNED = CallbackRefused(403, "The callback carries no signature of Twilio.")
FORGED = CallbackRefused(403, "The signature of the callback is not Twilio's for this address.")
UNREADABLE = CallbackRefused(400, "The callback is signed but cannot be read.")


def read_callback(request: CallbackRequest, tokens: Sequence[str]) -> CallbackBatch | CallbackRefused:
    """What a callback says, if one of ``tokens`` signed it for one of the request's addresses."""
    signature = request.headers.get(SIGNATURE, "").strip()
    if not signature:
        return UNSIGNED
    try:
        # Bytes that are no UTF-8 survive as surrogates until the signature is checked, whatever they are.
        text = request.body.decode("utf-8", "surrogateescape")
        pairs = parse_qsl(text, keep_blank_values=True, errors="surrogateescape", max_num_fields=MAX_FIELDS)
    except ValueError:
        return FORGED
    if not is_signed(signature, request.urls, pairs, tokens):
        return FORGED
    content_type = request.headers.get("content-type", "").split(";")[0].strip().casefold()
    if request.method.upper() != "POST" or content_type != FORM:
        return UNREADABLE
    fields = dict(pairs)
    if any(_has_surrogates(part) for pair in pairs for part in pair):
        return UNREADABLE
    return _read(fields, request.query)


def is_signed(
    signature: str, urls: Sequence[str], pairs: Sequence[tuple[str, str]], tokens: Sequence[str]
) -> bool:
    """Whether ``signature`` is Twilio's for one of the addresses. Every candidate is compared in constant time
    and none is skipped, so that the time taken tells nothing."""
    given = signature.encode("utf-8", "surrogateescape")
    form = "".join(name + value for name, value in sorted(set(pairs)))
    genuine = False
    for token in tokens:
        for url in urls:
            for candidate in _spellings(url):
                text = (candidate + form).encode("utf-8", "surrogateescape")
                mac = hmac.new(token.encode(), text, hashlib.sha1).digest()
                genuine |= hmac.compare_digest(base64.b64encode(mac), given)
    return genuine


def _spellings(url: str) -> Iterator[str]:
    """An address with and without its standard port: Twilio is not consistent about it."""
    yield url
    parts = urlsplit(url)
    standard = {"https": 443, "http": 80}.get(parts.scheme)
    if standard is None or "@" in parts.netloc:
        return
    if parts.port is None:
        yield urlunsplit(parts._replace(netloc=f"{parts.netloc}:{standard}"))
    elif parts.port == standard:
        yield urlunsplit(parts._replace(netloc=parts.netloc.rpartition(":")[0]))


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _read(fields: Mapping[str, str], query: str) -> CallbackBatch | CallbackRefused:
    sid = fields.get("MessageSid") or fields.get("SmsSid")
    if not sid:
        return UNREADABLE
    status = (fields.get("MessageStatus") or fields.get("SmsStatus") or "").strip().casefold()
    if "MessageStatus" in fields and status not in INBOUND_STATUSES:
        return CallbackBatch(receipts=(_receipt(sid, status, fields, query),))
    if "From" not in fields or "Body" not in fields:
        return UNREADABLE
    message = inbound_of(sid, fields["From"], fields.get("To", ""), fields["Body"], fields)
    return CallbackBatch(
        inbound=(message,), answer_status=200, answer_body=NOTHING_TO_SAY, answer_type="text/xml"
    )


def inbound_of(sid: str, sender: str, to: str, text: str, detail: Mapping[str, str] | None = None) -> Inbound:
    """A text from somebody, with the same key however we heard of it."""
    return Inbound(
        Channel.SMS,
        sid,
        sender=sender,
        to=to,
        text=text,
        dedupe_key=f"{sid}:received",
        detail=dict(detail or {}),
    )


def _receipt(sid: str, status: str, fields: Mapping[str, str], query: str) -> Receipt:
    code = number_in(fields.get("ErrorCode"))
    error = failure_for(status, code)
    references = parse_qs(query).get("r")
    return Receipt(
        fact_for(status, error),
        provider_id=sid,
        reference=references[0] if references else None,
        dedupe_key=f"{sid}:{status}" + (f":{code}" if code is not None else ""),
        error=error,
        detail=dict(fields),
    )
