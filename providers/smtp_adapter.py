"""E-mail through any mail server that speaks SMTP.

A mail server says that it took a mail and nothing more: no receipts, no replies. What people do with the mail is
learned from their page. Bytes are made by :mod:`providers.smtp_letters`, conversations held by
:mod:`providers.smtp_line` and judged by :mod:`providers.smtp_answers` over :mod:`providers.smtp_tables`.
"""

from __future__ import annotations

from collections.abc import Sequence

from providers.contract import (
    Account,
    CallbackBatch,
    CallbackRefused,
    CallbackRequest,
    CannotSay,
    CheckResult,
    Clock,
    Found,
    Inbound,
    LookUp,
    Mail,
    Money,
    NotFound,
    Outcome,
    Outgoing,
    ProviderError,
    Rejected,
)
from providers.smtp_answers import outcome_of, reason
from providers.smtp_letters import is_address, letter_of
from providers.smtp_line import MailLine
from providers.smtp_tables import CAPABILITIES, NO_SUCH_MAILBOX, NOT_THIS_SENDER

NO_MAIL = ProviderError(
    "content", "This account sends e-mail only.", "Choose another account for this channel."
)


class Smtp:
    """One account at a mail server. See :class:`providers.contract.Provider`."""

    kind = "smtp"
    capabilities = CAPABILITIES

    def __init__(self, account: Account, clock: Clock, line: MailLine) -> None:
        self._name = account.name
        self._from_name = account.settings.get("from_name", "")
        self._bounce_domain = account.settings.get("bounce_domain", "")
        self._signs_in = bool(account.settings.get("username"))
        self._clock = clock
        self._line = line

    def __repr__(self) -> str:
        return f"<Smtp {self._name}>"

    async def send(self, message: Outgoing) -> Outcome:
        """One mail to one recipient. Times out after 3 s without a connection and after 10 s in all."""
        if not isinstance(message.content, Mail):
            return Rejected(NO_MAIL)
        if not is_address(message.to):
            return Rejected(NO_SUCH_MAILBOX.error("address"))
        if not is_address(message.sender):
            return Rejected(NOT_THIS_SENDER.error("sender"))
        letter = letter_of(
            message,
            message.content,
            self._clock.now_ms(),
            from_name=self._from_name,
            bounce_domain=self._bounce_domain,
        )
        talk = await self._line.post(letter)
        return outcome_of(
            letter.message_id, stage=talk.stage, code=talk.code, text=talk.text, ended=talk.ended
        )

    async def look_up(self, question: LookUp) -> Found | NotFound | CannotSay:  # noqa: ARG002 - nobody can be asked
        """Nobody can be asked."""
        return CannotSay("A mail server does not say what became of a mail.")

    async def inbox(self, to: str, since_ms: int) -> Sequence[Inbound] | CannotSay:  # noqa: ARG002
        """It hands mails over and keeps none."""
        return CannotSay("A mail server does not say what came in.")

    def parse_callback(self, request: CallbackRequest) -> CallbackBatch | CallbackRefused:  # noqa: ARG002
        """There are none: whatever comes is from somebody else."""
        return CallbackRefused(403, "A mail server sends no callbacks.")

    def price(self, message: Outgoing, segments: int) -> Money | None:  # noqa: ARG002 - part of the contract
        """Not known: a mail server has no price list."""
        return None

    async def check(self) -> CheckResult:
        """Connect and sign in: proves address, encryption and password. Whether it takes mail from the sender's
        address is seen when one is sent."""
        talk = await self._line.greet()
        if error := reason(talk.stage, talk.code, talk.text, talk.ended):
            return CheckResult(False, error.sentence, error.next_step)
        if self._signs_in:
            return CheckResult(True, "The mail server accepts the user name and password.")
        return CheckResult(True, "The mail server answers.")

    async def close(self) -> None:
        """Close the connections."""
        await self._line.close()
