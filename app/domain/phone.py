"""Phone numbers as people write them, read by the numbering plans of the world (the phonenumbers library).

A number is *possible* when it has a length its country uses, and *valid* when the plan has given the range out.
Only an impossible number is refused: plans in the library are older than the newest ranges, and fictional
numbers are not given out at all. A time zone is never guessed from a number: people keep theirs when they move.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType, ValidationResult

PhoneKind = Literal["mobile", "landline", "unknown"]

LONGEST = 250
"""Longer texts are not looked at: the library refuses them too."""


@dataclass(frozen=True, slots=True)
class Phone:
    """One number. ``e164`` is "+" and at most 15 digits (ITU-T E.164); ``extension`` is digits or None.

    ``kind`` is "unknown" where the plan does not tell, as in North America. ``valid`` is False for a number
    that is possible but that the plan has not given out.
    """

    e164: str
    extension: str | None = None
    kind: PhoneKind = "unknown"
    valid: bool = True


@dataclass(frozen=True, slots=True)
class PhoneProblem:
    """Why a text is not a phone number, in one sentence."""

    why: str


KINDS: dict[int, PhoneKind] = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "landline",
}
"""What the numbering plan says. Every other type (toll-free, voice over IP, "fixed or mobile") is unknown."""

WHY_NOT: dict[int, str] = {
    ValidationResult.TOO_SHORT: "This is not a phone number: too short.",
    ValidationResult.TOO_LONG: "This is not a phone number: too long.",
    ValidationResult.INVALID_LENGTH: "This is not a phone number: no number of that country has this length.",
    ValidationResult.INVALID_COUNTRY_CODE: "This is not a phone number: no country has this code.",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "This number has no area code.",
}

NO_DIGITS = PhoneProblem("This is not a phone number: there are no digits in it.")
NOT_A_NUMBER = PhoneProblem("This is not a phone number.")
ROUNDED = PhoneProblem("The spreadsheet has rounded this number: show the column as text and type it again.")

FORMER_PREFIXES = {"+521": "+52"}
"""Country codes as they were written before the plan dropped a digit: Mexico gave up the 1 for mobiles in 2019."""

_ROUNDED = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]{1,2}")
_TRAILING_DECIMALS = re.compile(r"^'?(\d{6,15})\.0+$")
_WORD = re.compile(r"[^\W\d_]+\.?")
_EXTENSION_WORDS = frozenset({"x", "ext", "extn", "extension", "xtn", "int", "anexo", "доб"})
"""Words the library reads as "extension"."""
_OTHER_EXTENSION_WORDS = re.compile(
    r"(?<=\d)[\s,;.:-]*\b(?:extensión|poste|durchwahl|dw|apparat|app)\b\.?:?\s*(?=\d{1,6}\W*$)", re.IGNORECASE
)
_VANITY = re.compile(r"[+\d\s().\-]*\d{3}[\s().\-]*([A-Za-z][A-Za-z0-9\- ]{2,})")
_BETWEEN_NUMBERS = re.compile(
    r"\s*(?:[\n\r;/|&,]|\bor\b|\band\b|\by\b|\bou\b|\boder\b|\bund\b)\s*"
    # "c: 626 555 0162 h: 323 555 0111"
    r"|(?<=\d)\s+(?=(?:[chmow]|cell|mobile|mob|home|work|office|tel)\s*[:.)]\s*[+(]?\d)",
    re.IGNORECASE,
)
_REMARK = re.compile(r"(?:(?<!\d)\d{1,2}(?::\d\d)?)?[^\W\d_][^\d+(]*")
"""Words beside a number, with the hour that belongs to them: "call after 9am"."""

FEWEST = 7
"""Digits from which a piece of a cell may be a number of its own."""


def parse_phone(text: str, region: str) -> Phone | PhoneProblem:
    """Read one number. ``region`` is the two-letter country code for numbers written without one ("US").

    Understands any punctuation, digits of any script, ``tel:`` addresses, "00" and the region's own prefix for
    calls abroad, extensions, numbers spelt with letters, words beside the number, and the marks Excel leaves
    (a leading apostrophe, ".0" at the end).
    """
    written = _plain(text)
    if len(written) > LONGEST:
        return PhoneProblem(WHY_NOT[ValidationResult.TOO_LONG])
    if _ROUNDED.fullmatch(written):
        return ROUNDED
    if "@" in written:
        return PhoneProblem("This is not a phone number: it looks like an e-mail address.")
    if not any(character.isdecimal() for character in written):
        return NO_DIGITS
    number = _digits_of(written, region)
    if isinstance(number, PhoneProblem):
        return _spelt_with_letters(written, region) or _beside_a_remark(written, region) or number
    return number


def phones_in(text: str, region: str) -> tuple[Phone | PhoneProblem, ...]:
    """Every number of a cell that may hold several ("626 555 0162 / 323 555 0111"), in the order written.

    A text that reads as one number is one number. A part that is no number is reported as its own problem.
    """
    whole = parse_phone(text, region)
    if isinstance(whole, Phone):
        return (whole,)
    written = text[: LONGEST * 2]
    for parts in (
        [part for part in _BETWEEN_NUMBERS.split(written) if part.strip()],
        _beside_words(_plain(written)),
    ):
        read = tuple(parse_phone(part, region) for part in parts)
        if len(parts) > 1 and any(isinstance(one, Phone) for one in read):
            return tuple(one for one in read if one != NO_DIGITS)
    return (whole,)


def tail(e164: str) -> str:
    """The last two digits: enough to tell two numbers of one person apart on a screen others can see."""
    return e164[-2:]


def is_region(text: str) -> bool:
    """Whether ``text`` is the two-letter code of a country with telephones ("US")."""
    return text.upper() in phonenumbers.SUPPORTED_REGIONS


def country_prefix(region: str) -> str:
    """What the numbers of a region begin with: "+1" for "US". "+" alone for no region."""
    code = phonenumbers.country_code_for_region(region.upper())
    return f"+{code}" if code else "+"


def _plain(text: str) -> str:
    """``text`` without invisible marks (copied from address books) and with one kind of space and digit."""
    folded = unicodedata.normalize("NFKC", text)
    visible = (
        " " if character.isspace() else character
        for character in folded
        if character.isspace() or unicodedata.category(character) not in {"Cc", "Cf", "Cs"}
    )
    written = "".join(visible).strip().lstrip("'`’").strip()
    return _TRAILING_DECIMALS.sub(r"\1", written)


def _digits_of(written: str, region: str) -> Phone | PhoneProblem:
    """The number in ``written``, taking every word that does not announce an extension for a remark."""
    announced = _OTHER_EXTENSION_WORDS.sub(" ext. ", written)
    bare = _WORD.sub(_extension_or_remark, announced)
    if "tel:" in written.casefold() or ";ext=" in written.casefold():
        bare = announced
    number = _read(bare, region)
    if isinstance(number, Phone):
        return number
    # 00 is what most of the world dials before a country code (ITU-T E.164); no number begins with it
    digits = bare.lstrip(" (")
    if digits.startswith("00"):
        abroad = _read("+" + digits[2:], region)
        if isinstance(abroad, Phone):
            return abroad
    return number


def _extension_or_remark(word: re.Match[str]) -> str:
    announces = word[0].rstrip(".").casefold() in _EXTENSION_WORDS
    followed_by_digit = word.string[word.end() :].lstrip(" .:#")[:1].isdigit()
    return word[0] if announces and followed_by_digit else " "


def _spelt_with_letters(written: str, region: str) -> Phone | None:
    """A number such as 1-800-FLOWERS. Capitals or a toll-free range, so that "626 555 Jane" stays a remark."""
    spelt = _VANITY.fullmatch(written)
    if spelt is None:
        return None
    number = _read(written, region)
    if isinstance(number, PhoneProblem):
        return None
    toll_free = phonenumbers.number_type(phonenumbers.parse(number.e164)) == PhoneNumberType.TOLL_FREE
    return number if toll_free or spelt[1].isupper() else None


def _beside_a_remark(written: str, region: str) -> Phone | None:
    """The one number of "626 555 0162 call after 9am": a remark may have digits of its own."""
    pieces = _beside_words(written)
    number = _read(pieces[0], region) if len(pieces) == 1 and pieces[0] != written else None
    return number if isinstance(number, Phone) else None


def _beside_words(written: str) -> list[str]:
    """The pieces between the words of a text that are long enough for a number."""
    return [piece for piece in _REMARK.split(written) if sum(one.isdecimal() for one in piece) >= FEWEST]


def _read(text: str, region: str) -> Phone | PhoneProblem:
    try:
        number = phonenumbers.parse(text, region.upper())
    except NumberParseException as problem:
        return _PARSE_PROBLEMS.get(problem.error_type, NOT_A_NUMBER)
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    extension = number.extension
    for former, now in FORMER_PREFIXES.items():
        if e164.startswith(former) and not phonenumbers.is_possible_number(number):
            number = phonenumbers.parse(now + e164[len(former) :])
            e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible != ValidationResult.IS_POSSIBLE:
        return PhoneProblem(WHY_NOT[possible])
    return Phone(
        e164=e164,
        extension=extension or None,
        kind=KINDS.get(phonenumbers.number_type(number), "unknown"),
        valid=phonenumbers.is_valid_number(number),
    )


_PARSE_PROBLEMS: dict[int, PhoneProblem] = {
    NumberParseException.INVALID_COUNTRY_CODE: PhoneProblem(
        "This is not a phone number: no country has this code."
    ),
    NumberParseException.TOO_SHORT_AFTER_IDD: PhoneProblem(WHY_NOT[ValidationResult.TOO_SHORT]),
    NumberParseException.TOO_SHORT_NSN: PhoneProblem(WHY_NOT[ValidationResult.TOO_SHORT]),
    NumberParseException.TOO_LONG: PhoneProblem(WHY_NOT[ValidationResult.TOO_LONG]),
}
