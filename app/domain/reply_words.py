"""The words of answers, as tables. All are written folded: no accents, no apostrophes, no capitals.

A word stands here only if it says the same from everybody at any hour. "Great", "received it?" or a lone "thanks"
do not: they are shown to the coordinator as they are.
"""

from __future__ import annotations

from typing import Final

TEN_FOUR = "tenfour"
"""What "10-4" is rewritten to before a text is taken apart: its digits are no choice."""

CONFIRMING: Final[frozenset[str]] = frozenset({
    # What crews are told to send, and what they say on the radio.
    "ok", "c", "confirm", "copy", "copy that", TEN_FOUR, "ten four", "y", "yes",
    # The same in other spellings and words.
    "okay", "okey", "okie", "oki", "oke", "o k", "okey dokey", "okie dokie", "okk", "k", "kk",
    "confirmed", "confirming", "i confirm", "confirmed for me", "copied", "copy all", "solid copy", "good copy",
    "yep", "yup", "yeah", "yea", "ya", "aye", "got it", "gotit", "got that", "i got it", "roger", "roger that", "rgr",
    "rog", "wilco", "affirmative", "affirm", "acknowledged", "acknowledge", "understood", "noted", "will do",
    "received", "sounds good", "i will be there", "ill be there", "will be there", "i have read it",
    # Spanish
    "si", "vale", "confirmo", "confirmado", "confirmada", "de acuerdo", "entendido", "recibido", "copiado",
    "enterado", "enterada", "claro que si", "ahi estare", "alli estare",
    # French
    "oui", "daccord", "dac", "confirme", "je confirme", "confirmee", "entendu", "compris", "bien recu", "bien note",
    "cest note", "recu", "jy serai", "je serai la", "je serai present", "je serai presente",
    # Emoji that mean yes
    "👍", "👌", "🆗", "✅", "✔", "☑",
})  # fmt: skip
"""A text of these alone confirms."""

DECLINING: Final[frozenset[str]] = frozenset({
    "no", "nope", "nah", "n", "cant", "i cant", "cannot", "i cannot", "can not", "cant make it", "i cant make it",
    "cannot make it", "i cannot make it", "wont make it", "i wont make it", "decline", "declined", "i decline",
    "not coming", "im not coming", "unavailable", "not available", "im not available",
    "no puedo", "no puedo ir", "non", "je ne peux pas", "je peux pas",
})  # fmt: skip
"""A text of these alone declines, and only where declining is one of the answers offered."""

POLITE: Final[frozenset[str]] = frozenset({
    "thanks", "thank you", "thank u", "thankyou", "thx", "thnx", "tnx", "ty", "tks", "tysm", "cheers", "ta",
    "many thanks", "thanks a lot", "thanks so much", "thank you so much", "thank you very much", "much appreciated",
    "hi", "hello", "hey", "morning", "good morning", "good evening", "evening", "bye", "good night", "night",
    "goodnight", "have a good night", "see you", "see ya", "see you there", "see you then", "see you tomorrow",
    "see you soon", "see you on set", "sir", "maam", "boss", "chief", "mate", "guys", "team", "all", "everyone", "everybody",
    "sent from my iphone",
    "gracias", "muchas gracias", "mil gracias", "hola", "buenos dias", "buenas tardes", "buenas noches", "nos vemos",
    "hasta manana", "saludos",
    "merci", "merci beaucoup", "bonjour", "bonsoir", "bonne nuit", "bonne soiree", "a demain",
    "🙏", "🙂", "😊", "😀", "😁", "😄", "😃", "😎", "😉", "💪", "🙌", "👏", "🎬", "❤", "♥", "🔥", "🫡", "✌", "🤙", "💯", "🤝",
    "🥳", "☺", "🎥", "🚀", "⭐", "✨",
})  # fmt: skip
"""What may stand beside an answer and changes nothing. Alone it is no answer. "Please" is not here: "confirm
please" asks for something. Neither is "sorry"."""

REGRETS: Final[frozenset[str]] = frozenset(
    {"sorry", "so sorry", "im sorry", "lo siento", "desole", "desolee"}
)
"""What may stand beside a refusal."""

DIGIT_WORDS: Final[dict[str, int]] = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "uno": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5,
    "un": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5,
}  # fmt: skip
"""A digit as a word counts only where it is the whole text: "one moment" is no answer."""

BEFORE_A_DIGIT: Final[frozenset[str]] = frozenset({
    "option", "number", "press", "reply", "answer", "choice", "opcion", "numero", "respuesta", "reponse", "choix",
})  # fmt: skip

AFTER_A_CHOICE: Final[frozenset[str]] = frozenset({
    "i", "im", "ive", "my", "we", "our", "there", "theres", "because",
    "yo", "mi", "tengo", "estoy", "necesito", "hay", "porque",
    "je", "jai", "mon", "ma",
})  # fmt: skip
"""Words that cannot be counted: after one of them "2" is a choice ("2 I need a ride"), before any other it may be
a number ("2 grips are late")."""
