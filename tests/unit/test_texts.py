"""What a person reads on the phone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.priorities import Priority
from app.domain.replies import STANDARD_OPTIONS, Meaning, ReplyOption
from app.domain.sms import measure
from app.domain.texts import OPT_OUT_WORDS, Wording, asking, disregard, sms

LINK = "https://nightfall.callboard.example/m/0123456789abcdef"


def wording(
    subject: str = "Unit moves to Stage 4",
    body: str = "Gate C from 19:15.",
    *,
    priority: Priority = Priority.IMPORTANT,
    asks: bool = False,
) -> Wording:
    return Wording("NIGHTFALL S2", priority, subject, body, STANDARD_OPTIONS if asks else ())


def test_the_whole_text() -> None:
    text = sms(wording(priority=Priority.URGENT, asks=True), link=LINK, opt_out_words=True)
    assert text == (
        "NIGHTFALL S2: URGENT: Unit moves to Stage 4. Gate C from 19:15. "
        f"Reply 1 to confirm, 2 if there is a problem. {LINK} Reply STOP to opt out."
    )


@pytest.mark.parametrize(
    ("subject", "body", "read"),
    [
        ("Moved", "Gate C.", "Moved. Gate C."),
        ("Moved!", "Gate C.", "Moved! Gate C."),
        ("Moved", "", "Moved."),
        ("", "Gate C", "Gate C."),
        ("", "Gate C.", "Gate C."),
        ("Unit moves", "UNIT MOVES to Stage 4.", "UNIT MOVES to Stage 4."),
        (" Moved ", " Gate C. ", "Moved. Gate C."),
    ],
)
def test_subject_and_body_read_as_one_text(subject: str, body: str, read: str) -> None:
    assert sms(wording(subject, body), link=None, opt_out_words=False) == f"NIGHTFALL S2: {read}"


@given(st.text(min_size=1), st.text(), st.booleans(), st.booleans(), st.sampled_from(list(Priority)))
def test_every_text_begins_with_who_writes_and_is_always_the_same(
    subject: str, body: str, asks: bool, opt_out: bool, priority: Priority
) -> None:
    made = wording(subject, body, priority=priority, asks=asks)
    text = sms(made, link=LINK, opt_out_words=opt_out)
    assert text == sms(made, link=LINK, opt_out_words=opt_out)
    assert text.startswith("NIGHTFALL S2: ")
    assert text.startswith("NIGHTFALL S2: URGENT: ") or priority is not Priority.URGENT
    assert LINK in text
    assert (OPT_OUT_WORDS["en"] in text) or not opt_out
    assert ("Reply 1 to confirm" in text) or not asks


def test_what_is_asked_for_is_a_digit_and_never_a_keyword_of_the_carriers() -> None:
    assert asking(STANDARD_OPTIONS) == "Reply 1 to confirm, 2 if there is a problem."
    declines = [*STANDARD_OPTIONS, ReplyOption(3, "I cannot come", Meaning.DECLINED)]
    assert asking(declines) == "Reply 1 to confirm, 2 if there is a problem, 3 I cannot come."
    assert not {"YES", "NO", "CANCEL", "END", "STOP"} & set(asking(declines).upper().split())


@pytest.mark.parametrize("language", ["en", "es", "fr", "de", ""])
def test_the_opt_out_words_are_in_the_persons_language_and_in_plain_letters(language: str) -> None:
    words = OPT_OUT_WORDS.get(language, OPT_OUT_WORDS["en"])
    text = sms(wording(), link=None, opt_out_words=True, language=language)
    assert text.endswith(words)
    assert "STOP" in words
    assert measure(text).encoding == measure("plain").encoding


@pytest.mark.parametrize(
    ("location", "read"),
    [
        ("Stage 7", "Unit moves to Stage 4. Gate C from 19:15. Where: Stage 7."),
        ("Stage 4, North lot", "Unit moves to Stage 4. Gate C from 19:15. Where: Stage 4, North lot."),
        ("stage 4, gate c", "Unit moves to Stage 4. Gate C from 19:15."),
        (" , ", "Unit moves to Stage 4. Gate C from 19:15."),
        ("", "Unit moves to Stage 4. Gate C from 19:15."),
    ],
    ids=["not told", "told in part", "told in other letters", "no place", "none"],
)
def test_the_place_is_told_once(location: str, read: str) -> None:
    made = replace(wording(), location=location)
    assert sms(made, link=None, opt_out_words=False) == f"NIGHTFALL S2: {read}"


def test_a_disregard_names_the_message_and_asks_for_nothing() -> None:
    asks = wording(priority=Priority.URGENT, asks=True)
    text = disregard(asks, headline="Unit moves to Stage 4", link=LINK, opt_out_words=False)
    assert text == f"NIGHTFALL S2: DISREGARD: Unit moves to Stage 4. This message is cancelled. {LINK}"


def test_a_headline_that_was_cut_does_not_halve_the_room_of_a_disregard() -> None:
    text = disregard(wording(), headline="The unit moves to Stage 4 at a…", link=None, opt_out_words=True)
    assert "Stage 4 at a... This message is cancelled. Reply STOP" in text
    assert measure(text).offending == ()
