"""The command palette: the actions of the screen below that can be done now, found by their names."""

from __future__ import annotations

from functools import partial
from typing import Any

from textual.await_complete import AwaitComplete
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.worker import Worker

from app.tui.actions import Action, Situation
from app.tui.screens.board import BoardScreen


class ActionCommands(Provider):
    """Offers the registry. What is under the cursor was settled when the palette was opened."""

    async def startup(self) -> None:
        screen = self.screen
        self._board = screen if isinstance(screen, BoardScreen) else None
        self._at = screen.situation() if isinstance(screen, BoardScreen) else None

    def _possible(self) -> list[tuple[Action, Situation, BoardScreen]]:
        if self._board is None or self._at is None:
            return []
        at, board = self._at, self._board
        return [
            (one, at, board)
            for one in board.ACTIONS
            if one.check(at) is None and one.id not in ("palette", "mark")
        ]

    async def discover(self) -> Hits:
        for action, at, board in self._possible():
            yield DiscoveryHit(
                f"{action.label(at)}  ({action.shown})", partial(board.do, action, at), help=action.tooltip
            )
        yield DiscoveryHit("Theme", self.app.action_change_theme, help="Change the colours.")

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action, at, board in self._possible():
            words = f"{action.label(at)}  ({action.shown})"
            if (score := matcher.match(f"{words} {action.tooltip}")) > 0:
                yield Hit(score, matcher.highlight(words), partial(board.do, action, at), help=action.tooltip)
        if (score := matcher.match("Theme")) > 0:
            yield Hit(
                score, matcher.highlight("Theme"), self.app.action_change_theme, help="Change the colours."
            )


class Palette(CommandPalette):
    """The palette. As a sheet does, it closes once, and a search that is cut off by that is no mistake."""

    def run_worker(self, *work: Any, **options: Any) -> Worker[Any]:
        return super().run_worker(*work, **options | {"exit_on_error": False})

    def dismiss(self, result: None = None) -> AwaitComplete:
        return super().dismiss(result) if self.is_active else AwaitComplete()
