"""p pauses and resumes, x cancels after a question, and the Center says what is so."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import select

from app.domain.messages import MessageStatus
from app.services import halting, watching
from app.store import tables as t
from app.store.board import Summary
from providers.contract import Fact
from tests.tui.conftest import LARGE, SMALL, Desk, Sit
from tests.tui.house import COORDINATOR, House

SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])


async def the_message(house: House) -> Summary:
    (shown,) = (await watching.center(house.office)).messages
    return shown


async def texts(house: House) -> Sequence[str]:
    """The kinds of the steps of everything that was taken by the provider."""
    async with house.database.read() as connection:
        rows = await connection.execute(
            select(t.steps.c.kind)
            .join(t.deliveries, t.deliveries.c.step_id == t.steps.c.id)
            .where(t.deliveries.c.accepted_at.is_not(None))
        )
        return list(rows.scalars())


async def answer(house: House, desk: Desk, key: str) -> None:
    """Answer the dialog once it takes keys."""
    house.clock.advance(1)
    await desk.press(key)


@SIZES
async def test_p_pauses_and_p_again_goes_on(house: House, sit: Sit, size: tuple[int, int]) -> None:
    await house.hire(7)
    await house.give_provider()
    await house.write("Unit move")
    async with sit(size) as desk:
        assert "p Pause" in desk.footer
        await desk.press("p")
        assert desk.app.said[-1].endswith("is paused: it waits for 7 people. p resumes it.")
        assert "paused" in desk.row_with("Unit move")
        assert "p Resume" in desk.footer
        desk.line_with("The message is paused.")
        assert "in their undo window" not in desk.text
        assert "undo" not in "".join(line for line in desk.lines if "Sending" in line)
        house.clock.advance(10)
        await house.let_out()
        assert await texts(house) == []
        await desk.press("p")
        assert desk.app.said[-1].endswith("goes on, to 7 people.")
        assert "paused" not in desk.row_with("Unit move")
        await house.let_out()
        assert await texts(house) == ["first"] * 7


async def test_p_and_x_say_why_they_are_off(house: House, sit: Sit) -> None:
    await house.hire(2)
    await house.give_provider()
    async with sit() as desk:
        for key in ("p", "x"):
            await desk.press(key)
            assert "There is no message here yet." in desk.app.said[-1]
        sent = await house.post("Unit move")
        await house.tell(sent.code, Fact.DELIVERED, list(await house.names(sent.code)))
        await desk.settle()
        await desk.press("p")
        assert desk.app.said[-1].startswith("All of it has left: nothing is left to pause.")
        await desk.press("r")
        await desk.press("u")
        assert (await the_message(house)).status is MessageStatus.SENDING


@pytest.mark.parametrize("key", ["p", "x"])
async def test_a_read_only_terminal_halts_nothing(house: House, sit: Sit, key: str) -> None:
    await house.hire(2)
    await house.give_provider()
    await house.write("Unit move")
    async with sit(read_only=True) as desk:
        await desk.press(key)
        assert desk.app.said[-1].startswith("This screen is read-only.")
        assert (await the_message(house)).status is MessageStatus.SENDING


@SIZES
@pytest.mark.parametrize("key", ["enter", "escape", "x"])
async def test_x_asks_in_numbers_and_starts_on_keep(
    house: House, sit: Sit, size: tuple[int, int], key: str
) -> None:
    await house.hire(7)
    await house.give_provider()
    sent = await house.write("Unit move")
    async with sit(size) as desk:
        await desk.press("x")
        desk.line_with(f"Cancel {sent.code}?")
        desk.line_with("7 people will not get it.")
        desk.line_with("Nobody has had it.")
        desk.line_with("> enter or esc: Keep the message")
        desk.line_with("y: Cancel the message")
        assert "disregard" not in desk.text
        await answer(house, desk, key)
        assert f"Cancel {sent.code}?" not in desk.text
        assert (await the_message(house)).status is MessageStatus.SENDING


async def test_keys_meant_for_the_screen_below_cancel_nothing(house: House, sit: Sit) -> None:
    await house.hire(2)
    await house.give_provider()
    await house.write("Unit move")
    async with sit() as desk:
        await desk.press("x", "y")
        assert (await the_message(house)).status is MessageStatus.SENDING
        await answer(house, desk, "d")  # nobody has had it: this is not offered
        assert (await the_message(house)).status is MessageStatus.SENDING
        await desk.press("y")
        assert (await the_message(house)).status is MessageStatus.CANCELLED
        assert "2 people will not get it. Nobody had it." in desk.app.said[-1]
        assert "cancelled" in desk.row_with("Unit move")
        await desk.press("x")
        assert desk.app.said[-1] == "It is cancelled, and nobody had it. Nothing to do."


async def test_cancelling_and_telling_those_who_had_it(house: House, sit: Sit) -> None:
    await house.hire(7)
    await house.give_provider()
    sent = await house.post("Unit move")
    async with sit() as desk:
        await desk.press("x")
        desk.line_with("7 people had it already.")
        desk.line_with("d: Cancel it and tell 7 people to disregard it")
        await answer(house, desk, "d")
        assert (await the_message(house)).status is MessageStatus.CANCELLED
        desk.line_with(f"Telling 7 people to disregard {sent.code} in")
        house.clock.advance(6)
        await house.let_out()
        assert sorted(await texts(house)) == ["disregard"] * 7 + ["first"] * 7
        await desk.settle()
        await desk.press("x")
        assert "They were told to disregard it" in desk.app.said[-1]
        house.clock.advance(120)
        await desk.press("x")
        assert desk.app.said[-1].startswith("Everybody who had it was told to disregard it.")


async def test_u_takes_the_word_to_disregard_it_back_and_x_offers_it_again(house: House, sit: Sit) -> None:
    await house.hire(7)
    await house.give_provider()
    sent = await house.post("Unit move")
    async with sit() as desk:
        await desk.press("x")
        await answer(house, desk, "d")
        await desk.press("u")
        assert desk.app.said[-1] == f"Undone. 7 people are not told to disregard {sent.code}."
        assert "x Disregard" in desk.footer
        await desk.press("x")
        desk.line_with(f"Disregard {sent.code}?")
        desk.line_with("7 people had it and were not told.")
        await answer(house, desk, "y")  # it is cancelled already: this is not offered
        await desk.press("d")
        desk.line_with(f"Telling 7 people to disregard {sent.code} in")


async def test_cancelling_and_telling_nobody(house: House, sit: Sit) -> None:
    await house.hire(3)
    await house.give_provider()
    await house.post("Unit move")
    async with sit() as desk:
        await desk.press("x")
        await answer(house, desk, "y")
        assert "3 people had it." in desk.app.said[-1]
        desk.line_with("The message is cancelled.")
        assert "r reminds them" not in desk.text
        house.clock.advance(6)
        await house.let_out()
        assert await texts(house) == ["first"] * 3


async def test_a_message_that_was_cancelled_meanwhile_is_not_cancelled_twice(house: House, sit: Sit) -> None:
    await house.hire(3)
    await house.give_provider()
    sent = await house.write("Unit move")
    async with sit() as desk:
        await desk.press("x")
        await halting.cancel(house.office, COORDINATOR, sent.code)
        await answer(house, desk, "y")
        assert desk.app.said[-1].startswith("The message is cancelled already.")


async def test_the_screen_of_a_message_halts_it_too(house: House, sit: Sit) -> None:
    await house.hire(3)
    await house.give_provider()
    await house.write("Unit move")
    async with sit() as desk:
        await desk.press("enter", "p")
        assert "paused" in desk.lines[1]
        await desk.press("x")
        await answer(house, desk, "y")
        assert "cancelled" in desk.lines[1]
        assert "r Remind" in desk.footer


async def test_help_and_palette_offer_both_keys(house: House, sit: Sit) -> None:
    await house.hire(3)
    await house.give_provider()
    await house.write("Unit move")
    async with sit(LARGE) as desk:
        await desk.press("question_mark")
        desk.line_with("Keep back what has not left; again, it goes on.")
        desk.line_with("Call it off, tell those who had it; it asks first.")
        await desk.press("escape", "colon", "“pause", "enter")
        assert (await the_message(house)).status is MessageStatus.PAUSED
