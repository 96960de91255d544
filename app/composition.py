"""The one place that wires database, providers, engine and listener together."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from random import Random
from socket import socket
from typing import TYPE_CHECKING, Literal

from app.config import Settings
from app.domain import ids
from app.domain.actor import Actor, Role
from app.domain.problem import Problem, Refused
from app.domain.public_address import PublicAddress, is_loopback
from app.services.office import Office
from app.store import accounts, engines, productions, schema, trouble
from app.store.accounts import StoredAccount
from app.store.engine import Database, open_database
from app.store.productions import Production
from app.store.vault import Vault, vault_of
from providers.contract import Clock, Factory, Money

if TYPE_CHECKING:
    from app.dispatch.engine import Engine
    from app.dispatch.gateways import Gateway, Gateways
    from app.dispatch.supervisor import Supervisor
    from app.listener.server import LoopbackServer

GROUP = "callboard.providers"
"""The entry point group through which kinds of providers are found, ours and others'."""

DEMO = "demo"
"""The fact that marks a home as a demonstration: it never talks to anything outside this machine."""

FIRST_PRODUCTION = "My production"

WATCHER = "watcher"
"""The part that notices what other processes write."""


def factories() -> dict[str, Factory]:
    """Every kind of provider that is installed, by kind."""
    found: dict[str, Factory] = {}
    for entry in entry_points(group=GROUP):
        factory: Factory = entry.load()
        found[factory.kind] = factory
    return dict(sorted(found.items()))


def system_time_zone() -> str:
    """The zone this machine is set to, UTC where that cannot be told."""
    named = os.environ.get("TZ", "")
    link = Path("/etc/localtime")
    if not named and link.is_symlink():
        _, _, named = str(link.resolve()).partition("zoneinfo/")
    from app.domain.times import is_zone  # noqa: PLC0415 - the zone table is read only where it is needed

    return named if named and is_zone(named) else "UTC"


@dataclass(slots=True)
class House:
    """Everything one process has open. ``engine`` and ``servers`` only where this process runs them, ``lookout``
    only where it runs no engine and somebody looks on. ``kept`` is False for a home that is thrown away when this
    process ends, with all that waits in it.
    """

    settings: Settings
    database: Database
    vault: Vault
    office: Office
    actor: Actor
    demo: bool
    kept: bool = True
    engine: Engine | None = None
    gateways: Gateways | None = None
    lookout: Supervisor | None = None
    servers: list[LoopbackServer] = field(default_factory=list)
    public: PublicAddress = field(default_factory=PublicAddress)
    retired: list[Gateway] = field(default_factory=list)

    @property
    def clock(self) -> Clock:
        return self.database.clock

    async def close(self) -> None:
        """Stop what runs here, in the order that loses nothing: no new work, open calls, callbacks, database."""
        if self.engine:
            await self.engine.drain()
        for server in self.servers:
            await server.close()
        if self.engine:
            await self.engine.stop()
        if self.gateways:
            await self.gateways.close()
        for one in self.retired:
            await one.provider.close()
        if self.lookout:
            await self.lookout.stop()
        await self.database.close()


def make_home(home: Path) -> None:
    """The folder of the home, closed to every other user of this machine. Raises :class:`Refused`.

    A folder that belongs to somebody else stays as it is: only its owner may close it.
    """
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(PermissionError):
            home.chmod(0o700)  # the log, or an earlier version, may have made it open to all
    except OSError as error:
        raise Refused(
            f"The folder {home} cannot be used: {error.strerror or error}.",
            "Name another one: --home DIR, or CALLBOARD_HOME.",
        ) from None


async def open_house(settings: Settings, clock: Clock, *, production: str | None = None) -> House:
    """Open the home: database brought up to date, key, production, user. Raises :class:`Refused`."""
    make_home(settings.home)
    database = open_database(settings.database_address, clock)
    try:
        await schema.upgrade(database)
        vault = await vault_of(database, settings.key_file)
        found = await _production(database, production)
        actor = await _actor(database)
        async with database.read() as connection:
            demo = await productions.fact(connection, DEMO) is not None
    except BaseException:
        await database.close()
        raise
    house = House(
        settings=settings,
        database=database,
        vault=vault,
        office=Office(database, vault, found),
        actor=actor,
        demo=demo,
        public=settings.public_address,
    )
    house.office = _office(house, found)
    return house


def _office(house: House, production: Production) -> Office:
    async def is_dispatching() -> bool:
        if house.engine is not None and house.engine.running:
            return True
        return bool(await engines.at_work(house.database))

    def trouble() -> Problem | None:
        since = house.engine.writer.in_trouble_since if house.engine else None
        return None if since is None else not_stored(since, production.time_zone)

    return Office(
        database=house.database,
        vault=house.vault,
        production=production,
        public=lambda: house.public,
        is_dispatching=is_dispatching,
        price=lambda kind, segments: _price(kind, production.region, segments),
        trouble=trouble,
    )


def not_stored(since_ms: int, zone: str) -> Problem:
    """The database takes no writes. The engine keeps what is to be written, and tries until it can."""
    from app.domain.times import clock_text  # noqa: PLC0415 - the zone table is read only where it is needed

    return Problem(
        f"Nothing has been stored since {clock_text(since_ms, zone)}: the disk is full or another program locks "
        "the database.",
        "Make room or end it, and leave Callboard open.",
    )


def _price(kind: str, region: str, segments: int) -> Money | None:
    """What so many segments through this kind of provider will probably cost, to numbers of this region."""
    from app.domain.phone import country_prefix  # noqa: PLC0415 - the numbering plans are read only here

    factory = factories().get(kind)
    return factory.price(country_prefix(region), segments) if factory else None


async def _production(database: Database, name: str | None) -> Production:
    async with database.read() as connection:
        known = await productions.all_productions(connection)
    if name is not None:
        match = next((one for one in known if one.name.casefold() == name.strip().casefold()), None)
        if match is None:
            there_is = ", ".join(one.name for one in known) or "none yet"
            raise Refused(f"There is no production {name}.", f"There is: {there_is}.")
        return match
    if known:
        return known[0]
    return await add_production(database, FIRST_PRODUCTION, "US", system_time_zone())


async def add_production(database: Database, name: str, region: str, time_zone: str) -> Production:
    """Make a production. The name must be new."""
    now = database.clock.now_ms()
    async with database.write() as connection:
        return await productions.add(
            connection,
            public_id=ids.ulid(now, os.urandom),
            name=name,
            region=region,
            time_zone=time_zone,
            now_ms=now,
        )


async def _actor(database: Database) -> Actor:
    """Who sits here: the user of the operating system, a coordinator at first start."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "coordinator"
    async with database.read() as connection:
        role = await productions.role_of(connection, name)
    if role is None:
        now = database.clock.now_ms()
        role = Role.COORDINATOR.value
        async with database.write() as connection:
            await productions.add_user(
                connection, public_id=ids.ulid(now, os.urandom), name=name, role=role, now_ms=now
            )
    return Actor(name, Role(role))


async def build_gateways(house: House) -> Gateways:
    """An adapter for every account. In a demonstration, only for accounts on this machine: Refused otherwise."""
    from app.dispatch.gateways import Gateway, Gateways  # noqa: PLC0415 - heavy: only where something is sent

    async with house.database.read() as connection:
        stored = await accounts.all_accounts(connection, house.vault)
        stopped = await trouble.stopped_accounts(connection)
    if house.demo:
        _refuse_outside(stored)
    kinds = factories()
    return Gateways(
        (
            Gateway(one, kinds[one.account.kind].build(one.account, house.clock))
            for one in stored
            if one.account.kind in kinds
        ),
        stopped,
    )


async def _reload(house: House) -> None:
    """Take over accounts that were added or changed since the engine started."""
    assert house.gateways is not None
    old = list(house.gateways)
    house.gateways.replace(await build_gateways(house))
    house.retired += old  # calls may still be open on them


def _refuse_outside(stored: Iterable[StoredAccount]) -> None:
    for one in stored:
        if not is_loopback(one.account.base_url):
            raise Refused(
                f"This is a demonstration, and the provider {one.account.name} is not on this computer.",
                "Use your own home for real messages: callboard init.",
            )


async def start(
    house: House,
    what: str,
    *,
    listener: bool = True,
    public_port: int | None = None,
    private_port: int | None = None,
    random: Random | None = None,
    watch: bool = True,
    beside: bool = False,
) -> Problem | None:
    """Run engine and listener in this process. A problem says who runs them already.

    ``beside``: also where another process does, on a database that can be shared.

    Raises :class:`Refused` where the listener's port is taken; the engine runs then, and ``house.engine`` is set.
    """
    from app.dispatch.dispatcher import worker_name  # noqa: PLC0415 - heavy: only where something is sent
    from app.dispatch.engine import Engine  # noqa: PLC0415
    from app.listener.intake import Intake  # noqa: PLC0415
    from app.listener.private import private_app  # noqa: PLC0415
    from app.listener.public import Doors, public_app  # noqa: PLC0415
    from app.listener.server import serve  # noqa: PLC0415
    from app.listener.spool import Spool  # noqa: PLC0415

    gateways = await build_gateways(house)
    house.gateways = gateways
    engine = Engine(
        house.database,
        house.vault,
        gateways,
        lambda: house.public,
        worker=worker_name(os.getpid(), os.urandom),
        random=random or Random(),  # noqa: S311 - jitter of retries
    )
    intake = Intake(engine.writer, Spool(house.settings.spool, house.vault), house.vault, house.clock)
    engine.flush_spool = intake.flush
    engine.inboxes.hear = intake.hear
    if problem := await engine.start(what, beside=beside):
        return problem
    house.engine = engine
    engine.reload = lambda: _reload(house)
    if watch:
        engine.supervisor.start(WATCHER, house.database.watch)
    if listener:
        doors = Doors(house.database, house.vault, gateways, engine.writer, intake, lambda: house.public)
        settings = house.settings
        public = _listening("public", settings, public_port)
        house.servers.append(await serve(public_app(doors), public))

        async def is_ready() -> bool:
            return engine.running and engine.writer.in_trouble_since is None

        private = _listening("private", settings, private_port)
        house.servers.append(await serve(private_app(house.database, is_ready), private))
    return None


def look_out(house: House) -> None:
    """Hear at once of what other processes write. For a process without an engine: an engine does it itself.

    Looking out that fails is tried again; nothing else of this process depends on it.
    """
    from app.dispatch.supervisor import Supervisor  # noqa: PLC0415 - only where somebody looks on

    house.lookout = Supervisor(house.database, reports=False)
    house.lookout.start(WATCHER, house.database.watch)


def _listening(which: Literal["public", "private"], settings: Settings, port: int | None) -> socket:
    """The public or the private socket, on its configured port unless one is given."""
    from app.listener.server import listening_socket  # noqa: PLC0415 - heavy: only where something listens

    host = settings.public_host if which == "public" else settings.private_host
    if port is None:
        port = settings.public_port if which == "public" else settings.private_port
    try:
        return listening_socket(port, host)
    except OSError as error:
        raise Refused(
            f"Port {port} on {host} cannot be used ({error.strerror}): no receipts and no replies come in.",
            f"Choose another one: CALLBOARD_{which.upper()}_PORT={port + 10}.",
        ) from None
