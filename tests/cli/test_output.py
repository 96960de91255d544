from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.cli import output
from app.cli.output import Answer
from app.cli.rehearsals import duration_s
from app.domain.problem import Problem
from providers.contract import Money

WORDS = st.text(max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=6))
def test_columns_stand_under_their_headings_whatever_the_words(rows: list[tuple[str, str]]) -> None:
    lines = output.table(("Name", "Why"), rows)
    begins = output.width(lines[0].partition("Why")[0])
    assert len(lines) == len(rows) + 1
    for line, (name, why) in zip(lines[1:], rows, strict=True):
        shown = output.plain(name)
        padded = shown + " " * (begins - output.width(shown))
        assert line == (padded + output.plain(why)).rstrip()


def test_numbers_stand_to_the_right() -> None:
    assert output.table(("People",), [(5,), (1200,)]) == ["People", "     5", "  1200"]


@pytest.mark.parametrize(
    ("text", "columns"),
    [("Ada", 3), ("東京", 4), ("e\u0301", 1), ("", 0)],
    ids=["latin", "wide", "accent", "empty"],
)
def test_width_is_what_a_screen_shows(text: str, columns: int) -> None:
    assert output.width(text) == columns


@pytest.mark.parametrize(
    "text", ["\x1b[2J", "\x07", "\x9b1m", "\ud800"], ids=["escape", "bell", "csi", "half"]
)
def test_nothing_steers_the_terminal(text: str) -> None:
    assert output.plain(f"a{text}b").startswith("a")
    assert all(character.isprintable() for character in output.plain(f"a{text}b"))


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(4_270_000, "USD"), "about $4.27"),
        (Money(1_234_567_000, "CHF"), "about 1,234.57 CHF"),
        (None, "unknown"),
    ],
    ids=["dollars", "francs", "unknown"],
)
def test_prices_are_shown_in_their_currency(money: Money | None, text: str) -> None:
    assert output.price_text(money) == text


def test_a_finding_is_told_on_both_streams(capsys: pytest.CaptureFixture[str]) -> None:
    output.show(
        Answer({"ok": False}, ["no"], ["by the way"], Problem("It is broken.", "Mend it.")), as_json=True
    )
    said = capsys.readouterr()
    assert json.loads(said.out) == {"ok": False}
    assert said.err == "by the way\nIt is broken. Mend it.\n"


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("2m", 120), ("1h", 3600), ("45", 45), ("1.5 M", 90)]
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds
