"""How an account at a mail server is described, asked for and built. What it does: :mod:`providers.smtp_adapter`.

The adapter and the SMTP package are imported when one is built, so that a command that sends nothing does not
wait for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from providers.contract import Account, Clock, Field, Money
from providers.smtp_tables import CAPABILITIES, SCHEMES, Security

if TYPE_CHECKING:
    from providers.smtp_adapter import Smtp

PROTECTED: Final = {name: scheme.security is not Security.NONE for name, scheme in SCHEMES.items()}


class SmtpFactory:
    """One account at a mail server. See :class:`providers.contract.Factory`."""

    kind = "smtp"
    label = "E-mail (SMTP)"
    capabilities = CAPABILITIES
    default_base_url = ""
    schemes = PROTECTED
    fields = (
        Field("base_url", "Address of the mail server (smtp://mail.example.com:587)"),
        Field("username", "User name", required=False),
        Field("password", "Password", secret=True, required=False),
        Field("from_name", "Name that people see as the sender", required=False),
        Field("bounce_domain", "Domain for what comes back", required=False),
    )

    def build(self, account: Account, clock: Clock) -> Smtp:
        """The adapter of this account. Opens no connection."""
        from providers.smtp_adapter import Smtp  # noqa: PLC0415 - the SMTP package
        from providers.smtp_line import MailLine, MailServer  # noqa: PLC0415

        parts = urlsplit(account.base_url)
        scheme = SCHEMES[parts.scheme]
        server = MailServer(
            parts.hostname or "",
            parts.port or scheme.port,
            scheme.security,
            account.settings.get("username", ""),
            account.secrets.get("password", ""),
        )
        return Smtp(account, clock, MailLine(clock, server))

    def price(self, to: str, segments: int) -> Money | None:  # noqa: ARG002 - part of the contract
        """Not known."""
        return None


SMTP = SmtpFactory()
