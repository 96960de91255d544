"""The small cells of a crew list: dates, times of day, offsets, zones, languages, and words for yes and no.

Each reader takes the cleaned text of one cell and gives the value, or the sentence that says why it is none.
"""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Literal

from app.domain.crew_table import fold
from app.domain.phone import PhoneKind

DayStatus = Literal["work", "hold", "wrapped", "off"]
Consent = Literal["yes", "no", "opted_out", "unknown"]


@dataclass(frozen=True, slots=True)
class CellProblem:
    """Why a cell could not be read, in one sentence."""

    why: str


EMPTY_WORDS = frozenset(
    {"n/a", "na", "none", "nil", "tbd", "tba", "tbc", "tbh", "vacant", "to be hired", "to be determined",
     "to be announced", "to be confirmed", "-", "--", "---", "–", "—", "?", "x x", "."}
)  # fmt: skip
"""What offices write into a cell that has nothing in it. Compared in lower case."""

SPREADSHEET_ERRORS = frozenset(
    {"#n/a", "#ref!", "#value!", "#name?", "#div/0!", "#num!", "#null!", "#spill!", "#calc!"}
)
"""What Excel and its like show where a formula failed. Compared in lower case."""

YES_WORDS = frozenset(
    {"yes", "y", "true", "t", "1", "x", "✓", "✔", "☑", "ok", "okay", "si", "sí", "s", "oui", "o", "ja", "j"}
)
NO_WORDS = frozenset({"no", "n", "false", "f", "0", "✗", "✘", "☐", "non", "nein"})

CONSENT_WORDS: dict[str, Consent] = {
    **dict.fromkeys(
        YES_WORDS | {"opted in", "opt in", "opt-in", "opted-in", "given", "granted", "consented"}, "yes"
    ),
    **dict.fromkeys(NO_WORDS | {"declined", "refused", "not given", "do not text"}, "no"),
    **dict.fromkeys(
        ("opted out", "opted_out", "opted-out", "opt out", "opt-out", "optout", "stop"), "opted_out"
    ),
    **dict.fromkeys(("unknown", "pending", "not asked", "asked"), "unknown"),
}

PHONE_TYPES: dict[str, PhoneKind] = {
    **dict.fromkeys(
        ("mobile", "cell", "cell phone", "cellular", "m", "c", "movil", "portable", "handy"), "mobile"
    ),
    **dict.fromkeys(
        ("landline", "land line", "home", "office", "work", "fixed", "h", "o", "w", "fijo"), "landline"
    ),
    **dict.fromkeys(("fixe", "festnetz", "business", "house"), "landline"),
    **dict.fromkeys(("unknown", "other", "voip", "main", "primary"), "unknown"),
}
"""What a column "phone type" says, without accents."""

DAY_STATUS_WORDS: dict[str, DayStatus] = {
    # the letters are those of the Screen Actors Guild's production time report: Work, Start, Hold, Finish
    **dict.fromkeys(
        ("work", "working", "works", "w", "sw", "swf", "wf", "start", "s", "active", "on"), "work"
    ),
    **dict.fromkeys(("hold", "h", "on hold", "holding"), "hold"),
    **dict.fromkeys(("wrapped", "wrap", "finished", "finish", "done", "f"), "wrapped"),
    **dict.fromkeys(("off", "day off", "not working", "out", "inactive"), "off"),
}

LANGUAGES: dict[str, str] = {
    "english": "en", "ingles": "en", "anglais": "en", "englisch": "en", "eng": "en",
    "spanish": "es", "espanol": "es", "castellano": "es", "espagnol": "es", "spanisch": "es", "spa": "es", "esp": "es",
    "french": "fr", "francais": "fr", "frances": "fr", "franzosisch": "fr", "fre": "fr", "fra": "fr",
    "german": "de", "deutsch": "de", "aleman": "de", "allemand": "de", "ger": "de", "deu": "de",
    "italian": "it", "italiano": "it", "portuguese": "pt", "portugues": "pt", "dutch": "nl", "nederlands": "nl",
    "polish": "pl", "polski": "pl", "czech": "cs", "cestina": "cs", "slovak": "sk", "hungarian": "hu", "magyar": "hu",
    "romanian": "ro", "romana": "ro", "bulgarian": "bg", "greek": "el", "turkish": "tr", "turkce": "tr",
    "russian": "ru", "ukrainian": "uk", "croatian": "hr", "hrvatski": "hr", "serbian": "sr", "slovenian": "sl",
    "swedish": "sv", "svenska": "sv", "norwegian": "no", "norsk": "no", "danish": "da", "dansk": "da",
    "finnish": "fi", "suomi": "fi", "icelandic": "is", "irish": "ga", "welsh": "cy", "catalan": "ca", "basque": "eu",
    "arabic": "ar", "hebrew": "he", "persian": "fa", "farsi": "fa", "hindi": "hi", "urdu": "ur", "punjabi": "pa",
    "tamil": "ta", "telugu": "te", "bengali": "bn", "chinese": "zh", "mandarin": "zh", "cantonese": "zh",
    "japanese": "ja", "korean": "ko", "vietnamese": "vi", "thai": "th", "tagalog": "tl", "filipino": "tl",
    "indonesian": "id", "malay": "ms", "afrikaans": "af", "zulu": "zu", "swahili": "sw", "armenian": "hy",
}  # fmt: skip
"""Names of languages as crew lists have them, without accents, and their ISO 639-1 codes."""

ZONES: dict[str, str] = {
    **dict.fromkeys(("pt", "pst", "pdt", "pacific", "pacific time", "la", "los angeles"), "America/Los_Angeles"),
    **dict.fromkeys(("mt", "mst", "mdt", "mountain", "mountain time", "denver"), "America/Denver"),
    **dict.fromkeys(("ct", "cst", "cdt", "central", "central time", "chicago"), "America/Chicago"),
    **dict.fromkeys(("et", "est", "edt", "eastern", "eastern time", "new york", "nyc"), "America/New_York"),
    **dict.fromkeys(("gmt", "bst", "uk", "uk time", "london"), "Europe/London"),
    **dict.fromkeys(("cet", "cest", "central european time"), "Europe/Berlin"),
    **dict.fromkeys(("utc", "z"), "UTC"),
    "arizona": "America/Phoenix", "phoenix": "America/Phoenix", "atlanta": "America/New_York",
    "hawaii": "Pacific/Honolulu", "alaska": "America/Anchorage", "vancouver": "America/Vancouver",
    "toronto": "America/Toronto", "montreal": "America/Toronto", "mexico city": "America/Mexico_City",
    "paris": "Europe/Paris", "berlin": "Europe/Berlin", "madrid": "Europe/Madrid", "sydney": "Australia/Sydney",
}  # fmt: skip
"""What people write for a time zone, and the zone of the IANA database that is meant in production offices.
A winter or summer name stands for the place, so that its clocks change with the place's."""

MONTHS: dict[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "jan january ene enero janv janvier januar janner",
            "feb february febrero fev fevr fevrier februar",
            "mar march marzo mars marz mrz",
            "apr april abr abril avr avril",
            "may mayo mai",
            "jun june junio juin juni",
            "jul july julio juil juillet juli",
            "aug august ago agosto aout",
            "sep sept september septiembre septembre",
            "oct october octubre octobre okt oktober",
            "nov november noviembre novembre",
            "dec december dic diciembre decembre dez dezember",
        ),
        start=1,
    )
    for name in names.split()
}
"""Months in English, Spanish, French and German, without accents."""

MONTH_FIRST = frozenset({"US", "FM", "GU", "MP", "AS", "PR", "VI", "PH", "PW", "MH"})
"""Regions that write 10/11 for the eleventh of October (Unicode CLDR, short date patterns)."""

DAY_MIN = 24 * 60

LONGEST_DATE = 60
"""Characters: "Wednesday, 30th of September 2026, 00:00:00" has 42."""

_ISO_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?")
_NUMBER_DATE = re.compile(r"(\d{1,2})([-/. ])\s?(\d{1,2})\2\s?(\d{4}|\d{2})(?: .*)?")
_NO_YEAR = re.compile(r"\d{1,2}[-/.]\d{1,2}\.?")
_WEEKDAY = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]* ")
_SERIAL_DATE = re.compile(r"([3-7]\d{4})(?:\.\d+)?")
_TIME = re.compile(
    r"(\d{1,2})(?:\s?[:.h]\s?(\d{2})?)?(?::\d{2})?\s?([ap])?\.?\s?m?\.?(?:\s?(?:uhr|hrs?))?", re.IGNORECASE
)
_MILITARY = re.compile(r"(\d{2})(\d{2})(?:\s?(?:hrs?|h))?", re.IGNORECASE)
_OFFSET_MIN = re.compile(
    r"([-+]?)\s?(\d{1,5})(?:\.0+)?\s?(?:m|min|mins|minutes|')?\.?(?:\s(before|early|prior|after|late|later))?"
)
_OFFSET_CLOCK = re.compile(r"([-+]?)\s?(\d{1,2}):(\d{2})(?::00)?(?:\s(before|early|prior|after|late|later))?")
_OFFSET_HOURS = re.compile(
    r"([-+]?)\s?(\d{1,2})\s?(?:h|hr|hrs|hour|hours)(?:\s?(\d{1,2})\s?(?:m|min)?)?(?:\s(before|early|prior|after|late|later))?"
)
_BEFORE = frozenset({"before", "early", "prior"})
_MINUSES = str.maketrans(dict.fromkeys("−–—﹣－", "-") | {"＋": "+"})


def is_empty(cell: str) -> bool:
    """Whether a cell says that there is nothing in it."""
    return not cell or cell.casefold() in EMPTY_WORDS


def read_date(cell: str, region: str) -> date | CellProblem:
    """A day. ``region`` decides whether 10/11/2026 is in October (US) or in November (nearly everywhere else)."""
    if len(cell) > LONGEST_DATE:
        return CellProblem("This is not a date: write it like 2026-10-11.")
    if iso := _ISO_DATE.fullmatch(cell):
        return _day(int(iso[1]), int(iso[2]), int(iso[3]))
    if numbers := _NUMBER_DATE.fullmatch(cell):
        first, second, year = int(numbers[1]), int(numbers[3]), _year(numbers[4])
        # dots are never written month first
        month_first = region.upper() in MONTH_FIRST and numbers[2] != "."
        if (month_first and first <= 12) or second > 12:
            return _day(year, first, second)
        return _day(year, second, first)
    if _NO_YEAR.fullmatch(cell):
        return CellProblem("This date has no year: write it like 2026-10-11.")
    if serial := _SERIAL_DATE.fullmatch(cell):
        # days since the last of 1899, as spreadsheets count
        return date(1899, 12, 30) + timedelta(days=int(serial[1]))
    return _spelt_date(cell)


def _spelt_date(cell: str) -> date | CellProblem:
    words = _WEEKDAY.sub("", fold(cell)).split()
    months = [MONTHS[word] for word in words if word in MONTHS]
    numbers = [
        int(number)
        for word in words
        if (number := re.sub(r"(?<=\d)(?:st|nd|rd|th|er)$", "", word)).isdecimal()
    ]
    if len(months) != 1:
        return CellProblem("This is not a date: write it like 2026-10-11.")
    if len(numbers) != 2:
        return CellProblem("This date has no year: write it like 2026-10-11.")
    day, year = (numbers[1], numbers[0]) if numbers[0] > 31 else (numbers[0], numbers[1])
    return _day(_year(str(year)), months[0], day)


def _year(digits: str) -> int:
    return int(digits) if len(digits) > 2 else 2000 + int(digits)


def _day(year: int, month: int, day: int) -> date | CellProblem:
    if not 1950 <= year <= 2199:
        return CellProblem("This is not a date: the year cannot be right.")
    try:
        return date(year, month, day)
    except ValueError:
        return CellProblem("This is not a date: the calendar has no such day.")


def read_time(cell: str) -> int | CellProblem:
    """A time of day, in minutes since midnight (0 to 1439). Midnight may be written 24:00."""
    military = _MILITARY.fullmatch(cell)
    clock = _TIME.fullmatch(cell)
    if military:
        hour, minute, half = int(military[1]), int(military[2]), ""
    elif clock:
        hour, minute, half = int(clock[1]), int(clock[2] or 0), (clock[3] or "").casefold()
    else:
        return CellProblem("This is not a time of day: write it like 22:00.")
    if half:
        if not 1 <= hour <= 12:
            return CellProblem("This is not a time of day: write it like 22:00.")
        hour = hour % 12 + (12 if half == "p" else 0)
    if minute > 59 or hour * 60 + minute > DAY_MIN:
        return CellProblem("This is not a time of day: write it like 22:00.")
    return (hour * 60 + minute) % DAY_MIN


def read_offset(cell: str) -> int | CellProblem:
    """Minutes from crew call to this person's call; negative is before. At most a day."""
    written = cell.translate(_MINUSES).casefold().strip()
    if clock := _OFFSET_CLOCK.fullmatch(written):
        sign, minutes, side = clock[1], int(clock[2]) * 60 + int(clock[3]), clock[4]
    elif hours := _OFFSET_HOURS.fullmatch(written):
        sign, minutes, side = hours[1], int(hours[2]) * 60 + int(hours[3] or 0), hours[4]
    elif plain := _OFFSET_MIN.fullmatch(written):
        sign, minutes, side = plain[1], int(plain[2]), plain[3]
    else:
        return CellProblem(
            "This is not a call offset: write minutes, like -30 for half an hour before crew call."
        )
    if minutes > DAY_MIN:
        return CellProblem("This is not a call offset: it is longer than a day.")
    return -minutes if sign == "-" or side in _BEFORE else minutes


@cache
def _zone_names() -> dict[str, str]:
    return {name.casefold(): name for name in zoneinfo.available_timezones()}


def read_zone(cell: str) -> str | CellProblem:
    """The IANA name of a time zone."""
    name = _zone_names().get(cell.casefold().replace(" ", "_"))
    # short names such as EST exist in the database too, but without the change to summer time
    if name is not None and "/" in name:
        return name
    meant = ZONES.get(fold(cell))
    return meant or CellProblem("This time zone is not known: write it like America/Los_Angeles.")


def read_language(cell: str) -> str | CellProblem:
    """The ISO 639-1 code of a language, from its code ("es", "es-MX") or its name."""
    words = fold(cell).split()
    if words:
        code = words[0]
        if code in LANGUAGES:
            return LANGUAGES[code]
        if code in LANGUAGES.values() and (len(words) == 1 or re.match(r"[A-Za-z]{2}[-_]", cell)):
            return code
    return CellProblem("This language is not known: write it like en or Spanish.")


def read_yes(cell: str) -> bool | CellProblem:
    word = cell.casefold()
    if word in YES_WORDS:
        return True
    return False if word in NO_WORDS else CellProblem("Write yes or no here.")


def read_consent(cell: str) -> Consent | CellProblem:
    known = CONSENT_WORDS.get(cell.casefold())
    return known or CellProblem("This consent is not known: write yes, no or opted out.")


def read_day_status(cell: str) -> DayStatus | CellProblem:
    known = DAY_STATUS_WORDS.get(cell.casefold())
    return known or CellProblem("This day status is not known: write work, hold, wrapped or off.")


def read_phone_type(cell: str) -> PhoneKind | CellProblem:
    known = PHONE_TYPES.get(fold(cell))
    return known or CellProblem("This kind of phone is not known: write mobile or landline.")
