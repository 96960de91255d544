"""Hearing: what people send to our numbers, and what they do on their page. Nothing that arrives is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.keywords import Keyword, asks_to_be_left_alone, keyword
from app.domain.problem import Problem
from app.domain.replies import ReadReply, read_reply
from app.store import answers, contacts, messages, receipts
from app.store import tables as t
from app.store.answers import Open, Opened, Sharer
from app.store.replies import INBOUND_TEXT
from app.store.statements import insert
from app.store.vault import Vault
from providers.contract import Fact, Inbound

INBOUND_RAW = "inbound.raw"
PAGE_RAW = "receipts.raw"

FLAG_SHARED = "Two people share this number: it is not known who answered."
FLAG_LEFT_ALONE = "Asks to be left alone. Is this an opt-out?"
FLAG_FREE = "A reply in their own words."
FLAG_STRANGER = "From a number that had no message."
FLAG_HELP = "Asked for help with the service."
FLAG_OTHER = "Changed their answer, or meant {code}, which waits for one too."

REPLY = "reply"
"""The kind of event that shows the coordinator a reply to look at. Its words stay encrypted."""

ANSWERABLE_MS = 7 * 24 * 3_600_000
"""How long a message waits for its answer once a newer one has been sent: a shooting week. "1" after that long is
no answer to a call that is over."""


async def take_inbound(
    connection: AsyncConnection, vault: Vault, account_id: int, inbound: Inbound, now_ms: int
) -> None:
    """Store one inbound message and apply what it means. The same one told twice changes nothing."""
    lookup = vault.lookup(inbound.sender)
    production_id = await answers.production_of(connection, account_id, inbound.to)
    new = (
        await connection.execute(
            insert(connection, t.inbound)
            .values(
                account_id=account_id,
                dedupe_key=inbound.dedupe_key,
                channel=inbound.channel.value,
                production_id=production_id,
                lookup=lookup,
                text=vault.encrypt(INBOUND_TEXT, inbound.text),
                raw=vault.encrypt_json(INBOUND_RAW, dict(inbound.detail)),
                received_at=now_ms,
            )
            .on_conflict_do_nothing(index_elements=["account_id", "dedupe_key"])
            .returning(t.inbound.c.id)
        )
    ).scalar()
    if new is None:
        return
    opted_out = await contacts.has_opted_out(connection, lookup, inbound.channel, production_id=production_id)
    heard = _Heard(new, lookup, production_id, opted_out, now_ms)
    match keyword(inbound.text, opted_out=opted_out):
        case Keyword.STOP:
            await contacts.suppress_address(
                connection,
                lookup,
                inbound.channel,
                production_id=production_id,
                reason="opted_out",
                source="reply",
                now_ms=now_ms,
            )
        case Keyword.START:
            await contacts.lift(
                connection, lookup, inbound.channel, production_id=production_id, now_ms=now_ms
            )
        case Keyword.HELP:
            await _note(connection, heard, flag=FLAG_HELP)
        case _:
            await _reply(connection, vault, heard, inbound)


@dataclass(frozen=True, slots=True)
class _Heard:
    """One inbound message as stored: from which address (hashed), to which production's number, when."""

    id: int
    lookup: str
    production_id: int | None
    opted_out: bool
    now_ms: int


async def _note(
    connection: AsyncConnection,
    heard: _Heard,
    *,
    flag: str | None,
    about: Open | None = None,
    shared: bool = False,
    option: int | None = None,
) -> None:
    """Keep what a reply was taken for; a flagged one goes to the feed. On a shared number it is nobody's."""
    recipient_id = about.recipient_id if about and not shared else None
    message_id = about.message_id if about else None
    await connection.execute(
        update(t.inbound)
        .where(t.inbound.c.id == heard.id)
        .values(flag=flag, message_id=message_id, recipient_id=recipient_id, option=option)
    )
    if flag is None:
        return
    await connection.execute(
        t.events.insert().values(
            production_id=about.production_id if about else heard.production_id,
            message_id=message_id,
            recipient_id=recipient_id,
            kind=REPLY,
            detail=flag,
            at=heard.now_ms,
        )
    )


async def _reply(connection: AsyncConnection, vault: Vault, heard: _Heard, inbound: Inbound) -> None:
    """A reply shows that the newest message was read; what it answers may be an older one."""
    everything = await answers.open_for(
        connection, heard.lookup, inbound.channel, production_id=heard.production_id
    )
    candidates = [one for one in everything if not one.failed] or everything
    if not candidates:
        await _note(connection, heard, flag=FLAG_STRANGER)
        return
    newest, asking = candidates[0], that_is_answered(candidates, heard.now_ms)
    if newest.shared or (asking and asking.shared):
        about = newest if newest.shared else asking
        await _note(connection, heard, flag=FLAG_SHARED, about=about, shared=True)
        return
    await receipts.take(
        connection,
        [
            receipts.Incoming(
                account_id=receipts.OWN_PAGE,
                dedupe_key=f"reply:{heard.id}",
                fact=Fact.READ,
                reference=newest.reference,
                provider_id=None,
                error=None,
                raw=vault.encrypt_json(PAGE_RAW, {}),
                received_at=heard.now_ms,
            )
        ],
        heard.now_ms,
    )
    read = ReadReply(None, free_text=True)
    if asking:
        message = await messages.by_id(connection, asking.message_id)
        read = read_reply(inbound.text, message.options, heard.opted_out)
    if asking is None or read.option is None:
        flag = FLAG_LEFT_ALONE if asks_to_be_left_alone(inbound.text) else FLAG_FREE
        await _note(connection, heard, flag=flag, about=newest)
        return
    flag_beside = FLAG_FREE if read.free_text else None
    if asking.answered and (other := that_may_be_meant(candidates, asking, heard.now_ms)):
        flag_beside = FLAG_OTHER.format(code=(await messages.by_id(connection, other.message_id)).code)
    await _note(connection, heard, flag=flag_beside, about=asking, option=read.option.digit)
    await answers.record(
        connection,
        recipient_id=asking.recipient_id,
        version_id=message.version_id,
        option=read.option,
        channel=inbound.channel,
        now_ms=heard.now_ms,
    )


def that_is_answered(candidates: Sequence[Open], now_ms: int) -> Open | None:
    """Which of these messages (newest first) a choice answers: the newest that asked in the last seven days, or
    the newest of all if it asks. People may change their answer to it."""
    newest = candidates[0] if candidates and candidates[0].asks else None
    return newest or next((one for one in candidates if _waits(one, now_ms)), None)


def that_may_be_meant(candidates: Sequence[Open], answered: Open, now_ms: int) -> Open | None:
    """The newest other message that asked in the last seven days and has no answer yet: somebody who has answered
    before may have meant that one."""
    others = (one for one in candidates if one.message_id != answered.message_id and not one.answered)
    return next((one for one in others if _waits(one, now_ms)), None)


def _waits(one: Open, now_ms: int) -> bool:
    return one.asks and now_ms - one.sent_at <= ANSWERABLE_MS


# ------------------------------------------------------------------------------------- the crew page


async def page_opened(connection: AsyncConnection, vault: Vault, opened: Opened, now_ms: int) -> None:
    """The page was fetched. Machines do that too: it is no evidence of a person."""
    await answers.note_page_fact(
        connection, opened, Fact.OPENED, raw=vault.encrypt_json(PAGE_RAW, {}), now_ms=now_ms
    )


async def page_touched(connection: AsyncConnection, vault: Vault, opened: Opened, now_ms: int) -> None:
    """A person saw the page and touched it. On a shared number it is not known who: only opened."""
    fact = Fact.READ if len(opened.sharers) == 1 else Fact.OPENED
    await answers.note_page_fact(
        connection, opened, fact, raw=vault.encrypt_json(PAGE_RAW, {}), now_ms=now_ms
    )


def who_answers(opened: Opened, person: str | None) -> Sharer | Problem:
    """Whose answer it is. On a shared number they must say so."""
    if len(opened.sharers) == 1:
        return opened.sharers[0]
    found = next((one for one in opened.sharers if one.public_id == person), None)
    return found or Problem("Two people share this number.", "Choose who you are, then answer.")


async def page_answered(
    connection: AsyncConnection, vault: Vault, opened: Opened, person: Sharer, option: int | None, now_ms: int
) -> Problem | None:
    """An answer, or with no option a plain "I have read this". A problem names an option there is not."""
    chosen = next((one for one in opened.message.options if one.digit == option), None)
    if option is not None and chosen is None:
        return Problem("That is not one of the answers.", "Choose one of the buttons.")
    if len(opened.sharers) == 1:
        await page_touched(connection, vault, opened, now_ms)
    else:
        await answers.note_read(connection, person.recipient_id, now_ms)
    if chosen is not None:
        await answers.record(
            connection,
            recipient_id=person.recipient_id,
            version_id=opened.message.version_id,
            option=chosen,
            channel=opened.channel,
            now_ms=now_ms,
        )
    return None


async def mail_refused(connection: AsyncConnection, opened: Opened, now_ms: int) -> None:
    """The owner of an address wants no more e-mail from this production. What waits for it is called off."""
    await contacts.suppress(
        connection,
        opened.contact_point_id,
        opened.channel,
        reason="opted_out",
        source="the link in an e-mail",
        now_ms=now_ms,
    )
