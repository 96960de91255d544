"""The checks of ``callboard doctor``, one function each."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import false, func, select, update

from app import composition
from app.cli.desk import Desk, expected
from app.cli.visit import open_house
from app.clock import behind_ms, within
from app.composition import House
from app.domain import times
from app.domain.problem import Refused
from app.domain.public_address import PublicAddress, is_loopback
from app.services import providers
from app.services.providers import AccountState, Listed
from app.store import engines, schema
from app.store import tables as t

ENOUGH_MIB = 200
"""A hundred thousand deliveries take about as much, with the log and a copy before an update."""

CLOCK_SLACK_MS = 60_000
"""How far the newest entry may lie ahead of the clock: two machines that share a database differ a little."""

PATIENCE_S = 15.0
"""Above the 10 s one call of a provider may take."""

SYNCED = ("dropbox", "onedrive", "google drive", "googledrive", "icloud", "mobile documents", "nextcloud")
"""Parts of paths under which another program copies files while they are written."""


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. ``why`` says what was found, ``next`` what to do where it is not good."""

    name: str
    ok: bool
    why: str
    next: str = ""


async def examine(desk: Desk) -> list[Check]:
    """Every check that can be made. Where the home cannot be opened, that is the only one."""
    try:
        house = await open_house(desk)
    except Exception as error:
        problem = expected(error)
        if problem is None:
            raise
        return [Check("database", False, problem.sentence, problem.next)]
    try:
        return [one for name, check in CHECKS.items() for one in await _made(house, name, check)]
    finally:
        await house.close()


async def _made(house: House, name: str, check: Callable[[House], Awaitable[list[Check]]]) -> list[Check]:
    """What a check found. One that cannot be made is a finding too, and the others are made all the same."""
    try:
        return await check(house)
    except Exception as error:
        problem = expected(error)
        if problem is None:
            raise
        return [Check(name, False, problem.sentence, problem.next)]


async def _database(house: House) -> list[Check]:
    if house.database.dialect == "sqlite":
        async with house.database.read() as connection:
            found = (await connection.exec_driver_sql("PRAGMA quick_check(1)")).scalar()
        if found != "ok":
            return [
                Check(
                    "database", False, f"The database file is damaged: {found}.", "Put a copy in its place."
                )
            ]
    async with house.database.write() as connection:  # of nothing: whether it could be
        await connection.execute(update(t.home).where(false()).values(value=""))
    name = house.office.production.name
    return [Check("database", True, f"It opens, and holds the production {name}.")]


async def _migrations(house: House) -> list[Check]:
    revision = await schema.revision(house.database)
    if revision == schema.head():
        return [Check("migrations", True, "The database is up to date.")]
    return [
        Check("migrations", False, "The database is not up to date.", "Open Callboard once to update it.")
    ]


async def _providers(house: House) -> list[Check]:
    try:
        house.gateways = await composition.build_gateways(house)
    except Refused as refused:
        return [Check("providers", False, refused.problem.sentence, refused.problem.next)]
    rows = [row for row in await providers.listed(house.office, composition.factories()) if row.configured]
    checks = [await _provider(house, row) for row in rows]
    if not rows:
        checks.append(
            Check(
                "providers",
                False,
                "No provider is set up: nothing can be sent.",
                "Set one up: callboard provider add.",
            )
        )
    elif all(row.state is AccountState.DISABLED for row in rows):
        checks.append(
            Check(
                "providers",
                False,
                "Every account is disabled: nothing can be sent.",
                f"Enable one: callboard provider enable {rows[0].name}.",
            )
        )
    return checks


async def _provider(house: House, row: Listed) -> Check:
    name = f"provider {row.name}"
    if row.state is AccountState.DISABLED:
        return Check(name, True, "Disabled: nothing goes out through it.")
    gateway = next((one for one in house.gateways or () if one.stored.account.name == row.name), None)
    if gateway is None:
        return Check(
            name,
            False,
            f"The kind of provider {row.kind} is not installed: nothing goes out through it.",
            f"Install what brought it, or callboard provider disable {row.name}.",
        )
    try:
        result = await within(house.clock, PATIENCE_S, gateway.provider.check())
    except TimeoutError:
        return Check(name, False, "It does not answer.", "Check the internet connection.")
    return Check(name, result.ok, result.sentence, "" if result.ok else result.next_step)


async def _listener(house: House) -> list[Check]:
    return [_reachable(house.public)]


def _reachable(public: PublicAddress) -> Check:
    if not public.base:
        return Check(
            "listener",
            False,
            "The outside cannot reach this computer: no receipts, no replies, no crew pages.",
            "Set CALLBOARD_PUBLIC_URL to the https address of your tunnel.",
        )
    if is_loopback(public.base):
        return Check("listener", True, f"{public.base} leads to this computer alone: good for a rehearsal.")
    if not public.base.startswith("https://"):
        return Check(
            "listener", False, f"{public.base} does not begin with https.", "Set CALLBOARD_PUBLIC_URL again."
        )
    if not public.stable:
        return Check(
            "listener",
            True,
            f"{public.base}; it may change tomorrow, so texts ask for a digit and hold no link.",
        )
    return Check("listener", True, f"{public.base}.")


def _count(engines_at_work: int) -> str:
    return "A Callboard is" if engines_at_work == 1 else f"{engines_at_work} Callboards are"


async def _dispatcher(house: House) -> list[Check]:
    if at_work := await engines.at_work(house.database):
        named = "; ".join(map(str, at_work))
        return [Check("dispatcher", True, f"{_count(len(at_work))} sending from this database: {named}.")]
    return [Check("dispatcher", True, "Nothing is sending now. Messages wait until Callboard is opened.")]


async def _clock(house: House) -> list[Check]:
    now = house.clock.now_ms()
    async with house.database.read() as connection:
        newest = (await connection.execute(select(func.max(t.audit.c.at)))).scalar() or 0
    behind = max(newest - now, behind_ms(house.clock))
    if behind > CLOCK_SLACK_MS:
        return [
            Check(
                "clock",
                False,
                f"This computer's clock is {times.spell(behind)} behind what was written here before.",
                "Set the clock, and let it set itself from the network.",
            )
        ]
    zone = house.office.production.time_zone
    return [Check("clock", True, f"{times.clock_text(now, zone)} in {zone}.")]


async def _disk(house: House) -> list[Check]:
    return [_room(house.settings.home)]


def _room(home: Path) -> Check:
    synced = next((one for one in SYNCED if any(one in part.lower() for part in home.parts)), None)
    if synced:
        return Check(
            "disk",
            False,
            f"{home} is copied elsewhere while it is written: that damages databases.",
            "Move it out of there, and set CALLBOARD_HOME.",
        )
    free = shutil.disk_usage(home).free // 1024**2
    if free < ENOUGH_MIB:
        return Check("disk", False, f"Only {free:,} MiB are free.", f"Free at least {ENOUGH_MIB} MiB.")
    return Check("disk", True, f"{free:,} MiB are free.")


CHECKS: dict[str, Callable[[House], Awaitable[list[Check]]]] = {
    "database": _database,
    "migrations": _migrations,
    "providers": _providers,
    "listener": _listener,
    "dispatcher": _dispatcher,
    "clock": _clock,
    "disk": _disk,
}
"""In the order in which they are shown."""
