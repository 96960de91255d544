"""Reading again what the screens show: when something changed, and never more often than can be afforded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from app.services import watching
from app.services.office import Office
from app.tui.view_models import CenterView, MessageView

TICK_S = 0.1
"""Ten times a second: quicker than the eye follows a number, slow enough for one reading each."""

LOOK_AGAIN_MS = 1_000
"""However quiet it is, everything is read again this often: a change that nobody told us of is seen at last."""

REST = 2
"""After a reading that took long the ticker rests twice as long, so that reading never takes more than a third
of the time."""

Reader = Callable[[], Awaitable[None]]


class Ticker:
    """Decides when to read, and reads: the bell of this process, a change by another one, or a wish."""

    def __init__(self, office: Office, *, changed: Callable[[], bool] = lambda: False) -> None:
        self._office = office
        self._changed = changed
        self._bell: asyncio.Event | None = None
        self._asked = True
        self._reading = asyncio.Lock()
        self._rest_until = 0
        self._look_again_at = 0
        self.readers: list[Reader] = []

    def listen(self, bell: object) -> None:
        """Read whenever this bell has rung."""
        assert isinstance(bell, asyncio.Event)
        self._bell = bell

    def ask(self) -> None:
        """Read at the next turn, whether or not anything changed."""
        self._asked = True
        self._rest_until = 0

    def is_due(self) -> bool:
        """Whether a turn would read."""
        now = self._office.clock.monotonic_ms()
        if now < self._rest_until or self._reading.locked():
            return False
        rung = self._bell is not None and self._bell.is_set()
        return self._asked or rung or now >= self._look_again_at or self._changed()

    async def turn(self) -> bool:
        """Read what is shown, if it is time. Returns whether it was."""
        clock = self._office.clock
        if not self.is_due():
            return False
        async with self._reading:
            began = clock.monotonic_ms()
            self._asked = False
            if self._bell is not None:
                self._bell.clear()
            try:
                for reader in list(self.readers):
                    await reader()
            finally:  # also after a failure: it is not tried again ten times a second
                now = clock.monotonic_ms()
                if not self._asked:  # somebody who asked in the meantime does not wait
                    self._rest_until = now + REST * (now - began)
                self._look_again_at = now + LOOK_AGAIN_MS
        return True


async def read_center(office: Office, view: CenterView) -> None:
    """Everything the Center shows, and the people of the chosen message if they changed."""
    view.take(await watching.center(office))
    if wanted := view.people_wanted:
        view.take_people(wanted, await watching.non_readers(office, wanted[0]))


async def read_message(office: Office, view: MessageView) -> None:
    """The people of the chosen buckets and the timeline of the person under the cursor, if they changed."""
    if wanted := view.people_wanted:
        view.take_people(wanted, await watching.people(office, view.summary.public_id, view.chosen))
    if (line := view.timeline_wanted) and view.person:
        person = view.person.person_public_id
        view.take_timeline(line, await watching.explain(office, view.summary.public_id, person))
