"""What a person reads in an e-mail: one version of a message as a subject, plain text and HTML, in the same words.

The HTML is what every mail program shows alike: no images but the one that tells that the mail was opened, no
style sheet, no colours of its own, so that a dark screen stays dark. What somebody wrote is text in it, never
markup.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import quote_plus

from app.domain.messages import headline
from app.domain.priorities import Priority
from app.domain.replies import ReplyOption
from app.domain.texts import Wording
from providers.contract import Mail

MAP: Final = "https://www.google.com/maps/search/?api=1&query={place}"
"""Opens the maps of the phone or the browser, without an account (Google's published "Maps URLs")."""

STOP_PATH: Final = "/stop"
OPENED_PATH: Final = "/open.gif"
"""Beside the address of the crew page: where e-mail is ended, and the image that tells it was opened."""

ANSWER_MARK: Final = "#answer-{digit}"
"""Leads to one button of the crew page. What follows # stays in the browser: following it answers nothing."""


@dataclass(frozen=True, slots=True)
class MailWords:
    """What an e-mail says around the message, in one language."""

    urgent: str
    where: str
    map: str
    answer: str
    by_page: str
    """How an answer is given by a link."""
    by_reply: str
    """How it is given where there is no page to link to."""
    read: str
    because: str
    stop: str
    ask_to_stop: str


WORDS: Final[dict[str, MailWords]] = {
    "en": MailWords(
        urgent="URGENT",
        where="Where",
        map="Map",
        answer="Your answer",
        by_page="Choose one. A page opens: press the button there.",
        by_reply="Reply to this e-mail with one of these.",
        read="I have read this",
        because="You get this because you are on the crew list of {production}.",
        stop="No more e-mail from this production",
        ask_to_stop="If you want no more e-mail, tell the production office.",
    ),
    "es": MailWords(
        urgent="URGENTE",
        where="Dónde",
        map="Mapa",
        answer="Su respuesta",
        by_page="Elija una. Se abre una página: pulse allí el botón.",
        by_reply="Responda a este correo con una de estas.",
        read="Lo he leído",
        because="Recibe este correo porque está en la lista de equipo de {production}.",
        stop="No quiero más correos de esta producción",
        ask_to_stop="Si no quiere más correos, dígalo a la oficina de producción.",
    ),
    "fr": MailWords(
        urgent="URGENT",
        where="Où",
        map="Carte",
        answer="Votre réponse",
        by_page="Choisissez. Une page s’ouvre : appuyez-y sur le bouton.",
        by_reply="Répondez à cet e-mail par l’une de ces réponses.",
        read="J’ai lu ce message",
        because="Vous recevez cet e-mail car vous êtes sur la liste d’équipe de {production}.",
        stop="Ne plus recevoir d’e-mails de cette production",
        ask_to_stop="Si vous ne voulez plus d’e-mails, dites-le au bureau de production.",
    ),
}


def words_for(language: str) -> MailWords:
    """The words of a language such as ``en`` or ``es-MX``, in English where there are none."""
    return WORDS.get(language.split("-", maxsplit=1)[0].lower(), WORDS["en"])


def mail(wording: Wording, *, link: str | None, language: str = "en") -> Mail:
    """The e-mail as it is sent: the same for the same arguments, to the last byte.

    ``link`` is the address of the recipient's own page, given only where the public address is stable; without
    one an answer is asked for by a reply to the sender's mailbox.
    """
    letter = _Letter(wording, words_for(language), link)
    return Mail(
        subject=subject(wording, words_for(language)),
        text=_text(letter),
        html=_html(letter, language),
        opt_out_url=link + STOP_PATH if link else None,
    )


def subject(wording: Wording, words: MailWords) -> str:
    """One line that begins with the production's name, so that nobody wonders who writes."""
    urgent = f"{words.urgent}: " if wording.priority is Priority.URGENT else ""
    return f"{' '.join(wording.production.split())}: {urgent}{headline(wording.subject, wording.body)}"


@dataclass(frozen=True, slots=True)
class _Letter:
    """The parts of one e-mail, before they are set as text or as HTML."""

    wording: Wording
    words: MailWords
    link: str | None

    @property
    def urgent(self) -> str:
        return self.words.urgent if self.wording.priority is Priority.URGENT else ""

    @property
    def heading(self) -> str:
        """The subject; nothing where the body begins with it."""
        written, body = self.wording.subject.strip(), self.wording.body.strip()
        return "" if body.casefold().startswith(written.casefold()) else written

    @property
    def body(self) -> str:
        return self.wording.body.strip()

    @property
    def place(self) -> str:
        return " ".join(self.wording.location.split())

    @property
    def map(self) -> str:
        return MAP.format(place=quote_plus(self.place))

    def answers(self) -> Iterator[tuple[str, str | None]]:
        """What can be answered, and where: the label and the address of its button."""
        for option in self.wording.options:
            yield option.label, _button(self.link, option)
        if not self.wording.options and self.link:
            yield self.words.read, self.link

    @property
    def how(self) -> str:
        """How an answer is given; nothing where none is asked for and none can be."""
        if self.link:
            return self.words.by_page if self.wording.options else ""
        return self.words.by_reply if self.wording.options else ""

    @property
    def because(self) -> str:
        return self.words.because.format(production=" ".join(self.wording.production.split()))


def _button(link: str | None, option: ReplyOption) -> str | None:
    return link + ANSWER_MARK.format(digit=option.digit) if link else None


def _text(letter: _Letter) -> str:
    """The mail for programs that show plain text: paragraphs with an empty line between them."""
    words = letter.words
    place = f"{words.where}: {letter.place}\n{words.map}: {letter.map}" if letter.place else ""
    answers = [f"{label}: {address}" if address else f"- {label}" for label, address in letter.answers()]
    asked = f"{words.answer}. {letter.how}" if letter.how else ""
    stop = f"{words.stop}: {letter.link}{STOP_PATH}" if letter.link else words.ask_to_stop
    paragraphs = [
        "\n".join(line for line in (letter.wording.production, letter.urgent) if line),
        letter.heading,
        letter.body,
        place,
        "\n".join(line for line in (asked, *answers) if line),
        f"{letter.because}\n{stop}",
    ]
    return "\n\n".join(one for one in paragraphs if one) + "\n"


_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{title}</title>
</head>
<body style="margin:0;padding:16px;font-family:system-ui,-apple-system,'Segoe UI',Arial,sans-serif;\
font-size:17px;line-height:1.5">
{parts}
</body>
</html>
"""
_PARAGRAPH = '<p style="margin:0 0 16px;max-width:36em">{}</p>'
_URGENT = '<p style="margin:0 0 8px;font-weight:bold;letter-spacing:1px">{}</p>'
_HEADING = '<h1 style="margin:0 0 12px;font-size:22px;line-height:1.25">{}</h1>'
_BUTTON = (
    '<p style="margin:0 0 12px"><a href="{address}" style="display:inline-block;padding:12px 18px;'
    'border:2px solid;border-radius:8px;font-weight:bold;text-decoration:none">{label}</a></p>'
)
_SMALL = '<p style="margin:24px 0 0;font-size:14px;max-width:44em">{}</p>'
_OPENED = '<img src="{}" width="1" height="1" alt="" style="border:0">'


def _html(letter: _Letter, language: str) -> str:
    return _PAGE.format(
        language=escape(language),
        title=escape(subject(letter.wording, letter.words)),
        parts="\n".join(_parts(letter)),
    )


def _parts(letter: _Letter) -> Iterator[str]:
    words = letter.words
    yield _PARAGRAPH.format(f"<strong>{escape(letter.wording.production)}</strong>")
    if letter.urgent:
        yield _URGENT.format(escape(letter.urgent))
    if letter.heading:
        yield _HEADING.format(escape(letter.heading))
    if letter.body:
        yield _PARAGRAPH.format(escape(letter.body).replace("\n", "<br>\n"))
    if letter.place:
        where = f"<strong>{escape(words.where)}:</strong> {escape(letter.place)}"
        yield _PARAGRAPH.format(f"{where}<br>\n{_link(letter.map, words.map)}")
    if letter.how:
        yield _PARAGRAPH.format(f"<strong>{escape(words.answer)}.</strong> {escape(letter.how)}")
    for label, address in letter.answers():
        if address:
            yield _BUTTON.format(address=escape(address), label=escape(label))
        else:
            yield _PARAGRAPH.format(f"- {escape(label)}")
    stop = _link(letter.link + STOP_PATH, words.stop) if letter.link else escape(words.ask_to_stop)
    yield _SMALL.format(f"{escape(letter.because)}<br>\n{stop}")
    if letter.link:
        yield _OPENED.format(escape(letter.link + OPENED_PATH))


def _link(address: str, words: str) -> str:
    return f'<a href="{escape(address)}">{escape(words)}</a>'
