"""The small cells of a crew list: dates, times, offsets, zones, languages, yes and no."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.crew_values import (
    CellProblem,
    read_consent,
    read_date,
    read_day_status,
    read_language,
    read_offset,
    read_phone_type,
    read_time,
    read_yes,
    read_zone,
)

OCTOBER_11 = date(2026, 10, 11)
DATES = [
    ("2026-10-11", "US", OCTOBER_11), ("2026/10/11", "US", OCTOBER_11), ("2026-10-11 00:00", "US", OCTOBER_11),
    ("10/11/2026", "US", OCTOBER_11), ("10/11/26", "US", OCTOBER_11), ("11/10/2026", "GB", OCTOBER_11),
    ("11.10.2026", "DE", OCTOBER_11), ("11.10.2026", "US", OCTOBER_11), ("13/10/2026", "US", date(2026, 10, 13)),
    ("10/13/2026", "GB", date(2026, 10, 13)), ("Oct 11, 2026", "US", OCTOBER_11), ("11-Oct-26", "US", OCTOBER_11),
    ("Sunday, October 11th, 2026", "US", OCTOBER_11), ("11 octubre 2026", "ES", OCTOBER_11),
    ("11 août 2026", "FR", date(2026, 8, 11)), ("11. März 2026", "DE", date(2026, 3, 11)), ("46306", "US", OCTOBER_11),
    ("Oct 11", "US", None), ("10/11", "US", None), ("11.10.", "DE", None), ("2026-02-30", "US", None), ("soon", "US", None), ("0/0/2026", "US", None), ("12", "US", None),
    ("Oct 11 " + "9" * 5000, "US", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "region", "day"), DATES, ids=[f"{one[0][:20]} {one[1]}" for one in DATES]
)
def test_a_date_is_read_as_its_country_writes_it(written: str, region: str, day: date | None) -> None:
    read = read_date(written, region)
    assert (read if isinstance(read, date) else None) == day


TIMES = [
    ("22:00", 1320), ("22.00", 1320), ("22h00", 1320), ("22h", 1320), ("2200", 1320), ("10pm", 1320), ("10:30 PM", 1350),
    ("10 p.m.", 1320), ("6:00", 360), ("6a", 360), ("12am", 0), ("12pm", 720), ("24:00", 0), ("06:00:00", 360),
    ("22 Uhr", 1320), ("25:00", None), ("22:75", None), ("13pm", None), ("late", None), ("24:30", None),
]  # fmt: skip


@pytest.mark.parametrize(("written", "minutes"), TIMES, ids=[one[0] for one in TIMES])
def test_a_time_of_day_is_minutes_since_midnight(written: str, minutes: int | None) -> None:
    read = read_time(written)
    assert (read if isinstance(read, int) else None) == minutes


OFFSETS = [
    ("0", 0), ("-60", -60), ("+30", 30), ("30", 30), ("−18", -18), ("-18.0", -18), ("-0:30", -30), ("1:30", 90),
    ("30 min before", -30), ("45 early", -45), ("1h", 60), ("-1h30", -90), ("2 hrs before", -120), ("15 after", 15),
    ("1441", None), ("O/C", None), ("7:00A", None),
]  # fmt: skip


@pytest.mark.parametrize(("written", "minutes"), OFFSETS, ids=[one[0] for one in OFFSETS])
def test_an_offset_is_minutes_from_crew_call(written: str, minutes: int | None) -> None:
    read = read_offset(written)
    assert (read if isinstance(read, int) else None) == minutes


ZONES = [
    ("America/Los_Angeles", "America/Los_Angeles"), ("america/los angeles", "America/Los_Angeles"),
    ("Pacific", "America/Los_Angeles"), ("EST", "America/New_York"), ("London", "Europe/London"), ("UTC", "UTC"),
    ("Mars", None), ("../etc/passwd", None), ("", None),
]  # fmt: skip


@pytest.mark.parametrize(("written", "zone"), ZONES, ids=[one[0] or "empty" for one in ZONES])
def test_a_zone_is_one_whose_clocks_change_with_its_place(written: str, zone: str | None) -> None:
    read = read_zone(written)
    assert (read if isinstance(read, str) else None) == zone


WORDS = [
    (read_language, "English", "en"), (read_language, "es", "es"), (read_language, "es-MX", "es"),
    (read_language, "Español", "es"), (read_language, "Klingon", None), (read_language, "xx", None),
    (read_yes, "Y", True), (read_yes, "✓", True), (read_yes, "no", False), (read_yes, "perhaps", None),
    (read_consent, "Opted Out", "opted_out"), (read_consent, "Y", "yes"), (read_consent, "N", "no"),
    (read_consent, "opted_out", "opted_out"), (read_consent, "later", None),
    (read_day_status, "Hold", "hold"), (read_day_status, "SWF", "work"), (read_day_status, "wrapped", "wrapped"),
    (read_day_status, "banana", None),
    (read_phone_type, "Cell", "mobile"), (read_phone_type, "landline", "landline"), (read_phone_type, "smoke", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("reader", "written", "value"), WORDS, ids=[f"{one[0].__name__} {one[1]}" for one in WORDS]
)
def test_words_are_read_by_their_tables(reader: object, written: str, value: object) -> None:
    assert callable(reader)
    read = reader(written)
    if value is None:
        assert isinstance(read, CellProblem)
        assert read.why.endswith(".")
    else:
        assert read == value


@given(st.text(max_size=30) | st.text("0123456789:/.-+ apmhOct", max_size=14))
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_value_or_a_problem(text: str) -> None:
    read_date(text, "US")
    minutes = read_time(text)
    assert isinstance(minutes, CellProblem) or 0 <= minutes < 1440
    offset = read_offset(text)
    assert isinstance(offset, CellProblem) or -1440 <= offset <= 1440
    for reader in (read_zone, read_language, read_yes, read_consent, read_day_status, read_phone_type):
        reader(text)


@pytest.mark.parametrize("written", ["Oct 11", "10/11", "11.10.", "11-10"])
def test_a_day_without_a_year_is_told_what_it_lacks(written: str) -> None:
    read = read_date(written, "US")
    assert isinstance(read, CellProblem)
    assert "no year" in read.why
