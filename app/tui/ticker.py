"""Reading again what the screens show: when something changed, and never more often than can be afforded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from app.services import watching
from app.services.office import Office
from app.tui.view_models import CenterView, MessageView

TICK_S = 0.1
"""Ten times a second: quicker than the eye follows a number, slow enough for one reading each."""

APART_MS = 100
"""Readings begin at least so far apart. A change after a quiet moment is read at once."""

LOOK_AGAIN_MS = 1_000
"""However quiet it is, everything is read again this often: a change that nobody told us of is seen at last."""

REST = 2
"""After a reading that took long the ticker rests twice as long, so that reading never takes more than a third
of the time."""

Reader = Callable[[], Awaitable[None]]


class Ticker:
    """Decides when to read, and reads: when the bell rings, when somebody wishes, and now and then.

    ``bell`` rings when something that is shown may have changed.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        self.bell = asyncio.Event()
        self._asked = True
        self._reading = asyncio.Lock()
        self._rest_until = 0
        self._look_again_at = 0
        self.readers: list[Reader] = []

    def ask(self) -> None:
        """Read at the next turn, whether or not anything changed."""
        self._asked = True
        self._rest_until = 0

    def is_due(self) -> bool:
        """Whether a turn would read."""
        now = self._office.clock.monotonic_ms()
        if now < self._rest_until or self._reading.locked():
            return False
        return self._asked or self.bell.is_set() or now >= self._look_again_at

    async def rung(self) -> None:
        """Until the bell has rung and the time for the next reading has come."""
        clock = self._office.clock
        await self.bell.wait()
        async with self._reading:
            rest_ms = self._rest_until - clock.monotonic_ms()
        await clock.sleep_until(clock.now_ms() + max(rest_ms, 0))

    async def turn(self) -> bool:
        """Read what is shown, if it is time. Returns whether it was."""
        clock = self._office.clock
        if not self.is_due():
            return False
        async with self._reading:
            began = clock.monotonic_ms()
            self._asked = False
            self.bell.clear()
            try:
                for reader in list(self.readers):
                    await reader()
            finally:  # also after a failure: it is not tried again ten times a second
                now = clock.monotonic_ms()
                if not self._asked:  # somebody who asked in the meantime does not wait
                    self._rest_until = max(now + REST * (now - began), began + APART_MS)
                self._look_again_at = now + LOOK_AGAIN_MS
        return True


async def read_center(office: Office, view: CenterView) -> None:
    """Everything the Center shows, and the people of the chosen message if they changed."""
    view.take(await watching.center(office, view.choice))


async def read_message(office: Office, view: MessageView) -> None:
    """The people of the chosen buckets, the channels it goes out on and the timeline of the person under the cursor, if they changed."""
    if wanted := view.people_wanted:
        view.take_people(wanted, await watching.people(office, view.summary.public_id, view.chosen))
        view.take_channels(await watching.by_channel(office, view.summary.id))
    if (line := view.timeline_wanted) and view.person:
        person = view.person.person_public_id
        view.take_timeline(line, await watching.explain(office, view.summary.public_id, person))
