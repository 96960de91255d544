"""The sample crew: 156 people of a film that was never made, and more of them where more are wanted."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator
from datetime import date
from importlib.resources import files
from itertools import product

FILE = "crew.csv"
DAY = date(2026, 11, 14)
"""The shoot day the sample was written for. Its dates are moved so that this day is today."""

SENDER = "+13105550102"
"""The number the sample production sends from: fictional like the crew's, and nobody's among them."""

MAILBOX = "office@nightfall.example"
BOUNCES = "bounce.nightfall.example"
"""The address the sample production mails from, and the domain that what comes back would go to."""

AREA_CODES = range(201, 990)
EXCHANGES = (555, 556)
"""Invented numbers: in each area code 555-0100 to 555-0199 is kept free for fiction. Where so many people are
wanted that these are used up, 556 is taken as well."""


PHONES = ("phone", "emergency_phone")
"""The columns of the sample that hold numbers."""


def sample_file() -> bytes:
    """The sample crew list as it would lie in a production office."""
    return (files("app.rehearsal") / "sample" / FILE).read_bytes()


def crew_of(people: int) -> bytes:
    """A crew list of so many people: the sample's, then the same jobs again under other names and numbers."""
    rows = list(csv.DictReader(io.StringIO(sample_file().decode())))
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows[:people])
    numbers = _invented(taken={SENDER, *(row[column] for row in rows for column in PHONES)})
    for extra in range(len(rows), people):
        like = rows[extra % len(rows)]
        lap = extra // len(rows)
        local, _, domain = like["email"].partition("@")
        writer.writerow(
            like
            | {
                "name": f"{like['name']} {_roman(lap + 1)}",
                "phone": next(numbers) if like["phone"] else "",
                "email": f"{local}.{extra}@{domain}" if local else "",
                "emergency_contact": "",
                "emergency_phone": "",
            }
        )
    return out.getvalue().encode()


def _invented(taken: Collection[str]) -> Iterator[str]:
    """Numbers that nobody has yet."""
    for exchange, area, line in product(EXCHANGES, AREA_CODES, range(100)):
        number = f"+1{area}{exchange}01{line:02d}"
        if number not in taken:
            yield number


def _roman(number: int) -> str:
    words = ((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"),
             (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))  # fmt: skip
    text = ""
    for value, letters in words:
        count, number = divmod(number, value)
        text += letters * count
    return text


def days_later(today: date) -> int:
    """How far the sample's dates are moved."""
    return (today - DAY).days
