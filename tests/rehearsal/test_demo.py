"""The demonstration: for every person, what Callboard says is what the carrier knows really happened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.clock import VirtualClock
from app.composition import DEMO
from app.domain.problem import Refused
from app.rehearsal.comparison import Difference, Recipient, compare
from app.rehearsal.demo import VIRTUAL_START_MS, DemoOptions, open_demo, run_headless, send_location_change
from app.rehearsal.log import LoggedMessage, Truth
from app.store import productions
from providers.contract import Channel
from tests.house import opened
from tests.postgres import Server

pytestmark = pytest.mark.proof

IN_EVERY_RUN = 3
SEEDS = [
    pytest.param(seed, marks=[] if seed <= IN_EVERY_RUN else [pytest.mark.long]) for seed in range(1, 21)
]
"""Twenty nights; the first few in every run, the others with the long proofs."""

BUCKETS = {
    "confirmed", "declined", "needs_help", "read", "delivered", "no_receipt", "uncertain", "on_the_way",
    "not_reached", "held", "suppressed",
}  # fmt: skip


def played(**options: Any) -> dict[str, Any]:
    return run_headless(DemoOptions(**options), lambda _line: None)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_person_is_shown_as_it_really_was(seed: int) -> None:
    result = played(seed=seed, virtual=True)
    assert result["differences"] == []
    assert result["carrier_differences"] == 0
    assert result["recipients"] == 156
    assert set(result["buckets"]) == BUCKETS
    assert sum(result["buckets"].values()) == 156
    assert result["counters_equal_recount"]
    assert result["callbacks"]["delivered"] > 156
    assert result["callbacks"]["refused"] == result["callbacks"]["lost"] == 0
    assert result["confirmed"] <= result["read"] <= result["delivered"] <= 156
    assert all(one["person"] and one["why"] for one in result["unreachable"])
    assert set(result["by_channel"]) == {"sms", "email"}
    email = result["by_channel"]["email"]
    assert 0 < email["read"] < email["delivered"] < email["sent"] <= email["planned"] <= 156
    assert len(result["unreachable"]) == result["buckets"]["not_reached"] + result["buckets"]["suppressed"]


@pytest.fixture
def _on_server(home_on_server: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLBOARD_DATABASE_URL", server.address)


@pytest.mark.usefixtures("_on_server")
def test_on_a_server_too_every_person_is_shown_as_it_really_was() -> None:
    result = played(seed=5, people=60, virtual=True)
    assert result["differences"] == []
    assert result["recipients"] == 60
    assert result["counters_equal_recount"]
    assert result["callbacks"]["refused"] == result["callbacks"]["lost"] == 0


@pytest.mark.usefixtures("_on_server")
def test_on_a_server_it_is_played_again_only_with_the_folder_that_has_the_key(tmp_path: Path) -> None:
    assert played(people=4, seconds=5, virtual=True, home=tmp_path / "kept")["recipients"] == 4
    assert played(people=4, seconds=5, virtual=True, home=tmp_path / "kept")["recipients"] == 4
    with pytest.raises(Refused) as refused:
        played(people=4, virtual=True)
    assert refused.value.problem.next == "Name an empty database, or the same folder each time: --home DIR."


async def test_a_server_with_a_real_production_is_left_alone(
    home_on_server: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLBOARD_DATABASE_URL", server.address)
    async with opened(home_on_server) as real:
        with pytest.raises(Refused) as refused:
            await open_demo(real.clock, DemoOptions(people=4))
        assert refused.value.problem.sentence.startswith("The database holds a real production")
        assert "CALLBOARD_DATABASE_URL" in refused.value.problem.next
        (only,) = await real.database.reading(productions.all_productions)
        assert only.name == "NIGHTFALL S2"
        assert await real.database.reading(lambda c: productions.fact(c, DEMO)) is None


def test_the_unreachable_are_named_with_their_reason() -> None:
    result = played(seed=7, virtual=True, channels=frozenset({Channel.SMS}))
    assert result["carrier_differences"] == 0
    why = {one["person"]: one["why"] for one in result["unreachable"]}
    assert why["Faye Park"] == "No phone number in the crew list."
    assert "Opted out of texts." in why.values()
    assert "The number is a landline and cannot take texts." in why.values()


def test_a_virtual_minute_ends_as_the_real_one_does() -> None:
    """Twenty-four seconds of real time against the same in virtual time, person by person."""
    options = {"seconds": 24, "seed": 3, "people": 60}
    real, virtual = played(**options), played(**options, virtual=True)
    assert real["states"] == virtual["states"]
    assert real["carrier_differences"] == virtual["carrier_differences"] == 0


def text(to: str, *truth: Truth) -> LoggedMessage:
    return LoggedMessage("twilio", "SM1", to, "+1", "r", "…", 1, list(truth))


@pytest.mark.parametrize(
    ("truth", "shown", "expected"),
    [
        pytest.param([Truth("delivered", 1)], "read", "delivered", id="nobody read it"),
        pytest.param([Truth("delivered", 1), Truth("read", 2)], "delivered", "read", id="somebody read it"),
        pytest.param(
            [Truth("undelivered", 1, {"code": "30003"})], "on_the_way", "not_reached", id="it failed"
        ),
        pytest.param(
            [Truth("answered", 1, {"option": "1"}), Truth("replied", 2, {"text": "2 - car broke down"})],
            "confirmed",
            "needs_help",
            id="the later answer counts",
        ),
        pytest.param(
            [Truth("machine_opened", 1), Truth("delivered", 1)], "read", "delivered", id="only a machine"
        ),
    ],
)
def test_the_comparison_sees_a_wrong_state(truth: list[Truth], shown: str, expected: str) -> None:
    ada = Recipient("Ada", "01A", shown, ("+1",))
    assert compare([ada], [text("+1", *truth)]) == [Difference("Ada", expected, shown)]


def mail(*truth: Truth, accepted: bool = True) -> LoggedMessage:
    return LoggedMessage("smtp", "4b", "ada@x.example", "", "r", "…", 1 if accepted else None, list(truth))


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        pytest.param([mail(Truth("accepted", 1))], "no_receipt", id="a mail alone"),
        pytest.param([mail(Truth("accepted", 1), Truth("machine_opened", 2))], "delivered", id="its image"),
        pytest.param(
            [mail(Truth("accepted", 1), Truth("opened", 2), Truth("read", 3))], "read", id="its page"
        ),
        pytest.param(
            [mail(Truth("failed", 1, {"code": "550"}), accepted=False)], "not_reached", id="refused"
        ),
        pytest.param([mail(Truth("deferred", 1), accepted=False)], "on_the_way", id="to come back"),
        pytest.param(
            [mail(Truth("accepted", 1)), text("+1", Truth("delivered", 1))], "delivered", id="a text too"
        ),
        pytest.param(
            [mail(Truth("accepted", 1)), text("+1", Truth("undelivered", 1))],
            "no_receipt",
            id="the best counts",
        ),
        pytest.param(
            [mail(Truth("answered", 1, {"option": "1"})), text("+1", Truth("replied", 2, {"text": "2"}))],
            "needs_help",
            id="the later answer counts",
        ),
    ],
)
def test_a_person_is_judged_over_mail_and_texts(log: list[LoggedMessage], expected: str) -> None:
    ada = Recipient("Ada", "01A", "suppressed", ("+1", "ada@x.example"))
    assert compare([ada], log) == [Difference("Ada", expected, "suppressed")]


def test_reading_on_a_shared_number_is_nobodys_reading() -> None:
    both = [Recipient("Ada", "01A", "delivered", ("+1",)), Recipient("Jon", "01B", "confirmed", ("+1",))]
    log = [
        text(
            "+1",
            Truth("delivered", 1),
            Truth("read", 2),
            Truth("answered", 3, {"option": "1", "person": "01B"}),
        )
    ]
    assert compare(both, log) == []


def test_the_price_is_known_though_the_account_came_after_the_home_was_opened() -> None:
    clock = VirtualClock(VIRTUAL_START_MS)

    async def look() -> tuple[int, int]:
        demo = await open_demo(clock, DemoOptions(people=4, virtual=True))
        try:
            sheet = (await send_location_change(demo)).sheet
            assert sheet.cost is not None
            return sheet.cost.micros, sheet.segments
        finally:
            await demo.close()

    micros, segments = clock.run(look())
    assert micros > 0 < segments
