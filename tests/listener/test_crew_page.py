"""The crew page: reading needs a person, GET changes nothing above opened, people who share a number say who."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.buckets import Bucket
from app.domain.messages import MessageStatus
from app.listener.rate import PER_MINUTE
from app.services import halting
from app.store import tables as t
from tests.listener.scene import Scene, play


def test_the_page_shows_the_message_and_its_answers_without_any_script(home: Path) -> None:
    async def act(scene: Scene) -> None:
        page = await scene.get(await scene.link_of("Cruz Park"))
        assert page.status == 200
        for words in ("NIGHTFALL S2", "URGENT", "Unit moves to Stage 4", "Gate C", 'name="option" value="1"'):
            assert words in page.text
        assert "src=" not in page.text  # nothing is fetched from anywhere
        assert page.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in page.headers["content-security-policy"]

    play(home, act, people=3)


def test_fetching_the_page_is_opened_and_not_read(home: Path) -> None:
    async def act(scene: Scene) -> None:
        link = await scene.link_of("Cruz Park")
        for _ in range(3):
            await scene.get(link)
        assert (await scene.standing("Cruz Park")).bucket is Bucket.DELIVERED
        assert (await scene.status()).summary.figures.read == 0
        assert await scene.counters_are_true()

    play(home, act, people=3)


def test_a_gesture_on_the_page_is_read(home: Path) -> None:
    async def act(scene: Scene) -> None:
        link = await scene.link_of("Cruz Park")
        assert (await scene.post(f"{link}/seen")).status == 204
        assert (await scene.standing("Cruz Park")).bucket is Bucket.READ

    play(home, act, people=3)


@pytest.mark.parametrize("path", ["/seen", "/answer"])
def test_get_never_reads_or_answers(home: Path, path: str) -> None:
    async def act(scene: Scene) -> None:
        link = await scene.link_of("Cruz Park")
        assert (await scene.get(f"{link}{path}?option=1")).status == 405
        assert (await scene.standing("Cruz Park")).bucket is Bucket.DELIVERED

    play(home, act, people=3)


def test_a_button_confirms_and_can_be_changed(home: Path) -> None:
    async def act(scene: Scene) -> None:
        link = await scene.link_of("Cruz Park")
        answer = await scene.post(f"{link}/answer", {"option": "1"})
        assert (answer.status, answer.headers["location"]) == (303, link)
        assert (await scene.standing("Cruz Park")).bucket is Bucket.CONFIRMED
        assert "I have read it and I will be there</strong>" in (await scene.get(link)).text
        await scene.post(f"{link}/answer", {"option": "2"})
        assert (await scene.standing("Cruz Park")).bucket is Bucket.NEEDS_HELP
        assert await scene.counters_are_true()

    play(home, act, people=3)


@pytest.mark.parametrize(
    ("form", "status"),
    [
        pytest.param({"option": "9"}, 422, id="an option there is not"),
        pytest.param({"option": "one"}, 400, id="no digit"),
        pytest.param({"option": "١"}, 400, id="a digit of another alphabet"),
        pytest.param({"option": "1", "more": "x" * 5000}, 413, id="a form that is too large"),
    ],
)
def test_a_form_that_says_nothing_changes_nothing(home: Path, form: dict[str, str], status: int) -> None:
    async def act(scene: Scene) -> None:
        link = await scene.link_of("Cruz Park")
        assert (await scene.post(f"{link}/answer", form)).status == status
        assert await scene.rows(t.answers) == 0

    play(home, act, people=3)


def test_a_link_nobody_was_given_leads_nowhere(home: Path) -> None:
    async def act(scene: Scene) -> None:
        for method in (scene.get, scene.post):
            answer = await method("/m/AAAAAAAAAAAAAAAA" + ("" if method == scene.get else "/seen"))
            assert answer.status == 404
            assert "leads nowhere" in answer.text

    play(home, act, people=3)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("A", id="too short"),
        pytest.param("A" * 17, id="a little too long"),
        pytest.param("A" * 20_000, id="as long as the server lets through"),
        pytest.param("AAAAAAAAAAAAAAA-", id="a sign no token has"),
        pytest.param("%D9%A1" * 16, id="digits of another alphabet"),
    ],
)
def test_what_has_not_the_shape_of_a_link_is_refused_and_not_remembered(home: Path, token: str) -> None:
    async def act(scene: Scene) -> None:
        answers = [await scene.get(f"/m/{token}") for _ in range(PER_MINUTE + 1)]
        assert [one.status for one in answers] == [404] * len(answers)
        assert "leads nowhere" in answers[0].text

    play(home, act, people=1)


def test_the_token_itself_is_not_in_the_database(home: Path) -> None:
    async def act(scene: Scene) -> None:
        token = (await scene.link_of("Cruz Park")).removeprefix("/m/").encode()
        for file in home.glob("callboard.db*"):  # noqa: ASYNC240
            assert token not in file.read_bytes()

    play(home, act, people=3)


def test_two_people_on_one_number_say_who_they_are(home: Path) -> None:
    async def act(scene: Scene) -> None:
        from app.rehearsal.comparison import recipients

        async with scene.demo.house.database.read() as connection:
            everybody = await recipients(connection, scene.demo.house.vault, 1)
        addresses = [address for one in everybody for address in one.addresses]
        number = next(one for one in addresses if addresses.count(one) > 1)
        first, second = (one for one in everybody if number in one.addresses)
        link = await scene.link_of(first.name)
        page = (await scene.get(link)).text
        assert first.name in page
        assert second.name in page
        await scene.post(f"{link}/seen")
        assert {(await scene.standing(one.name)).bucket for one in (first, second)} == {Bucket.DELIVERED}
        unsaid = await scene.post(f"{link}/answer", {"option": "1"})
        assert unsaid.status == 422
        assert "Choose who you are" in unsaid.text
        answer = await scene.post(f"{link}/answer", {"option": "1", "person": second.public_id})
        assert answer.status == 303
        assert (await scene.standing(second.name)).bucket is Bucket.CONFIRMED
        assert (await scene.standing(first.name)).bucket is Bucket.DELIVERED
        stranger = await scene.post(f"{link}/answer", {"option": "1", "person": everybody[0].public_id})
        assert stranger.status == 422
        assert await scene.counters_are_true()

    play(home, act, people=47)


def test_one_link_cannot_be_used_without_end(home: Path) -> None:
    async def act(scene: Scene) -> None:
        link = await scene.link_of("Cruz Park")
        answers = [(await scene.get(link)).status for _ in range(PER_MINUTE + 1)]
        assert answers == [200] * PER_MINUTE + [429]

    play(home, act, people=3)


def test_what_somebody_wrote_is_never_markup(home: Path) -> None:
    async def act(scene: Scene) -> None:
        async with scene.demo.house.database.write() as connection:
            await connection.execute(
                t.message_versions.update().values(
                    subject="<script>alert(1)</script>",
                    body="{{ 7 * 7 }} <b>bold</b>",
                    location='"><img src=x>',
                )
            )
        page = (await scene.get(await scene.link_of("Cruz Park"))).text
        assert "<script>alert" not in page
        assert "<b>bold" not in page
        assert "<img" not in page
        assert "{{ 7 * 7 }}" in page

    play(home, act, people=3)


def test_somebody_who_speaks_spanish_reads_the_page_in_spanish(home: Path) -> None:
    async def act(scene: Scene) -> None:
        async with scene.demo.house.database.write() as connection:
            await connection.execute(t.people.update().values(language="es-MX"))
        page = (await scene.get(await scene.link_of("Cruz Park"))).text
        assert 'lang="es-MX"' in page
        assert "URGENTE" in page

    play(home, act, people=3)


def test_the_page_of_a_cancelled_message_says_so_and_asks_for_nothing(home: Path) -> None:
    async def act(scene: Scene) -> None:
        link = await scene.link_of("Cruz Park")
        await scene.post(f"{link}/answer", {"option": "1"})
        house = scene.demo.house
        await halting.cancel(house.office, house.actor, scene.sent.message_id)
        page = (await scene.get(link)).text
        assert "This message was cancelled. Disregard it." in page
        assert "I have read it and I will be there</strong>." in page
        assert "Unit moves to Stage 4" in page
        assert not [words for words in ("<form", "You can change it here.") if words in page]

    play(home, act, people=3)


def test_an_answer_from_a_page_that_was_open_when_the_message_was_cancelled_is_kept(home: Path) -> None:
    async def act(scene: Scene) -> None:
        link = await scene.link_of("Cruz Park")
        house = scene.demo.house
        await halting.cancel(house.office, house.actor, scene.sent.message_id)
        assert (await scene.post(f"{link}/answer", {"option": "2"})).status == 303
        assert (await scene.standing("Cruz Park")).bucket is Bucket.NEEDS_HELP
        assert await scene.counters_are_true()

    play(home, act, people=3)


def test_the_page_of_a_paused_message_is_shown_as_usual(home: Path) -> None:
    async def act(scene: Scene) -> None:
        link = await scene.link_of("Cruz Park")
        before = (await scene.get(link)).text
        async with scene.demo.house.database.write() as connection:
            await connection.execute(t.messages.update().values(status=MessageStatus.PAUSED.value))
        after = (await scene.get(link)).text
        assert after.count('name="option"') == before.count('name="option"') == 2
        assert "cancelled" not in after

    play(home, act, people=3)
