"""The audience is frozen in blocks, each resumable; a step is routed once."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select

from app.composition import add_production
from app.dispatch import planner
from app.domain.buckets import Bucket
from app.domain.problem import Refused
from app.store import audience, freezing, routed, steps
from app.store import tables as t
from tests.house import Hire, Ledger, crew_of, number


@pytest.mark.parametrize("done", [0, 1, 2, 3])
async def test_freezing_goes_on_after_every_block(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, done: int
) -> None:
    monkeypatch.setitem(freezing.FREEZE_ROWS, ledger.database.dialect, 4)
    await ledger.hire(crew_of(13))
    message_id, step_id = await ledger.compose(freeze=False)
    for _ in range(done):
        assert not await ledger.do(lambda c: freezing.freeze_block(c, step_id, ledger.now))
        await ledger.check_counters()
    await ledger.route()
    assert await ledger.deliveries_of(message_id) == []  # nothing goes out before the audience is whole
    await planner.resume_freezing(ledger.database)
    assert (await ledger.one(select(t.steps.c.people))).people == 13
    assert len(await ledger.buckets(message_id)) == 13
    await ledger.check_counters()
    assert await ledger.do(lambda c: freezing.freeze_block(c, step_id, ledger.now))
    assert len(await ledger.buckets(message_id)) == 13


@pytest.mark.parametrize("done", [0, 1, 2])
async def test_routing_goes_on_after_every_block(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, done: int
) -> None:
    monkeypatch.setattr(routed, "ROUTE_ROWS", 4)
    await ledger.hire([*crew_of(9), Hire("Shared", number(0))])
    message_id, _ = await ledger.compose()
    for _ in range(done):
        await planner.route_next_block(ledger.database, ledger.vault.link_key)
        await ledger.check_counters()
    await ledger.route()
    rows = await ledger.deliveries_of(message_id)
    assert len(rows) == len({row.recipient_id for row in rows}) == 10
    assert sum(row.carried_by is not None for row in rows) == 1
    await ledger.check_counters()


async def test_an_undone_message_goes_to_nobody_and_says_so(ledger: Ledger) -> None:
    await ledger.hire(crew_of(5))
    message_id, step_id = await ledger.compose(wait_ms=5_000)
    assert await ledger.do(lambda c: steps.undo(c, step_id, ledger.now))
    ledger.clock.advance(10)  # type: ignore[attr-defined]
    await ledger.route()
    assert await ledger.deliveries_of(message_id) == []
    assert set((await ledger.buckets(message_id)).values()) == {Bucket.SUPPRESSED}
    await ledger.check_counters()
    person = await ledger.recipient(message_id, "Person 00000")
    assert (person.suppression, person.why) == ("cancelled", "Cancelled before it was sent.")


async def test_an_undone_message_is_not_frozen_further(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(freezing.FREEZE_ROWS, ledger.database.dialect, 2)
    await ledger.hire(crew_of(5))
    message_id, step_id = await ledger.compose(wait_ms=5_000, freeze=False)
    await ledger.do(lambda c: freezing.freeze_block(c, step_id, ledger.now))
    await ledger.do(lambda c: steps.undo(c, step_id, ledger.now))
    await planner.freeze(ledger.database, step_id)
    assert len(await ledger.buckets(message_id)) == 2
    await ledger.check_counters()


@pytest.mark.parametrize("late_ms", [0, 4_999, 5_000, 3_600_000])
async def test_a_step_can_be_undone_as_long_as_nothing_of_it_is_routed(ledger: Ledger, late_ms: int) -> None:
    await ledger.hire(crew_of(1))
    message_id, step_id = await ledger.compose(wait_ms=5_000)
    ledger.clock.advance(late_ms / 1000)  # type: ignore[attr-defined]
    assert await ledger.do(lambda c: steps.undo(c, step_id, ledger.now))
    assert not await ledger.do(lambda c: steps.undo(c, step_id, ledger.now))
    ledger.clock.advance(10)  # type: ignore[attr-defined]
    await ledger.route()
    assert await ledger.deliveries_of(message_id) == []


@pytest.mark.parametrize("undo_first", [True, False])
async def test_of_undoing_and_routing_at_once_only_one_happens(ledger: Ledger, undo_first: bool) -> None:
    await ledger.hire(crew_of(3))
    for _ in range(5):
        message_id, step_id = await ledger.compose()
        undoing = ledger.do(lambda c, step_id=step_id: steps.undo(c, step_id, ledger.now))  # type: ignore[misc]
        routing = planner.route_next_block(ledger.database, ledger.vault.link_key)
        if undo_first:
            undone, _ = await asyncio.gather(undoing, routing)
        else:
            _, undone = await asyncio.gather(routing, undoing)
        assert len(await ledger.deliveries_of(message_id)) == (0 if undone else 3)
        await ledger.check_counters()


@pytest.mark.parametrize("rows", [500, 1], ids=["routed whole", "routed in part"])
async def test_what_was_routed_cannot_be_undone_even_after_the_clock_was_set_back(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(routed, "ROUTE_ROWS", rows)
    await ledger.hire(crew_of(2))
    _, step_id = await ledger.compose(wait_ms=5_000)
    ledger.clock.advance(6)  # type: ignore[attr-defined]
    await planner.route_next_block(ledger.database, ledger.vault.link_key)
    ledger.clock.advance(-3)  # type: ignore[attr-defined]
    assert not await ledger.do(lambda c: steps.undo(c, step_id, ledger.now))


# -------------------------------------------------------------------------------------- the words of an audience

CREW = [
    Hire("Ada Lund", number(1), "Camera"),
    Hire("Åsa Öberg", number(2), "Camera"),
    Hire("Jon Bell", number(3), "Grip"),
    Hire("Kim Roe", number(4), "Make-up: Effects"),
]


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["all"], {"Ada Lund", "Åsa Öberg", "Jon Bell", "Kim Roe"}),
        (["ALL"], {"Ada Lund", "Åsa Öberg", "Jon Bell", "Kim Roe"}),
        (["dept:camera"], {"Ada Lund", "Åsa Öberg"}),
        (["dept:Make-up: Effects"], {"Kim Roe"}),
        (["dept: Camera ", "person:Jon Bell"], {"Ada Lund", "Åsa Öberg", "Jon Bell"}),
        (["all", "-dept:Camera"], {"Jon Bell", "Kim Roe"}),
        (["-dept:Camera"], {"Jon Bell", "Kim Roe"}),
        (["dept:Camera", "-person:ada lund"], {"Åsa Öberg"}),
        (["unit:Main", "-dept:Grip"], {"Ada Lund", "Åsa Öberg", "Kim Roe"}),
        (["person:åsa öberg"], {"Åsa Öberg"}),
        (["all", "-all"], set()),
        ([], set()),
    ],
    ids=lambda value: " + ".join(value) or "nobody" if isinstance(value, list) else "",
)
async def test_whom_the_words_mean(ledger: Ledger, words: list[str], meant: set[str]) -> None:
    await ledger.hire(CREW)
    rows = await ledger.ask(select(t.people.c.name).where(audience.condition(ledger.production.id, words)))
    assert {row.name for row in rows} == meant
    assert await ledger.database.reading(
        lambda c: audience.head_count(c, ledger.production.id, words)
    ) == len(meant)


async def test_a_person_is_meant_by_their_id(ledger: Ledger) -> None:
    await ledger.hire(CREW)
    ada = await ledger.one(select(t.people.c.public_id).where(t.people.c.name == "Ada Lund"))
    rows = await ledger.ask(
        select(t.people.c.name).where(
            audience.condition(ledger.production.id, [f"person:{ada.public_id.lower()}"])
        )
    )
    assert [row.name for row in rows] == ["Ada Lund"]


@pytest.mark.parametrize("word", ["", "camera", "dept:", "dept", "all:x", "crew:Camera", "-", "person"])
def test_what_is_no_audience_is_refused_with_an_example(word: str) -> None:
    with pytest.raises(Refused) as refused:
        audience.parse_who(word)
    assert "dept:Camera" in refused.value.problem.next


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("dept:Kamera", "There is: Camera, Grip, Make-up: Effects."),
        ("unit:2nd", "There is: Main."),
        ("person:Nobody", "callboard crew list"),
    ],
)
async def test_a_slip_is_refused_with_what_there_is(ledger: Ledger, word: str, hint: str) -> None:
    await ledger.hire(CREW)
    with pytest.raises(Refused) as refused:
        await ledger.database.reading(lambda c: audience.check(c, ledger.production.id, ["all", word]))
    assert hint in refused.value.problem.next


async def test_leaving_out_nobody_is_a_remark(ledger: Ledger) -> None:
    await ledger.hire(CREW)
    said = await ledger.database.reading(
        lambda c: audience.check(c, ledger.production.id, ["all", "-dept:Kamera"])
    )
    assert len(said) == 1
    assert "“-dept:Kamera”. There is: Camera" in said[0]


async def test_nobody_of_another_production_is_meant(ledger: Ledger) -> None:
    other = await add_production(ledger.database, "DAYBREAK", "US", "UTC")
    await ledger.hire(CREW)
    found = await ledger.ask(select(func.count()).where(audience.condition(other.id, ["all"])))
    assert found[0][0] == 0
