"""Reading answers: what plainly confirms, what plainly asks for help, and what a person must read."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.keywords import keyword
from app.domain.replies import STANDARD_OPTIONS, Meaning, ReadReply, ReplyOption, read_reply
from app.domain.reply_words import CONFIRMING, DECLINING, POLITE, REGRETS

CONFIRM, PROBLEM = STANDARD_OPTIONS
CANNOT = ReplyOption(3, "I can't make it", Meaning.DECLINED)

CONFIRMS = [
    "1", " 1 ", "1.", "1!", "#1", "# 1", "(1)", "1)", '"1"', "“1”", "'1'", "１", "①", "1️⃣", "1⃣", "١", "*1*", "1\n", "\n1",
    "1 thanks", "1 thx!", "1, thank you", "1 - got it", "1 ok", "1 yes", "1. Confirmed", "1 👍", "1👍🏽", "👍 1", "ok 1", "Hi, 1",
    "1 copy that", "1 to confirm", "Reply 1", "option 1", "Option #1", "press 1", "1 sir", "1 confirm", "1 y", "1 gracias", "1 merci",
    "1 I have read it and I will be there", "I have read it and I will be there", "I have read it and I will be there.",
    "one", "One!", "uno", "un",
    "OK", "ok", "Ok", "ok!", "ok.", "OK!!!", "ok…", "ok; thanks", "“ok”", "okay", "Okay thanks", "okkkk", "okayyy", "OK 👍", "ok thank you so much",
    "O.K.", "K", "k", "kk", "ok ok", "Okey", "okie dokie", "ｏｋ", "oK\u200b", "ok\u00a0thanks",
    "C", "c", "c.", "CONFIRM", "confirm", "Confirm!", "confirmed", "Confirmed.", "CONFIRMED 👍🏿", "I confirm", "confirmed, thanks",
    "COPY", "copy", "Copy.", "COPY THAT", "copy that", "Copy that!", "copy that, thanks!", "copy copy", "Copy, see you tomorrow",
    "10-4", "10-4!", "10 4", "10–4", "10‑4 👍", "10-4 thanks", "10-4, boss", "ten-four", "ten four",
    "👍", "👍🏻", "👍🏼", "👍🏽", "👍🏾", "👍🏿", "👍👍👍", "👍 thanks", "👍\ufe0f", "👌", "✅", "✔️", "☑️", "🆗", "👍🙏", "👌🏾",
    "Y", "y", "Yes", "YES", "yes!", "yes thanks", "yesss", "yep", "yup", "yeah", "Yes sir", "yes, confirmed",
    "got it", "Got it!", "got it thanks", "gotit", "Got it 👍", "roger", "Roger that", "roger!", "wilco", "affirmative",
    "understood", "noted", "Noted, thanks", "will do", "acknowledged", "received", "sounds good", "I'll be there", "I’ll be there!",
    "will be there", "ok, will be there", "good morning, confirmed", "Confirmed\n\nSent from my iPhone",
    "sí", "Sí", "si", "SI!", "sí, gracias", "vale", "Vale!", "confirmo", "Confirmado", "de acuerdo", "entendido", "recibido",
    "ok gracias", "ahí estaré", "copiado", "¡Sí!", "sí confirmo",
    "oui", "Oui!", "oui merci", "d'accord", "D’accord", "ok merci", "je confirme", "bien reçu", "c'est noté", "j'y serai", "compris",
]  # fmt: skip

ASKS_FOR_HELP = [
    "2", "2.", "#2", " 2 ", "２", "2️⃣", "②", "two", "dos", "deux", "2 sorry", "2 please", "2 help", "2 there is a problem", "2!",
    "There is a problem", "there is a problem.", "2 if there is a problem", "option 2",
]  # fmt: skip

ASKS_FOR_HELP_AND_SAYS_WHY = [
    "2 - car broke down", "2, flat tire on the 101", "2. Car won't start", "2: sick kid", "2\ncar broke down", "2) stuck at the gate",
    "2 – mi coche no arranca", "2 I need a ride", "2 my car died", "2 there's no parking", "2 tengo fiebre", "2 j'ai un souci",
    "2 - can someone pick me up?", "2 - i'm 20 min late", "2 - no tengo coche", "２ － no car",
]  # fmt: skip

FOR_THE_COORDINATOR = [
    # Numbers, times, amounts, dates
    "10", "11", "12", "12 noon?", "12 noon", "1:30", "1.30", "1pm", "1 pm", "1 hr", "1 hour late", "1 min", "1st", "21", "1,5", "1/2",
    "+1", "-1", "$1", "1%", "10/4", "10-40", "10.4", "10-4-2026", "2 hours late", "2-3 hours late", "2.5", "2 - 3 min", "2-hour delay",
    "2 of us are coming", "2 grips are late", "2 no shows", "2 minutes out", "2nd unit", "2 can't make it", "3", "0", "1000", "5 stars",
    "1 question", "1 sec", "one sec", "one moment", "1 1", "104",
    # Questions
    "1 or 2?", "1?", "2?", "ok?", "OK ?", "yes?", "copy?", "confirm?", "10-4?", "👍?", "ok？", "ok❓", "what?", "What time?", "end of day?",
    "cancel?", "which gate", "is it ok", "¿confirmo?", "1 ¿y el lunes", "d'accord?", "ok؟", "ok\u037e",
    # Two answers, or one and its opposite
    "1 or 2", "1 2", "1,2", "1 and 2", "2 1", "2, 1", "2 - or 1", "2 - sorry, I meant 1", "yes no", "yes/no", "y/n", "ok no", "👍👎", "2 👍",
    "2 ok", "2 - confirmed", "ok 2", "1 no", "1 sorry", "1\n2", "1️⃣0️⃣", "1️⃣2️⃣", "maybe", "yes and no",
    # More than yes
    "ok but I'm late", "ok but", "1 but I will be late", "1 but", "yes but not before 7", "ok if I get a ride", "Confirmed for Tuesday",
    "1 - car broke down", "ok running late", "got it, what gate", "copy me on the email", "confirm please", "please confirm", "Y not",
    "c u there", "confirm what", "ok 6:30", "ok see you at 6", "yes 7am works", "1 tomorrow", "si puedo", "vale pero llego tarde",
    "oui mais en retard", "ok pas avant 7h", "will be there late", "I'll be there at 7", "ok 🤔", "ok 😡", "👍 to “Call 06:30”",
    "Liked “NIGHTFALL: call 06:30. Reply 1 to confirm”", "Reply 1 to confirm, 2 if there is a problem.", "roger is sick", "number one",
    # No, help, and other talk
    "no", "No.", "nope", "no puedo", "can't", "can't make it", "I can't come", "declined", "non", "👎", "no problem", "not ok",
    "not confirmed", "unconfirmed", "no copy", "don't confirm", "ok not", "help me", "I need help", "sick", "running late", "thanks",
    "thank you!", "🙏", "great", "cool", "perfect", "see you there", "good morning", "hello", "who is this", "wrong number", "received it late",
    "...", "🚗💥", "❌", "😷", "read", "seen", "2 no", "2️⃣ flat tyre", "stop by the office", "please stop texting me",
]  # fmt: skip

KEYWORDS_NOT_ANSWERS = [
    "STOP",
    "stop!!!",
    "Cancel",
    "END",
    "quit",
    "help",
    "INFO",
    "START",
    "Arrêt",
    "para",
    "opt-out",
]


@pytest.mark.parametrize("text", CONFIRMS)
def test_this_confirms(text: str) -> None:
    assert read_reply(text, STANDARD_OPTIONS) == ReadReply(CONFIRM, free_text=False)


@pytest.mark.parametrize("text", ASKS_FOR_HELP)
def test_this_asks_for_help(text: str) -> None:
    assert read_reply(text, STANDARD_OPTIONS) == ReadReply(PROBLEM, free_text=False)


@pytest.mark.parametrize("text", ASKS_FOR_HELP_AND_SAYS_WHY)
def test_this_asks_for_help_and_has_words_to_read(text: str) -> None:
    assert read_reply(text, STANDARD_OPTIONS) == ReadReply(PROBLEM, free_text=True)


@pytest.mark.parametrize("text", FOR_THE_COORDINATOR)
def test_this_is_not_guessed_at(text: str) -> None:
    assert read_reply(text, STANDARD_OPTIONS) == ReadReply(None, free_text=True)


@pytest.mark.parametrize("text", KEYWORDS_NOT_ANSWERS)
def test_a_keyword_is_neither_an_answer_nor_free_text(text: str) -> None:
    assert read_reply(text, STANDARD_OPTIONS) == ReadReply(None, free_text=False)


def test_the_tables_hold_hundreds_of_different_answers() -> None:
    every = [
        *CONFIRMS,
        *ASKS_FOR_HELP,
        *ASKS_FOR_HELP_AND_SAYS_WHY,
        *FOR_THE_COORDINATOR,
        *KEYWORDS_NOT_ANSWERS,
    ]
    assert len(every) == len(set(every)) > 150


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_an_empty_text_says_nothing(text: str) -> None:
    assert read_reply(text, STANDARD_OPTIONS) == ReadReply(None, free_text=False)


def test_yes_from_somebody_who_opted_out_is_no_answer() -> None:
    assert read_reply("YES", STANDARD_OPTIONS) == ReadReply(CONFIRM, free_text=False)
    assert read_reply("YES", STANDARD_OPTIONS, opted_out=True) == ReadReply(None, free_text=False)
    assert read_reply("yes thanks", STANDARD_OPTIONS, opted_out=True) == ReadReply(None, free_text=True)
    assert read_reply("1", STANDARD_OPTIONS, opted_out=True) == ReadReply(CONFIRM, free_text=False)


@pytest.mark.parametrize(
    "text", ["no", "No.", "NO!", "can't", "Can’t", "cannot", "declined", "can't make it", "no sorry", "sorry, can't", "3", "3 sorry",
             "no puedo", "non", "I can't make it", "No thanks"],
)  # fmt: skip
def test_a_bare_no_declines_only_where_declining_is_offered(text: str) -> None:
    assert read_reply(text, (*STANDARD_OPTIONS, CANNOT)) == ReadReply(CANNOT, free_text=False)
    assert read_reply(text, STANDARD_OPTIONS).option is None


@pytest.mark.parametrize(
    "text",
    [
        "no?",
        "no problem",
        "no worries",
        "no parking here",
        "no 1",
        "can't hear you",
        "no way?",
        "3?",
        "no yes",
    ],
)
def test_other_texts_with_no_do_not_decline(text: str) -> None:
    assert read_reply(text, (*STANDARD_OPTIONS, CANNOT)) == ReadReply(None, free_text=True)


def test_words_choose_by_meaning_and_not_by_place() -> None:
    turned = (ReplyOption(1, "Trouble", Meaning.NEEDS_HELP), ReplyOption(2, "Fine", Meaning.CONFIRMED))
    assert read_reply("ok", turned).option == turned[1]
    assert read_reply("2 thanks", turned).option == turned[1]
    assert read_reply("1 - flat tire", turned) == ReadReply(turned[0], free_text=True)
    assert read_reply("2 - flat tire", turned) == ReadReply(None, free_text=True)


def test_words_that_fit_two_options_choose_neither() -> None:
    vans = (ReplyOption(1, "Van", Meaning.CONFIRMED), ReplyOption(2, "Own car", Meaning.CONFIRMED))
    assert read_reply("ok", vans) == ReadReply(None, free_text=True)
    assert read_reply("own car", vans).option == vans[1]
    assert read_reply("2 ok", vans).option == vans[1]


def test_a_label_is_an_answer_before_any_word_is() -> None:
    meals = (ReplyOption(1, "No", Meaning.OTHER), ReplyOption(2, "Yes", Meaning.OTHER))
    assert read_reply("yes", meals).option == meals[1]
    assert read_reply("no", meals).option == meals[0]
    assert read_reply("ok", meals).option is None


def test_nothing_is_chosen_where_nothing_is_offered() -> None:
    assert read_reply("1", ()) == ReadReply(None, free_text=True)


@pytest.mark.parametrize("mark", ["?", "？", "؟", "❓", "¿", "\u037e", "⁉️"])
def test_a_question_mark_anywhere_never_confirms(mark: str) -> None:
    for text in CONFIRMS:
        for place in (0, len(text) // 2, len(text)):
            read = read_reply(text[:place] + mark + text[place:], STANDARD_OPTIONS)
            assert read.option is not CONFIRM


@given(
    st.sampled_from(CONFIRMS),
    st.sampled_from(
        ["but", "late", "if", "no", "not", "maybe", "2", "7", "6:30", "when", "pero", "mais", "👎"]
    ),
)
def test_a_word_that_is_not_accounted_for_never_confirms(text: str, more: str) -> None:
    assert read_reply(f"{text} {more}", STANDARD_OPTIONS).option is not CONFIRM
    assert read_reply(f"{more} {text}", STANDARD_OPTIONS).option is not CONFIRM


@given(
    st.permutations(["ok", "thanks", "👍", "see you tomorrow", "copy that"]),
    st.sampled_from([" ", ", ", "! ", "\n"]),
)
def test_the_order_of_civil_words_does_not_matter(words: list[str], between: str) -> None:
    assert read_reply(between.join(words), STANDARD_OPTIONS).option is CONFIRM


@given(
    st.permutations([*STANDARD_OPTIONS, CANNOT]),
    st.sampled_from([*CONFIRMS, *ASKS_FOR_HELP, *FOR_THE_COORDINATOR]),
)
def test_the_order_of_the_options_does_not_matter(options: list[ReplyOption], text: str) -> None:
    assert read_reply(text, options) == read_reply(text, (*STANDARD_OPTIONS, CANNOT))


@given(st.text(max_size=300), st.booleans())
def test_any_text_can_be_read_and_chooses_only_what_is_offered(text: str, opted_out: bool) -> None:
    read = read_reply(text, STANDARD_OPTIONS, opted_out)
    assert read.option in (None, *STANDARD_OPTIONS)
    if keyword(text, opted_out) is not None:
        assert read == ReadReply(None, free_text=False)


def test_a_very_long_text_is_left_to_the_coordinator() -> None:
    assert read_reply("ok " * 1000, STANDARD_OPTIONS) == ReadReply(None, free_text=True)


def test_no_word_says_two_things() -> None:
    for one, other in itertools.combinations((CONFIRMING, DECLINING, POLITE, REGRETS), 2):
        assert not one & other


def test_no_word_that_confirms_is_a_keyword() -> None:
    assert [word for word in CONFIRMING if keyword(word) is not None] == []
