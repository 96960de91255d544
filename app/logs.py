"""The log: one rotating file in the home folder, a JSON line an event, without numbers, addresses or secrets.

In the terminal nothing is written to the screen but by the terminal itself.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import re
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, TextIO

import structlog

ROTATE_BYTES = 5 * 1024 * 1024
KEPT_FILES = 3

SILENT = ("twilio", "aiohttp", "uvicorn", "sqlalchemy", "alembic", "asyncio", "aiosqlite")
"""Libraries whose own lines may carry message texts and numbers."""

_SECRET_NAMES = re.compile(
    r"(token|secret|password|authorization|cipher|address|phone|email|text|body)", re.I
)
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IP = rf"{_OCTET}(?:\.{_OCTET}){{3}}(?!\.?\d)"
_PORT = r":\d{1,5}(?!\d)"
_PLACE = "|".join(
    (
        rf"(?<=://){_IP}(?:{_PORT})?",
        rf"(?<![\w.+()-]){_IP}{_PORT}",
        r"(?<![\w.+()-])(?:127\.0\.0\.\d|0\.0\.0\.0)(?!\.?\d)",
    )
)
_PHONE = r"\+?\d[\d\s().-]{6,}\d"
_PLACE_OR_PHONE = re.compile(rf"(?P<place>{_PLACE})|{_PHONE}")
"""Where a machine listens may be told, and looks like a number: "20.12.34.56" alone is a phone number in Denmark.
So it counts as a machine's only where it stands in a web address or before a port, or is this machine itself."""
_EMAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+")


def redacted(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take out what must not stand in a log, whatever was passed."""
    for name, value in list(event.items()):
        if name in ("timestamp", "level", "event"):
            continue
        if _SECRET_NAMES.search(name):
            event[name] = "…"
        elif isinstance(value, str):
            event[name] = _EMAIL.sub("…@…", _PLACE_OR_PHONE.sub(lambda found: found["place"] or "…", value))
    return event


def configure(file: Path | None, stream: TextIO | None = None) -> None:
    """Send the log to ``file`` (rotated), and to ``stream`` for a server. The file it went to before is closed."""
    handlers: list[logging.Handler] = []
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(
            logging.handlers.RotatingFileHandler(
                file, maxBytes=ROTATE_BYTES, backupCount=KEPT_FILES, encoding="utf-8", delay=True
            )
        )
    if stream is not None:
        handlers.append(logging.StreamHandler(stream))
    root = logging.getLogger("callboard")
    for handler in root.handlers:
        handler.close()
    root.handlers = handlers or [logging.NullHandler()]
    root.setLevel(logging.INFO)
    root.propagate = False
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redacted,
            structlog.processors.JSONRenderer(serializer=json.dumps, ensure_ascii=False, default=str),
        ],
        logger_factory=lambda *_: root,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=False,
    )


def note_mistake(error: Exception) -> Path | None:
    """Write an error that nobody expected into the log, with where it happened. Returns the file, or None where
    there is no log yet."""
    handlers = logging.getLogger("callboard").handlers
    files = [one.baseFilename for one in handlers if isinstance(one, logging.FileHandler)]
    if not files:
        return None
    structlog.get_logger(__name__).error("mistake", exc_info=error)
    return Path(files[0])


def configure_server(file: Path) -> None:
    """For ``serve``: the file, and JSON lines on standard error."""
    configure(file, sys.stderr)
