"""Lists saved as text: comma, semicolon, tab or bar between the cells, in the encodings that programs write."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice

from app.domain.crew_headers import known_columns
from app.domain.crew_table import Table, TableRow
from app.domain.problem import Problem
from app.integrations.crew_files.kinds import EXPORT, NOT_TEXT

MOST_ROWS = 50_000
"""Rows with something in them. The largest crews have some thousand people."""

MOST_COLUMNS = 200
"""Cells of a row that are looked at: spreadsheets are often "used" out to their last column."""

LONGEST_CELL = 100_000
"""Characters. The longest cell of Excel has 32,767; more means that a quotation mark was never closed."""

LOOKED_AT = 200
"""Rows that are read to find out what stands between the cells: titles and addresses may come first."""

SEPARATORS = ",;\t|"

TOO_MANY_ROWS = Problem(
    "This file has more than 50,000 rows.",
    "Import the crew list of one production, without other sheets or lists.",
)

ENOUGH_LETTERS = 20_000
"""Letters with accents that are looked at to tell two encodings apart."""

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")

ODD_BYTES = (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")
"""Bytes that Windows-1252 leaves empty; in Mac Roman they are Å, ç, è, ê and ù."""


def decode(data: bytes) -> tuple[str, str | None] | Problem:
    """The text of ``data``, and the name of its encoding where that was a guess.

    UTF-8 and UTF-16 are recognised; else the text is from Windows or from an old Macintosh, whichever gives
    words that look like names.
    """
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
    ):
        if data.startswith(mark):
            return _readable(data[len(mark) :].decode(encoding, errors="replace"), None)
    head = data[:4096]
    if (zeros := head.count(0)) > len(head) // 4:
        # Latin text in UTF-16 without a mark: every second byte is zero
        encoding = "utf-16-be" if head[::2].count(0) > zeros // 2 else "utf-16-le"
        return _readable(data.decode(encoding, errors="replace"), None)
    try:
        return _readable(data.decode("utf-8"), None)
    except UnicodeDecodeError:
        pass
    mac = data.decode("mac_roman")
    windows = data.decode("cp1252", errors="replace")
    if any(byte in data for byte in ODD_BYTES) or _odd_places(mac) < _odd_places(windows):
        return _readable(mac, "Mac Roman")
    return _readable(windows, "Windows-1252")


def _readable(text: str, guess: str | None) -> tuple[str, str | None] | Problem:
    """Text with more than a few stray control characters in it is no text at all."""
    sample = text[:20_000]
    controls = sum(character < " " and character not in "\t\n\r\f\v\x1a" for character in sample)
    broken = sample.count("\ufffd")
    return NOT_TEXT if (controls + broken) * 50 > len(sample) + 200 else (text, guess)


def _odd_places(text: str) -> int:
    """How many letters and marks stand where no language puts them: a wrong encoding makes many."""
    odd = 0
    for found in islice(_NOT_ASCII.finditer(text), ENOUGH_LETTERS):
        place = found.start()
        before, here, after = text[place - 1 : place], found[0], text[place + 1 : place + 2]
        if here.isalpha():
            # a capital inside a word ("JosÈ")
            odd += here.isupper() and before.islower()
        else:
            # a sign inside a word ("Pe–a"); an apostrophe or a hyphen belongs there
            odd += before.isalpha() and after.isalpha() and here not in "’‐‑·"
            odd += here in "‰¶†‡•√∫∆∂∏∑Ω≈≠≤≥◊\uf8ff¬¤¦"
    return odd


def read_text_table(data: bytes, *, tabs: bool = False) -> Table | Problem:
    """The rows of a text file. A file whose quotation marks do not fit is refused, with the row.

    ``tabs``: the file calls itself tab-separated, which decides where its rows do not tell.
    """
    decoded = decode(data)
    if isinstance(decoded, Problem):
        return decoded
    text, guess = decoded
    text = text.lstrip("\ufeff").replace("\x00", "").rstrip("\x1a")
    separator, text = _named_separator(text)
    separator = separator or _likely_separator(text, tabs)
    rows: list[TableRow] = []
    problem = _collect(text, separator, rows)
    if problem is not None:
        return problem
    note = f"The letters were read as {guess}: look at names with accents." if guess else None
    return Table(tuple(rows), notes=(note,) if note else ())


def _named_separator(text: str) -> tuple[str | None, str]:
    """Excel's own first line "sep=;" is an instruction, not a row."""
    first, _, rest = text.partition("\n")
    instruction = first.strip().strip('"').casefold()
    if instruction.startswith("sep=") and len(first.strip('\r\n"')) <= 5:
        return first.strip('\r\n"')[4:] or None, rest
    return None, text


def _likely_separator(text: str, tabs: bool) -> str:
    """The separator that makes the most headings we know; else the one that makes the most even columns."""
    beginning = text[:200_000]

    def score(separator: str) -> tuple[int, bool, int]:
        rows = [row for row in islice(_records(beginning, separator), LOOKED_AT) if row]
        widths = [len(row) for row in rows]
        common = max(set(widths), key=widths.count, default=0)
        known = max((known_columns(row[:MOST_COLUMNS]) for row in rows), default=0)
        return known, tabs and separator == "\t", common

    return max(SEPARATORS, key=score)


def _records(text: str, separator: str) -> Iterator[list[str]]:
    """The records of ``text``; ends early where the csv module cannot go on."""
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    except csv.Error:
        return


def _collect(text: str, separator: str, rows: list[TableRow]) -> Problem | None:
    """Fill ``rows``. A last record of our own shows whether the last quotation mark was closed."""
    if problem := _too_long(text):
        return problem
    end = "\x00end of the list\x00"
    whole = text if text.endswith(("\n", "\r")) else text + "\n"
    width = 0
    number = 0
    last: list[str] = []
    for number, record in enumerate(_records(whole + end, separator), start=1):
        last = record
        if record == [end]:
            return None
        if width and _holds_rows(record, separator, width):
            return _unclosed(number)
        if any(cell.strip() for cell in record):
            width = max(width, sum(bool(cell.strip()) for cell in record))
            rows.append(TableRow(number, tuple(record[:MOST_COLUMNS])))
            if len(rows) > MOST_ROWS:
                return TOO_MANY_ROWS
    return _unclosed(number if any(end in cell for cell in last) else number + 1)


def _too_long(text: str) -> Problem | None:
    """A cell longer than any of a list, where no quotation mark can have swallowed the rows after it."""
    if len(text) <= LONGEST_CELL or '"' in text:
        return None
    for number, line in enumerate(text.splitlines(), start=1):
        if len(line) > LONGEST_CELL:
            longest = max(len(cell) for cell in re.split(f"[{SEPARATORS}]", line))
            if longest > LONGEST_CELL:
                return Problem(f"Row {number} has a cell of {longest:,} characters: this is no list.", EXPORT)
    return None


def _holds_rows(record: list[str], separator: str, width: int) -> bool:
    """Whether a cell has swallowed whole rows: one of its lines has as many separators as a row.

    In a list of two columns every line before the last must have one, because names have commas too.
    """
    for cell in record:
        if len(cell) > LONGEST_CELL:
            return True
        if "\n" not in cell and "\r" not in cell:
            continue
        like_rows = [line.count(separator) >= width - 1 for line in cell.splitlines()]
        if width > 2 and any(like_rows):
            return True
        if width == 2 and all(like_rows[:-1]):
            return True
    return False


def _unclosed(number: int) -> Problem:
    return Problem(
        f"A quotation mark that opens in row {number} is never closed.",
        "Take that mark away, or save the list as .xlsx, and import it again.",
    )
