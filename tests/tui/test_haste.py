"""Keys that come faster than the screen follows: each does what it says once, to what was there, and breaks nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual import events

from app.services import sending, watching
from tests.tui.conftest import Desk, Sit
from tests.tui.house import House


async def burst(desk: Desk, *keys: str) -> None:
    """Keys that are all there before the first has done its work."""
    for key in keys:
        desk.app.post_message(events.Key(key, key if len(key) == 1 else None))
    await desk.settle()


@pytest.mark.parametrize(
    "keys",
    [
        ("n", "n"),
        ("enter", "enter"),
        ("question_mark", "question_mark", "question_mark"),
        ("colon", "colon"),
        ("ctrl+p", "ctrl+p"),
    ],
    ids=" ".join,
)
async def test_a_screen_is_opened_once(house: House, sit: Sit, keys: tuple[str, ...]) -> None:
    await house.hire(3)
    await house.give_provider()
    await house.post("Unit move")
    async with sit() as desk:
        await burst(desk, *keys)
        assert len(desk.app.screen_stack) == 2


@pytest.mark.parametrize(
    "keys",
    [
        ("n", "escape", "escape", "escape"),
        ("enter", "escape", "escape"),
        ("n", "f5", "escape", "escape", "escape", "escape"),
        ("question_mark", "escape", "enter", "escape", "escape"),
        ("ctrl+p", "escape", "escape", "escape"),
        ("ctrl+p", "escape", "ctrl+p", "escape", "ctrl+p", "escape"),
        ("colon", "escape", "colon", "escape", "colon"),
    ],
    ids=" ".join,
)
async def test_esc_again_and_again_ends_at_the_center(house: House, sit: Sit, keys: tuple[str, ...]) -> None:
    await house.hire(3)
    await house.give_provider()
    await house.post("Unit move")
    async with sit() as desk:
        await burst(desk, *keys)
        await burst(desk, "escape", "escape")
        assert len(desk.app.screen_stack) == 1
        desk.row_with("Unit move")


async def test_keys_behind_n_do_nothing_to_the_center(house: House, sit: Sit) -> None:
    await house.hire(3)
    await house.give_provider()
    await house.post("Unit move")
    async with sit() as desk:
        await burst(desk, "n", "r", "n", "q")
        assert len(desk.app.screen_stack) == 2
        assert desk.app.said == []
    assert (await watching.center(house.office)).messages[0].last_reminder_at is None


async def test_a_message_that_was_reviewed_in_haste_is_sent_once(house: House, sit: Sit) -> None:
    await house.hire(3)
    await house.give_provider()
    async with sit() as desk:
        await desk.press("n", "“Unit move")
        await burst(desk, "f5", "f5", "f5")
        await burst(desk, "f9", "f9", "f9", "f9")
        assert len(desk.app.screen_stack) == 1
    assert len((await watching.center(house.office)).messages) == 1


@pytest.mark.parametrize(
    ("slow", "keys"),
    [("departments", ("n",)), ("head_count", ("n",)), ("preflight", ("n", "a", "f5"))],
)
async def test_what_is_read_for_a_screen_that_was_closed_meanwhile_is_dropped(
    house: House, sit: Sit, monkeypatch: pytest.MonkeyPatch, slow: str, keys: tuple[str, ...]
) -> None:
    await house.hire(3)
    await house.give_provider()
    may_go_on = asyncio.Event()
    module = sending if slow == "preflight" else watching
    read = getattr(module, slow)

    async def slowly(*arguments: Any) -> Any:
        await may_go_on.wait()
        return await read(*arguments)

    monkeypatch.setattr(module, slow, slowly)
    async with sit() as desk:
        for key in (*keys, "escape"):
            await desk.pilot.press(key)
            await desk.pilot.pause()
        may_go_on.set()
        await desk.settle()
        assert desk.app.said == []
        desk.line_with("No messages yet")


async def test_a_search_that_is_cut_off_by_closing_the_palette_ends_nothing(house: House, sit: Sit) -> None:
    async with sit() as desk:
        for _ in range(5):
            await burst(desk, "ctrl+p", "t", "h", "escape", "escape")
        await burst(desk, "escape", "escape")
        desk.line_with("q Quit")


async def test_a_key_that_goes_wrong_is_a_sentence_and_the_screen_stays(
    house: House, sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    async with sit() as desk:
        monkeypatch.setattr(type(desk.app.screen), "sort", broken)
        await burst(desk, "s")
        assert desk.app.said[-1].startswith("That did not work")
        desk.line_with("q Quit")


@pytest.mark.parametrize("opening", ["question_mark", "ctrl+p"])
async def test_two_clicks_beside_a_sheet_close_only_the_sheet(house: House, sit: Sit, opening: str) -> None:
    async with sit() as desk:
        await desk.press("enter", opening)
        sheet = desk.app.screen
        sheet.dismiss()
        sheet.dismiss()
        await desk.settle()
        desk.line_with("q Quit")
