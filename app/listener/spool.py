"""The spool: where callbacks wait on disk while the database takes no writes. Nothing that arrived is lost."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import structlog

from app.domain.problem import Refused
from app.store.receipts import Incoming
from app.store.vault import Vault
from providers.contract import Channel, Fact, Inbound, ProviderError

SPOOLED = "spool"
"""The field name lines are encrypted for."""

UNREADABLE = ".unreadable"
"""How the name ends of a file that was set aside."""

NOT_OURS = (Refused, ValueError, KeyError, TypeError)
"""What reading a file raises that is cut, damaged, or was made with another key."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Spooled:
    """One callback as it waits: its receipts, and its inbound messages with their account."""

    receipts: tuple[Incoming, ...] = ()
    inbound: tuple[tuple[int, Inbound], ...] = ()


class Spool:
    """A folder of encrypted lines, one file a callback, in the order of arrival."""

    def __init__(self, folder: Path, vault: Vault) -> None:
        self._folder = folder
        self._vault = vault
        self._count = 0

    def keep(self, spooled: Spooled, now_ms: int) -> None:
        """Write one callback to disk; on the disk when this returns. Raises :class:`OSError` if that fails too."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._count += 1
        name = f"{now_ms:015d}-{os.getpid()}-{self._count:06d}"
        part = self._folder / f"{name}.part"
        with part.open("wb") as file:
            file.write(self._vault.encrypt(SPOOLED, json.dumps(_plain(spooled))))
            file.flush()
            os.fsync(file.fileno())
        part.rename(self._folder / f"{name}.callback")
        _sync(self._folder)

    def waiting(self) -> Iterator[tuple[Path, Spooled]]:
        """What waits, oldest first. The caller removes each file once it is stored.

        A file that cannot be read is set aside under its name with ``.unreadable``, so that those behind it are
        not held up. Raises :class:`OSError` if the disk gives nothing out.
        """
        if not self._folder.is_dir():
            return
        for path in sorted(self._folder.glob("*.callback")):
            content = path.read_bytes()
            try:
                spooled = _read(json.loads(self._vault.decrypt(SPOOLED, content)))
            except NOT_OURS as error:
                log.error(
                    "a callback in the spool cannot be read", file=path.name, error=type(error).__name__
                )
                path.rename(path.with_suffix(UNREADABLE))
                continue
            yield path, spooled

    def unreadable(self) -> int:
        """How many files were set aside."""
        return len(list(self._folder.glob(f"*{UNREADABLE}")))


def _sync(folder: Path) -> None:
    """Put the folder itself on the disk: without it a file that is there may have no name after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _plain(spooled: Spooled) -> dict[str, Any]:
    return {
        "receipts": [
            {
                **asdict(one),
                "error": asdict(one.error) if one.error else None,
                "raw": base64.b64encode(one.raw).decode(),
            }
            for one in spooled.receipts
        ],
        "inbound": [
            [account, {**asdict(one), "detail": dict(one.detail)}] for account, one in spooled.inbound
        ],
    }


def _read(plain: dict[str, Any]) -> Spooled:
    return Spooled(
        receipts=tuple(
            Incoming(
                **{
                    **one,
                    "fact": Fact(one["fact"]),
                    "error": ProviderError(**one["error"]) if one["error"] else None,
                    "raw": base64.b64decode(one["raw"]),
                }
            )
            for one in plain["receipts"]
        ),
        inbound=tuple(
            (account, Inbound(**{**one, "channel": Channel(one["channel"])}))
            for account, one in plain["inbound"]
        ),
    )
