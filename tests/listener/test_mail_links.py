"""The links of an e-mail: its image is opened and no more, its way out acts on POST alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain.buckets import Bucket
from app.store import tables as t
from providers.contract import Channel
from tests.listener.scene import Scene, play

ONE_CLICK = b"List-Unsubscribe=One-Click"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


BOTH = frozenset({Channel.SMS, Channel.EMAIL})


async def refused(scene: Scene) -> list[str]:
    """The channels somebody has opted out of."""
    async with scene.demo.house.database.read() as connection:
        return list((await connection.execute(select(t.suppressions.c.channel))).scalars())


def test_the_image_of_a_mail_is_opened_and_not_read(home: Path) -> None:
    async def act(scene: Scene) -> None:
        link = await scene.mail_link_of("Cruz Park")
        got = await scene.get(f"{link}/open.gif")
        assert (got.status, got.headers["content-type"]) == (200, "image/gif")
        assert got.headers["cache-control"] == "no-store"
        assert got.headers["content-length"] == "43"
        assert (await scene.standing("Cruz Park")).bucket is Bucket.DELIVERED
        assert (await scene.status()).summary.figures.read == 0
        async with scene.demo.house.database.read() as connection:
            facts = list((await connection.execute(select(t.receipts.c.fact))).scalars())
        assert facts.count("opened") == 1
        email = (await scene.status()).channels[Channel.EMAIL]
        assert (email.sent, email.delivered, email.read) == (3, 1, 0)
        assert await scene.counters_are_true()

    play(home, act, people=3, channels=BOTH)


def test_following_the_way_out_only_asks(home: Path) -> None:
    async def act(scene: Scene) -> None:
        link = await scene.mail_link_of("Cruz Park")
        page = await scene.get(f"{link}/stop")
        assert page.status == 200
        assert "No more e-mail?" in page.text
        assert f'<form method="post" action="{link}/stop">' in page.text
        assert await refused(scene) == []

    play(home, act, people=3, channels=BOTH)


@pytest.mark.parametrize("body", [ONE_CLICK, b""], ids=["a mail program", "the button of the page"])
def test_a_post_ends_mail_at_once_and_only_mail(home: Path, body: bytes) -> None:
    async def act(scene: Scene) -> None:
        link = await scene.mail_link_of("Cruz Park")
        for _ in range(2):
            done = await scene.post(f"{link}/stop", body, headers=FORM)
            assert done.status == 200
            assert "You get no more e-mail from this production." in done.text
        assert await refused(scene) == ["email"]
        assert await scene.counters_are_true()

    play(home, act, people=3, channels=BOTH)


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_link_of_a_text_has_no_way_out_of_mail(home: Path, method: str) -> None:
    async def act(scene: Scene) -> None:
        link = await scene.link_of("Cruz Park")
        assert (await getattr(scene, method)(f"{link}/stop")).status == 404
        assert await refused(scene) == []

    play(home, act, people=3)


@pytest.mark.parametrize("path", ["/open.gif", "/stop"])
def test_a_link_nobody_was_given_leads_nowhere(home: Path, path: str) -> None:
    async def act(scene: Scene) -> None:
        assert (await scene.get(f"/m/AAAAAAAAAAAAAAAA{path}")).status == 404

    play(home, act, people=3, channels=BOTH)


def test_an_answer_in_a_mail_leads_to_its_button(home: Path) -> None:
    async def act(scene: Scene) -> None:
        page = await scene.get(await scene.mail_link_of("Cruz Park"))
        assert 'id="answer-1" name="option" value="1"' in page.text

    play(home, act, people=3, channels=BOTH)


def test_an_answer_by_mail_counts_for_the_person_and_stops_what_is_queued(home: Path) -> None:
    async def act(scene: Scene) -> None:
        link = await scene.mail_link_of("Cruz Park")
        assert (await scene.post(f"{link}/answer", {"option": "1"})).status == 303
        assert (await scene.standing("Cruz Park")).bucket is Bucket.CONFIRMED
        assert (await scene.status()).channels[Channel.EMAIL].read == 1
        assert await scene.counters_are_true()

    play(home, act, people=3, channels=BOTH)
