"""Stop, start and help: whole texts, never words in one."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.keywords import Keyword, asks_to_be_left_alone, keyword

STOPPING = (
    "STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "REVOKE", "OPTOUT", "OPT-OUT", "OPT OUT", "REMOVE", "TD",
    "ARRET", "ARRÊT", "DESABONNER", "DÉSABONNER", "ALTO", "PARA",
)  # fmt: skip
STARTING = ("START", "UNSTOP")
HELPING = ("HELP", "INFO")
MEANT = [
    *((word, Keyword.STOP) for word in STOPPING),
    *((word, Keyword.START) for word in STARTING),
    *((word, Keyword.HELP) for word in HELPING),
]
AROUND = (
    "{}",
    " {} ",
    "{}.",
    "{}!!!",
    '"{}"',
    "“{}”",
    "'{}'",
    "\n{}\n",
    "({})",
    "{}…",
    "*{}*",
    "{} 🛑",
    "\u200b{}",
    "«{}»",
    "¡{}!",
)


@pytest.mark.parametrize(("word", "meant"), MEANT)
def test_a_bare_word_is_a_keyword_in_any_case_and_punctuation(word: str, meant: Keyword) -> None:
    cases = (word, word.lower(), word.capitalize(), word.swapcase())
    for case, around in itertools.product(cases, AROUND):
        assert keyword(around.format(case)) is meant, around.format(case)


@pytest.mark.parametrize(
    "text",
    ["ＳＴＯＰ", "Ｓtop", "opt‑out", "opt — out", "OPT  OUT", "arre\u0302t", "stop?", "unsubscribe?"],
)
def test_other_shapes_of_an_opt_out_count_too(text: str) -> None:
    assert keyword(text) is Keyword.STOP


@pytest.mark.parametrize("text", ["cancel?", "Cancel??", "end?", "¿para?", "END❓"])
def test_a_question_about_the_day_opts_nobody_out(text: str) -> None:
    assert keyword(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "please stop by the office", "stop here", "non stop", "the end", "end of day", "cancel my lunch", "is it cancelled",
        "help me", "info please", "start at 6", "when do we start", "removed", "stopped", "para mañana", "", "   ", "...", "1",
        "don't stop", "full stop", "stop start", "opt", "out", "🛑",
    ],
)  # fmt: skip
def test_a_word_among_others_is_no_keyword(text: str) -> None:
    assert keyword(text) is None
    assert keyword(text, opted_out=True) is None


@pytest.mark.parametrize("text", ["YES", "yes", " Yes! ", "“yes”"])
def test_yes_opts_in_only_who_is_opted_out(text: str) -> None:
    assert keyword(text) is None
    assert keyword(text, opted_out=True) is Keyword.START


@pytest.mark.parametrize("text", ["yes?", "start?", "unstop ？"])
def test_nobody_opts_in_by_a_question(text: str) -> None:
    assert keyword(text, opted_out=True) is None


@pytest.mark.parametrize("word", [*STOPPING, *STARTING, *HELPING])
@given(
    before=st.text(st.characters(categories=("P", "S", "Z")), max_size=4),
    after=st.text(st.characters(categories=("P", "S", "Z"), exclude_characters="?"), max_size=4),
)
def test_no_letter_beside_it_no_other_meaning(word: str, before: str, after: str) -> None:
    assert keyword(f"{before} {word} {after}") in {keyword(word), None}
    assert keyword(f"x{before} {word}") is None


@given(st.text(max_size=200), st.booleans())
def test_any_text_can_be_read(text: str, opted_out: bool) -> None:
    assert keyword(text, opted_out) in {None, *Keyword}
    assert asks_to_be_left_alone(text) in {True, False}


@pytest.mark.parametrize(
    "text",
    [
        "please don't text me anymore", "Please don’t text me any more!", "take me off this list", "Take me off your list please",
        "STOP TEXTING ME", "stop texting me!!", "stop messaging this number", "please stop", "Please, stop.", "can you stop?",
        "just stop it", "STOP STOP STOP", "Stop please", "STOPPPP", "stop all", "stop calling me", "do not contact me again",
        "never text me again", "don't call me again", "Don't text me.", "stop sending me these", "stop sending texts",
        "quit sending me messages", "no more texts", "no more messages please", "Hi, no more of these texts please.",
        "I don't want these messages", "I do not want to receive any more texts", "i no longer want your emails",
        "remove me", "Remove me please", "remove my number from your list", "delete my number", "lose my number",
        "get me off this thread", "unsubscribe me", "I want to unsubscribe", "how do I unsubscribe?", "I want to opt out",
        "opt me out of these texts", "opt out please", "leave me alone", "Go away", "fuck off", "STOP",
        "I left the show in May. Please stop texting me.", "sorry wrong person, take me off the list",
        "No me escriban más", "no me mandes mensajes", "Por favor no me llamen más", "ya no me manden mensajes",
        "Dejen de escribirme", "deja de mandarme mensajes", "dejen de enviar mensajes", "déjenme en paz", "no quiero más mensajes",
        "No quiero recibir mensajes", "Quítame de la lista", "bórrenme de esta lista", "quiero darme de baja", "denme de baja",
        "no más mensajes", "basta de mensajes", "¡Basta!", "por favor paren",
        "Ne m'écrivez plus", "ne m’envoyez plus de messages", "ne me contactez plus svp", "Arrêtez de m'écrire",
        "arrête de me texter", "arretez les messages", "Je ne veux plus recevoir de messages", "je veux plus de sms",
        "retirez-moi de la liste", "Enlevez moi de votre liste", "désabonnez-moi", "Je souhaite me désabonner",
        "laissez-moi tranquille", "arrêtez ça", "Arrêtez s'il vous plaît", "plus aucun message merci",
    ],
)  # fmt: skip
def test_a_plain_wish_to_be_left_alone_is_noticed(text: str) -> None:
    assert asks_to_be_left_alone(text)


@pytest.mark.parametrize(
    "text",
    [
        "please stop by the office", "stop at the gate", "can you stop the van?", "don't call me before 6", "don't call me, text me",
        "don't text me, I'm driving", "no more coffee at base", "full stop", "is there a bus stop", "1", "OK", "yes", "what time?",
        "take me off the 6am van", "remove me from the lunch count", "opt out of lunch", "who has my number", "call me",
        "I don't want to be late", "I don't want to miss the message", "nobody told me to stop", "we had to stop filming",
        "cancel?", "end of day?", "help me", "no me llames antes de las 6", "no puedo", "no quiero llegar tarde", "para mañana no",
        "dejen la puerta abierta", "plus de messages demain?", "je ne peux pas venir", "arrêtez-vous au portail", "laissez la clé",
        "don't message the whole crew", "stop sending the van so early", "",
    ],
)  # fmt: skip
def test_ordinary_talk_is_no_such_wish(text: str) -> None:
    assert not asks_to_be_left_alone(text)
