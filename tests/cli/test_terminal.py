"""How the terminal is opened: with an engine of its own, beside another one, or only to look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from app import logs
from app.clock import within
from app.composition import House
from app.domain.problem import Problem
from app.listener.server import listening_socket
from app.services import watching
from app.store import incidents, productions
from app.store.engine import open_database
from app.store.lease import FileLease
from app.store.visits import Visitor
from tests.cli.counter import START_MS, Counter


@dataclass
class Screen:
    """Notes how it was opened, and is left at once."""

    opened: list[tuple[str, bool, bool]] = field(default_factory=list)
    messages: int = 0
    demo: bool = False
    kept: bool | None = None

    async def __call__(self, house: House, *, banner: str, read_only: bool, sends: bool) -> None:
        self.opened.append((banner, read_only, sends))
        self.messages = len((await watching.center(house.office)).messages)
        self.demo = house.demo
        self.kept = house.kept


@pytest.fixture(autouse=True)
def _any_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLBOARD_PUBLIC_PORT", "0")
    monkeypatch.setenv("CALLBOARD_PRIVATE_PORT", "0")


def test_alone_it_opens_the_terminal_and_sends(counter: Counter) -> None:
    screen = Screen()
    said = counter.at_a_screen(screen)
    assert (said.code, said.stdout, said.stderr) == (0, "", "")
    assert screen.opened == [("", False, True)]


def test_read_only_it_sends_nothing(counter: Counter) -> None:
    screen = Screen()
    assert counter.at_a_screen(screen, "--read-only").code == 0
    assert screen.opened == [("", True, False)]


def test_beside_another_engine_it_looks_on_and_says_so(counter: Counter) -> None:
    lease = FileLease(counter.home / "callboard.db")
    assert lease.take("serve") is None
    try:
        screen = Screen()
        assert counter.at_a_screen(screen).code == 0
    finally:
        lease.release()
    [(banner, read_only, sends)] = screen.opened
    assert "sending from this database already" in banner
    assert (read_only, sends) == (False, False)


def test_a_writer_in_trouble_is_told_to_every_screen_of_its_process(counter: Counter) -> None:
    told: list[Problem | None] = []

    async def screen(house: House, *, banner: str, read_only: bool, sends: bool) -> None:
        assert house.engine is not None
        told.append(house.office.trouble())
        house.engine.writer.in_trouble_since = START_MS - 180_000
        told.append(house.office.trouble())
        house.engine.writer.in_trouble_since = None
        told.append(house.office.trouble())

    assert counter.at_a_screen(screen).code == 0
    before, trouble, after = told
    assert (before, after) == (None, None)
    assert trouble is not None
    assert trouble.sentence.startswith("Nothing has been stored since 22:37")


def test_a_process_that_does_not_send_has_no_trouble_to_tell(counter: Counter) -> None:
    told: list[Problem | None] = []

    async def screen(house: House, *, banner: str, read_only: bool, sends: bool) -> None:
        told.append(house.office.trouble())

    assert counter.at_a_screen(screen, "--read-only").code == 0
    assert told == [None]


SOON_S = 0.1
"""Sooner than an eye notices."""


@pytest.fixture
def _log_is_closed() -> Iterator[None]:
    yield
    logs.configure(None)


@dataclass
class LookingOn:
    """A terminal beside which another process writes, after ``rest_s`` seconds."""

    rest_s: float = 0
    heard: list[bool] = field(default_factory=list)
    trouble: int = 0

    async def __call__(self, house: House, *, banner: str, read_only: bool, sends: bool) -> None:
        clock = house.clock
        other = open_database(house.settings.database_address, clock)
        try:
            async with watching.following(house.office) as bell:
                await clock.sleep_until(clock.now_ms() + round(max(self.rest_s, SOON_S) * 1000))
                bell.clear()
                async with other.write() as connection:
                    await productions.set_fact(connection, "written by", "another process")
                try:
                    await within(clock, SOON_S, bell.wait())
                    self.heard.append(True)
                except TimeoutError:
                    self.heard.append(False)
            async with other.read() as connection:
                self.trouble = len(await incidents.standing(connection))
        finally:
            await other.close()


def test_a_read_only_terminal_hears_at_once_of_what_another_process_writes(counter: Counter) -> None:
    screen = LookingOn()
    assert counter.at_a_screen(screen, "--read-only").code == 0
    assert screen.heard == [True]


def test_a_terminal_beside_another_engine_hears_at_once_of_what_it_writes(counter: Counter) -> None:
    lease = FileLease(counter.home / "callboard.db")
    assert lease.take("serve") is None
    try:
        screen = LookingOn()
        assert counter.at_a_screen(screen).code == 0
    finally:
        lease.release()
    assert screen.heard == [True]


@pytest.mark.usefixtures("_log_is_closed")
def test_a_watcher_that_dies_comes_back_and_takes_nothing_with_it(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, failures = Visitor.version, 5

    async def often_fails(visitor: Visitor) -> int:
        nonlocal failures
        if failures:
            failures -= 1
            raise OSError("no disk")
        return await version(visitor)

    monkeypatch.setattr(Visitor, "version", often_fails)
    screen = LookingOn(rest_s=60)
    assert counter.at_a_screen(screen, "--read-only").code == 0
    assert (failures, screen.heard) == (0, [True])
    assert screen.trouble == 0, "a terminal that only looks on writes nothing"


def test_a_taken_port_is_said_and_does_not_keep_it_shut(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = listening_socket()
    try:
        port = taken.getsockname()[1]
        monkeypatch.setenv("CALLBOARD_PUBLIC_PORT", str(port))
        screen = Screen()
        assert counter.at_a_screen(screen).code == 0
    finally:
        taken.close()
    [(banner, _, sends)] = screen.opened
    assert f"Port {port} " in banner
    assert "CALLBOARD_PUBLIC_PORT=" in banner
    assert sends is True


def test_the_demonstration_has_sent_its_message_when_it_opens(empty: Counter) -> None:
    screen = Screen()
    assert empty.at_a_screen(screen, "demo", "--crew", "4").code == 0
    assert screen.demo is True
    assert screen.messages == 1
    assert screen.opened == [("", False, True)]


def test_a_demonstration_in_a_folder_that_was_named_is_kept_and_any_other_is_not(empty: Counter) -> None:
    named, thrown_away = Screen(), Screen()
    assert empty.at_a_screen(named, "demo", "--crew", "4").code == 0
    assert empty.at_a_screen_without_home(thrown_away, "demo", "--crew", "4").code == 0
    assert (named.kept, thrown_away.kept) == (True, False)


def test_a_demonstration_never_opens_a_real_home(counter: Counter) -> None:
    screen = Screen()
    said = counter.at_a_screen(screen, "demo", "--crew", "4")
    assert said.code == 1
    assert "real production" in said.stderr
    assert screen.opened == []


@pytest.mark.parametrize("words", [("demo",), ("demo", "--json")], ids=["no screen", "json"])
def test_without_a_screen_the_demonstration_wants_to_be_headless(
    empty: Counter, words: tuple[str, ...]
) -> None:
    said = empty.give(*words)
    assert said.code == 1
    assert "--headless" in said.stdout + said.stderr


def test_virtual_time_is_headless_only(empty: Counter) -> None:
    assert empty.at_a_screen(Screen(), "demo", "--virtual").code == 2
