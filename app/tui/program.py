"""The program as its screens know it: what it keeps for them, and what it does when they ask.

The program opens the screens and therefore knows them; they know only this.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Protocol

from app.domain.actor import Actor
from app.services.halting import Outlook
from app.services.office import Office
from app.store.board import Summary
from app.tui.actions import Action, Moving, Situation
from app.tui.drafts import Draft
from app.tui.ticker import Ticker
from app.tui.view_models import CenterView
from widgets.glyphs import Glyphs


class Program(Protocol):
    """What every screen shares."""

    view: CenterView
    draft: Draft

    @property
    def office(self) -> Office: ...
    @property
    def actor(self) -> Actor: ...
    @property
    def glyphs(self) -> Glyphs: ...
    @property
    def ticker(self) -> Ticker: ...
    @property
    def demo(self) -> bool: ...
    @property
    def read_only(self) -> bool: ...
    @property
    def leaving(self) -> bool:
        """Whether the program is ending: keys that are still on their way do nothing more."""
        ...

    @property
    def banner(self) -> str:
        """A sentence that stays on screen, or nothing."""
        ...

    @property
    def trouble(self) -> str:
        """Why what is on screen is old, or nothing."""
        ...

    def start(self, work: Awaitable[None]) -> None:
        """Do something beside the keyboard."""

    def look(self) -> None:
        """Read and draw now."""

    def say(self, sentence: str, *, warn: bool = False) -> None:
        """A toast."""

    def write_message(self) -> None:
        """Open Compose."""

    def open_message(self, message: Summary) -> None:
        """Open the screen of one message."""

    def ask_cancel(self, outlook: Outlook) -> None:
        """Ask before a message is cancelled, or those who had it are told to disregard it."""

    def open_help(self, actions: Sequence[Action], moving: Sequence[Moving], at: Situation) -> None:
        """Open the sheet of keys."""

    async def show_center(self) -> None:
        """Close everything above the Center."""

    def leave(self) -> None:
        """Leave, after asking if something would be left undone."""
