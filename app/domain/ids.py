"""Names of things: public ids, codes people can say, references and link tokens.

Keys inside the database are integers and never leave it. Randomness and time are passed in.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Base 32 without I, L, O and U: nothing that is misheard or misread. (ULID specification.)"""

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

RandomBytes = Callable[[int], bytes]

LINK_TOKEN_LENGTH = 16
"""16 base-62 characters: 95 bits, short enough for a text."""


def _encode(number: int, alphabet: str, length: int) -> str:
    base = len(alphabet)
    digits = []
    for _ in range(length):
        number, digit = divmod(number, base)
        digits.append(alphabet[digit])
    return "".join(reversed(digits))


def ulid(now_ms: int, random_bytes: RandomBytes) -> str:
    """A public id: 48 bits of time, 80 random bits, 26 characters that sort by time."""
    number = (now_ms << 80) | int.from_bytes(random_bytes(10), "big")
    return _encode(number, CROCKFORD, 26)


def message_code(number: int) -> str:
    """The short code of the n-th message of a production, counted from 1: ``M-0001`` … ``M-ZZZZ`` and on.

    Consecutive numbers give codes that do not look alike, so that two messages of one evening are not mixed up
    on the phone; every number below 32**4 has a code of its own.
    """
    room = 32**4
    lap, place = divmod(number, room)
    scattered = (place * 279_481 + 13_127) % room  # odd factor: a permutation of all places
    return f"M-{_encode(scattered, CROCKFORD, 4)}" + (f"{lap + 1}" if lap else "")


def attempt_reference(random_bytes: RandomBytes) -> str:
    """A random 80-bit reference of one attempt, safe in any address: 16 characters of base 32, lower case."""
    return _encode(int.from_bytes(random_bytes(10), "big"), CROCKFORD, 16).lower()


def link_token(link_key: bytes, delivery_id: int, generation: int = 1) -> str:
    """The token of ``/m/<token>``: the same delivery and generation always give the same one, so that a retry
    renders the same bytes."""
    digest = hmac.new(link_key, f"{delivery_id}:{generation}".encode(), hashlib.sha256).digest()
    return _encode(int.from_bytes(digest[:16], "big"), BASE62, LINK_TOKEN_LENGTH)


def is_link_token(text: str) -> bool:
    """Whether ``text`` has the shape of a link token. Anybody can write to the public address, at any length."""
    return len(text) == LINK_TOKEN_LENGTH and all(one in BASE62 for one in text)


def token_hash(token: str) -> str:
    """What is stored of a token. A token has 95 random bits: a plain hash cannot be searched."""
    return hashlib.sha256(token.encode()).hexdigest()
