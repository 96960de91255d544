"""Where a running rehearsal takes its orders: a small file in its home, and the orders themselves."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
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


def find(home: Path) -> Whereabouts:
    """The rehearsal of this home, else the newest demonstration of this user. Raises :class:`Refused`."""
    for file in (home / FILE, *_demonstrations()):
        try:
            note = json.loads(file.read_text(encoding="utf-8"))
            return Whereabouts(str(note["base_url"]), str(note["control_url"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    raise Refused(*NOBODY)


def _demonstrations() -> list[Path]:
    """Notes of demonstrations, the newest first; none that another user could have put there."""
    notes = Path(tempfile.gettempdir()).glob(f"{DEMO_FOLDER}*/{FILE}")
    mine = [(one.stat().st_mtime, one) for one in notes if one.parent.stat().st_uid == os.getuid()]
    return [one for _, one in sorted(mine, reverse=True)]


def order(where: Whereabouts, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """Give one order and return the answer's JSON. Raises :class:`Refused` where nobody is there, or for what
    the rehearsal refuses."""
    parts = urlsplit(where.control_url)
    line = HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=PATIENCE_S)
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
