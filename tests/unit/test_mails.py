"""What a person reads in an e-mail."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.mails import WORDS, mail
from app.domain.priorities import Priority
from app.domain.rendering import Particulars, kept, rendered, segments
from app.domain.replies import STANDARD_OPTIONS
from app.domain.texts import Wording
from providers.contract import Channel, Mail

LINK = "https://nightfall.callboard.example/m/0123456789abcdef"
MOVED = Wording(
    "NIGHTFALL S2",
    Priority.URGENT,
    "Unit moves to Stage 4",
    "Gate C from 19:15.\nPark in Lot 2.",
    STANDARD_OPTIONS,
    "Stage 4, Gate C & D",
)


class Reader(HTMLParser):
    """What a mail program shows of the HTML, and what it would fetch or follow."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.images: list[str] = []
        self.words = ""
        self._hidden = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.tags.append(tag)
        self._hidden = tag == "title"
        if tag == "a":
            self.links.append(named["href"] or "")
        if tag == "img":
            self.images.append(named["src"] or "")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words += data


def test_the_whole_mail_as_text() -> None:
    made = mail(MOVED, link=LINK)
    assert made.subject == "NIGHTFALL S2: URGENT: Unit moves to Stage 4"
    assert made.text == (
        "NIGHTFALL S2\n"
        "URGENT\n"
        "\n"
        "Unit moves to Stage 4\n"
        "\n"
        "Gate C from 19:15.\nPark in Lot 2.\n"
        "\n"
        "Where: Stage 4, Gate C & D\n"
        "Map: https://www.google.com/maps/search/?api=1&query=Stage+4%2C+Gate+C+%26+D\n"
        "\n"
        "Your answer. Choose one. A page opens: press the button there.\n"
        f"I have read it and I will be there: {LINK}#answer-1\n"
        f"There is a problem: {LINK}#answer-2\n"
        "\n"
        "You get this because you are on the crew list of NIGHTFALL S2.\n"
        f"No more e-mail from this production: {LINK}/stop\n"
    )


def test_every_word_of_the_text_stands_in_the_html_and_every_address_behind_a_link() -> None:
    made = mail(MOVED, link=LINK)
    shown = Reader(made.html)
    addresses = [word for word in made.text.split() if word.startswith("https://")]
    assert shown.links == addresses
    said = [word.rstrip(":") for word in made.text.split() if word not in addresses]
    assert said == [word.rstrip(":") for word in shown.words.split()]


def test_the_html_brings_nothing_that_a_dark_screen_or_an_old_mail_program_would_spoil() -> None:
    made = mail(MOVED, link=LINK)
    assert not {"script", "style", "link", "form", "iframe"} & set(Reader(made.html).tags)
    assert Reader(made.html).tags.count("table") <= 1
    assert "color:" not in made.html.replace("color-scheme", "")
    assert "background" not in made.html
    assert '<meta name="color-scheme" content="light dark">' in made.html


def test_the_only_image_is_the_one_that_tells_the_mail_was_opened() -> None:
    assert Reader(mail(MOVED, link=LINK).html).images == [f"{LINK}/open.gif"]
    assert Reader(mail(MOVED, link=None).html).images == []


def test_the_mail_says_where_it_can_be_ended() -> None:
    assert mail(MOVED, link=LINK).opt_out_url == f"{LINK}/stop"


def test_without_a_page_the_answer_goes_to_the_senders_mailbox() -> None:
    made = mail(MOVED, link=None)
    assert made.opt_out_url is None
    assert "Reply to this e-mail with one of these.\n- I have read it and I will be there\n" in made.text
    assert "tell the production office" in made.text
    assert "/m/" not in made.text + made.html


@pytest.mark.parametrize(
    ("link", "asked"),
    [(LINK, f"I have read this: {LINK}\n"), (None, "Park in Lot 2.\n\nYou get this because")],
    ids=["with a page", "without one"],
)
def test_where_no_answer_is_asked_for_the_page_still_takes_that_it_was_read(
    link: str | None, asked: str
) -> None:
    assert asked in mail(replace(MOVED, options=(), location=""), link=link).text


@pytest.mark.parametrize("priority", list(Priority))
def test_urgent_stands_in_the_subject_and_in_the_body_and_only_where_it_is(priority: Priority) -> None:
    made = mail(replace(MOVED, priority=priority), link=LINK)
    urgent = priority is Priority.URGENT
    assert ("URGENT" in made.subject) is urgent
    assert ("URGENT" in made.text) is urgent
    assert (">URGENT<" in made.html) is urgent


def test_a_body_that_begins_with_the_subject_says_it_once() -> None:
    made = mail(replace(MOVED, body="Unit moves to Stage 4 from 19:15."), link=None)
    assert made.text.count("Unit moves to Stage 4") == 1
    assert Reader(made.html).words.count("Unit moves to Stage 4") == 1


def test_a_message_without_a_subject_is_called_by_the_beginning_of_its_body() -> None:
    made = mail(replace(MOVED, subject=""), link=None)
    assert made.subject == "NIGHTFALL S2: URGENT: Gate C from 19:15. Park in Lot 2."


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=40), st.text(min_size=1, max_size=30))
def test_what_people_write_is_never_markup_and_the_subject_is_one_line(
    title: str, body: str, location: str, label: str
) -> None:
    options = (replace(STANDARD_OPTIONS[0], label=label), STANDARD_OPTIONS[1])
    made = mail(replace(MOVED, subject=title, body=body, location=location, options=options), link=LINK)
    plain = mail(replace(MOVED, subject="a", body="b", location="c"), link=LINK)
    assert set(Reader(made.html).tags) <= set(Reader(plain.html).tags) | {"br"}
    assert len(made.subject.splitlines()) == 1
    assert made.subject.startswith("NIGHTFALL S2: URGENT: ")
    assert made == mail(
        replace(MOVED, subject=title, body=body, location=location, options=options), link=LINK
    )


def test_markup_in_a_message_is_shown_as_it_was_written() -> None:
    wicked = '"><img src=x onerror=alert(1)><script>'
    made = mail(replace(MOVED, production=wicked, subject=wicked, body=wicked, location=wicked), link=LINK)
    assert "<script>" not in made.html
    assert Reader(made.html).images == [f"{LINK}/open.gif"]
    assert wicked in Reader(made.html).words


@pytest.mark.parametrize(
    ("language", "urgent"), [("en", "URGENT"), ("es-MX", "URGENTE"), ("fr", "URGENT"), ("xx", "URGENT")]
)
def test_the_words_around_the_message_are_in_the_persons_language(language: str, urgent: str) -> None:
    made = mail(MOVED, link=LINK, language=language)
    words = WORDS.get(language[:2], WORDS["en"])
    assert f": {urgent}: " in made.subject
    for said in (words.where, words.answer, words.by_page, words.stop):
        assert said in made.text
    assert f'lang="{language}"' in made.html


def test_every_language_names_the_production() -> None:
    assert all("{production}" in words.because for words in WORDS.values())


def test_a_mail_is_rendered_again_for_every_attempt_and_takes_the_room_of_one() -> None:
    particulars = Particulars(link=LINK, opt_out_words=True, language="en")
    made = rendered(Channel.EMAIL, MOVED, particulars)
    assert isinstance(made, Mail)
    assert made == mail(MOVED, link=LINK)
    assert kept(made) is None
    assert segments(made) == 1


def test_a_mail_to_who_had_a_cancelled_message_tells_them_to_disregard_it_and_asks_for_nothing() -> None:
    wording = Wording(
        "NIGHTFALL S2",
        Priority.URGENT,
        "Unit moves to Stage 4",
        "Be there at 5.",
        STANDARD_OPTIONS,
        "Stage 4",
    )
    told = rendered(Channel.EMAIL, wording, Particulars("https://x.example/m/abc", False, disregard=True))
    assert isinstance(told, Mail)
    assert "DISREGARD: Unit moves to Stage 4" in told.subject
    for said in (told.text, told.html):
        assert "This message is cancelled." in said
        assert "answer-" not in said
        assert "Be there at 5." not in said
