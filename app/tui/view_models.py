"""What the screens show, as plain objects: filled by readers, looked at by screens, known to no widget.

A view model keeps what was read last and a set of what has changed since it was drawn. Nothing here reads the
database, knows the terminal or waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.domain.buckets import Bucket, ChannelFigures
from app.services.watching import Center
from app.store.board import Summary
from app.store.standings import Standing
from app.store.timeline import Happening
from providers.contract import Channel


class Part(StrEnum):
    """The parts of a screen that are drawn apart."""

    HEAD = "head"
    MESSAGES = "messages"
    PEOPLE = "people"
    FEED = "feed"
    STATISTICS = "statistics"
    TIMELINE = "timeline"


@dataclass(frozen=True, slots=True)
class Order:
    """A way to sort a list: its name on screen and its key."""

    name: str
    key: Callable[[Any], Any]


PEOPLE_ORDERS = (
    Order("department", lambda one: (one.department.casefold(), one.name.casefold(), one.recipient_id)),
    Order("name", lambda one: (one.name.casefold(), one.recipient_id)),
    Order("reason", lambda one: (-list(Bucket).index(one.bucket), one.why, one.name.casefold())),
    Order("tries", lambda one: (-one.tries, one.name.casefold(), one.recipient_id)),
)
"""By department first: that is how a coordinator asks around. By reason, those hardest to reach come first."""

MESSAGE_ORDERS = (
    Order("newest", lambda one: (-one.created_at, -one.id)),
    Order("priority", lambda one: (one.priority.rank, -one.created_at, -one.id)),
    Order("not read", lambda one: (-one.non_readers, -one.created_at, -one.id)),
)


PACE_WINDOW_MS = 5_000
"""The pace shown is that of the last five seconds: short enough to notice a stall, long enough to hold still."""


class Pace:
    """To how many people something leaves in a second, from the counts that were read lately."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int]] = deque()

    def note(self, now_ms: int, sent: int) -> None:
        """By ``now_ms`` nothing was left to do for ``sent`` people."""
        if self._seen and sent < self._seen[-1][1]:
            self._seen.clear()  # another day has begun, or a reminder has
        self._seen.append((now_ms, sent))
        while len(self._seen) > 2 and self._seen[1][0] <= now_ms - PACE_WINDOW_MS:
            self._seen.popleft()

    def per_second(self) -> float:
        """0 while nothing has left, or nothing is known yet."""
        if len(self._seen) < 2:
            return 0.0
        (then, before), (now, after) = self._seen[0], self._seen[-1]
        return (after - before) * 1000 / (now - then) if now > then else 0.0


@dataclass(slots=True)
class CenterView:
    """The Center: the messages by key, the non-readers of the chosen one, the feed and the day."""

    center: Center | None = None
    messages: dict[int, Summary] = field(default_factory=dict)
    message_id: int | None = None
    people: dict[int, Standing] = field(default_factory=dict)
    people_of: tuple[int, int] | None = None
    """The message and its state of change that ``people`` was read for."""
    can_be_reminded: tuple[int, int | None] | None = None
    """The message, and how many a reminder of it would go to as far as that is known."""
    go_to: str | None = None
    """The public id of a message to look at as soon as it is read: one that was sent a moment ago."""
    message_order: Order = MESSAGE_ORDERS[0]
    people_order: Order = PEOPLE_ORDERS[0]
    pace: Pace = field(default_factory=Pace)
    dirty: set[Part] = field(default_factory=set)
    dirty_messages: set[int] = field(default_factory=set)

    @property
    def message(self) -> Summary | None:
        """The chosen message as it was read last."""
        return self.messages.get(self.message_id) if self.message_id is not None else None

    def take(self, center: Center) -> None:
        """Take what was read, and note what of it is new."""
        before, self.center = self.center, center
        fresh = {one.id: one for one in center.messages}
        changed = {key for key, one in fresh.items() if self.messages.get(key) != one}
        if changed or fresh.keys() != self.messages.keys() or before is None:
            self.dirty_messages |= changed
            self.dirty.add(Part.MESSAGES)
        self.messages = fresh
        looked_at = self._looked_at(center.messages)
        self.choose(looked_at.id if looked_at else None)
        if (chosen := center.chosen) and looked_at and chosen.message_id == looked_at.id:
            self.can_be_reminded = (chosen.message_id, chosen.can_be_reminded)
            if chosen.non_readers is not None:
                self.take_people((looked_at.id, looked_at.dirty), chosen.non_readers)
        if before is None or before.feed != center.feed:
            self.dirty.add(Part.FEED)
        if before is None or before.day != center.day:
            self.dirty.add(Part.STATISTICS)
        self.pace.note(center.now_ms, center.day.done)
        self.dirty.add(Part.HEAD)

    def choose(self, message_id: int | None) -> None:
        """Look at another message; its people are still to be read."""
        if message_id == self.message_id:
            return
        self.message_id = message_id
        self.people, self.people_of = {}, None
        self.dirty |= {Part.PEOPLE, Part.MESSAGES}

    def _looked_at(self, messages: Sequence[Summary]) -> Summary | None:
        """Which of these is looked at: one that was sent a moment ago, else the chosen one, else the first."""
        by_wish = [one for one in messages if self.go_to is not None and one.public_id == self.go_to]
        by_key = [one for one in messages if one.id == self.message_id]
        return next(iter([*by_wish, *by_key, *messages[:1]]), None)

    def choice(self, messages: Sequence[Summary], /) -> tuple[Summary, bool] | None:
        """The message that is looked at among those read, and whether its people must be read again."""
        chosen = self._looked_at(messages)
        return (chosen, (chosen.id, chosen.dirty) != self.people_of) if chosen else None

    def reminded_of(self, message_id: int) -> int | None:
        """How many a reminder of this message would go to, where that is known."""
        known, people = self.can_be_reminded or (None, None)
        return people if known == message_id else None

    def take_people(self, wanted: tuple[int, int], people: Sequence[Standing]) -> None:
        """Take the non-readers that were read for ``wanted``; too late, if another message is looked at now."""
        if wanted[0] != self.message_id:
            return
        self.people, self.people_of = {one.recipient_id: one for one in people}, wanted
        self.dirty.add(Part.PEOPLE)

    def next_order(self, part: Part) -> Order:
        """Sort a list the next way."""
        if part is Part.PEOPLE:
            self.people_order = _after(PEOPLE_ORDERS, self.people_order)
        else:
            self.message_order = _after(MESSAGE_ORDERS, self.message_order)
        self.dirty.add(part)
        return self.people_order if part is Part.PEOPLE else self.message_order

    def sorted_messages(self) -> list[Summary]:
        return sorted(self.messages.values(), key=self.message_order.key)

    def sorted_people(self) -> list[Standing]:
        return sorted(self.people.values(), key=self.people_order.key)

    def drawn(self) -> tuple[frozenset[Part], frozenset[int]]:
        """What must be drawn, parts and messages; it counts as drawn from now on."""
        parts, messages = frozenset(self.dirty), frozenset(self.dirty_messages)
        self.dirty.clear()
        self.dirty_messages.clear()
        return parts, messages


def _after(orders: Sequence[Order], now: Order) -> Order:
    return orders[(orders.index(now) + 1) % len(orders)]


@dataclass(slots=True)
class MessageView:
    """One message: its figures, the people of the chosen buckets, and what happened to one of them."""

    summary: Summary
    chosen: str
    person: Standing | None = None
    people: dict[int, Standing] = field(default_factory=dict)
    people_of: tuple[str, int] | None = None
    channels: tuple[Channel, ...] = ()
    """Those it was planned on for anybody; none while its first undo window is open."""
    timeline: tuple[Happening, ...] = ()
    timeline_of: tuple[int, int] | None = None
    order: Order = PEOPLE_ORDERS[0]
    dirty: set[Part] = field(default_factory=lambda: set(Part))

    def take(self, summary: Summary) -> None:
        if summary != self.summary:
            self.summary = summary
            self.dirty |= {Part.HEAD, Part.MESSAGES}

    @property
    def people_wanted(self) -> tuple[str, int] | None:
        wanted = (self.chosen, self.summary.dirty)
        return wanted if wanted != self.people_of else None

    def take_people(self, wanted: tuple[str, int], people: Sequence[Standing]) -> None:
        if wanted[0] == self.chosen:
            self.people, self.people_of = {one.recipient_id: one for one in people}, wanted
            self.dirty.add(Part.PEOPLE)

    def take_channels(self, figures: Mapping[Channel, ChannelFigures]) -> None:
        self.channels = tuple(channel for channel, one in figures.items() if one.planned)

    @property
    def timeline_wanted(self) -> tuple[int, int] | None:
        wanted = (self.person.recipient_id, self.summary.dirty) if self.person else None
        return wanted if wanted != self.timeline_of else None

    def take_timeline(self, wanted: tuple[int, int], lines: Sequence[Happening]) -> None:
        if self.person and wanted[0] == self.person.recipient_id:
            self.timeline, self.timeline_of = tuple(lines), wanted
            self.dirty.add(Part.TIMELINE)

    def look_at(self, recipient_id: int | None) -> None:
        """Another person is under the cursor."""
        person = self.people.get(recipient_id) if recipient_id is not None else None
        if (person and person.recipient_id) != (self.person and self.person.recipient_id):
            self.timeline, self.timeline_of = (), None
        self.person = person
        self.dirty.add(Part.TIMELINE)

    def next_order(self) -> Order:
        self.order = _after(PEOPLE_ORDERS, self.order)
        self.dirty.add(Part.PEOPLE)
        return self.order

    def sorted_people(self) -> list[Standing]:
        return sorted(self.people.values(), key=self.order.key)

    def drawn(self) -> frozenset[Part]:
        parts = frozenset(self.dirty)
        self.dirty.clear()
        return parts
