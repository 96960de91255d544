"""The demonstration: the whole product against the rehearsal carrier, in a home that is thrown away afterwards.

Nothing in engine, listener or adapters knows that it is a rehearsal. The home is marked as a demonstration: it
never talks to anything outside this machine, whatever its configuration says.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from app import composition
from app.clock import SystemClock, VirtualClock
from app.composition import DEMO, House
from app.config import Settings
from app.domain import ids, times
from app.domain.buckets import JSON_ORDER
from app.domain.message_types import DEFAULTS, MessageType
from app.domain.messages import Composed
from app.domain.priorities import PROFILES
from app.domain.problem import Refused
from app.domain.public_address import PublicAddress
from app.domain.replies import STANDARD_OPTIONS
from app.rehearsal import comparison, sample_crew, whereabouts
from app.rehearsal.callbacks import OUTCOMES
from app.rehearsal.carrier import ACCOUNT_SID, AUTH_TOKEN, PROVIDER, RATE, Carrier
from app.rehearsal.mail_room import MAIL
from app.rehearsal.people import Script
from app.rehearsal.whereabouts import Whereabouts
from app.services import chasing, crew, sending, watching
from app.services.sending import Sent
from app.store import accounts, messages, productions, rollup, schema
from app.store.engine import Database, open_database
from app.store.vault import vault_of
from providers.contract import Account, Channel, Clock

PUBLIC = "https://nightfall.callboard.example"
"""An address that exists nowhere: the carrier leads it to this machine."""

PRODUCTION = "NIGHTFALL S2"
MAIL_ACCOUNT = "mail"
TIME_ZONE = "America/Los_Angeles"

REMIND_AT = 0.62
"""When the coordinator presses r, as a share of the whole: after the first answers, with time for the last."""

VIRTUAL_START_MS = 1_795_156_800_000
"""A simulated night begins at 22:40 in Los Angeles, on 19 November 2026."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """``seconds`` the people act for, ``people`` on the crew list, ``home`` to keep it in; ``script`` in place of
    the one that fits ``seconds``; ``channels`` the production has an account for, texts among them."""

    seconds: float = 60
    seed: int = 7
    people: int = 156
    virtual: bool = False
    home: Path | None = None
    script: Script | None = None
    channels: frozenset[Channel] = frozenset({Channel.SMS, Channel.EMAIL})


@dataclass(slots=True)
class Demo:
    """A running demonstration."""

    house: House
    carrier: Carrier
    options: DemoOptions
    _folder: tempfile.TemporaryDirectory[str] | None

    @property
    def here(self) -> Whereabouts:
        return Whereabouts(self.carrier.base_url, self.carrier.control_url)

    async def close(self) -> None:
        whereabouts.withdraw_note(self.house.settings.home, self.here)
        await self.house.close()
        await self.carrier.close()
        if self._folder:
            self._folder.cleanup()


async def open_demo(clock: Clock, options: DemoOptions, *, what: str = "demo") -> Demo:
    """Home, carrier, engine and listener, with the sample crew imported. Raises :class:`Refused`."""
    folder = None if options.home else tempfile.TemporaryDirectory(prefix=whereabouts.DEMO_FOLDER)
    home = options.home or Path(folder.name if folder else ".")
    settings = Settings(home=home, public_url=PUBLIC, public_url_stable=True)
    carrier = Carrier(clock, seed=options.seed, script=options.script or Script.for_seconds(options.seconds))
    await carrier.start()
    try:
        house = await _furnish(clock, settings, options, carrier)
        problem = await composition.start(
            house,
            what,
            public_port=0,
            private_port=0,
            random=Random(options.seed),  # noqa: S311 - jitter
            watch=not options.virtual,
        )
        if problem:
            await house.close()
            raise Refused(problem.sentence, problem.next)
    except BaseException:
        await carrier.close()
        if folder:
            folder.cleanup()
        raise
    carrier.routes[PUBLIC] = house.servers[0].url
    demo = Demo(house, carrier, options, folder)
    whereabouts.leave_note(home, demo.here)
    return demo


async def _furnish(clock: Clock, settings: Settings, options: DemoOptions, carrier: Carrier) -> House:
    """A home with a production, the carrier's accounts, and the crew; an earlier demo's home is used again."""
    await _mark(clock, settings)
    house = await composition.open_house(settings, clock)
    house.kept = options.home is not None
    house.public = PublicAddress(PUBLIC, stable=True)
    now = clock.now_ms()
    texting = Account(
        name=PROVIDER,
        kind=PROVIDER,
        base_url=carrier.base_url,
        settings={"account_sid": ACCOUNT_SID},
        secrets={"auth_token": AUTH_TOKEN},
    )
    mailing = Account(
        name=MAIL_ACCOUNT,
        kind=MAIL,
        base_url=carrier.mail_url,
        settings={"from_name": PRODUCTION, "bounce_domain": sample_crew.BOUNCES},
    )
    public_id = await _set_up(house, texting, Channel.SMS, sample_crew.SENDER)
    if Channel.EMAIL in options.channels:
        await _set_up(house, mailing, Channel.EMAIL, sample_crew.MAILBOX)
    carrier.inbound_url = f"{PUBLIC}/hooks/{public_id}"
    today = times.wall(now, TIME_ZONE).date()
    await crew.import_crew(
        house.office,
        house.actor,
        sample_crew.FILE,
        sample_crew.crew_of(options.people),
        days_later=sample_crew.days_later(today),
    )
    return house


async def _set_up(house: House, account: Account, channel: Channel, sender: str) -> str:
    """The account of this name, where the carrier is now. Returns its public id."""
    now = house.clock.now_ms()
    async with house.database.write() as connection:
        for known in await accounts.all_accounts(connection, house.vault):
            if known.account.name == account.name:
                await accounts.set_base_url(connection, known.id, account.base_url)
                return known.public_id
        public_id = ids.ulid(now, house.office.random_bytes)
        await accounts.add(
            connection,
            house.vault,
            account,
            public_id=public_id,
            channel=channel,
            senders=[(sender, round(RATE))],
            production_id=house.office.production.id,
            now_ms=now,
        )
    return public_id


async def _mark(clock: Clock, settings: Settings) -> None:
    """Make the home a demonstration. Refuses a database that holds a real production, and leaves it as it is."""
    composition.make_home(settings.home)
    database = open_database(settings.database_address, clock)
    try:
        marked = await _is_marked(database, settings)
        await schema.upgrade(database)
        await vault_of(database, settings.key_file)
        if not marked:
            await composition.add_production(database, PRODUCTION, "US", TIME_ZONE)
            async with database.write() as connection:
                await productions.set_fact(connection, DEMO, "yes")
    finally:
        await database.close()


async def _is_marked(database: Database, settings: Settings) -> bool:
    """Whether an earlier demonstration was here. Raises :class:`Refused` where anything else was, or where only
    that one's folder could read what it left."""
    if await schema.revision(database) is None:
        return False
    async with database.read() as connection:
        marked = await productions.fact(connection, DEMO) is not None
        known = await productions.all_productions(connection)
    elsewhere = bool(settings.database_url)
    if known and not marked:
        raise Refused(
            f"{'The database' if elsewhere else settings.home} holds a real production; the demonstration would mix "
            "with it.",
            f"Name an empty {'database' if elsewhere else 'folder'}, or leave "
            f"{'CALLBOARD_DATABASE_URL' if elsewhere else '--home'} out.",
        )
    if marked and elsewhere and not settings.key_file.exists():
        raise Refused(
            "The database holds an earlier demonstration, and its folder with the key is not this one.",
            "Name an empty database, or the same folder each time: --home DIR.",
        )
    return marked


async def send_location_change(demo: Demo) -> Sent:
    """The URGENT message of the demonstration, to everybody."""
    defaults = DEFAULTS[MessageType.LOCATION_CHANGE]
    composed = Composed(
        audience=["all"],
        type=MessageType.LOCATION_CHANGE,
        priority=defaults.priority,
        purpose=defaults.purpose,
        subject="Unit moves to Stage 4",
        body="Unit moves to Stage 4 from 19:15. Gate C, park in Lot 2. Base camp does not move.",
        channels=PROFILES[defaults.priority].channels,
        options=STANDARD_OPTIONS,
        location="Stage 4, Gate C",
    )
    return await sending.send(demo.house.office, demo.house.actor, composed)


async def _play(clock: Clock, options: DemoOptions, say: Callable[[str], None]) -> dict[str, Any]:
    demo = await open_demo(clock, options)
    try:
        began = clock.now_ms()
        sent = await send_location_change(demo)
        say(
            f"{PRODUCTION}: URGENT “Unit moves to Stage 4” to {sent.sheet.recipients} people, "
            f"{sent.sheet.segments} segments at {RATE:.0f} a second."
        )
        await clock.sleep_until(began + round(options.seconds * REMIND_AT * 1000))
        reminded = await _remind(demo, sent, say)
        await clock.sleep_until(began + round(options.seconds * 1000))
        await demo.carrier.stop_people()
        await settle(demo)
        result = await report(demo, sent)
        result["reminded"] = reminded
        result["seconds"] = round((clock.now_ms() - began) / 1000, 1)
        return result
    finally:
        await demo.close()


async def _remind(demo: Demo, sent: Sent, say: Callable[[str], None]) -> int:
    try:
        step = await chasing.remind(demo.house.office, demo.house.actor, sent.message_id)
    except Refused as refused:
        say(f"No reminder: {refused.problem.sentence}")
        return 0
    say(f"{step.people} people have not read it: reminded.")
    return step.people


async def settle(demo: Demo) -> None:
    """Until nothing is on its way any more: no open call, no callback to come, nothing of unknown fate to ask for."""
    engine = demo.house.engine
    assert engine is not None
    while True:
        await engine.settled()
        before = len(demo.carrier.log())
        await demo.carrier.settle()
        await engine.settled()
        if len(demo.carrier.log()) == before:
            return


async def report(demo: Demo, sent: Sent) -> dict[str, Any]:
    """The result as JSON: buckets, figures, channels, the unreachable by name, and the carrier's second opinion."""
    office = demo.house.office
    status = await watching.status(office, sent.message_id)
    async with office.database.read() as connection:
        message = await messages.by_name(connection, office.production.id, sent.message_id)
        assert message is not None
        everybody = await comparison.recipients(connection, office.vault, message.id)
        true = await rollup.counted(connection, message.id) == await rollup.recount(connection, message.id)
    differences = comparison.compare(everybody, demo.carrier.log())
    figures = status.summary.figures
    return {
        "message_id": sent.message_id,
        "recipients": figures.recipients,
        "buckets": {bucket.value: status.summary.buckets.get(bucket, 0) for bucket in JSON_ORDER},
        "confirmed": figures.confirmed,
        "read": figures.read,
        "delivered": figures.delivered,
        "replies": status.replies,
        "calls": 0,
        "callbacks": {word: demo.carrier.callback_counts.get(word, 0) for word in OUTCOMES},
        "carrier_differences": len(differences),
        "differences": [
            {"person": one.person, "expected": one.expected, "shown": one.shown} for one in differences
        ],
        "states": {one.name: one.bucket for one in everybody},
        "counters_equal_recount": true,
        "by_channel": {
            channel.value: {
                "planned": one.planned,
                "sent": one.sent,
                "delivered": one.delivered,
                "read": one.read,
                "failed": one.failed,
            }
            for channel, one in status.channels.items()
        },
        "unreachable": [{"person": one.name, "why": one.why} for one in status.unreachable],
    }


def run_headless(options: DemoOptions, say: Callable[[str], None]) -> dict[str, Any]:
    """Play the demonstration from beginning to end, in real time or in none. Raises :class:`Refused`."""
    if options.virtual:
        clock = VirtualClock(VIRTUAL_START_MS)
        return clock.run(_play(clock, options, say))
    return asyncio.run(_play(SystemClock(), options, say))
