"""The full-screen program: it opens the screens, turns the ticker and says what went wrong."""

from __future__ import annotations

import asyncio
import locale
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from importlib import resources
from typing import ClassVar

import structlog
from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.css.query import NoMatches
from textual.theme import ThemeProvider

from app.domain.actor import Actor
from app.domain.messages import MessageStatus
from app.domain.problem import Problem, Refused
from app.services import halting, watching
from app.services.halting import Outlook
from app.services.office import Office
from app.store.board import Summary
from app.store.engine import is_busy_or_full
from app.tui.actions import Action, Moving, Situation
from app.tui.drafts import Draft
from app.tui.palette import ActionCommands, Palette
from app.tui.screens.board import BoardScreen
from app.tui.screens.center import CenterScreen
from app.tui.terminal_line import TerminalDriver
from app.tui.themes import DARK, THEMES
from app.tui.ticker import TICK_S, Ticker, read_center
from app.tui.view_models import CenterView, Part
from widgets.glyphs import Glyphs, glyphs_for

log = structlog.get_logger(__name__)

STYLESHEETS = ("base.tcss", "center.tcss", "message.tcss", "compose.tcss", "sheets.tcss")

UNEXPECTED = (
    "That did not work, and Callboard does not know why. Nothing was changed. The log has the details."
)
NOT_READ = "The database cannot be read, and Callboard does not know why. The log has the details."
STILL_STORING = "One moment: what you did last is still being stored."
BUSY = "The database is busy or its disk is full just now. Try again in a moment."


def stylesheet() -> str:
    """All style sheets as one, wherever the package is installed."""
    folder = resources.files("styles")
    return "\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in STYLESHEETS)


class CallboardApp(App[None]):
    """Callboard in the terminal.

    ``banner`` is a sentence that stays on screen (another process sends from this database). ``kept`` is False
    where the home is thrown away afterwards. ``on_quit`` is asked before leaving: a :class:`Problem` names what
    would be left undone, None lets go at once.
    """

    TITLE = "Callboard"
    CSS = stylesheet()
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {ActionCommands}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True, id="app.quit"),
    ]

    def __init__(
        self,
        office: Office,
        actor: Actor,
        *,
        banner: str = "",
        demo: bool = False,
        kept: bool = True,
        read_only: bool = False,
        on_quit: Callable[[], Awaitable[Problem | None]] | None = None,
    ) -> None:
        super().__init__(driver_class=TerminalDriver)
        self.office = office
        self.actor = actor
        self.banner = banner
        self.demo = demo
        self.read_only = read_only
        self.glyphs: Glyphs = glyphs_for(locale.getpreferredencoding(False))
        self.view = CenterView()
        self.draft = Draft()
        self.ticker = Ticker(office)
        self.ticker.readers.append(lambda: read_center(office, self.view))
        self.trouble = ""
        """Why what is on screen is old; nothing while it is not."""
        self.leaving = False
        self._acting = 0
        self._still = asyncio.Event()
        self._still.set()
        self._kept = kept
        self._on_quit = on_quit
        self._ears: asyncio.Task[None] | None = None
        self._open = AsyncExitStack()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK.name

    def get_default_screen(self) -> CenterScreen:
        return CenterScreen(self)

    async def on_mount(self) -> None:
        self.ticker.bell = await self._open.enter_async_context(watching.following(self.office))
        self.set_interval(TICK_S, self.tick)
        self._ears = asyncio.create_task(self._hear())
        self.look()

    async def on_unmount(self) -> None:
        if self._ears:
            self._ears.cancel()
        await self._open.aclose()

    async def on_event(self, event: events.Event) -> None:
        """A key or a click that goes wrong ends nothing."""
        if not isinstance(event, events.InputEvent):
            await super().on_event(event)
            return
        try:
            await super().on_event(event)
        except NoMatches:  # it met a screen that is just opening or closing
            log.info("a key or a click came too early or too late")
        except Exception:
            log.exception("a key or a click failed")
            self.say(UNEXPECTED, warn=True)

    # ----------------------------------------------------------------------------------------------- ticker

    def tick(self) -> None:
        """What happens ten times a second: the clock moves on, and what changed is read and drawn."""
        if not self.is_running:
            return
        if isinstance(self.screen, BoardScreen) and self.screen.ready:
            self.screen.each_tick(self.office.clock.now_ms())
        if self.ticker.is_due():
            self._turn_soon()

    async def _hear(self) -> None:
        """A change is read when the bell rings, not at the next tick."""
        while True:
            await self.ticker.rung()
            await self._guarded(self.turn())

    async def turn(self) -> None:
        """Read if it is time, and draw what is new."""
        try:
            read = await self.ticker.turn()
            trouble = ""
        except Exception as error:
            log.exception("reading failed")
            read, trouble = True, f"What you see is old. {BUSY if is_busy_or_full(error) else NOT_READ}"
        if read and trouble != self.trouble:
            self.trouble = trouble
            self.view.dirty.add(Part.HEAD)
        if read and self.is_running and isinstance(self.screen, BoardScreen) and self.screen.ready:
            with self.batch_update():
                self.screen.flush()

    def look(self) -> None:
        """Read and draw now, whatever the ticker thinks."""
        self.ticker.ask()
        self._turn_soon()

    def _turn_soon(self) -> None:
        self.run_worker(self._guarded(self.turn()), exit_on_error=False)

    # ---------------------------------------------------------------------------------------------- actions

    def start(self, work: Awaitable[None]) -> None:
        """Do something beside the keyboard. What goes wrong is said in a sentence."""
        self.run_worker(self._act(work), exit_on_error=False)

    async def _act(self, work: Awaitable[None]) -> None:
        self._acting += 1
        self._still.clear()
        try:
            await self._guarded(work)
        finally:
            self._acting -= 1
            if not self._acting:
                self._still.set()

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Refused as refused:
            self.say(str(refused.problem), warn=True)
        except Exception as error:
            log.exception("an action failed")
            self.say(BUSY if is_busy_or_full(error) else UNEXPECTED, warn=True)

    def say(self, sentence: str, *, warn: bool = False) -> None:
        """A toast. Words from a crew list are never markup."""
        self.notify(sentence, severity="warning" if warn else "information", markup=False)

    def write_message(self) -> None:
        from app.tui.screens.compose import ComposeScreen  # noqa: PLC0415 - only when it is opened

        self.push_screen(ComposeScreen(self))

    async def show_center(self) -> None:
        """Close everything above the Center."""
        while not isinstance(self.screen, CenterScreen):
            await self.pop_screen()
        self.look()

    def open_message(self, message: Summary) -> None:
        from app.tui.screens.message import MessageScreen  # noqa: PLC0415 - only when it is opened

        self.push_screen(MessageScreen(self, message))

    def ask_cancel(self, outlook: Outlook) -> None:
        from app.tui.screens.cancel import CancelDialog, Choice, carry_out  # noqa: PLC0415 - only when it is opened

        if not outlook.had_it and outlook.summary.status is MessageStatus.CANCELLED:
            self.say(str(halting.ALL_TOLD), warn=True)
            return

        def chosen(choice: Choice | None) -> None:
            if choice:
                self.start(carry_out(self, outlook, choice))

        self.push_screen(CancelDialog(outlook, self.office.clock), chosen)

    def open_help(self, actions: Sequence[Action], moving: Sequence[Moving], at: Situation) -> None:
        from app.tui.screens.help import HelpScreen  # noqa: PLC0415 - only when it is opened

        self.push_screen(HelpScreen(actions, moving, at, self.glyphs))

    def action_command_palette(self) -> None:
        if isinstance(self.screen, BoardScreen):
            self.push_screen(Palette())

    def search_themes(self) -> None:
        if isinstance(self.screen, BoardScreen):
            self.push_screen(Palette([ThemeProvider], placeholder="Search for themes"))

    async def action_quit(self) -> None:
        self.leave()

    def leave(self) -> None:
        """Leave, after asking if something would be left undone."""
        self.run_worker(self._guarded(self._leave()), exit_on_error=False)

    async def _leave(self) -> None:
        from app.tui.screens.quit import QuitDialog  # noqa: PLC0415 - only when it is opened

        if not self._still.is_set():
            self.say(STILL_STORING)
            await self._still.wait()
        problem = await (self._on_quit or self._left_undone)()
        if isinstance(self.screen, QuitDialog):  # q was pressed twice
            return
        if problem is None:
            self._go()
            return
        self.push_screen(QuitDialog(problem, self.office.clock), self._answered)

    async def _left_undone(self) -> Problem | None:
        from app.tui.screens.quit import cannot_tell, left_undone  # noqa: PLC0415 - only when it is opened

        try:
            center = await watching.center(self.office)  # what was sent a moment ago is not on screen yet
            held_until = await watching.held_until(self.office) if center.day.waiting_held else None
        except Exception:
            log.exception("what waits cannot be read")
            return cannot_tell(kept=self._kept)
        now, zone = self.office.clock.now_ms(), self.office.production.time_zone
        return left_undone(center, now, zone, held_until=held_until, kept=self._kept)

    def _answered(self, leave: bool | None) -> None:
        if leave:
            self._go()

    def _fatal_error(self) -> None:
        """A mistake of ours ends the terminal. The log gets where it happened; the screen gets nothing: what
        Textual would print holds names and texts, and whoever opened the terminal says what is so."""
        log.error("the terminal ended by a mistake of ours", exc_info=self._exception)
        self.panic()

    def _go(self) -> None:
        self.leaving = True
        self.exit()
