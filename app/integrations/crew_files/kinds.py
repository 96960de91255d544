"""What a file really is, from its first bytes: names lie, and a refused file should be called what it is."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import Literal

from app.domain.problem import Problem

Format = Literal["workbook", "cards", "text"]

LARGEST_FILE = 20 * 1024 * 1024
"""Bytes. A crew list of 50,000 people has about 8 MB; what is larger holds pictures."""

LARGEST_UNPACKED = 80 * 1024 * 1024
"""Bytes a workbook may unfold to: a 3,000-row list needs 2 MB, 50,000 rows with 30 columns about 60."""

MOST_PARTS = 1_000
"""Files inside a workbook. A list has a dozen; one with a sheet for each shooting day about 300."""

SAVE_AS = "Open it in a spreadsheet program, save it as .xlsx or .csv, and import that file."
EXPORT = "Ask for the list as a spreadsheet (.xlsx or .csv) and import that file."

EMPTY = Problem("This file is empty.", "Check that the list was saved, and import it again.")
TOO_LARGE = Problem(
    "This file is larger than 20 MB.",
    "Save only the sheet with the crew list, without pictures, and import that.",
)
NOT_TEXT = Problem("This file is not a list of text.", EXPORT)
PASSWORD = Problem(
    "This workbook is protected with a password.",
    "Open it with the password, save it without one, and import it again.",
)
OLD_EXCEL = Problem("This is a workbook in the old Excel format (.xls).", SAVE_AS)
DAMAGED = Problem("This workbook is damaged and cannot be opened.", SAVE_AS)
UNFOLDS = Problem(
    "This workbook unfolds to more than 80 MB.", "Save only the sheet with the crew list and import that."
)


@dataclass(frozen=True, slots=True)
class Beginning:
    """The bytes a kind of file has at ``at``, and what it is called."""

    mark: bytes
    name: str
    next: str = EXPORT
    at: int = 0


BEGINNINGS: tuple[Beginning, ...] = (
    # the marks are those of the file formats' own specifications
    Beginning(b"%PDF", "a PDF document"),
    Beginning(b"\x89PNG\r\n\x1a\n", "a picture"),
    Beginning(b"\xff\xd8\xff", "a picture"),
    Beginning(b"GIF8", "a picture"),
    Beginning(b"II*\x00", "a picture"),
    Beginning(b"MM\x00*", "a picture"),
    Beginning(b"WEBP", "a picture", at=8),
    Beginning(b"ftyp", "a picture or a film", at=4),
    Beginning(b"{\\rtf", "a text document"),
    Beginning(b"<!doctype html", "a web page", SAVE_AS),
    Beginning(b"<html", "a web page", SAVE_AS),
    Beginning(b"<?xml", "an XML document", SAVE_AS),
    Beginning(b"\x1f\x8b", "a compressed file", "Unpack it and import the list that is inside."),
    Beginning(b"Rar!", "a compressed file", "Unpack it and import the list that is inside."),
    Beginning(b"7z\xbc\xaf\x27\x1c", "a compressed file", "Unpack it and import the list that is inside."),
    Beginning(b"SQLite format 3\x00", "a database"),
)
"""Files people pick by mistake. Letters are compared in lower case."""

PARTS: tuple[tuple[str, str, str], ...] = (
    ("xl/workbook.bin", "a binary workbook (.xlsb)", SAVE_AS),
    ("word/document.xml", "a Word document", EXPORT),
    ("ppt/presentation.xml", "a presentation", EXPORT),
    ("Index/Document.iwa", "a Numbers or Pages document", "Export it as Excel or CSV and import that file."),
    ("content.xml", "an OpenDocument file", SAVE_AS),
    ("", "a zip archive", "Unpack it and import the list that is inside."),
)
"""What else comes as a zip archive: the part that gives it away, what it is called, what to do."""

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""The container of old Office files, and of encrypted new ones ([MS-CFB])."""


def format_of(data: bytes) -> Format | Problem:
    """How to read ``data``, or why it cannot be a crew list. Any bytes are allowed."""
    if not data.strip(b"\x00 \t\r\n\xef\xbb\xbf\xfe\xff"):
        return EMPTY
    if len(data) > LARGEST_FILE:
        return TOO_LARGE
    if data.startswith(OLE):
        return PASSWORD if "EncryptedPackage".encode("utf-16-le") in data else OLD_EXCEL
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archive(data)
    start = data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for beginning in BEGINNINGS:
        if start.startswith(beginning.mark.lower(), beginning.at) or (
            data.startswith(beginning.mark, beginning.at)
        ):
            return Problem(f"This is {beginning.name}, not a list.", beginning.next)
    # a card from a phone may be in UTF-16
    return "cards" if start.replace(b"\x00", b"").lstrip(b"\xff\xfe").startswith(b"begin:vcard") else "text"


def _archive(data: bytes) -> Format | Problem:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except Exception:  # a hostile archive makes this library raise nearly anything
        return DAMAGED
    # the sizes are the archive's own words; reading stops at them, so a lie only makes the part damaged
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
        return UNFOLDS
    names = {part.filename for part in parts}
    if "xl/workbook.xml" in names:
        return PASSWORD if any(part.flag_bits & 1 for part in parts) else "workbook"
    for part, name, next_step in PARTS:
        if not part or part in names:
            return Problem(f"This is {name}, not a list.", next_step)
    return DAMAGED
