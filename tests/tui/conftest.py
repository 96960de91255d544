"""The terminal over a real office, driven by keys and read as a person reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from app.domain.problem import Problem
from app.tui.app import CallboardApp
from tests.tui.house import COORDINATOR, House, open_house

SMALL, LARGE = (80, 24), (120, 40)


class ListeningApp(CallboardApp):
    """Remembers what was said in toasts."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.said: list[str] = []

    def say(self, sentence: str, *, warn: bool = False) -> None:
        self.said.append(sentence)
        super().say(sentence, warn=warn)


class Desk:
    """Somebody at the terminal."""

    def __init__(self, app: ListeningApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, each when the one before has done its work. Whole words are typed."""
        for key in keys:
            await self.pilot.press(*(key[1:] if key.startswith("“") else [key]))
            await self.settle()

    async def settle(self) -> None:
        """Until everything that was begun is done and drawn."""
        for _ in range(2):
            await self.app.workers.wait_for_complete()
            self.app.ticker.ask()
            await self.app.turn()
            await self.pilot.pause()

    @property
    def lines(self) -> list[str]:
        """What stands on the screen."""
        strips = self.app.screen._compositor.render_strips()
        return ["".join(piece.text for piece in strip) for strip in strips]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def line_with(self, words: str) -> str:
        """The first line with these words; fails showing the whole screen."""
        found = [line for line in self.lines if words in line]
        assert found, f"“{words}” is not on the screen:\n{self.text}"
        return found[0]

    def row_with(self, words: str) -> str:
        """The first row of a list with these words; the title of a list is none."""
        found = [line for line in self.lines if words in line and not line.startswith("─")]
        assert found, f"“{words}” is in no row:\n{self.text}"
        return found[0]

    @property
    def footer(self) -> str:
        return self.lines[-1]


@pytest.fixture
async def house(home: Path) -> AsyncIterator[House]:
    async with open_house(home) as house:
        yield house


Sit = Callable[..., Any]


@pytest.fixture
def sit(house: House) -> Sit:
    """Sit down at a terminal of this size."""

    @asynccontextmanager
    async def sit(
        size: tuple[int, int] = SMALL,
        *,
        banner: str = "",
        demo: bool = False,
        kept: bool = True,
        read_only: bool = False,
        on_quit: Callable[[], Awaitable[Problem | None]] | None = None,
    ) -> AsyncIterator[Desk]:
        app = ListeningApp(
            house.office,
            COORDINATOR,
            banner=banner,
            demo=demo,
            kept=kept,
            read_only=read_only,
            on_quit=on_quit,
        )
        async with app.run_test(size=size) as pilot:
            desk = Desk(app, pilot)
            await desk.settle()
            yield desk

    return sit
