"""Where the outside world reaches us: the base of callback addresses and of links in texts."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """The configured public address, and recent ones that callbacks may still be signed for.

    ``base`` is empty where nothing can reach us; ``stable`` says that it will still lead here tomorrow: only
    then a link goes into a text.
    """

    base: str = ""
    stable: bool = False
    recent: Sequence[str] = ()

    def callback_url(self, account: str, reference: str) -> str | None:
        """Where the provider tells us what became of the attempt with this reference."""
        return f"{self.base}/hooks/{account}?r={reference}" if self.base else None

    def link(self, token: str) -> str | None:
        """The crew page's address, or None where it must not be promised."""
        return f"{self.base}/m/{token}" if self.base and self.stable else None

    def candidates(self, path_and_query: str) -> list[str]:
        """Every address a provider may have signed for a request to this path and raw query."""
        return [f"{base}{path_and_query}" for base in (self.base, *self.recent) if base]


def is_loopback(url: str) -> bool:
    """Whether an address leads to this machine and nowhere else."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
