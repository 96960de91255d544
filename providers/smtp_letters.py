"""An e-mail as it travels: its headers, its bytes and its envelope. Pure, but for the time that is passed in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from providers.contract import Mail, Outgoing

BODY: Final = SMTP.clone(cte_type="7bit")
"""Letters of every script in seven bits: no server has to offer more."""

HEADERS: Final = BODY.clone(max_line_length=998)
"""The longest line there may be (RFC 5322, 2.1.1): a folded address of a page would be spelt in another way."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LEADING_DOT = re.compile(rb"(?m)^\.")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(rf"{_ATOM}(\.{_ATOM})*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
"""An address as mailboxes really have them: no quotes, no comments, no letters beyond ASCII (RFC 5322, 3.2.3)."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail for one recipient. ``return_path`` is where a server sends what comes back; ``data`` is everything
    that is written after the server said that the mail may come, with the last dot."""

    message_id: str
    return_path: str = field(repr=False)
    to: str = field(repr=False)
    data: bytes = field(repr=False)


def message_id(reference: str, sender: str) -> str:
    """The Message-ID of an attempt. A repeat with the same reference has the same one, and counts as one."""
    return f"<{reference}@{sender.rpartition('@')[2]}>"


def is_address(text: str) -> bool:
    """Whether this can stand in a command to a mail server."""
    return _ADDRESS.fullmatch(text) is not None


def letter_of(message: Outgoing, mail: Mail, now_ms: int, *, from_name: str, bounce_domain: str) -> Letter:
    """The mail as it is sent. With a ``bounce_domain`` what comes back names the attempt by its address (VERP)."""
    named = message_id(message.reference, message.sender)
    return Letter(
        named,
        f"bounce+{message.reference}@{bounce_domain}" if bounce_domain else message.sender,
        message.to,
        _data(_whole(message, mail, named, now_ms, from_name)),
    )


def _whole(message: Outgoing, mail: Mail, named: str, now_ms: int, from_name: str) -> EmailMessage:
    whole = EmailMessage(policy=BODY)
    whole["From"] = Address(_line(from_name), addr_spec=message.sender)
    whole["To"] = Address(addr_spec=message.to)
    whole["Subject"] = _line(mail.subject)
    whole["Date"] = datetime.fromtimestamp(now_ms // 1000, UTC)
    whole["Message-ID"] = named
    if mail.opt_out_url:
        whole["List-Unsubscribe"] = f"<{mail.opt_out_url}>"
        if mail.opt_out_url.startswith("https:"):
            whole["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
    whole.set_content(_plain(mail.text))
    # Boundaries of our own: the same mail has the same bytes.
    whole.make_alternative(boundary=f"words-{message.reference}")
    whole.add_alternative(_plain(mail.html), subtype="html")
    if mail.attachments:
        whole.make_mixed(boundary=f"files-{message.reference}")
    for one in mail.attachments:
        kind, _, subtype = one.media_type.partition("/")
        whole.add_attachment(one.data, maintype=kind, subtype=subtype, filename=_line(one.name))
    return whole


def _data(whole: EmailMessage) -> bytes:
    data = _LEADING_DOT.sub(b"..", whole.as_bytes(policy=HEADERS))
    return data + (b".\r\n" if data.endswith(b"\r\n") else b"\r\n.\r\n")


def _plain(text: str) -> str:
    """Without signs that no mail may hold."""
    return _CONTROL.sub("", text).encode("utf-8", "replace").decode()


def _line(text: str) -> str:
    return " ".join(_plain(text).split())
