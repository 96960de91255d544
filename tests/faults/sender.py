"""A sender to be killed: engine and listener on a home, in a process of its own.

The imports that nobody uses are what the product loads only when it sends. A sender is forked from a process that
has loaded this module: loading takes longer than most of these lives.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from contextlib import suppress
from enum import StrEnum
from multiprocessing.connection import Connection
from pathlib import Path

import alembic.command  # noqa: F401
import twilio.rest  # noqa: F401

from app import composition, logs
from app.config import Settings
from app.dispatch import engine  # noqa: F401
from app.domain.problem import Refused
from app.listener import private, public  # noqa: F401
from app.listener.intake import Intake
from providers import twilio_http  # noqa: F401
from providers.contract import CallbackBatch
from tests.faults.clock import SkippingClock
from tests.house import address_of

PUBLIC = "https://nightfall.callboard.example"


class Moment(StrEnum):
    """Where in a callback a sender ends its own life."""

    BEFORE_IT_IS_STORED = "before it is stored"
    BEFORE_IT_IS_ANSWERED = "before it is answered"


def die_in_a_callback(moment: Moment, number: int) -> None:
    """The callback with this number, counted from 1, will be this process's last."""
    count = itertools.count(1)
    take = Intake.take

    async def take_and_die(intake: Intake, account_id: int, batch: CallbackBatch) -> None:
        is_last = next(count) == number
        if is_last and moment is Moment.BEFORE_IT_IS_STORED:
            os.kill(os.getpid(), signal.SIGKILL)
        await take(intake, account_id, batch)
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)

    Intake.take = take_and_die  # type: ignore[method-assign]


def follow(line: Connection, clock: SkippingClock) -> None:
    """Set the clock as the line says, until it ends."""
    with suppress(EOFError):
        while True:
            clock.ahead_ms = line.recv()


async def run(home: Path, line: Connection, clock: SkippingClock) -> None:
    logs.configure(home / "sender.log")
    settings = Settings(home=home, database_url=address_of(home), public_url=PUBLIC, public_url_stable=True)
    house = await composition.open_house(settings, clock)
    try:
        problem = await composition.start(house, "tests", public_port=0, private_port=0, beside=True)
        if problem:
            raise Refused(problem.sentence, problem.next)
        line.send(house.servers[0].url)
        await asyncio.get_running_loop().run_in_executor(None, follow, line, clock)
    finally:
        await house.close()


def live(home: Path, line: Connection, ahead_ms: int, last: tuple[Moment, int] | None) -> None:
    """The life of one sender, whose clock is ``ahead_ms`` ahead of the machine's.

    Once the engine runs, the listener's address is put on the line; whatever comes back sets the clock anew. It
    ends in order when the line ends, or by its own hand in this moment of the callback with this number.
    """
    if last:
        die_in_a_callback(*last)
    asyncio.run(run(home, line, SkippingClock(ahead_ms)))
