"""A sender to be killed: engine and listener on a home, until somebody ends the process.

``python -m tests.faults.sender HOME``. Says ``ready URL`` with the listener's address once the engine runs. Ends in
order when its input ends.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from app import composition, logs
from app.clock import SystemClock
from app.config import Settings
from app.domain.problem import Refused

PUBLIC = "https://nightfall.callboard.example"


async def run(home: Path) -> None:
    logs.configure(home / "sender.log")
    settings = Settings(home=home, public_url=PUBLIC, public_url_stable=True)
    house = await composition.open_house(settings, SystemClock())
    try:
        problem = await composition.start(house, "tests", public_port=0, private_port=0)
        if problem:
            raise Refused(problem.sentence, problem.next)
        print("ready", house.servers[0].url, flush=True)  # noqa: T201
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    finally:
        await house.close()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1])))
