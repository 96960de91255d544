"""The crew list kept: an import updates and never doubles, and no address stands in clear anywhere."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import func, select

from app import logs
from app.domain.actor import Actor
from app.domain.routing import AddressKind, Consent
from app.rehearsal.sample_crew import sample_file
from app.services import crew as crew_service
from app.services import hearing
from app.services.crew import Imported
from app.services.office import Office
from app.store import addressees, crew
from app.store import tables as t
from providers.contract import Accepted, Channel, Fact, Inbound, ProviderError
from tests.house import SENDER, Ledger

KIT = Actor("Kit Marsh")
HEADER = "Name,Department,Position,Mobile,Email,SMS consent"


def office(ledger: Ledger) -> Office:
    return Office(ledger.database, ledger.vault, ledger.production)


async def bring(ledger: Ledger, *lines: str) -> Imported:
    data = "\n".join([HEADER, *lines]).encode()
    return await crew_service.import_crew(office(ledger), KIT, "crew.csv", data)


def counts(imported: Imported) -> tuple[int, int, int]:
    assert imported.rejected == ()
    return imported.added, imported.updated, imported.unchanged


async def rows_in(ledger: Ledger, table: str) -> int:
    return int((await ledger.one(select(func.count()).select_from(t.metadata.tables[table])))[0])


ADA = "Ada Lund,Camera,Focus Puller,+16265550162,ada@example.com,yes"
JON = "Jon Bell,Grip,Key Grip,+16265550163,jon@example.com,"


async def test_the_same_list_again_changes_nothing(ledger: Ledger) -> None:
    first = await crew_service.import_crew(office(ledger), KIT, "crew.csv", sample_file())
    assert first.added == 156
    before = {name: await rows_in(ledger, name) for name in ("people", "contact_points", "consents")}
    again = await crew_service.import_crew(office(ledger), KIT, "crew.csv", sample_file())
    assert (again.added, again.updated, again.unchanged) == (0, 0, 156)
    assert {name: await rows_in(ledger, name) for name in before} == before


async def test_a_changed_line_updates_that_person_and_nobody_else(ledger: Ledger) -> None:
    assert counts(await bring(ledger, ADA, JON)) == (2, 0, 0)
    assert counts(await bring(ledger, ADA.replace("Focus Puller", "1st Assistant Camera"), JON)) == (0, 1, 1)
    people = await crew_service.list_crew(office(ledger))
    assert [(one.name, one.values["position"]) for one in people] == [
        ("Ada Lund", "1st Assistant Camera"), ("Jon Bell", "Key Grip"),
    ]  # fmt: skip


@pytest.mark.parametrize("consent", ["yes", "no", "opted_out"])
async def test_what_the_list_says_about_consent_holds_for_a_new_number_too(
    ledger: Ledger, consent: str
) -> None:
    line = "Ada Lund,Camera,Focus Puller,{number},ada@example.com," + consent
    await bring(ledger, line.format(number="+16265550162"))
    assert counts(await bring(ledger, line.format(number="+16265550199"))) == (0, 1, 0)
    ada = (await ledger.ask(select(t.people.c.id)))[0].id
    listed = await ledger.database.reading(lambda c: addressees.of_people(c, ledger.production.id, [ada]))
    (number,) = (one for one in listed[ada].addressee.contact_points if one.kind is AddressKind.PHONE)
    if consent == "opted_out":
        assert number.opted_out == {Channel.SMS}
    else:
        assert number.consent(Channel.SMS) is Consent(consent)
    assert counts(await bring(ledger, line.format(number="+16265550199"))) == (0, 0, 1)


async def test_a_number_that_was_left_out_is_retired_and_comes_back_as_the_same_one(ledger: Ledger) -> None:
    await bring(ledger, ADA)
    first = await ledger.one(select(t.contact_points).where(t.contact_points.c.kind == "phone"))
    await bring(ledger, ADA.replace("+16265550162", ""))
    assert (
        await ledger.one(select(t.contact_points).where(t.contact_points.c.id == first.id))
    ).retired_at is not None
    assert (await crew_service.list_crew(office(ledger)))[0].first(AddressKind.PHONE) is None
    await bring(ledger, ADA)
    back = await ledger.one(select(t.contact_points).where(t.contact_points.c.kind == "phone"))
    assert (back.id, back.retired_at, back.lookup) == (first.id, None, first.lookup)


async def test_a_list_never_takes_an_opt_out_back(ledger: Ledger) -> None:
    await bring(ledger, ADA)
    stop = Inbound(Channel.SMS, "SM1", "+16265550162", SENDER, "STOP", "SM1:received")
    await ledger.do(lambda c: hearing.take_inbound(c, ledger.vault, ledger.account_id, stop, ledger.now))
    assert counts(await bring(ledger, ADA)) == (0, 0, 1)
    assert counts(await bring(ledger, ADA.replace("Focus Puller", "Operator"))) == (0, 1, 0)
    assert (await crew_service.list_crew(office(ledger)))[0].sms_consent == "opted_out"


async def test_an_import_that_breaks_halfway_has_changed_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bring(ledger, ADA)
    before = await crew_service.list_crew(office(ledger))
    entries = await rows_in(ledger, "audit")
    add = crew.add

    async def breaks(*words: Any, values: Any, **rest: Any) -> Any:
        if values["name"] == "Sam Reyes":
            raise RuntimeError("the power is gone")
        return await add(*words, values=values, **rest)

    monkeypatch.setattr(crew, "add", breaks)
    with pytest.raises(RuntimeError):
        await bring(
            ledger, ADA.replace("Focus Puller", "Operator"), JON, "Sam Reyes,Grip,Grip,626 555 0177,,yes"
        )
    assert await crew_service.list_crew(office(ledger)) == before
    assert await rows_in(ledger, "audit") == entries


async def test_a_list_that_turns_its_names_round_means_the_same_people(ledger: Ledger) -> None:
    assert counts(await bring(ledger, ADA, JON)) == (2, 0, 0)
    turned = [
        f'"{line.split(",")[0].split()[1]}, {line.split(",")[0].split()[0]}"' + line[line.index(",") :]
        for line in (ADA, JON)
    ]
    assert counts(await bring(ledger, *turned)) == (0, 0, 2)


async def test_a_dry_run_tells_what_would_happen_and_does_nothing(ledger: Ledger) -> None:
    data = "\n".join([HEADER, ADA, JON]).encode()
    found = await crew_service.import_crew(office(ledger), KIT, "crew.csv", data, dry_run=True)
    assert found.added == 2
    assert await rows_in(ledger, "people") == await rows_in(ledger, "audit") == 0


async def test_what_is_known_of_a_number_that_stays_stays_known(ledger: Ledger) -> None:
    await bring(ledger, ADA)
    await ledger.compose()
    await ledger.route()
    await ledger.call(Accepted("SM1"))
    wrong = ProviderError("30005", "The carrier does not know the number.", bad_address=True)
    await ledger.hear(ledger.incoming(Fact.FAILED, provider_id="SM1", error=wrong))
    await bring(ledger, ADA.replace("Focus Puller", "Operator"))
    assert (await crew_service.list_crew(office(ledger)))[0].first(AddressKind.PHONE).problem  # type: ignore[union-attr]
    await bring(ledger, ADA.replace("+16265550162", "+16265550199"))
    assert not (await crew_service.list_crew(office(ledger)))[0].first(AddressKind.PHONE).problem  # type: ignore[union-attr]


# ------------------------------------------------------------------------------------------- nothing in clear


@pytest.mark.parametrize("either_home", ["sqlite"], indirect=True)
async def test_no_address_of_the_crew_stands_in_clear_in_the_home_or_in_the_log(
    ledger: Ledger, home: Path
) -> None:
    """After a whole evening: import, texts, receipts, replies, a wrong number, an adapter that raises."""
    log_file = home / "callboard.log"
    logs.configure(log_file)
    try:
        await crew_service.import_crew(office(ledger), KIT, "crew.csv", sample_file())
        everybody = await crew_service.list_crew(office(ledger))
        message_id, _ = await ledger.compose()
        await ledger.route()
        called = await ledger.call(lambda one: Accepted(f"SM{one.id}"))
        for number, one in enumerate(called[:40]):
            fact = (Fact.DELIVERED, Fact.FAILED, Fact.OPTED_OUT)[number % 3]
            error = ProviderError("30005", "Unknown number.", bad_address=True) if number % 3 else None
            await ledger.hear(ledger.incoming(fact, provider_id=f"SM{one.id}", error=error))
        phones = [one.first(AddressKind.PHONE) for one in everybody]
        for number, phone in enumerate([one for one in phones if one][:10]):
            reply = Inbound(
                Channel.SMS, f"in{number}", phone.value, SENDER, "1 " + phone.value, f"in{number}",
                detail={"From": phone.value},
            )  # fmt: skip
            await ledger.do(
                lambda c, reply=reply: hearing.take_inbound(
                    c, ledger.vault, ledger.account_id, reply, ledger.now
                )
            )
        await ledger.remind(message_id)
        await ledger.route()
        try:
            raise RuntimeError(f"cannot send to {phones[0].value if phones[0] else ''} or ada@example.com")
        except RuntimeError:
            structlog.get_logger("tests").exception("adapter raised", to=phones[1].value if phones[1] else "")
        clear = _clear(everybody)
        assert len(clear) > 300
        stored = _everything_in(home)
    finally:
        _close_log()
    assert b"adapter raised" in stored
    assert len(stored) > 500_000
    assert [one for one in clear if one.encode() in stored] == []


def _everything_in(home: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(home.iterdir()) if file.is_file())


def _clear(everybody: list[crew.Member]) -> list[str]:
    """Every address as it may be written: whole, and without the plus sign."""
    found = set()
    for member in everybody:
        for address in member.addresses:
            found |= {address.value, address.value.lstrip("+")}
        found |= {member.emergency[1]} if member.emergency[1] else set()
    return sorted(found)


def _close_log() -> None:
    root = logging.getLogger("callboard")
    for handler in root.handlers:
        handler.close()
    root.handlers = [logging.NullHandler()]
    structlog.reset_defaults()


def test_the_log_takes_out_what_must_not_stand_in_it() -> None:
    told = logs.redacted(
        None,
        "info",
        {
            "event": "sent",
            "to": "+1 626 555 0162",
            "auth_token": "secret",
            "why": "ada.lund@example.com is full",
            "segments": 2,
        },
    )
    written = io.StringIO(str(told)).read()
    assert not any(secret in written for secret in ("626", "secret", "ada.lund"))
    assert told["segments"] == 2
