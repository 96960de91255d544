"""One engine per database: whoever holds the lease sends; everybody else looks on.

For a SQLite file the lease is a lock of the operating system beside it. It is gone the moment its process is,
however that ended, and no clock is asked: a machine that slept for three hours still holds it.
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.domain.problem import Problem

SUFFIX = ".engine"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a lease: what it is in two words, and its process (0 where the note of it cannot be read)."""

    what: str
    process: int

    def __str__(self) -> str:
        return f"{self.what}, process {self.process}" if self.process else self.what


def sends_already(holder: object) -> Problem:
    """Why this process does not send as well; ``holder`` names the one that does."""
    return Problem(
        f"Another Callboard is sending from this database already ({holder}).",
        "Use that one; this one shows everything and sends nothing.",
    )


class FileLease:
    """The lease of one SQLite file."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + SUFFIX)
        self._file: IO[str] | None = None

    def take(self, what: str) -> Problem | None:
        """Take the lease for this process, ``what`` it is in two words. A problem says who has it."""
        file = self._path.open("a+")
        if not _locked(file):
            file.seek(0)
            holder = _holder(file.read())
            file.close()
            return sends_already(holder)
        file.seek(0)
        file.truncate()
        file.write(json.dumps({"process": os.getpid(), "what": what}))
        file.flush()
        self._file = file
        return None

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    @property
    def held(self) -> bool:
        return self._file is not None


GLANCES = 20_000
"""Somebody who only looks whether the lease is taken holds it for a moment, on a busy machine for several
milliseconds: that must not count. So many tries take some tens of milliseconds, once, at a start."""


def _locked(file: IO[str]) -> bool:
    for _ in range(GLANCES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.sched_yield()
        else:
            return True
    return False


def _holder(text: str) -> Holder:
    try:
        holder = json.loads(text)
        return Holder(str(holder["what"]), int(holder["process"]))
    except (ValueError, KeyError, TypeError):
        return Holder("another process", 0)


def holder(database: Path) -> Holder | None:
    """Who holds the lease of this file now, or None. Looking needs no right to write, and makes no file."""
    try:
        file = database.with_name(database.name + SUFFIX).open()
    except FileNotFoundError:
        return None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return _holder(file.read())
    return None


def is_taken(database: Path) -> bool:
    """Whether any process holds the lease of this file now."""
    return holder(database) is not None
