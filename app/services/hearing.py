"""Hearing: what people send to our numbers, and what they do on their page. Nothing that arrives is lost."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.evidence import Work
from app.domain.keywords import Keyword, asks_to_be_left_alone, keyword
from app.domain.problem import Problem
from app.domain.replies import ReadReply, read_reply
from app.store import answers, contacts, messages, receipts
from app.store import tables as t
from app.store.answers import Open, Opened, Sharer
from app.store.rollup import roll_up
from app.store.statements import insert
from app.store.vault import Vault
from providers.contract import Channel, Fact, Inbound

INBOUND_TEXT = "inbound.text"
INBOUND_RAW = "inbound.raw"
PAGE_RAW = "receipts.raw"

FLAG_SHARED = "Two people share this number: it is not known who answered."
FLAG_LEFT_ALONE = "Asks to be left alone. Is this an opt-out?"
FLAG_FREE = "A reply in their own words."
FLAG_STRANGER = "From a number that had no message."
FLAG_HELP = "Asked for help with the service."


async def take_inbound(
    connection: AsyncConnection, vault: Vault, account_id: int, inbound: Inbound, now_ms: int
) -> None:
    """Store one inbound message and apply what it means. The same one told twice changes nothing."""
    lookup = vault.lookup(inbound.sender)
    production_id = await _production_of(connection, account_id, inbound.to)
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
    opted_out = await _is_opted_out(connection, lookup, inbound.channel)
    word = keyword(inbound.text, opted_out=opted_out)
    if word is Keyword.STOP:
        await _opt_out(connection, lookup, inbound.channel, production_id, now_ms)
    elif word is Keyword.START:
        await contacts.lift(connection, lookup, inbound.channel, production_id=production_id, now_ms=now_ms)
    elif word is Keyword.HELP:
        await _note(connection, new, flag=FLAG_HELP)
    else:
        await _reply(connection, vault, new, lookup, inbound, opted_out=opted_out, now_ms=now_ms)


async def _production_of(connection: AsyncConnection, account_id: int, to: str) -> int | None:
    found = await connection.execute(
        select(t.senders.c.production_id).where(
            t.senders.c.account_id == account_id, t.senders.c.address == to
        )
    )
    return found.scalar()


async def _is_opted_out(connection: AsyncConnection, lookup: str, channel: Channel) -> bool:
    s = t.suppressions.c
    found = await connection.execute(
        select(s.id).where(s.lookup == lookup, s.channel == channel.value, s.lifted_at.is_(None)).limit(1)
    )
    return found.first() is not None


async def _note(
    connection: AsyncConnection,
    inbound_id: int,
    *,
    flag: str | None,
    recipient_id: int | None = None,
    option: int | None = None,
) -> None:
    await connection.execute(
        update(t.inbound)
        .where(t.inbound.c.id == inbound_id)
        .values(flag=flag, recipient_id=recipient_id, option=option)
    )


async def _opt_out(
    connection: AsyncConnection, lookup: str, channel: Channel, production_id: int | None, now_ms: int
) -> None:
    """STOP: nothing more to this address, also not what is queued already."""
    await contacts.suppress_address(
        connection,
        lookup,
        channel,
        production_id=production_id,
        reason="opted_out",
        source="reply",
        now_ms=now_ms,
    )
    d = t.deliveries.c
    points = select(t.contact_points.c.id).where(t.contact_points.c.lookup == lookup)
    stopped = await connection.execute(
        update(t.deliveries)
        .where(
            d.contact_point_id.in_(points),
            d.channel == channel.value,
            d.work.in_([Work.QUEUED.value, Work.HELD.value, Work.CLAIMED.value]),
        )
        .values(
            work=Work.CANCELLED.value,
            worker=None,
            lease_until=None,
            why="Opted out of texts.",
            next="Reach them another way, or ask them to text START.",
        )
        .returning(d.recipient_id)
    )
    await roll_up(connection, stopped.scalars().all(), now_ms)


async def _reply(
    connection: AsyncConnection,
    vault: Vault,
    inbound_id: int,
    lookup: str,
    inbound: Inbound,
    *,
    opted_out: bool,
    now_ms: int,
) -> None:
    candidates = await answers.open_for(connection, lookup, inbound.channel)
    meant = newest_that_asks(candidates)
    if meant is None:
        await _note(connection, inbound_id, flag=FLAG_STRANGER)
        return
    if meant.shared:
        await _note(connection, inbound_id, flag=FLAG_SHARED)
        return
    if meant.reference:
        await receipts.take(
            connection,
            [
                receipts.Incoming(
                    account_id=receipts.OWN_PAGE,
                    dedupe_key=f"reply:{inbound_id}",
                    fact=Fact.READ,
                    reference=meant.reference,
                    provider_id=None,
                    error=None,
                    raw=vault.encrypt_json(PAGE_RAW, {}),
                    received_at=now_ms,
                )
            ],
            now_ms,
        )
    message = await messages.by_id(connection, meant.message_id)
    read = ReadReply(None, free_text=True)
    if message.options:
        read = read_reply(inbound.text, message.options, opted_out)
    if read.option is None:
        flag = FLAG_LEFT_ALONE if asks_to_be_left_alone(inbound.text) else FLAG_FREE
        await _note(connection, inbound_id, flag=flag, recipient_id=meant.recipient_id)
        return
    await _note(connection, inbound_id, flag=None, recipient_id=meant.recipient_id, option=read.option.digit)
    await answers.record(
        connection,
        recipient_id=meant.recipient_id,
        version_id=message.version_id,
        option=read.option,
        channel=inbound.channel,
        now_ms=now_ms,
    )


def newest_that_asks(candidates: Sequence[Open]) -> Open | None:
    """A reply that fits two open messages goes to the newest that asked for an answer, else to the newest."""
    return next((one for one in candidates if one.asks), candidates[0] if candidates else None)


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
