from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from typer.testing import CliRunner

from app import config
from app.cli.desk import expected
from app.cli.main import commands
from app.domain.problem import Refused
from tests.cli.counter import AtTheCounter, Counter


def _write(home: Path, text: str) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / config.FILE).write_text(text, encoding="utf-8")


def test_each_source_stands_above_the_one_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert config.load(home=tmp_path).public_port == 8085
    _write(tmp_path, "public_port = 9001")
    assert config.load(home=tmp_path).public_port == 9001
    monkeypatch.setenv("CALLBOARD_PUBLIC_PORT", "9002")
    assert config.load(home=tmp_path).public_port == 9002
    assert config.load(home=tmp_path, public_port=9003).public_port == 9003


def test_the_production_is_named_by_option_variable_or_file(
    monkeypatch: pytest.MonkeyPatch, counter: Counter
) -> None:
    def production() -> str:
        why = counter.give("send", "--to", "all", "--priority", "info", "--dry-run").stderr
        return why + counter.give("doctor").stdout

    for name in ("Second", "Third", "Fourth"):
        counter.ask("init", "--production", name)
    assert "production NIGHTFALL." in production()
    _write(counter.home, 'production = "Second"')
    assert "production Second." in production()
    monkeypatch.setenv("CALLBOARD_PRODUCTION", "Third")
    assert "production Third." in production()
    assert "production Fourth." in counter.give("doctor", "--production", "fourth").stdout


def test_the_home_is_named_by_option_or_variable(
    monkeypatch: pytest.MonkeyPatch, furnished: Path, tmp_path: Path, counter: Counter
) -> None:
    monkeypatch.setenv("CALLBOARD_HOME", str(counter.home))
    around = AtTheCounter(counter.clock)
    said = CliRunner().invoke(commands, ["crew", "list", "--json"], obj=around)
    assert "Ada Lund" in said.stdout
    elsewhere = tmp_path / "elsewhere"
    said = CliRunner().invoke(commands, ["crew", "list", "--json", "--home", str(elsewhere)], obj=around)
    assert said.stdout == "[]\n"
    assert elsewhere.exists()


WRONG = {
    "a setting there is not": 'publik_url = "https://x.example"',
    "a value that cannot be": "public_port = 70000",
    "no toml": "public_port 8085",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_a_wrong_configuration_is_a_sentence_with_the_place(empty: Counter, text: str) -> None:
    _write(empty.home, text)
    said = empty.give("status", "--json")
    assert said.code == 1
    assert str(empty.home / config.FILE) in said.document["error"] + said.document["next"]


def test_a_variable_that_cannot_be_read_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CALLBOARD_RECENT_PUBLIC_URLS", "[")
    with pytest.raises(Refused):
        config.load(home=tmp_path)


def test_a_home_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    said = Counter(tmp_path / "file" / "home").give("status", "--json")
    assert said.code == 1
    assert said.document["next"]


def test_a_database_that_is_none_is_a_sentence(empty: Counter) -> None:
    empty.home.mkdir()
    (empty.home / "callboard.db").write_bytes(b"This is a letter, not a database. " * 40)
    said = empty.give("status", "--json")
    assert said.code == 1
    assert "damaged" in said.document["error"]
    doctor = empty.give("doctor", "--json")
    assert doctor.code == 1
    assert [(one["name"], one["ok"]) for one in doctor.document["checks"]] == [("database", False)]


INIT = ("init", "--production", "NIGHTFALL S2", "--region", "gb", "--time-zone", "Europe/London")


def test_init_makes_the_first_production_and_says_the_same_twice(empty: Counter) -> None:
    made = empty.ask(*INIT)
    assert (made["production"], made["region"], made["time_zone"]) == ("NIGHTFALL S2", "GB", "Europe/London")
    assert made["created"] is True
    assert (empty.home / config.FILE).exists()
    assert empty.ask(*INIT)["created"] is False
    assert empty.ask("init", "--production", "nightfall s2")["created"] is False
    assert "22:40" not in empty.give("doctor").stdout  # it is 06:40 in London


def test_init_gives_its_name_to_the_production_a_first_look_made(empty: Counter) -> None:
    assert empty.give("status").code == 1
    assert empty.ask(*INIT)["created"] is True
    assert empty.give("crew", "list", "--production", "My production").code == 1
    assert empty.ask("crew", "list", "--production", "NIGHTFALL S2") == []


def test_init_adds_a_second_production_beside_one_that_is_in_use(counter: Counter) -> None:
    assert counter.ask(*INIT)["created"] is True
    assert counter.ask("crew", "list", "--production", "NIGHTFALL S2") == []
    assert len(counter.ask("crew", "list")) == 5


@pytest.mark.parametrize(
    "words",
    [
        ("--production", " "),
        ("--production", "x" * 61),
        ("--production", "A", "--region", "XX"),
        ("--production", "A", "--time-zone", "Mars/Olympus"),
        ("--production", "nightfall", "--region", "FR"),
        (),
    ],
    ids=["no name", "a long name", "no country", "no zone", "set up otherwise", "nobody to ask"],
)
def test_init_refuses_what_cannot_be(counter: Counter, words: tuple[str, ...]) -> None:
    said = counter.give("init", *words, "--json")
    assert said.code == 1
    assert said.document["next"]


def test_init_asks_a_person_for_what_was_not_given(empty: Counter) -> None:
    said = empty.give("init", "--region", "GB", "--json", answers=["NIGHTFALL S2", "Europe/London"])
    assert said.asked == ["Production", "Time zone"]
    assert said.document["production"] == "NIGHTFALL S2"
    assert said.document["region"] == "GB"


def test_whoever_leaves_a_question_does_nothing(empty: Counter) -> None:
    said = empty.give("init", answers=[])
    assert said.code == 1
    assert "no answer came" in said.stderr


def test_an_empty_name_of_a_home_is_not_the_folder_one_stands_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, counter: Counter
) -> None:
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(
        commands, ["crew", "list", "--home", "", "--json"], obj=AtTheCounter(counter.clock)
    )
    assert said.exit_code == 2
    monkeypatch.setenv("CALLBOARD_HOME", "")
    assert config.load().home == config.default_home() != Path()
    assert not list(tmp_path.glob("callboard*"))


@pytest.mark.parametrize("words", [("status",), ("init",), ("crew", "list")], ids=" ".join)
def test_an_empty_name_of_a_production_names_none(counter: Counter, words: tuple[str, ...]) -> None:
    said = counter.give(*words, "--production", "", "--json")
    assert said.code == 1
    assert said.document["next"]


def test_init_of_a_new_home_is_not_told_that_it_was_there_already(empty: Counter) -> None:
    assert "Next: callboard crew import" in empty.give("init", "--yes").stdout
    assert "already" in empty.give("init", "--yes").stdout


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"public_port = 70000", "above 65535"),
        (b"public_port = 1.5", "no whole number"),
        (b'public_url_stable = "perhaps"', "neither true nor false"),
        (b"public_url = 8", "no text"),
        (b"recent_public_urls = 8", "no list of texts"),
        (b"# caf\xe9", "no text (UTF-8)"),
    ],
    ids=["a port", "half a port", "a flag", "an address", "a list", "another encoding"],
)
def test_a_setting_that_cannot_be_is_told_in_plain_words(empty: Counter, text: bytes, why: str) -> None:
    empty.home.mkdir()
    (empty.home / config.FILE).write_bytes(text)
    said = empty.give("status", "--json")
    assert said.code == 1
    assert why in said.document["error"]
    assert said.document["next"]


@pytest.fixture
def read_only(counter: Counter) -> Iterator[Counter]:
    """A home whose database takes no write, as in a folder that can only be read."""

    def refuse_writes(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA query_only = ON")

    event.listen(Engine, "connect", refuse_writes)
    yield counter
    event.remove(Engine, "connect", refuse_writes)


@pytest.mark.parametrize(
    "words",
    [
        ("send", "--to", "all", "--priority", "urgent", "--body", "Gate C.", "--yes"),
        ("crew", "import", "{home}/more.csv"),
        ("crew", "export", "-"),
        ("init", "--production", "DAYBREAK"),
        ("provider", "set", "twilio", "--set", "account_sid=AC2"),
        ("provider", "disable", "twilio"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_home_that_can_only_be_read_is_a_sentence(read_only: Counter, words: tuple[str, ...]) -> None:
    (read_only.home / "more.csv").write_text("name,phone\nNia Park,+13105550119\n", encoding="utf-8")
    said = read_only.give(*(word.format(home=read_only.home) for word in words), "--json")
    assert said.code == 1
    assert said.document["error"] == "The database can only be read: nothing can be changed or sent."
    assert said.document["next"]


def test_a_home_that_can_only_be_read_can_be_looked_at_and_the_doctor_says_what_is_wrong(
    read_only: Counter,
) -> None:
    assert len(read_only.ask("crew", "list")) == 5
    checks = {one["name"]: one for one in read_only.give("doctor", "--json").document["checks"]}
    assert checks["database"]["ok"] is False
    assert "can only be read" in checks["database"]["why"]
    assert checks["clock"]["ok"] is True  # the others were made all the same


def test_the_doctors_next_steps_are_sentences(empty: Counter) -> None:
    found = empty.give("doctor", "--json").document["checks"]
    steps = {one["name"]: one["next"] for one in found if not one["ok"]}
    assert steps["providers"] == "Set one up: callboard provider add."
    assert all(step.endswith(".") for step in steps.values())


def test_a_database_whose_driver_is_not_there_is_a_sentence() -> None:
    problem = expected(ModuleNotFoundError("No module named 'asyncpg'", name="asyncpg"))
    assert problem is not None
    assert "PostgreSQL" in problem.sentence
    assert "asyncpg" in problem.next
    assert expected(ModuleNotFoundError("No module named 'app.cli.gone'", name="app.cli.gone")) is None
