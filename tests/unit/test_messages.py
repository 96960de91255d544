"""The rules a message must keep before anything is sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import texts
from app.domain.message_types import MessageType
from app.domain.messages import HEADLINE_LIMIT, SUBJECT_LIMIT, Composed, headline, problem_of
from app.domain.priorities import Priority, Purpose
from app.domain.replies import STANDARD_OPTIONS
from app.domain.sms import DEFAULT_LIMIT, HARD_LIMIT
from app.domain.texts import Wording, sms
from providers.contract import Channel

LINK = "https://nightfall.callboard.example/m/0123456789abcdef"


def composed(**parts: object) -> Composed:
    whole: dict[str, object] = {
        "audience": ["all"],
        "type": MessageType.SAFETY,
        "priority": Priority.URGENT,
        "purpose": Purpose.SAFETY,
        "subject": "Moved",
        "body": "Gate C.",
        "channels": [Channel.SMS],
        "options": STANDARD_OPTIONS,
    }
    return Composed(**(whole | parts))  # type: ignore[arg-type]


def test_a_plain_message_has_no_problem() -> None:
    assert problem_of(composed(), "NIGHTFALL S2") is None


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"audience": []}, "Nobody is addressed."),
        ({"subject": " ", "body": "\n"}, "The message is empty."),
        ({"subject": "x" * (SUBJECT_LIMIT + 1)}, f"The subject has {SUBJECT_LIMIT + 1} characters"),
        ({"body": "x" * (DEFAULT_LIMIT + 1)}, f"The message has {DEFAULT_LIMIT + 1} characters"),
        ({"body": "x" * 470, "location": "Stage 4"}, "The message has 486 characters"),
        ({"body": "x" * HARD_LIMIT}, "no carrier takes more"),
    ],
    ids=["nobody", "empty", "long subject", "long body", "long with its place", "too long for any carrier"],
)
def test_what_is_wrong_is_said_with_a_next_step(parts: dict[str, object], sentence: str) -> None:
    problem = problem_of(composed(**parts), "NIGHTFALL S2")
    assert problem is not None
    assert sentence in problem.sentence
    assert problem.next.endswith(".")


@pytest.mark.parametrize("length", [SUBJECT_LIMIT, SUBJECT_LIMIT + 1])
def test_the_limit_of_the_subject_is_the_last_that_fits(length: int) -> None:
    assert (problem_of(composed(subject="x" * length), "N") is None) == (length <= SUBJECT_LIMIT)


def test_a_long_message_may_go_out_by_other_channels() -> None:
    assert problem_of(composed(body="x" * HARD_LIMIT, channels=[Channel.EMAIL]), "N") is None


@given(st.text(max_size=DEFAULT_LIMIT), st.text(max_size=SUBJECT_LIMIT), st.text(max_size=40))
def test_what_passes_is_never_longer_than_a_carrier_takes(body: str, subject: str, production: str) -> None:
    message = composed(body=body, subject=subject)
    if problem_of(message, production) is None:
        made = Wording(production, message.priority, subject, body, message.options)
        for language in texts.OPT_OUT_WORDS:
            text = sms(made, link=LINK, opt_out_words=True, language=language)
            assert len(text) <= HARD_LIMIT


@pytest.mark.parametrize(
    ("subject", "body", "called"),
    [
        ("Unit moves", "Gate C.", "Unit moves"),
        ("  ", "Lunch is pushed\n30 minutes.", "Lunch is pushed 30 minutes."),
        (
            "",
            "The unit moves to Stage 4 at a quarter past seven.",
            "The unit moves to Stage 4 at a quarter…",
        ),
        ("", "x" * 41, "x" * 39 + "…"),
        ("", "", ""),
    ],
)
def test_a_message_is_called_by_its_subject_or_the_beginning_of_its_body(
    subject: str, body: str, called: str
) -> None:
    assert headline(subject, body) == called


@given(st.text(max_size=200))
def test_a_headline_from_a_body_is_one_short_line_and_never_empty_where_the_body_is_not(body: str) -> None:
    called = headline("", body)
    assert len(called) <= HEADLINE_LIMIT
    assert called == " ".join(called.split())
    assert bool(called) == bool(body.strip())
    assert " ".join(body.split()).startswith(called.removesuffix("…"))
