"""Address-book cards (vCard 2.1, 3.0 and 4.0): one file, many cards, read as rows of one table.

Read here and not by a library: the pattern of the one at hand takes time that doubles with every "=" in a
broken line, and one unreadable line costs it the whole card.
"""

from __future__ import annotations

import quopri
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.domain.crew_table import RowProblem, Table, TableRow, clean, shown
from app.domain.problem import Problem
from app.integrations.crew_files.text_tables import MOST_ROWS, TOO_MANY_ROWS, decode

LONGEST_LINE = 10_000
"""Characters of an unfolded line that are looked at. Only pictures and sounds are longer."""

NO_END = "This card has no end."
NO_NAME = "This card has no name."
NOT_A_LINE = "This line of the card cannot be read."
OUTSIDE = "This stands between two cards and belongs to none."

_LINE = re.compile(r'(?:([A-Za-z0-9-]+)\.)?([A-Za-z0-9_-]+)((?:;(?:[^":;]|"[^"]*")*)*):(.*)', re.DOTALL)
"""group . name ; parameters : value (RFC 6350, section 3.3)"""
_PARAMETER = re.compile(r';((?:[^":;]|"[^"]*")*)')

COLUMNS = (
    "Name", "Department", "Position", "Mobile", "Phone", "Home Phone", "Work Phone", "Fax", "E-mail",
    "Language", "Time Zone",
)  # fmt: skip
"""The headings of the table, which the reader of crew lists knows (a fax number it reports as not read)."""

TELEPHONE: tuple[tuple[frozenset[str], str], ...] = (
    # the types of RFC 2426 and RFC 6350, and the labels phones write; the first that fits counts
    (frozenset({"fax", "homefax", "workfax", "pager"}), "Fax"),
    (frozenset({"cell", "mobile", "iphone", "text", "msg", "car"}), "Mobile"),
    (frozenset({"home"}), "Home Phone"),
    (frozenset({"work"}), "Work Phone"),
)

TECHNICAL = frozenset(
    {"version", "prodid", "rev", "uid", "photo", "logo", "sound", "key", "source", "kind", "sort-string", "class",
     "mailer", "label", "begin", "end", "profile", "agent", "clientpidmap", "xml", "n", "fn", "tel", "email", "org",
     "title", "role", "lang", "tz"}
)  # fmt: skip
"""Properties that are read, or that say nothing about the person: all others are named in a note."""


@dataclass(slots=True)
class _Property:
    name: str
    group: str
    types: frozenset[str]
    value: str


@dataclass(slots=True)
class _Card:
    number: int
    lines: list[str] = field(default_factory=list)
    ended: bool = False


def read_cards(data: bytes) -> Table | Problem:
    """The cards as a table: row 0 holds the headings, the row numbers are the numbers of the cards.

    A card without an end or a name is rejected; a line that cannot be read is a warning, and the card is kept.
    """
    decoded = decode(data)
    if isinstance(decoded, Problem):
        return decoded
    text, guess = decoded
    warnings: list[RowProblem] = []
    rejected: list[RowProblem] = []
    unread: dict[str, None] = {}
    people: list[tuple[int, dict[str, list[str]]]] = []
    for card in _cards(text, warnings):
        if card.number > MOST_ROWS:
            return TOO_MANY_ROWS
        properties = list(_properties(card, warnings))
        cells = _cells(properties)
        unread |= dict.fromkeys(one.name.upper() for one in properties if _is_unread(one.name))
        if not card.ended:
            rejected.append(RowProblem(card.number, "END", _about(card, cells), NO_END))
        elif not cells["Name"]:
            rejected.append(RowProblem(card.number, "FN", _about(card, cells), NO_NAME))
        else:
            people.append((card.number, cells))
    notes = [f"The letters were read as {guess}: look at names with accents."] if guess else []
    if unread:
        notes.append(f"Not read from the cards: {', '.join(shown(name) for name in list(unread)[:20])}.")
    return Table(_table(people), tuple(rejected), tuple(warnings), tuple(notes))


def _table(people: list[tuple[int, dict[str, list[str]]]]) -> tuple[TableRow, ...]:
    """As many columns of each heading as the card with the most values needs."""
    wide = {heading: max((len(cells[heading]) for _, cells in people), default=0) for heading in COLUMNS}
    headings = tuple(
        heading for heading in COLUMNS for _ in range(max(wide[heading], heading in {"Name", "Phone"}))
    )
    rows = [TableRow(0, headings)]
    for number, cells in people:
        row: list[str] = []
        for heading in dict.fromkeys(headings):
            values = cells[heading]
            row += values + [""] * (headings.count(heading) - len(values))
        rows.append(TableRow(number, tuple(row)))
    return tuple(rows)


def _cards(text: str, warnings: list[RowProblem]) -> Iterator[_Card]:
    card: _Card | None = None
    number = 0
    for line in _unfolded(text):
        mark = line.strip().casefold().replace(" ", "")
        if mark == "begin:vcard":
            if card is not None:
                yield card
            number += 1
            card = _Card(number)
        elif mark == "end:vcard" and card is not None:
            card.ended = True
            yield card
            card = None
        elif card is not None:
            card.lines.append(line)
        elif line.strip():
            warnings.append(RowProblem(number, "", shown(line), OUTSIDE))
    if card is not None:
        yield card


def _unfolded(text: str) -> Iterator[str]:
    """Logical lines: continuations begin with a space (3.0, 4.0) or follow a "=" of quoted-printable (2.1).

    A picture of version 2.1 may go on without any mark until an empty line; it is left out.
    """
    parts: list[str] = []
    in_picture = False
    for line in re.split(r"\r\n|\r|\n", text):
        before = parts[-1] if parts else ""
        quoted = before.endswith("=") and "quoted-printable" in parts[0][:200].casefold()
        if quoted:
            parts[-1] = before[:-1]
            parts.append(line)
            continue
        if line[:1] in {" ", "\t"} and parts:
            parts.append(line[1:])
            continue
        if in_picture and line.strip() and _LINE.match(line[:LONGEST_LINE]) is None:
            continue
        if parts:
            yield "".join(parts)[:LONGEST_LINE]
        parts = [line]
        parameters = line.partition(":")[0].casefold()
        in_picture = "base64" in parameters or "encoding=b" in parameters
    yield "".join(parts)[:LONGEST_LINE]


def _properties(card: _Card, warnings: list[RowProblem]) -> Iterator[_Property]:
    for line in card.lines:
        if not line.strip():
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            warnings.append(RowProblem(card.number, "", shown(line), NOT_A_LINE))
            continue
        group, name, parameters, value = found.groups()
        named: dict[str, list[str]] = defaultdict(list)
        for parameter in _PARAMETER.findall(parameters):
            key, equals, text = parameter.partition("=")
            # version 2.1 writes the value alone: TEL;CELL:
            named[key.strip().casefold() if equals else "type"].append((text if equals else key).strip('" '))
        types = {one.strip('" ').casefold() for text in named["type"] for one in text.split(",")}
        encodings = {text.casefold() for text in named["encoding"]} | types
        if "quoted-printable" in encodings:
            value = _unquoted_printable(value, next(iter(named["charset"]), "utf-8"))
        yield _Property(name.casefold().replace("_", "-"), (group or "").casefold(), frozenset(types), value)


def _unquoted_printable(value: str, charset: str) -> str:
    data = quopri.decodestring(value.encode("utf-8", errors="replace"))
    try:
        return data.decode(charset)
    except (LookupError, UnicodeError):
        return data.decode("utf-8", errors="replace")


def _parts(value: str, separator: str) -> list[str]:
    """``value`` cut at separators that no backslash protects, with the protected characters restored."""
    parts = re.split(rf"(?<!\\){separator}", value)
    return [_plain(part) for part in parts]


def _plain(value: str) -> str:
    return clean(
        re.sub(r"\\(.)", lambda escaped: " " if escaped[1] in "nN" else escaped[1], value, flags=re.DOTALL)
    )


def _cells(properties: list[_Property]) -> dict[str, list[str]]:
    """What a card says, by heading. Empty values do not count."""
    labels = {one.group: _label(one.value) for one in properties if one.name == "x-ablabel" and one.group}
    cells: dict[str, list[str]] = {heading: [] for heading in COLUMNS}

    def put(heading: str, value: str) -> None:
        if value and value not in cells[heading]:
            cells[heading].append(value)

    for one in properties:
        match one.name:
            case "tel":
                words = one.types | {labels.get(one.group, "")}
                heading = next((name for kinds, name in TELEPHONE if kinds & words), "Phone")
                put(heading, _plain(one.value))
            case "email":
                put("E-mail", _plain(one.value))
            case "lang":
                put("Language", _plain(one.value))
            case "tz" if "/" in one.value:
                # an offset such as -08:00 is no zone: it does not know summer time
                put("Time Zone", _plain(one.value))
    for heading, value in (
        ("Name", _name(properties)),
        ("Department", _department(properties)),
        ("Position", _first(properties, "title") or _first(properties, "role")),
    ):
        put(heading, value)
    for heading in ("Language", "Time Zone"):
        cells[heading] = cells[heading][:1]
    return cells


def _label(value: str) -> str:
    """A label of Apple's address book: "_$!<Mobile>!$_" is one of its own, any other a person's word."""
    return value.removeprefix("_$!<").removesuffix(">!$_").casefold()


def _first(properties: list[_Property], name: str) -> str:
    return next((text for one in properties if one.name == name and (text := _plain(one.value))), "")


def _name(properties: list[_Property]) -> str:
    """The name as the card displays it, else put together: prefix, given, additional, family, suffix."""
    if shown_name := _first(properties, "fn"):
        return shown_name
    for one in properties:
        if one.name == "n":
            family, given, additional, prefix, suffix = (*_parts(one.value, ";"), *[""] * 5)[:5]
            return " ".join(part for part in (prefix, given, additional, family, suffix) if part)
    return ""


def _department(properties: list[_Property]) -> str:
    """The innermost part of the organisation: "ORG:Nightfall;Camera" is the camera department."""
    for one in properties:
        if one.name == "org" and (parts := [part for part in _parts(one.value, ";") if part]):
            return parts[-1]
    return ""


def _is_unread(name: str) -> bool:
    return name not in TECHNICAL and not name.startswith("x-")


def _about(card: _Card, cells: dict[str, list[str]]) -> str:
    """What to call a card that is not taken: its name, else its first line."""
    return shown(next(iter(cells["Name"]), "") or next((line for line in card.lines if line.strip()), ""))
