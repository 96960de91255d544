"""Texts from people to our number: answers, opt-outs, and what a person must look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.buckets import Bucket
from app.rehearsal.demo import settle
from app.services import chasing, hearing
from app.store import tables as t
from tests.listener.scene import Scene, play


def sid(number: int) -> str:
    return f"SM{number:032x}"


@pytest.mark.parametrize(
    ("words", "bucket"),
    [
        pytest.param("1", Bucket.CONFIRMED, id="the digit"),
        pytest.param("Copy that 👍", Bucket.CONFIRMED, id="two ways to say yes"),
        pytest.param("10-4", Bucket.CONFIRMED, id="radio"),
        pytest.param("2 - car broke down", Bucket.NEEDS_HELP, id="a problem"),
        pytest.param("ok but I'm late", Bucket.READ, id="no guess"),
        pytest.param("what?", Bucket.READ, id="a question"),
    ],
)
def test_a_reply_moves_its_sender(tmp_path: Path, words: str, bucket: Bucket) -> None:
    async def act(scene: Scene) -> None:
        answer = await scene.says(await scene.number_of("Cruz Park"), words, sid(1))
        assert answer.status == 200
        assert (await scene.standing("Cruz Park")).bucket is bucket
        assert await scene.counters_are_true()

    play(tmp_path, act, people=3)


def test_a_later_answer_counts(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        number = await scene.number_of("Cruz Park")
        await scene.says(number, "1", sid(1))
        await scene.says(number, "2 - flat tyre", sid(2))
        assert (await scene.standing("Cruz Park")).bucket is Bucket.NEEDS_HELP
        await scene.says(number, "1", sid(3))
        assert (await scene.standing("Cruz Park")).bucket is Bucket.CONFIRMED

    play(tmp_path, act, people=3)


def test_a_reply_told_twice_is_one_answer(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        number = await scene.number_of("Cruz Park")
        for _ in range(3):
            assert (await scene.says(number, "1", sid(1))).status == 200
        assert await scene.rows(t.answers) == 1
        assert await scene.rows(t.inbound) == 1

    play(tmp_path, act, people=3)


def test_stop_stops_the_reminder(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        number = await scene.number_of("Cruz Park")
        await scene.says(number, "Stop!", sid(1))
        before = len(scene.demo.carrier.log())
        step = await chasing.remind(scene.demo.house.office, scene.demo.house.actor, scene.sent.message_id)
        await settle(scene.demo)
        assert (step.people, step.unreachable) == (2, 1)
        reminded = [one.to for one in scene.demo.carrier.log()[before:]]
        assert len(reminded) == 2
        assert number not in reminded
        standing = await scene.standing("Cruz Park")
        assert (standing.bucket, standing.why) == (Bucket.DELIVERED, "Opted out of texts.")

    play(tmp_path, act, people=3)


def test_start_lets_texts_through_again(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        number = await scene.number_of("Cruz Park")
        await scene.says(number, "STOP", sid(1))
        await scene.says(number, "start", sid(2))
        await chasing.remind(scene.demo.house.office, scene.demo.house.actor, scene.sent.message_id)
        await settle(scene.demo)
        assert [one.to for one in scene.demo.carrier.log()].count(number) == 2

    play(tmp_path, act, people=3)


def test_a_digit_from_a_shared_number_answers_for_nobody(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        by_number: dict[str, int] = {}
        async with scene.demo.house.database.read() as connection:
            from app.rehearsal.comparison import recipients

            for person in await recipients(connection, scene.demo.house.vault, 1):
                for number in person.numbers:
                    by_number[number] = by_number.get(number, 0) + 1
        shared = next(number for number, people in by_number.items() if people > 1)
        await scene.says(shared, "1", sid(1))
        assert await scene.rows(t.answers) == 0
        async with scene.demo.house.database.read() as connection:
            flags = [row.flag for row in await connection.execute(t.inbound.select())]
        assert flags == [hearing.FLAG_SHARED]

    play(tmp_path, act)


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        pytest.param("please don't text me anymore", hearing.FLAG_LEFT_ALONE, id="asks to be left alone"),
        pytest.param("which gate?", hearing.FLAG_FREE, id="own words"),
        pytest.param("HELP", hearing.FLAG_HELP, id="help"),
    ],
)
def test_what_a_person_must_look_at_is_flagged(tmp_path: Path, words: str, flag: str) -> None:
    async def act(scene: Scene) -> None:
        await scene.says(await scene.number_of("Cruz Park"), words, sid(1))
        async with scene.demo.house.database.read() as connection:
            assert [row.flag for row in await connection.execute(t.inbound.select())] == [flag]

    play(tmp_path, act, people=3)


def test_a_text_from_a_stranger_is_kept_and_flagged(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        assert (await scene.says("+12025550199", "hello?", sid(1))).status == 200
        async with scene.demo.house.database.read() as connection:
            assert [row.flag for row in await connection.execute(t.inbound.select())] == [
                hearing.FLAG_STRANGER
            ]

    play(tmp_path, act, people=3)
