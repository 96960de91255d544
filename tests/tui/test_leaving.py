"""Leaving: it says what would be left undone, and a slip of the finger stays."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from app import composition
from app.__main__ import open_terminal
from app.clock import SystemClock, within
from app.config import Settings
from app.domain.priorities import Priority
from app.domain.problem import Problem, Refused
from app.services import sending, watching
from app.store import tables as t
from app.tui import board_rows
from app.tui.app import CallboardApp
from tests.tui.conftest import Sit
from tests.tui.house import COORDINATOR, House


async def test_q_leaves_at_once_when_nothing_waits(house: House, sit: Sit) -> None:
    await house.hire(3)
    await house.give_provider()
    await house.post("Unit move")
    async with sit() as desk:
        await desk.pilot.press("q")
        await desk.app.workers.wait_for_complete()
        assert not desk.app.is_running or desk.app._exit


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_leaving_names_what_waits_and_starts_on_cancel(house: House, sit: Sit, key: str) -> None:
    await house.hire(37)
    await house.give_provider()
    await house.write("Unit move")
    async with sit() as desk:
        await desk.press(key)
        desk.line_with("Something waits that is to go out to 37 people.")
        desk.line_with("Nothing goes out until you open it again.")
        house.clock.advance(1)
        await desk.press("enter")
        assert "Something waits that is to go out to 37 people." not in desk.text
        assert not desk.app._exit


async def test_q_as_the_very_first_key_still_names_what_waits(house: House, sit: Sit) -> None:
    await house.hire(37)
    await house.give_provider()
    await house.write("Unit move")
    async with sit() as desk:
        desk.app.view.center = None
        desk.app.leave()
        await desk.settle()
        desk.line_with("Something waits that is to go out to 37 people.")


async def test_one_can_leave_although_the_database_cannot_be_read(
    house: House, sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no disk")

    async with sit() as desk:
        with monkeypatch.context() as patch:
            patch.setattr(watching, "center", broken)
            await desk.press("q")
        desk.line_with("The database cannot be read: texts may wait.")
        house.clock.advance(1)
        await desk.pilot.press("y")
        assert desk.app._exit


async def test_q_pressed_twice_at_once_asks_once(house: House, sit: Sit) -> None:
    await house.hire(3)
    await house.give_provider()
    await house.write("Unit move")
    async with sit() as desk:
        desk.app.leave()
        desk.app.leave()
        await desk.settle()
        assert len(desk.app.screen_stack) == 2


async def test_q_in_the_middle_of_a_send_waits_for_it_and_names_what_was_sent(
    house: House, sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.hire(3)
    await house.give_provider()
    may_go_on = asyncio.Event()
    send = sending.send

    async def slowly(*arguments: Any) -> Any:
        await may_go_on.wait()
        return await send(*arguments)

    monkeypatch.setattr(sending, "send", slowly)
    async with sit() as desk:
        await desk.press("n", "“Unit move", "f5")
        await desk.pilot.press("f9", "ctrl+q")
        await desk.pilot.pause()
        assert desk.app.said[-1] == "One moment: what you did last is still being stored."
        assert not desk.app._exit
        may_go_on.set()
        await desk.settle()
        desk.line_with("Something waits that is to go out to 3 people.")


async def test_keys_that_were_pressed_behind_q_do_nothing_more(house: House, sit: Sit) -> None:
    await house.hire(3)
    await house.give_provider()
    await house.post("Unit move")
    async with sit() as desk:
        desk.app.leave()
        await desk.app.workers.wait_for_complete()
        desk.app.screen.action_do("new")
        desk.app.screen.action_do("remind")
        assert len(desk.app.screen_stack) == 1
    assert (await watching.center(house.office)).messages[0].last_reminder_at is None


async def test_a_demonstration_whose_home_is_thrown_away_says_so(house: House, sit: Sit) -> None:
    await house.hire(37)
    await house.give_provider()
    await house.write("Unit move")
    async with sit(demo=True, kept=False) as desk:
        await desk.press("q")
        desk.line_with("Something waits that is to go out to 37 people.")
        desk.line_with("What waits is thrown away with the demonstration.")
        assert "open it again" not in desk.text


async def test_the_dialog_ignores_keys_that_were_meant_for_the_screen_below(house: House, sit: Sit) -> None:
    await house.hire(3)
    await house.give_provider()
    await house.write("Unit move")
    async with sit() as desk:
        await desk.press("q", "y")
        desk.line_with("Something waits that is to go out to 3 people.")
        house.clock.advance(0.299)
        await desk.press("y")
        desk.line_with("Something waits that is to go out to 3 people.")
        house.clock.advance(0.001)
        await desk.pilot.press("y")
        assert desk.app._exit


async def test_q_a_second_time_does_not_confirm(house: House, sit: Sit) -> None:
    await house.hire(3)
    await house.give_provider()
    await house.write("Unit move")
    async with sit() as desk:
        await desk.press("q")
        house.clock.advance(1)
        await desk.press("q")
        assert not desk.app._exit
        desk.line_with("Unit move")


NIGHT = (22 * 60, 6 * 60)
"""Quiet hours in minutes of the day: 22:00 to 06:00."""


@pytest.mark.parametrize(
    ("people", "words"),
    [(1, "Something is held for 1 person until 06:00."), (2, "Something is held for 2 people until 06:00.")],
    ids=["one", "two"],
)
async def test_texts_held_for_quiet_hours_are_named_with_their_hour(
    house: House, sit: Sit, people: int, words: str
) -> None:
    await house.hire(people)
    await house.give_provider()
    async with house.database.write() as connection:
        await connection.execute(update(t.people).values(quiet_start=NIGHT[0], quiet_end=NIGHT[1]))
    await house.post("Unit move", Priority.INFO)
    async with sit() as desk:
        await desk.press("q")
        desk.line_with(words)
        desk.line_with("Nothing goes out until you open it again.")
        assert not desk.app._exit


async def test_whoever_started_the_terminal_is_asked_before_it_leaves(house: House, sit: Sit) -> None:
    asked = []

    async def on_quit() -> Problem | None:
        asked.append(True)
        return Problem("2 calls wait.", "Nobody is called until you open it again.")

    async with sit(on_quit=on_quit) as desk:
        await desk.press("q")
        assert asked == [True]
        desk.line_with("2 calls wait.")
        desk.line_with("Nobody is called until you open it again.")


async def test_a_mistake_of_ours_ends_the_terminal_without_printing_names(
    house: House, sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.hire(3)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    seen = []

    async def sit_until_it_breaks() -> None:
        async with sit() as desk:
            seen.append(desk.app)
            monkeypatch.setattr(board_rows, "head_facts", broken)
            await within(SystemClock(), 10, desk.app._exception_event.wait())

    with pytest.raises(RuntimeError, match="a bug"):
        await sit_until_it_breaks()
    (app,) = seen
    assert app.return_code == 1
    assert app._exit_renderables == []


@pytest.mark.parametrize(("kept", "told"), [(True, "callboard.log"), (False, "Open it again.")])
async def test_whoever_opened_a_terminal_that_broke_is_told_so(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool, told: str
) -> None:
    async def breaks(terminal: CallboardApp) -> None:
        terminal._return_code = 1

    monkeypatch.setattr(CallboardApp, "run_async", breaks)
    opened = composition.House(
        Settings(home=tmp_path), house.database, house.office.vault, house.office, COORDINATOR, True, kept
    )
    with pytest.raises(Refused) as refused:
        await open_terminal(opened, banner="", read_only=False, sends=True)
    assert refused.value.problem.sentence == "The screen ended by a mistake of Callboard's own."
    assert refused.value.problem.next.endswith(told)
