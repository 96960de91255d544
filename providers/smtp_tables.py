"""What the replies of a mail server mean for an e-mail, as data.

Sources: reply codes from RFC 5321, 4.2; enhanced codes from RFC 3463 and IANA's registry of them; the waits and
the codes that servers give for mailboxes that do not exist from their own published documentation (Postfix,
Exchange Online, Gmail). The sentences are ours: what a server writes beside its code may hold addresses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from providers.contract import Capabilities, Channel, ProviderError

CAPABILITIES = Capabilities(
    Channel.EMAIL,
    delivery=False,
    read=False,
    click=False,
    reply=False,
    cost=False,
    look_up=False,
    # A mail repeated with the same Message-ID is shown once by the mailboxes in wide use.
    idempotency=True,
)


class Security(Enum):
    """How a connection is protected."""

    TLS = "from the first byte"
    STARTTLS = "before anything is said that matters, or not at all"
    NONE = "never"


@dataclass(frozen=True, slots=True)
class Scheme:
    """What the beginning of a mail server's address means."""

    security: Security
    port: int
    """Where it is asked for when the address names no port."""


SCHEMES: Final[dict[str, Scheme]] = {
    "smtps": Scheme(Security.TLS, 465),  # RFC 8314
    "smtp": Scheme(Security.STARTTLS, 587),  # RFC 6409
    # For a relay on the same machine or in the same rack. Said in the address, so that nobody has it by accident.
    "smtp-clear": Scheme(Security.NONE, 25),
}


class Stage(Enum):
    """How far a conversation has come. Only from ``HANDED_OVER`` on can the server have taken the mail."""

    WAITING = "for a free connection"
    CONNECTING = "name, connection, encryption, greeting"
    SIGNING_IN = "user name and password"
    SENDER = "who sends it"
    RECIPIENT = "who it is for"
    CONTENT = "may the mail come"
    HANDED_OVER = "the whole mail is written, to the last dot"


class End(Enum):
    """How a conversation ended without a reply that could be judged."""

    BUSY = "no connection was free in time"
    UNREACHABLE = "no connection"
    SILENT = "no reply in time"
    BROKEN = "the connection broke"
    GARBLED = "a reply that makes no sense"
    NO_ENCRYPTION = "the server offers no encryption"
    CERTIFICATE = "the server cannot prove who it is"
    NO_SIGN_IN = "the server offers no way to sign in that we know"


@dataclass(frozen=True, slots=True)
class _Family:
    """The flags that replies of one kind share."""

    retryable: bool = False
    throttled: bool = False
    bad_address: bool = False
    config: bool = False


TOO_FAST = _Family(retryable=True, throttled=True)
LATER = _Family(retryable=True)
BAD_ADDRESS = _Family(bad_address=True)
ACCOUNT = _Family(config=True)
THIS_ONE = _Family()
"""This mail to this address, for good; the account is fine and so may be the address."""

COME_BACK_S: Final = 300.0
"""Servers that send strangers away once ("greylisting") take the second try after one to five minutes."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one reply means."""

    family: _Family
    sentence: str
    next_step: str
    retry_after_s: float | None = None

    def error(self, code: str) -> ProviderError:
        """The error of this row, called by the server's own code."""
        family = self.family
        return ProviderError(
            code,
            self.sentence,
            self.next_step,
            retryable=family.retryable,
            throttled=family.throttled,
            retry_after_s=self.retry_after_s,
            bad_address=family.bad_address,
            config=family.config,
        )


_CHECK_ADDRESS = "Ask the person or their department for the right address."
_OTHER_WAY = "Reach this person another way."
_BY_ITSELF = "It is tried again by itself."
_ENTER_AGAIN = "Enter them again (callboard provider set NAME), then try them: callboard provider test NAME."
_ASK_SERVER = "Ask whoever runs the mail server to allow it."

NO_SUCH_MAILBOX = Row(BAD_ADDRESS, "There is no mailbox of this address.", _CHECK_ADDRESS)
CLOSED_MAILBOX = Row(BAD_ADDRESS, "The mailbox of this address is closed.", _CHECK_ADDRESS)
FULL_MAILBOX = Row(LATER, "The mailbox is full.", "Reach this person another way meanwhile.")
COME_BACK = Row(LATER, "The mail server asks us to come back in some minutes.", _BY_ITSELF, COME_BACK_S)
NOT_NOW = Row(LATER, "The mail server could not take the mail just now.", _BY_ITSELF)
SLOWER = Row(TOO_FAST, "The mail server asks us to send more slowly.", "It goes out as soon as it may.")
TOO_LARGE = Row(THIS_ONE, "The mail is larger than the mail server takes.", "Send it with fewer files.")
BLOCKED = Row(THIS_ONE, "The mail server of this person refuses our mail.", _OTHER_WAY)
REFUSED = Row(THIS_ONE, "The mail server refused the mail and gives no reason we know.", _OTHER_WAY)
SPAM = Row(THIS_ONE, "The mail server took the mail for one it must not pass on.", _OTHER_WAY)
WRONG_PASSWORD = Row(ACCOUNT, "The mail server does not accept the user name and password.", _ENTER_AGAIN)
PASSWORD_WANTED = Row(ACCOUNT, "The mail server wants a user name and a password.", _ENTER_AGAIN)
NOT_FROM_HERE = Row(ACCOUNT, "The mail server takes no mail from this computer.", _ASK_SERVER)
NOT_THIS_SENDER = Row(
    ACCOUNT,
    "The mail server does not let this account send from its address.",
    "Ask whoever runs the mail server to allow the address, or set the account up with another one.",
)

PLAIN: Final[dict[int, Row]] = {
    421: SLOWER,  # "closing the channel": too many connections, or too many mails on this one
    530: PASSWORD_WANTED,
}
"""Reply codes that mean one thing, whatever enhanced code stands beside them."""

ALWAYS: Final[dict[str, Row]] = {
    "4.3": NOT_NOW,
    "552": TOO_LARGE,
    "5.3.4": TOO_LARGE,
    "5.2.3": TOO_LARGE,
    "4": NOT_NOW,
    "5": REFUSED,
}
"""What a reply means wherever it comes, unless its stage says otherwise."""

_OF_MAILBOX: Final[dict[str, Row]] = {
    "5.1": NO_SUCH_MAILBOX,
    "5.1.7": NOT_THIS_SENDER,
    "5.1.8": NOT_THIS_SENDER,
    "5.2.1": CLOSED_MAILBOX,
    "5.2.2": FULL_MAILBOX,
    "4.2.2": FULL_MAILBOX,
    "5.4.1": NO_SUCH_MAILBOX,  # how Exchange Online refuses whom it does not know
    "4.7": COME_BACK,
    "450": COME_BACK,
    "451": COME_BACK,
}

REPLIES: Final[dict[Stage, dict[str, Row]]] = {
    # Keys, the first that is there counts: enhanced code, its first two numbers, reply code, its first digit; for
    # each of them this table, then the one that always holds.
    Stage.CONNECTING: {"5": NOT_FROM_HERE},
    Stage.SIGNING_IN: {"5": WRONG_PASSWORD},
    Stage.SENDER: {"4.7": SLOWER, "5": NOT_THIS_SENDER},
    Stage.RECIPIENT: {
        **_OF_MAILBOX,
        "5.7": BLOCKED,
        "452": FULL_MAILBOX,
        "552": FULL_MAILBOX,
        "501": NO_SUCH_MAILBOX,
        "550": NO_SUCH_MAILBOX,
        "551": NO_SUCH_MAILBOX,
        "553": NO_SUCH_MAILBOX,
        "554": BLOCKED,
    },
    Stage.CONTENT: {**_OF_MAILBOX, "5.7": SPAM, "550": SPAM, "554": SPAM},
    Stage.HANDED_OVER: {**_OF_MAILBOX, "5.7": SPAM, "550": SPAM, "554": SPAM},
}

_ENHANCED = re.compile(r"\s*([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![0-9.])")


def row_for(stage: Stage, code: int, text: str) -> tuple[Row, str]:
    """What a refusal means, and what it is called. ``code`` is 400 to 599, ``text`` what stands beside it."""
    found = _ENHANCED.match(text)
    enhanced = found[1] if found else ""
    named = f"{code} {enhanced}".strip()
    if code in PLAIN:
        return PLAIN[code], named
    own = REPLIES.get(stage, {})
    keys = (enhanced, enhanced.rpartition(".")[0], str(code), str(code)[0])
    row = next(row for key in keys for table in (own, ALWAYS) if (row := table.get(key)) is not None)
    return row, named


_CONNECTION = "Check the address of the mail server and the internet connection of this machine."
_DOUBT = "It may have been sent."

NOT_TAKEN: Final[dict[End, ProviderError]] = {
    End.BUSY: ProviderError(
        "busy",
        "Every connection to the mail server was in use.",
        _BY_ITSELF,
        retryable=True,
        throttled=True,
    ),
    End.UNREACHABLE: ProviderError(
        "unreachable", "The mail server cannot be reached.", _CONNECTION, retryable=True
    ),
    End.SILENT: ProviderError(
        "no_answer", "The mail server did not answer in time.", _CONNECTION, retryable=True
    ),
    End.BROKEN: ProviderError(
        "connection_broke",
        "The connection broke before the mail server had the mail.",
        _CONNECTION,
        retryable=True,
    ),
    End.GARBLED: ProviderError(
        "garbled_answer",
        "What answers at the address of the mail server makes no sense.",
        "Check the address and the port: callboard provider set NAME --set base_url=smtp://HOST:PORT.",
        retryable=True,
    ),
    End.NO_ENCRYPTION: ProviderError(
        "no_encryption",
        "The mail server offers no encryption on this port.",
        "Use its encrypted port: callboard provider set NAME --set base_url=smtps://HOST:465.",
        config=True,
    ),
    End.CERTIFICATE: ProviderError(
        "certificate",
        "The mail server cannot prove that it is the one that is meant.",
        "Write its name as its certificate has it, or ask whoever runs it.",
        config=True,
    ),
    End.NO_SIGN_IN: ProviderError(
        "no_sign_in",
        "The mail server offers no way to sign in with a password.",
        "Ask whoever runs the mail server which address and port to use.",
        config=True,
    ),
}
"""What it means that a conversation ended before the mail was handed over."""

IN_DOUBT: Final[dict[End, ProviderError]] = {
    End.SILENT: ProviderError(
        "no_answer",
        "The mail server has the whole mail and did not say what it does with it.",
        _DOUBT,
        retryable=True,
    ),
    End.BROKEN: ProviderError(
        "connection_broke",
        "The connection broke when the mail server had the whole mail.",
        _DOUBT,
        retryable=True,
    ),
    End.GARBLED: ProviderError(
        "garbled_answer",
        "The mail server has the whole mail and gave an answer that makes no sense.",
        _DOUBT,
        retryable=True,
    ),
}
"""And after that."""
