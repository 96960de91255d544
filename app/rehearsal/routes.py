"""Where an address of the rehearsal really leads: always to this machine.

The demo invents a public https host so that texts hold real links and callbacks are signed for a real address.
The carrier and the people's phones reach it through this table. Whatever is neither in the table nor on this
machine is refused: a rehearsal never talks to the outside.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit


class OutsideError(Exception):
    """Somebody asked for an address that is not on this machine."""


def local_url(url: str, routes: Mapping[str, str]) -> str:
    """The address on this machine that stands for ``url``, with its path and query untouched.

    ``routes`` maps a public origin (scheme, host and port, no path) to one on this machine.
    Raises :class:`OutsideError` if it would lead elsewhere.
    """
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    target = urlsplit(routes.get(origin, origin).rstrip("/"))
    if target.scheme not in {"http", "https"} or not _is_loopback(target.hostname or ""):
        raise OutsideError("This address is not on this machine: a rehearsal does not talk to the outside.")
    return urlunsplit((target.scheme, target.netloc, parts.path or "/", parts.query, ""))


def public_host(url: str) -> str:
    """The host (and port) of the public address: what a tunnel hands on as Host."""
    return urlsplit(url).netloc


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
