"""One message made ready for one channel: the content an adapter is handed, and what of it is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.domain import mails, sms, texts
from app.domain.messages import headline
from app.domain.texts import Wording
from providers.contract import Channel, Content, Text


@dataclass(frozen=True, slots=True)
class Particulars:
    """What differs from one recipient to the next.

    ``link`` is the address of their own page, None where the public address is not stable; ``opt_out_words``
    whether the law wants the opt-out words on this one; ``language`` is the recipient's.
    """

    link: str | None
    opt_out_words: bool
    language: str = "en"
    disregard: bool = False
    """The message is cancelled, and this step says so to those who had it."""


def _text(wording: Wording, particulars: Particulars) -> Content:
    if particulars.disregard:
        return Text(
            texts.disregard(
                wording,
                headline=headline(wording.subject, wording.body),
                link=particulars.link,
                opt_out_words=particulars.opt_out_words,
                language=particulars.language,
            )
        )
    return Text(
        texts.sms(
            wording,
            link=particulars.link,
            opt_out_words=particulars.opt_out_words,
            language=particulars.language,
        )
    )


def _mail(wording: Wording, particulars: Particulars) -> Content:
    # The way out stands in every mail, so it does not matter whether this one needs it.
    if particulars.disregard:
        wording = texts.disregarded(wording, headline(wording.subject, wording.body))
    return mails.mail(wording, link=particulars.link, language=particulars.language)


RENDERERS: Final[dict[Channel, Callable[[Wording, Particulars], Content]]] = {
    Channel.SMS: _text,
    Channel.EMAIL: _mail,
}
"""How each channel is written for."""


def rendered(channel: Channel, wording: Wording, particulars: Particulars) -> Content:
    """The content for this channel: the same for the same arguments, to the last byte."""
    return RENDERERS[channel](wording, particulars)


def kept(content: Content) -> str | None:
    """What is stored of a rendered content, so that a later attempt sends the same and a look-up can ask for it.

    None where nothing needs to be: a mail and a call are rendered again from their version, which never changes.
    """
    return content.words if isinstance(content, Text) else None


def of_kept(words: str) -> Content:
    """The content that was stored as these words."""
    return Text(words)


def segments(content: Content) -> int:
    """How much room it takes on the schedule of its sender: segments of a text, else one."""
    return sms.measure(content.words).segments if isinstance(content, Text) else 1
