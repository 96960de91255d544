"""Provider callbacks at the public socket: believed only with a signature, stored before they are answered."""

from __future__ import annotations

import io
from pathlib import Path
from urllib.parse import urlencode

import pytest

from app.domain.public_address import PublicAddress
from app.rehearsal.carrier import AUTH_TOKEN
from app.rehearsal.demo import PUBLIC
from app.store import tables as t
from tests.listener.scene import Scene, play

READ = {"EventType": "READ"}


def test_a_forged_signature_gets_403_and_nothing_is_stored(home: Path) -> None:
    async def act(scene: Scene) -> None:
        before = await scene.rows(t.receipts)
        text = scene.demo.carrier.log()[0]
        answer = await scene.callback(
            f"{scene.hook}?r={text.reference}", scene.status_form(text, "failed"), token="somebody else's"
        )
        assert answer.status == 403
        assert await scene.rows(t.receipts) == before

    play(home, act, people=3)


def test_a_missing_signature_gets_403_and_nothing_is_stored(home: Path) -> None:
    async def act(scene: Scene) -> None:
        before = await scene.rows(t.receipts)
        text = scene.demo.carrier.log()[0]
        answer = await scene.post(f"{scene.hook}?r={text.reference}", scene.status_form(text, "failed"))
        assert answer.status == 403
        assert await scene.rows(t.receipts) == before

    play(home, act, people=3)


def test_a_signature_made_for_the_local_address_is_refused(home: Path) -> None:
    async def act(scene: Scene) -> None:
        text = scene.demo.carrier.log()[0]
        form = scene.status_form(text, "failed")
        answer = await scene.callback(f"{scene.hook}?r={text.reference}", form, base=scene.here)
        assert answer.status == 403

    play(home, act, people=3)


def test_an_address_of_the_last_day_is_still_believed(home: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.demo.house.public = PublicAddress(
            "https://new.callboard.example", stable=True, recent=(PUBLIC,)
        )
        text = scene.demo.carrier.log()[0]
        answer = await scene.callback(f"{scene.hook}?r={text.reference}", scene.status_form(text, "sending"))
        assert answer.status == 204

    play(home, act, people=3)


def test_a_replay_is_answered_like_the_first_and_changes_nothing(home: Path) -> None:
    async def act(scene: Scene) -> None:
        text = scene.demo.carrier.log()[0]
        before = await scene.rows(t.receipts)
        for _ in range(3):
            answer = await scene.callback(
                f"{scene.hook}?r={text.reference}", scene.status_form(text, "delivered")
            )
            assert answer.status == 204
        assert await scene.rows(t.receipts) == before
        assert await scene.counters_are_true()

    play(home, act, people=3)


def test_a_late_failure_does_not_take_a_delivery_back_and_the_conflict_is_kept(home: Path) -> None:
    async def act(scene: Scene) -> None:
        text = scene.demo.carrier.log()[0]
        form = scene.status_form(text, "undelivered", ErrorCode="30003")
        assert (await scene.callback(f"{scene.hook}?r={text.reference}", form)).status == 204
        status = await scene.status()
        assert status.summary.figures.delivered == len(scene.demo.carrier.log())
        async with scene.demo.house.database.read() as connection:
            conflicts = (await connection.execute(t.attempts.select())).all()
        assert [one.conflict for one in conflicts if one.reference == text.reference] != [None]

    play(home, act, people=3)


def test_a_receipt_for_a_message_we_do_not_know_is_parked(home: Path) -> None:
    async def act(scene: Scene) -> None:
        text = scene.demo.carrier.log()[0]
        form = scene.status_form(text, "delivered") | {"MessageSid": "SM" + "9" * 32}
        assert (await scene.callback(f"{scene.hook}?r=0000000000000000", form)).status == 204
        async with scene.demo.house.database.read() as connection:
            rows = (await connection.execute(t.receipts.select())).all()
        assert [row.applied_at for row in rows if row.provider_id == "SM" + "9" * 32] == [None]

    play(home, act, people=3)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"\xff\xfe%%%=&&&", 403, id="no form and no signature"),
        pytest.param(b"x" * (1024 * 1024 + 1), 413, id="larger than a mebibyte"),
    ],
)
def test_a_body_that_cannot_be_a_callback_is_refused(home: Path, body: bytes, status: int) -> None:
    async def act(scene: Scene) -> None:
        before = await scene.rows(t.receipts)
        answer = await scene.post(
            scene.hook, io.BytesIO(body), headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
        assert answer.status == status
        assert await scene.rows(t.receipts) == before

    play(home, act, people=3)


def test_a_genuine_callback_without_a_message_is_400(home: Path) -> None:
    async def act(scene: Scene) -> None:
        answer = await scene.callback(scene.hook, {"MessageStatus": "delivered"})
        assert answer.status == 400

    play(home, act, people=3)


def test_an_account_nobody_has_is_404(home: Path) -> None:
    async def act(scene: Scene) -> None:
        assert (await scene.post("/hooks/01JUNKNOWN", {"a": "b"})).status == 404

    play(home, act, people=3)


def test_the_query_is_part_of_what_was_signed(home: Path) -> None:
    async def act(scene: Scene) -> None:
        from twilio.request_validator import RequestValidator

        text = scene.demo.carrier.log()[0]
        form = scene.status_form(text, "delivered")
        signature = RequestValidator(AUTH_TOKEN).compute_signature(
            f"{PUBLIC}{scene.hook}?r={text.reference}", form
        )
        answer = await scene.post(
            f"{scene.hook}?r=0000000000000000",
            urlencode(form).encode(),
            headers={"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"},
        )
        assert answer.status == 403

    play(home, act, people=3)


def test_the_private_paths_are_not_on_the_public_socket(home: Path) -> None:
    async def act(scene: Scene) -> None:
        for path in ("/healthz", "/readyz", "/metrics", "/api/v1", "/"):
            assert (await scene.get(path)).status == 404
        assert (await scene.get("/probe")).status == 200

    play(home, act, people=3)


def test_the_private_socket_says_whether_messages_would_go_out(home: Path) -> None:
    async def act(scene: Scene) -> None:
        private = scene.demo.house.servers[1].url
        for path in ("/healthz", "/readyz"):
            async with scene.web.get(private + path) as answer:
                assert answer.status == 200
                assert await answer.json() == {"ok": True}

    play(home, act, people=3)
