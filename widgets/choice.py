"""Choosing in one line: one of several with the arrow keys, or several with the space bar."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from widgets.cells import STYLES, Tone

Option = tuple[str, str]
"""A value and its words."""


GAP = 2
"""Columns between two options."""


class OptionLine(Widget, can_focus=True):
    """Options in a row, with a place the arrow keys move."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "Previous", show=False),
        Binding("right", "move(1)", "Next", show=False),
        Binding("space", "switch", "Choose", show=False),
    ]

    def __init__(self, options: Sequence[Option], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.options = tuple(options)
        self.place = 0

    class Changed(Message):
        """Something else is chosen."""

        def __init__(self, line: OptionLine) -> None:
            super().__init__()
            self.line = line

        @property
        def control(self) -> OptionLine:
            return self.line

    def _changed(self) -> None:
        self.refresh()
        self.post_message(self.Changed(self))

    def watch_has_focus(self, value: bool) -> None:
        super().watch_has_focus(value)
        self.refresh()

    def _lead(self, place: int) -> str:
        """Words before an option."""
        del place
        return ""

    def _words(self, place: int) -> str:
        raise NotImplementedError

    def _first(self) -> int:
        """The first option that is shown: in a narrow terminal those before the chosen place give way."""
        first = 0
        while first < self.place and self._room(first, self.place + 1) > self.size.width:
            first += 1
        return first

    def _room(self, first: int, end: int) -> int:
        return sum(cell_len(self._lead(one) + self._words(one)) + GAP for one in range(first, end)) - GAP

    def render(self) -> Content:
        parts: list[str | tuple[str, str]] = []
        for place in range(self._first(), len(self.options)):
            here = self.has_focus and place == self.place
            style = "bold $block-cursor-foreground on $block-cursor-background" if here else self._tone(place)
            parts += [(self._lead(place), STYLES[Tone.DIM]), (self._words(place), style), " " * GAP]
        return Content.assemble(*parts).truncate(self.size.width, ellipsis=True)

    def _tone(self, place: int) -> str:
        raise NotImplementedError

    def on_click(self, event: events.Click) -> None:
        at = 0
        for place in range(self._first(), len(self.options)):
            at += cell_len(self._lead(place))
            width = cell_len(self._words(place))
            if at <= event.x < at + width:
                self.place = place
                self.action_switch()
                return
            at += width + GAP

    def action_move(self, by: int) -> None:
        self.place = (self.place + by) % len(self.options)
        self.refresh()

    def action_switch(self) -> None:
        raise NotImplementedError


class Choice(OptionLine):
    """One of several: the arrows choose."""

    DEFAULT_CSS = "Choice { height: 1; width: 1fr; }"

    @property
    def value(self) -> str:
        return self.options[self.place][0]

    def choose(self, value: str) -> None:
        """Choose this value without telling anybody."""
        self.place = [one for one, _ in self.options].index(value)
        self.refresh()

    def action_move(self, by: int) -> None:
        self.place = (self.place + by) % len(self.options)
        self._changed()

    def action_switch(self) -> None:
        self._changed()

    def _words(self, place: int) -> str:
        return f"({'o' if place == self.place else ' '}) {self.options[place][1]}"

    def _tone(self, place: int) -> str:
        return STYLES[Tone.STRONG if place == self.place else Tone.DIM]


class Turn(Choice):
    """One of many, of which only the chosen one is shown: ``< Call time >``."""

    DEFAULT_CSS = "Turn { height: 1; width: 1fr; }"

    def render(self) -> Content:
        words = f"< {self.options[self.place][1]} >"
        style = "bold $block-cursor-foreground on $block-cursor-background" if self.has_focus else "bold"
        return Content.assemble((words, style))

    def on_click(self, _: events.Click) -> None:
        self.action_move(1)


class Checks(OptionLine):
    """Any of several: the arrows move, the space bar switches.

    Those that cannot be switched on stand last, behind the reason they share. Trying it posts :class:`Closed`.
    """

    DEFAULT_CSS = "Checks { height: 1; width: 1fr; }"

    class Closed(Message):
        """Somebody tried to switch on what cannot be."""

        def __init__(self, line: Checks, value: str) -> None:
            super().__init__()
            self.line = line
            self.value = value

        @property
        def control(self) -> Checks:
            return self.line

    def __init__(self, options: Sequence[Option], *, on: Collection[str] = (), id: str | None = None) -> None:
        super().__init__(options, id=id)
        self.on = set(on)
        self._order = self.options
        self._off: dict[str, str] = {}

    @property
    def values(self) -> tuple[str, ...]:
        """What is switched on, in the order the options were given in."""
        return tuple(value for value, _ in self._order if value in self.on and value not in self._off)

    def switch(self, on: Collection[str]) -> None:
        """Switch exactly these on without telling anybody."""
        self.on = set(on)
        self.refresh()

    def keep_off(self, reasons: Mapping[str, str]) -> None:
        """Exactly these cannot be switched on, each for its reason (one or two words, or nothing)."""
        here = self.options[self.place][0]
        self._off = dict(reasons)
        self.options = tuple(sorted(self._order, key=lambda one: self._off.get(one[0], "")))
        self.place = [value for value, _ in self.options].index(here)
        self.refresh()

    def action_switch(self) -> None:
        value = self.options[self.place][0]
        if value in self._off:
            self.post_message(self.Closed(self, value))
            return
        self.on ^= {value}
        self._changed()

    def _lead(self, place: int) -> str:
        reason = self._off.get(self.options[place][0], "")
        before = self._off.get(self.options[place - 1][0], "") if place else ""
        return f"{reason}: " if reason != before else ""

    def _words(self, place: int) -> str:
        value, words = self.options[place]
        return f"[{'x' if value in self.values else ' '}] {words}"

    def _tone(self, place: int) -> str:
        return STYLES[Tone.PLAIN if self.options[place][0] in self.values else Tone.DIM]
