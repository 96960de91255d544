"""The counter at which tests give commands: a home of its own, a clock that stands still, nobody at the keyboard."""

from __future__ import annotations

import json
import shutil
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from typer.testing import CliRunner

from app import composition, config
from app.cli.desk import OpenTerminal, Surroundings
from app.cli.main import commands
from app.clock import VirtualClock
from app.rehearsal.carrier import ACCOUNT_SID, Carrier
from app.rehearsal.log import LoggedMessage
from app.store import accounts
from providers.contract import Clock

T = TypeVar("T")

START_MS = 1_795_156_800_000
"""22:40 in Los Angeles, on 19 November 2026."""

SILENT_ADDRESS = "http://127.0.0.1:9"
"""Nobody listens there."""

CREW = """\
name,department,position,phone,email,sms_consent,dnd_start,dnd_end
Ada Lund,Camera,1st AC,+13105550111,ada@example.com,yes,,
Jon Okafor,Camera,Operator,+13105550112,jon@example.com,yes,22:00,06:00
Mei Tanaka,Art,Set dresser,+13105550113,mei@example.com,yes,,
Sam Reyes,Grip,Key grip,+13105550114,sam@example.com,opted_out,,
Uma Bell,Grip,Grip,,uma@example.com,yes,,
"""


class AtTheCounter(Surroundings):
    """Virtual time; ``answers`` are what the person types, if there is a person; a terminal if one is given."""

    def __init__(
        self,
        clock: VirtualClock,
        answers: Sequence[str] | None = None,
        open_terminal: OpenTerminal | None = None,
    ) -> None:
        super().__init__(open_terminal)
        self._clock = clock
        self.virtual = clock
        self.answers = None if answers is None else list(answers)
        self.asked: list[str] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.virtual.run(work)

    def has_screen(self) -> bool:
        return self.open_terminal is not None

    def has_person(self) -> bool:
        return self.answers is not None

    def ask(self, question: str, default: str = "") -> str:
        self.asked.append(question)
        if not self.answers:
            raise EOFError
        return self.answers.pop(0) or default

    def ask_hidden(self, question: str) -> str:
        return self.ask(question)


class OnTheAir(AtTheCounter):
    """The same with a rehearsal carrier that takes what is sent while the command runs."""

    def __init__(self, clock: VirtualClock, home: Path) -> None:
        super().__init__(clock)
        self.home = home
        self.taken: list[LoggedMessage] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.virtual.run(self._with_carrier(self.virtual, work))

    async def _with_carrier(self, clock: Clock, work: Coroutine[Any, Any, T]) -> T:
        carrier = Carrier(clock)
        await carrier.start()
        try:
            house = await composition.open_house(config.load(home=self.home), clock)
            async with house.database.write() as connection:
                for one in await accounts.all_accounts(connection, house.vault):
                    await accounts.set_base_url(connection, one.id, carrier.base_url)
            await house.close()
            return await work
        finally:
            self.taken = [one for one in carrier.log() if one.accepted_at is not None]
            await carrier.close()


@dataclass(frozen=True)
class Said:
    """What a command said."""

    code: int
    stdout: str
    stderr: str
    asked: Sequence[str] = ()

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.stdout)


@dataclass
class Counter:
    """Gives commands to one home."""

    home: Path
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(START_MS))

    def give(self, *words: str, answers: Sequence[str] | None = None, stdin: str | bytes = "") -> Said:
        """Carry out one command line in this process."""
        return self._give(words, AtTheCounter(self.clock, answers), stdin)

    def in_real_time(self, *words: str) -> Said:
        """The same by the clock of this machine: virtual time would not wait for another process."""
        return self._give([*words, "--json"], Surroundings(), "")

    def at_a_screen(self, open_terminal: OpenTerminal, *words: str) -> Said:
        """The same where a terminal can be opened."""
        return self._give(words, AtTheCounter(self.clock, open_terminal=open_terminal), "")

    def at_a_screen_without_home(self, open_terminal: OpenTerminal, *words: str) -> Said:
        """The same where no home is named."""
        return self._carry_out(words, AtTheCounter(self.clock, open_terminal=open_terminal), "")

    def on_the_air(self, *words: str) -> tuple[Said, list[LoggedMessage]]:
        """The same with a carrier; also the texts it took."""
        around = OnTheAir(self.clock, self.home)
        said = self._give(words, around, "")
        return said, around.taken

    def _give(self, words: Sequence[str], around: Surroundings, stdin: str | bytes) -> Said:
        return self._carry_out([*words, "--home", str(self.home)], around, stdin)

    def _carry_out(self, words: Sequence[str], around: Surroundings, stdin: str | bytes) -> Said:
        result = CliRunner().invoke(commands, list(words), input=stdin, obj=around)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        asked = around.asked if isinstance(around, AtTheCounter) else ()
        return Said(result.exit_code, result.stdout, result.stderr, asked)

    def ask(self, *words: str) -> Any:
        """The JSON answer of a command that succeeds."""
        said = self.give(*words, "--json")
        assert said.code == 0, said
        return said.document

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.run(self.clock.sleep_until(self.clock.now_ms() + round(seconds * 1000)))

    def send(self, *words: str) -> Any:
        """An URGENT message to everybody; the JSON answer."""
        return self.ask(
            "send", "--to", "all", "--priority", "urgent", "--subject", "Unit moves", "--body", "Gate C.",
            "--yes", *words,
        )  # fmt: skip


def furnish(home: Path) -> Path:
    """A home with a production, a crew of five and a provider account."""
    counter = Counter(home)
    counter.ask("init", "--production", "NIGHTFALL", "--region", "US", "--time-zone", "America/Los_Angeles")
    crew = home / "crew.csv"
    crew.write_text(CREW, encoding="utf-8")
    counter.ask("crew", "import", str(crew))
    return home


def add_account(counter: Counter, name: str = "twilio", *words: str) -> Said:
    """Set up an account that nobody answers for."""
    return counter.give(
        "provider", "add", name, "--set", f"base_url={SILENT_ADDRESS}", "--set", f"account_sid={ACCOUNT_SID}", "--secret",
        "auth_token=A_TOKEN", "--sender", "+1 310 555 0100", "--json", *words,
    )  # fmt: skip


def copied(home: Path, to: Path) -> Path:
    """A copy of a home, so that it is furnished only once."""
    return Path(shutil.copytree(home, to))
