"""Reading an answer: which of the offered options a text chooses, if it plainly chooses one.

Nothing is guessed. A wrong confirmation is the worst mistake this program can make, so a text confirms only if
every word of it is accounted for; whatever is left over goes to the coordinator as the person wrote it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.domain import folding
from app.domain.keywords import keyword
from app.domain.reply_words import (
    AFTER_A_CHOICE,
    BEFORE_A_DIGIT,
    CONFIRMING,
    DECLINING,
    DIGIT_WORDS,
    POLITE,
    REGRETS,
    TEN_FOUR,
)


class Meaning(StrEnum):
    """What choosing an option says about the person."""

    CONFIRMED = "confirmed"
    DECLINED = "declined"
    NEEDS_HELP = "needs_help"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ReplyOption:
    """One answer a message offers. ``digit`` is 1 to 9: the key on the phone, the button of the page."""

    digit: int
    label: str
    meaning: Meaning


STANDARD_OPTIONS: Final = (
    ReplyOption(1, "I have read it and I will be there", Meaning.CONFIRMED),
    ReplyOption(2, "There is a problem", Meaning.NEEDS_HELP),
)
"""What is offered when an answer is asked for and nothing else is said."""


@dataclass(frozen=True, slots=True)
class ReadReply:
    """What a text was read as. ``free_text``: there are words of their own in it for the coordinator to read,
    also beside a choice ("2 - car broke down")."""

    option: ReplyOption | None
    free_text: bool


LONGEST = 1600
"""Characters. A longer text is never a plain answer."""

ASKED_FOR: Final[dict[Meaning, str]] = {
    Meaning.CONFIRMED: "to confirm",
    Meaning.NEEDS_HELP: "if there is a problem",
}
"""The words a text asks with ("Reply 1 to confirm"): some people send them back."""


def read_reply(text: str, options: Sequence[ReplyOption], opted_out: bool = False) -> ReadReply:
    """Which of ``options`` the ``text`` plainly chooses.

    A keyword (STOP, HELP, and YES from somebody ``opted_out``) is not an answer and not free text. A question
    never confirms nor declines. Two different digits, a number, a time and words that say more than yes are left
    to the coordinator.
    """
    if keyword(text, opted_out) is not None or not text.strip():
        return ReadReply(None, free_text=False)
    if len(text) > LONGEST:
        return ReadReply(None, free_text=True)
    folded = folding.unstretched(folding.plain(text)).replace("'", "")
    if not folding.asks(text):
        option = _plainly_chosen(_words(folded), options, opted_out)
        if option is not None:
            return ReadReply(option, free_text=False)
    return ReadReply(_chosen_with_words(folded, options), free_text=True)


def _plainly_chosen(
    words: tuple[str, ...], options: Sequence[ReplyOption], opted_out: bool
) -> ReplyOption | None:
    """The one option that every word of the text is about."""
    named = [option for option in options if words and words == _words(_folded_label(option))]
    if named:
        return named[0] if len(named) == 1 else None
    if len(words) == 1 and words[0] in DIGIT_WORDS:
        words = (str(DIGIT_WORDS[words[0]]),)
    places = [place for place, word in enumerate(words) if word.isdecimal()]
    if places:
        return _by_digit(words, places, options)
    confirming = CONFIRMING - {"yes"} if opted_out else CONFIRMING
    for meaning, telling, beside in (
        (Meaning.CONFIRMED, confirming, POLITE),
        (Meaning.DECLINED, DECLINING, POLITE | REGRETS),
    ):
        if _made_of(words, telling, beside):
            meant = [option for option in options if option.meaning is meaning]
            return meant[0] if len(meant) == 1 else None
    return None


def _by_digit(
    words: tuple[str, ...], places: Sequence[int], options: Sequence[ReplyOption]
) -> ReplyOption | None:
    """The option of the one digit in ``words``, if the words around it say nothing else."""
    option = next((one for one in options if words[places[0]] == str(one.digit)), None)
    if option is None or len(places) > 1:
        return None
    before, after = words[: places[0]], words[places[0] + 1 :]
    if before and before[-1] in BEFORE_A_DIGIT:
        before = before[:-1]
    if after in (_words(_folded_label(option)), tuple(ASKED_FOR.get(option.meaning, "").split())):
        after = ()
    return option if _made_of(before + after, frozenset(), _BESIDE_DIGIT[option.meaning]) else None


_BESIDE_DIGIT: Final[dict[Meaning, AbstractSet[str]]] = {
    Meaning.CONFIRMED: POLITE | CONFIRMING,
    Meaning.DECLINED: POLITE | DECLINING | REGRETS,
    Meaning.NEEDS_HELP: POLITE | REGRETS | {"help", "problem", "please"},
    Meaning.OTHER: POLITE | {"please"},
}
"""What may stand beside the digit of an option of this meaning."""

_CHOICE = re.compile(
    r"""["'“”«(\[\s\#]* (?P<digit>[0-9])
        (?: (?: \s+[-‐‑‒–—]+\s* | [-‐‑‒–—]+\s+ | \s*[:;,.!)\]"”»\n]+\s* ) (?P<set_off>[^\W\d_].*)
          | \s+ (?P<first>[^\W\d_]+) \b (?P<then>.+) )""",
    re.VERBOSE | re.DOTALL,
)


def _chosen_with_words(folded: str, options: Sequence[ReplyOption]) -> ReplyOption | None:
    """An option that a text begins with and then explains ("2 - car broke down"). Never one that confirms.

    The digit must be set off from the words, or be followed by a word that cannot be counted; a digit that comes
    next makes it a time, a range or an amount. Words that only confirm contradict it, and so does the digit of
    another option at the end ("2 - sorry, 1").
    """
    choice = _CHOICE.match(folded)
    if choice is None or (choice["first"] is not None and choice["first"] not in AFTER_A_CHOICE):
        return None
    option = next((one for one in options if choice["digit"] == str(one.digit)), None)
    if option is None or option.meaning is Meaning.CONFIRMED:
        return None
    words = _words(choice["set_off"] or choice["then"])
    others = {str(one.digit) for one in options if one is not option}
    contradicted = _made_of(words, CONFIRMING, POLITE) or (words and words[-1] in others)
    return None if contradicted else option


_MINUS = re.compile(r"(?<!\S)[-−](?=[0-9])")
_TEN_FOUR = re.compile(r"(?<![\w-])10(?: ?[-‐‑‒–—−] ?| )4(?![\w:/%]|[-.,]\d)")
_SETTING_OFF = frozenset('.,!:;-‐‑‒–—()[]"“”„«»…#*_~\n ¡')


def _words(folded: str) -> tuple[str, ...]:
    """The words of a folded text; each emoji and each sign that could change the sense is a word of its own."""
    spaced = []
    for character in _MINUS.sub(" minus ", _TEN_FOUR.sub(f" {TEN_FOUR} ", folded)):
        if character in _SETTING_OFF:
            spaced.append(" ")
        elif character.isalnum():
            spaced.append(character)
        elif unicodedata.category(character)[0] in "PSZC":
            spaced.append(f" {character} ")
        else:
            spaced.append(character)
    return tuple("".join(spaced).split())


def _folded_label(option: ReplyOption) -> str:
    return folding.plain(option.label).replace("'", "")


def _made_of(words: Sequence[str], telling: AbstractSet[str], beside: AbstractSet[str]) -> bool:
    """Whether ``words`` can be laid out in phrases of both sets, at least one of them telling if any could be."""
    place, told = 0, not telling
    while place < len(words):
        for length in range(min(_LONGEST_PHRASE, len(words) - place), 0, -1):
            phrase = " ".join(words[place : place + length])
            if phrase in telling or phrase in beside:
                told = told or phrase in telling
                place += length
                break
        else:
            return False
    return told


_LONGEST_PHRASE = max(len(phrase.split()) for phrase in CONFIRMING | DECLINING | POLITE | REGRETS)
