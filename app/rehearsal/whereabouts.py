"""Where a running rehearsal takes its orders: a small file in its home, and the orders themselves."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from app.domain.problem import Refused

FILE: Final = "rehearsal.json"

DEMO_FOLDER: Final = "callboard-demo-"
"""What the throw-away home of a demonstration is called, in the system's folder for temporary files."""

PATIENCE_S: Final = 5.0
"""An order is answered by this machine at once, or by nobody."""

NOBODY = ("No rehearsal is running here.", "Start one: callboard demo, or callboard rehearse serve.")


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """The two addresses of a rehearsal carrier."""

    base_url: str
    control_url: str


def leave_note(home: Path, found: Whereabouts) -> None:
    """Write down where the rehearsal of this home is."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    (home / FILE).write_text(
        json.dumps({"base_url": found.base_url, "control_url": found.control_url}), encoding="utf-8"
    )


def withdraw_note(home: Path, found: Whereabouts) -> None:
    """Take the note of a rehearsal that has ended away, unless another one has left its own since."""
    if _read(home / FILE) == found:
        (home / FILE).unlink(missing_ok=True)


def running_at(home: Path) -> Whereabouts | None:
    """The rehearsal that runs in this home, if one does. A note alone proves nothing: its process may be gone."""
    note = _read(home / FILE)
    return note if note is not None and _answers(note) else None


def find(home: Path) -> Whereabouts:
    """The rehearsal of this home, else the newest demonstration of this user that runs. Raises
    :class:`Refused`."""
    for file in (home / FILE, *_demonstrations()):
        note = _read(file)
        if note is not None and _answers(note):
            return note
    raise Refused(*NOBODY)


def _read(file: Path) -> Whereabouts | None:
    try:
        note = json.loads(file.read_text(encoding="utf-8"))
        return Whereabouts(str(note["base_url"]), str(note["control_url"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _answers(where: Whereabouts) -> bool:
    line = _line(where)
    try:
        line.request("HEAD", "/log")
        return line.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        line.close()


def _demonstrations() -> list[Path]:
    """Notes of demonstrations, the newest first; none that another user could have put there."""
    notes = Path(tempfile.gettempdir()).glob(f"{DEMO_FOLDER}*/{FILE}")
    mine = [(one.stat().st_mtime, one) for one in notes if one.parent.stat().st_uid == os.getuid()]
    return [one for _, one in sorted(mine, reverse=True)]


def order(where: Whereabouts, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """Give one order and return the answer's JSON. Raises :class:`Refused` where nobody is there, or for what
    the rehearsal refuses."""
    line = _line(where)
    try:
        line.request(
            method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"}
        )
        answer = line.getresponse()
        said = json.loads(answer.read())
    except (OSError, HTTPException, ValueError):
        raise Refused(*NOBODY) from None
    finally:
        line.close()
    if answer.status >= 400:
        sentence, _, following = str(said.get("error", "")).partition(". ")
        raise Refused(f"{sentence.rstrip('.')}.", following)
    return said


def _line(where: Whereabouts) -> HTTPConnection:
    parts = urlsplit(where.control_url)
    return HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=PATIENCE_S)
