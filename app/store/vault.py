"""Addresses and secrets at rest: encrypted, found by keyed hash, never by looking inside.

Three keys are derived from one master key, so that knowing one says nothing about the others. The master key is
a file only its owner can read, made at first start; without it the addresses in the database cannot be read.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.problem import Refused
from app.store import tables as t
from app.store.engine import Database

KEY_BYTES = 32
NONCE_BYTES = 12
"""AES-GCM's own nonce size (NIST SP 800-38D)."""


class Vault:
    """Encrypts and decrypts with a field's name bound in, so that a cipher cannot be moved to another field."""

    def __init__(self, master: bytes) -> None:
        self._cipher = AESGCM(_derived(master, b"callboard addresses"))
        self._lookup_key = _derived(master, b"callboard look-up")
        self.link_key = _derived(master, b"callboard links")

    def encrypt(self, field: str, text: str) -> bytes:
        """``text`` encrypted for ``field``; two calls never give the same bytes."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text.encode(), field.encode())

    def decrypt(self, field: str, cipher: bytes) -> str:
        """The text. Raises :class:`Refused` when the key file is not the one this was encrypted with."""
        try:
            return self._cipher.decrypt(cipher[:NONCE_BYTES], cipher[NONCE_BYTES:], field.encode()).decode()
        except (InvalidTag, ValueError):  # the latter for what is no cipher at all
            raise Refused(
                "An address cannot be decrypted: the key file does not belong to this database.",
                "Put back the file callboard.key that was made with it.",
            ) from None

    def encrypt_json(self, field: str, value: object) -> bytes:
        return self.encrypt(field, json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    def decrypt_json(self, field: str, cipher: bytes) -> object:
        return json.loads(self.decrypt(field, cipher))

    def lookup(self, address: str) -> str:
        """The keyed hash of a normalised address (E.164, or lower-case e-mail): equality and nothing more."""
        return hmac.new(self._lookup_key, address.strip().lower().encode(), hashlib.sha256).hexdigest()


def _derived(master: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose).derive(master)


async def vault_of(database: Database, key_file: Path) -> Vault:
    """The vault of this database. Its key file is made only while nothing in the database needs another one.

    Raises :class:`Refused` where the key file is missing or damaged.
    """
    if _is_missing(key_file) and await database.reading(_needs_a_key):
        raise Refused(
            f"The key file {key_file} is missing: without it the addresses in this database cannot be read.",
            "Put back the copy that was made with this database. If there is none, begin in an empty folder "
            "(--home DIR) and import the crew list again.",
        )
    return open_vault(key_file)


def _is_missing(key_file: Path) -> bool:
    return not key_file.exists()


async def _needs_a_key(connection: AsyncConnection) -> bool:
    """Whether anything was encrypted, or written down by its keyed hash."""
    for table in (t.accounts, t.contact_points, t.suppressions, t.inbound, t.receipts):
        if (await connection.execute(select(table.c.id).limit(1))).first():
            return True
    return False


def open_vault(key_file: Path) -> Vault:
    """The vault of a key file, which is made (mode 0600) if it is not there. Raises :class:`Refused`."""
    if _is_missing(key_file):
        key_file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
    master = key_file.read_bytes()
    if len(master) != KEY_BYTES:
        raise Refused(
            f"The key file {key_file} is damaged ({len(master)} bytes, not {KEY_BYTES}).",
            "Put back a copy of it; without it the addresses cannot be read.",
        )
    return Vault(master)
