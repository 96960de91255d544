"""Phone numbers as people write them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.phone import Phone, PhoneProblem, parse_phone, phones_in, tail

READ = [
    ("(626) 555-0162", "US", "+16265550162", None),
    ("626-555-0162", "US", "+16265550162", None),
    ("626.555.0162 x12", "US", "+16265550162", "12"),
    ("626 555 0162 ext. 4", "US", "+16265550162", "4"),
    ("626 555 0162 Ext: 4", "US", "+16265550162", "4"),
    ("(626)5550162#9", "US", "+16265550162", "9"),
    ("626 555 0162 ext", "US", "+16265550162", None),
    ("+1 626 555 0162", "GB", "+16265550162", None),
    ("1 626 555 0162", "US", "+16265550162", None),
    ("+44 7911 123456", "US", "+447911123456", None),
    ("+44 (0)7911 123456", "US", "+447911123456", None),
    ("07911 123456", "GB", "+447911123456", None),
    ("7911123456", "GB", "+447911123456", None),
    ("0044 7911 123456", "GB", "+447911123456", None),
    ("0044 7911 123456", "US", "+447911123456", None),
    ("011 44 7911 123456", "US", "+447911123456", None),
    ("tel:+1-626-555-0162", "US", "+16265550162", None),
    ("tel:+1-626-555-0162;ext=5", "US", "+16265550162", "5"),
    ("٦٢٦٥٥٥٠١٦٢", "US", "+16265550162", None),
    ("６２６－５５５－０１６２", "US", "+16265550162", None),
    ("626\u00a0555\u202f0162", "US", "+16265550162", None),
    ("\u202a+1 (626) 555‑0162\u202c", "US", "+16265550162", None),
    ("1-800-FLOWERS", "US", "+18003569377", None),
    ("1-800-Flowers", "US", "+18003569377", None),
    ("'6265550162", "US", "+16265550162", None),
    ("6265550162.0", "US", "+16265550162", None),
    ("626-555-0162 (cell)", "US", "+16265550162", None),
    ("c: 626 555 0162", "US", "+16265550162", None),
    ("Jane's mobile 626 555 0162", "US", "+16265550162", None),
    ("626 555 0162 poste 4", "US", "+16265550162", "4"),
    ("030 1234567", "DE", "+49301234567", None),
    ("06 698 1234", "IT", "+39066981234", None),
    ("+52 1 55 1234 5678", "US", "+525512345678", None),
]


@pytest.mark.parametrize(("written", "region", "e164", "extension"), READ, ids=[one[0] for one in READ])
def test_a_number_is_read_however_it_is_written(
    written: str, region: str, e164: str, extension: str | None
) -> None:
    phone = parse_phone(written, region)
    assert isinstance(phone, Phone)
    assert (phone.e164, phone.extension) == (e164, extension)


REFUSED = [
    ("", "no digits"),
    ("call the office", "no digits"),
    ("+", "no digits"),
    ("911", "too short"),
    ("626 555 016", "too short"),
    ("626 555 Jane", "too short"),
    ("+1 626 555 01622", "too long"),
    ("1" * 300, "too long"),
    ("555-0162", "area code"),
    ("+999 123456", "no country"),
    ("6.26556E+09", "rounded"),
    ("6,26556E+09", "rounded"),
    ("jane626@example.com", "e-mail"),
    ("=1+1", "not a phone number"),
]


@pytest.mark.parametrize(("written", "word"), REFUSED, ids=[one[0][:20] for one in REFUSED])
def test_what_is_no_number_is_refused_in_one_sentence(written: str, word: str) -> None:
    problem = parse_phone(written, "US")
    assert isinstance(problem, PhoneProblem)
    assert word in problem.why
    assert re.fullmatch(r"[A-Z].*\.", problem.why)


@pytest.mark.parametrize(
    ("written", "kind"),
    [("+44 7911 123456", "mobile"), ("+44 20 7946 0018", "landline"), ("+1 626 555 0162", "unknown")],
)
def test_the_kind_is_told_only_where_the_plan_tells_it(written: str, kind: str) -> None:
    phone = parse_phone(written, "US")
    assert isinstance(phone, Phone)
    assert phone.kind == kind


def test_a_possible_number_outside_the_plan_is_taken_and_marked() -> None:
    drama = parse_phone("07700 900860", "GB")
    assert drama == Phone("+447700900860", valid=False)


SEVERAL = [
    ("626 555 0162 / 323 555 0111", ["+16265550162", "+13235550111"]),
    ("626 555 0162 or 323 555 0111", ["+16265550162", "+13235550111"]),
    ("626 555 0162 (c), 323 555 0111 (h)", ["+16265550162", "+13235550111"]),
    ("626 555 0162\n323 555 0111", ["+16265550162", "+13235550111"]),
    ("626 555 0162 / tbd", ["+16265550162"]),
    ("626 555 0162", ["+16265550162"]),
    ("c: 626 555 0162 h: 323 555 0111", ["+16265550162", "+13235550111"]),
    ("Cell: (626) 555-0162 Home: (323) 555-0111", ["+16265550162", "+13235550111"]),
    ("(626) 555-0162 (c) (323) 555-0111 (h)", ["+16265550162", "+13235550111"]),
    ("626 555 0162 call after 9am", ["+16265550162"]),
    ("626-555-0162 9am-5pm", ["+16265550162"]),
    ("call 626 555 0162 after 9", ["+16265550162"]),
]


@pytest.mark.parametrize(("written", "expected"), SEVERAL, ids=[one[0] for one in SEVERAL])
def test_a_cell_may_hold_several_numbers(written: str, expected: list[str]) -> None:
    assert [one.e164 for one in phones_in(written, "US") if isinstance(one, Phone)] == expected


def test_a_bad_number_beside_a_good_one_is_reported_not_dropped() -> None:
    good, bad = phones_in("626 555 0162 / 12", "US")
    assert isinstance(good, Phone)
    assert isinstance(bad, PhoneProblem)


def test_the_tail_is_the_last_two_digits() -> None:
    assert tail("+16265550162") == "62"


@given(
    st.text(max_size=60) | st.text("0123456789+()-. x#;/tel:ext", max_size=40),
    st.sampled_from(["US", "GB", "ZZ", ""]),
)
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_number_or_a_problem_and_a_number_reads_as_itself(text: str, region: str) -> None:
    for one in phones_in(text, region):
        assert isinstance(one, Phone | PhoneProblem)
        if isinstance(one, Phone):
            assert re.fullmatch(r"\+[0-9]{5,17}", one.e164)
            again = parse_phone(one.e164, "US")
            assert isinstance(again, Phone)
            assert again.e164 == one.e164


def test_a_number_that_cannot_be_read_between_words_is_reported() -> None:
    good, bad = phones_in("626 555 0162 Mon 7-9 323 555 0111", "US")
    assert isinstance(good, Phone)
    assert isinstance(bad, PhoneProblem)
