"""Words that carriers and the law give a meaning of their own: stop, start and help.

A keyword is a whole text, not a word in one: "STOP!" stops, "please stop by the office" does not. Whoever asks in
their own words is not opted out by a machine: that text is shown to the coordinator.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.domain import folding

LONGEST = 1600
"""Characters. A longer text is looked at only so far: no carrier passes on more in one text."""


class Keyword(StrEnum):
    """What a text that is a keyword asks for."""

    STOP = "stop"
    START = "start"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Word:
    """One keyword, in the ISO 639-1 code of its ``language``."""

    keyword: Keyword
    language: str
    only_if_opted_out: bool = False
    asks_about_the_day: bool = False
    """An everyday word on a set: "cancel?" asks whether the shoot is cancelled, and nobody opts out by asking."""


WORDS: Final[dict[str, Word]] = {
    # The words the carriers of North America require (CTIA Messaging Principles) and the ones the rules of the
    # FCC name since 2025, then what carriers elsewhere take. Written folded: no accents, hyphens as spaces.
    "stop": Word(Keyword.STOP, "en"),
    "stopall": Word(Keyword.STOP, "en"),
    "unsubscribe": Word(Keyword.STOP, "en"),
    "end": Word(Keyword.STOP, "en", asks_about_the_day=True),
    "quit": Word(Keyword.STOP, "en"),
    "cancel": Word(Keyword.STOP, "en", asks_about_the_day=True),
    "revoke": Word(Keyword.STOP, "en"),
    "optout": Word(Keyword.STOP, "en"),
    "opt out": Word(Keyword.STOP, "en"),
    "remove": Word(Keyword.STOP, "en"),
    "td": Word(Keyword.STOP, "en"),
    "arret": Word(Keyword.STOP, "fr"),
    "desabonner": Word(Keyword.STOP, "fr"),
    "alto": Word(Keyword.STOP, "es"),
    "para": Word(Keyword.STOP, "es", asks_about_the_day=True),
    "start": Word(Keyword.START, "en"),
    "unstop": Word(Keyword.START, "en"),
    "yes": Word(Keyword.START, "en", only_if_opted_out=True),
    "help": Word(Keyword.HELP, "en"),
    "info": Word(Keyword.HELP, "en"),
}

_SEPARATORS = re.compile(r"[\s\-‐‑‒–—−]+")
_AROUND = re.compile(r"^[\W_]+|[\W_]+$")


def keyword(text: str, opted_out: bool = False) -> Keyword | None:
    """The keyword that ``text`` is, or None. Case, accents and whatever stands around the word do not matter.

    ``opted_out`` tells whether the sender is: YES opts in again only then, from anybody else it is an answer. With
    a question mark "stop?" still opts out; "cancel?" and the like are questions, and nobody opts in by a question.
    """
    bare = _AROUND.sub("", _SEPARATORS.sub(" ", folding.plain(text[:LONGEST])))
    word = WORDS.get(bare)
    if word is None or (word.only_if_opted_out and not opted_out):
        return None
    if folding.asks(text) and (word.asks_about_the_day or word.keyword is Keyword.START):
        return None
    return word.keyword


def asks_to_be_left_alone(text: str) -> bool:
    """Whether ``text`` plainly asks for no more messages, in words of its own or by a keyword.

    It is a hint for the coordinator, who decides: nobody is opted out by it.
    """
    if keyword(text) is Keyword.STOP:
        return True
    sentences = _sentences(text[:LONGEST])
    return any(pattern.search(sentence) for sentence in sentences for pattern in _LEFT_ALONE)


def _sentences(text: str) -> list[str]:
    """The sentences of ``text``, folded: words of letters and digits with single spaces, apostrophes left out."""
    folded = folding.unstretched(folding.plain(text)).replace("'", "")
    return [" ".join(re.findall(r"[^\W_]+", sentence)) for sentence in re.split(r"[.!?;\n]+", folded)]


_NOUNS_EN = r"(?:texts?|text messages?|messages?|messaging|msgs?|sms|e ?mails?|notifications?|alerts?|spam)"
_LISTS_EN = (
    r"(?:(?:text|texting|mailing|call|contact|phone|message|messaging|sms|e ?mail|crew|group|distro) )?"
)
_CIVIL_EN = r"(?: (?:please|pls|plz|now|already|thanks|thx|thank you|immediately|at all))*"
_NEVER_EN = r"(?: (?:any ?more|again|ever|ever again|no more))"
_CIVIL_ES = r"(?: (?:por favor|porfa|gracias|ya))*"
_CIVIL_FR = r"(?: (?:svp|stp|sil vous plait|sil te plait|merci|maintenant))*"

PLAIN_WISHES: Final[dict[str, tuple[str, ...]]] = {
    "en": (
        # Anything about one message or one hour must not match: "don't call me before six", "stop by", "no more
        # coffee". So the sentence ends with the wish or says for ever.
        rf"^(?:(?:please|pls|plz|just|ok|hey|hi|can you|could you|would you) )*stop(?: (?:stop|it|this|all){_CIVIL_EN})*{_CIVIL_EN}$",
        r"\b(?:stop|quit|cease) (?:texting|messaging|contacting|spamming|bothering|harassing|e ?mailing)\b",
        r"\b(?:stop|quit|cease) (?:calling|phoning|ringing|writing|writing to) (?:me|us|this number)\b",
        rf"\b(?:stop|quit|cease) (?:sending|with)(?: me| us)?(?: (?:the|these|those|this|all|your|any|more|so many))* {_NOUNS_EN}\b",
        rf"\b(?:stop|quit) sending(?: me| us)?(?: (?:these|those|this|stuff|things))*{_CIVIL_EN}$",
        rf"\b(?:stop|cease) (?:the|these|those|this|all|all the|all these|your) {_NOUNS_EN}\b",
        r"\b(?:dont|do not|never|no longer) (?:ever )?(?:text|txt|message|msg|contact|e ?mail|call|phone|bother|write|write to)"
        rf" (?:me|us|this number|here|this phone)(?: (?:on|at) this number)?{_NEVER_EN}",
        r"\b(?:dont|do not|never|no longer) (?:ever )?(?:text|txt|message|msg|contact|e ?mail|bother|write to)"
        rf" (?:me|us|this number|here|this phone)(?: (?:on|at) this number)?{_CIVIL_EN}$",
        rf"\b(?:dont|do not|never) send (?:me|us)(?: (?:any|anymore|more|these|your|further))* {_NOUNS_EN}\b",
        rf"^(?:(?:please|pls|plz|hi|hey|ok) )*no more (?:of )?(?:(?:these|those|your|the) )?{_NOUNS_EN}{_CIVIL_EN}$",
        r"\b(?:dont|do not|no longer) (?:want|wish|need)(?: to (?:get|receive|have|be getting|be sent|keep getting))?"
        rf"(?: (?:any|anymore|more|these|those|your|further|such|the|all))* {_NOUNS_EN}\b",
        r"\b(?:take|get|remove|delete|drop|strike) (?:me|us|my number|my name|this number|this phone|my phone)"
        rf" (?:off|from|out of|off of) (?:this|the|your|ur|these|that|any|all|all your) {_LISTS_EN}(?:lists?|thread|chat|group|system|database|{_NOUNS_EN})\b",
        rf"\b(?:remove|delete|unsubscribe) (?:me|us|my number|this number)(?: from (?:this|these|here|it))?{_CIVIL_EN}$",
        r"\b(?:unsubscribe|unsubscribing) (?:me|us|from|please|pls|now)\b",
        r"\b(?:how (?:do|can) i|want to|like to|wish to|please|pls|to) unsubscribe\b",
        rf"\b(?:opt|opting) (?:me |us )?out(?: of (?:\w+ ){{0,2}}{_NOUNS_EN})?{_CIVIL_EN}$",
        r"\b(?:leave (?:me|us) alone|leave me be|(?:lose|delete|forget) (?:my|this) number)\b",
        rf"^(?:(?:please|just) )*(?:go away|get lost|piss off|fuck off){_CIVIL_EN}$",
    ),
    "es": (
        r"\bno me (?:escriba[ns]?|mande[ns]?|envie[ns]?|contacte[ns]?|llame[ns]?|moleste[ns]?|texte(?:e|en|es)?)"
        rf"(?: (?:mas|nunca|ya|mensajes|textos|sms))*{_CIVIL_ES}$",
        r"\b(?:deja|deje|dejen|dejad|paren|parad|para) de (?:escribir|mandar|enviar|llamar|molestar|contactar|textear)(?:me|nos)\b",
        r"\b(?:deja|deje|dejen|dejad|paren|parad|para) de (?:mandar|enviar)(?:me|nos)? (?:mas |estos )?(?:mensajes|textos|sms)\b",
        r"\bdej(?:a|e|en|ad)me en paz\b",
        r"\bno (?:quiero|deseo)(?: (?:recibir|mas|tus|sus|estos))+ (?:mensajes|textos|sms|llamadas)\b",
        r"\bno (?:quiero|deseo) (?:mensajes|textos|sms)\b",
        rf"^(?:por favor )?(?:no|ya no|basta de) ?(?:mas )?(?:mensajes|textos|sms)(?: mas)?{_CIVIL_ES}$",
        r"\b(?:quit|sac|borr|elimin)(?:a|e|en|ar)me (?:de|de la|de esta|de su|de tu|de esa) ?lista\b",
        r"\b(?:dar|da|de|den|dad)me de baja\b",
        rf"^(?:por favor )?(?:basta|paren|parad|pare|ya basta|ya paren|ya pare){_CIVIL_ES}$",
    ),
    "fr": (
        r"\bne m(?:e )?(?:ecrivez|ecris|envoyez|envoie|envoies|contactez|contacte|contactes|appelez|appelle|appelles|textez"
        r"|texte|textes|derangez|derange|deranges|telephonez) plus\b",
        r"\b(?:arretez?|arreter|cessez?|cesse) (?:de |d)(?:m|me |nous )"
        r"(?:ecrire|envoyer|contacter|appeler|texter|deranger|telephoner|harceler)\b",
        rf"\b(?:arretez?|cessez?|cesse) (?:les|ces|vos|tes|avec (?:les|ces|vos|tes)) (?:messages|textos|sms){_CIVIL_FR}$",
        r"\b(?:ne )?(?:veux|souhaite|desire) plus (?:(?:recevoir|de|vos|tes|ces|les|aucun) )*(?:messages?|textos?|sms)\b",
        r"\b(?:retirez?|enlevez?|supprimez?|otez?|ote|desinscrivez|desabonnez?|effacez?) moi\b",
        r"\b(?:me|mon numero) (?:desabonner|desinscrire|retirer de|enlever de|supprimer de)\b",
        r"\b(?:laissez?|laisse) (?:moi|nous) (?:tranquilles?|en paix)\b",
        rf"^(?:sil vous plait )?(?:arretez|arrete|stop)(?: (?:ca|tout))?{_CIVIL_FR}$",
        rf"^plus (?:aucun|un seul) (?:message|sms|texto){_CIVIL_FR}$",
    ),
}
"""How people plainly ask for no more messages, by language: patterns over one folded sentence."""

_LEFT_ALONE = tuple(re.compile(pattern) for patterns in PLAIN_WISHES.values() for pattern in patterns)
