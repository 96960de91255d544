"""E-mail addresses as people write them. Only the form is judged: nothing is asked of the network."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

LONGEST = 500
"""Longer texts are not looked at: an address has at most 254 characters (RFC 5321), a name beside it some more."""


@dataclass(frozen=True, slots=True)
class EmailProblem:
    """Why a text is not an e-mail address, in one sentence."""

    why: str


_IN_BRACKETS = re.compile(r"<([^<>]*)>\s*[,;.]*\s*$")
_BETWEEN_ADDRESSES = re.compile(r"[\s,;/|]+")
_AROUND = " \t,;.:'\"`‘’“”<>()[]"
"""What is left beside an address when it is copied out of a sentence or a mail program."""


def parse_email(text: str) -> str | EmailProblem:
    """The address in ``text`` as it goes over the wire: domain in lower case and in ASCII.

    Takes "mailto:" links, "Name <address>", and stray punctuation at either end. Domains kept for examples and
    tests are taken. The part before the @ keeps its case (RFC 5321 leaves it to the receiving server).
    """
    written = _bare(text)
    problem = _plain_reason(written)
    if problem is not None:
        return problem
    try:
        checked = validate_email(
            written, check_deliverability=False, test_environment=True, allow_smtputf8=False, strict=True
        )
    except EmailNotValidError:
        return EmailProblem("This is not an e-mail address: no mail server would take it.")
    return checked.ascii_email or checked.normalized


def emails_in(text: str) -> tuple[str | EmailProblem, ...]:
    """Every address of a cell that may hold several, in the order written; one problem where there is none."""
    whole = parse_email(text)
    if isinstance(whole, str):
        return (whole,)
    parts = [part for part in _BETWEEN_ADDRESSES.split(text[:LONGEST]) if "@" in part]
    read = tuple(parse_email(part) for part in parts)
    return read if len(parts) > 1 and any(isinstance(one, str) for one in read) else (whole,)


def same_mailbox(address: str) -> str:
    """A form of the address that is equal for two spellings of one mailbox: no server in use tells case apart."""
    return address.casefold()


def _bare(text: str) -> str:
    visible = (
        character
        for character in text[: LONGEST + 1]
        if character.isspace() or unicodedata.category(character) not in {"Cc", "Cf", "Cs"}
    )
    written = " ".join("".join(visible).split())
    if bracketed := _IN_BRACKETS.search(written):
        written = bracketed[1]
    written = written.strip(_AROUND)
    if written.casefold().startswith("mailto:"):
        written = written[len("mailto:") :].partition("?")[0]
    return written.strip(_AROUND)


def _plain_reason(written: str) -> EmailProblem | None:
    """The mistakes people make most, each in its own words."""
    before, at, after = written.partition("@")
    table = (
        (len(written) > LONGEST, "too long."),
        (not at, "the @ is missing."),
        ("@" in after, "there is more than one @."),
        (" " in written, "there is a space in it."),
        (not before, "nothing stands before the @."),
        (not after, "nothing stands after the @."),
        ("." not in after, "the part after the @ has no dot."),
        (".." in after, "there are two dots in a row."),
        (not before.isascii(), "most mail servers take only plain letters before the @."),
    )
    for wrong, reason in table:
        if wrong:
            return EmailProblem(f"This is not an e-mail address: {reason}")
    return None
