"""How the terminal is opened: with an engine of its own, beside another one, or only to look."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from app.composition import House
from app.listener.server import listening_socket
from app.services import watching
from app.store.lease import FileLease
from tests.cli.counter import Counter


@dataclass
class Screen:
    """Notes how it was opened, and is left at once."""

    opened: list[tuple[str, bool, bool]] = field(default_factory=list)
    messages: int = 0
    demo: bool = False

    async def __call__(self, house: House, *, banner: str, read_only: bool, sends: bool) -> None:
        self.opened.append((banner, read_only, sends))
        self.messages = len((await watching.center(house.office)).messages)
        self.demo = house.demo


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
