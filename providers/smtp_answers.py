"""Judging what came of a conversation with a mail server: one talk in, one outcome out. Pure."""

from __future__ import annotations

import re
from typing import Final

from providers.contract import Accepted, InDoubt, NotSent, Outcome, ProviderError, Rejected
from providers.smtp_tables import IN_DOUBT, NOT_TAKEN, End, Stage, row_for

_QUEUED_AS: Final = re.compile(r"\bqueued as ([!-~]{4,64})", re.IGNORECASE)
"""How most servers name what they took; their own log has it by this name."""

LONGEST_NAME: Final = 128


def outcome_of(message_id: str, *, stage: Stage, code: int | None, text: str, ended: End | None) -> Outcome:
    """What one attempt to send came to: the server's reply at a stage, or how it ended there without one."""
    if code is not None and _refuses(code):
        row, named = row_for(stage, code, text)
        error = row.error(named)
        return NotSent(error) if code < 500 else Rejected(error)
    if code is not None and 200 <= code <= 299 and stage is Stage.HANDED_OVER:
        return Accepted(_name(message_id, text))
    return _unanswered(stage, ended or End.GARBLED)


def _refuses(code: int) -> bool:
    """Whether this is a no: 4 and 5 are, followed by a digit that SMTP knows (RFC 5321, 4.2.1). A number that only
    looks like one proves nothing."""
    return 400 <= code <= 599 and code // 10 % 10 <= 5


def _unanswered(stage: Stage, ended: End) -> Outcome:
    if stage is Stage.HANDED_OVER:
        return InDoubt(IN_DOUBT.get(ended, IN_DOUBT[End.BROKEN]))
    return NotSent(NOT_TAKEN[ended])


def _name(message_id: str, text: str) -> str:
    """What the mail is called from now on: by the server, else by its Message-ID."""
    found = _QUEUED_AS.search(text)
    return (found[1] if found else message_id)[:LONGEST_NAME]


def reason(stage: Stage, code: int | None, text: str, ended: End | None) -> ProviderError | None:
    """Why the account would not work, or None: the same judgement for a greeting without a mail."""
    if ended is None and code is not None and 200 <= code <= 299:
        return None
    if code is not None and _refuses(code):
        row, named = row_for(stage, code, text)
        return row.error(named)
    return NOT_TAKEN[ended or End.GARBLED]
