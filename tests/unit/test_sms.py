"""How many segments a text takes, and what makes it take more."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.sms import (
    GSM_7,
    GSM_7_EXTENSION,
    STRAIGHT,
    STRAIGHT_WHERE_IT_HELPS,
    is_gsm_7,
    measure,
    straighten,
)

LIKELY = st.text(
    st.sampled_from(
        sorted(GSM_7 | GSM_7_EXTENSION | set(STRAIGHT) | set(STRAIGHT_WHERE_IT_HELPS)) + list("áçő🎬")
    )
    | st.characters(),
    max_size=60,
)
"""Texts of all sorts, made long below: what matters happens at the edges of segments."""
GSM_TEXT = st.text(st.sampled_from(sorted(GSM_7 | GSM_7_EXTENSION)), max_size=120)
LONG = st.integers(1, 8)

SIZES = [
    ("", "GSM-7", 0, 1, 160),
    ("a", "GSM-7", 1, 1, 159),
    ("a" * 160, "GSM-7", 160, 1, 0),
    ("a" * 161, "GSM-7", 161, 2, 145),
    ("a" * 306, "GSM-7", 306, 2, 0),
    ("a" * 307, "GSM-7", 307, 3, 152),
    ("€" * 80, "GSM-7", 160, 1, 0),
    ("€" * 81, "GSM-7", 162, 2, 143),  # 76 in the first: the 153rd place cannot take half of one
    ("a" * 152 + "€" + "a" * 8, "GSM-7", 162, 2, 143),
    ("a" * 151 + "€" + "a" * 8, "GSM-7", 161, 2, 145),
    ("€" * 153, "GSM-7", 306, 3, 151),
    ("’", "UCS-2", 1, 1, 69),
    ("’" * 70, "UCS-2", 70, 1, 0),
    ("’" * 71, "UCS-2", 71, 2, 63),
    ("’" * 134, "UCS-2", 134, 2, 0),
    ("’" * 135, "UCS-2", 135, 3, 66),
    ("🎬" * 35, "UCS-2", 70, 1, 0),
    ("🎬" * 36, "UCS-2", 72, 2, 61),  # 33 pairs in the first: the 67th unit cannot take half of one
    ("🎬" * 67, "UCS-2", 134, 3, 65),
    ("€" * 69 + "’", "UCS-2", 70, 1, 0),
    ("[{^}]", "GSM-7", 10, 1, 150),
]


@pytest.mark.parametrize(("text", "encoding", "units", "segments", "left"), SIZES)
def test_a_text_has_this_size(text: str, encoding: str, units: int, segments: int, left: int) -> None:
    size = measure(text)
    assert (size.encoding, size.units, size.segments, size.left_in_segment) == (
        encoding,
        units,
        segments,
        left,
    )


def test_a_curly_apostrophe_halves_the_room() -> None:
    straight = "Don't be late. " * 8
    curly = straight.replace("'", "’", 1)
    assert (measure(straight).encoding, measure(straight).segments) == ("GSM-7", 1)
    assert (measure(curly).encoding, measure(curly).segments) == ("UCS-2", 2)
    assert measure(curly).offending == ((3, "’"),)


def test_every_offending_character_is_named_with_its_place() -> None:
    text = "Café “Ámbar” 🎬 €5"
    assert measure(text).offending == ((5, "“"), (6, "Á"), (11, "”"), (13, "🎬"))
    assert all(text[index] == character for index, character in measure(text).offending)


def test_the_alphabet_has_127_places_and_ten_behind_the_escape() -> None:
    assert (len(GSM_7), len(GSM_7_EXTENSION)) == (127, 10)
    assert not GSM_7 & GSM_7_EXTENSION


def parts_of(text: str) -> list[str]:
    """A slow packer of another make: cut the longest part that fits off the front, on real bytes where it can."""
    if all(is_gsm_7(character) for character in text):

        def size(part: str) -> int:
            return len(part) + sum(part.count(character) for character in GSM_7_EXTENSION)

        alone, each = 160, 153
    else:

        def size(part: str) -> int:
            return len(part.encode("utf-16-be", "surrogatepass")) // 2

        alone, each = 70, 67
    if size(text) <= alone:
        return [text]
    parts = []
    while text:
        cut = max(length for length in range(1, min(len(text), each) + 1) if size(text[:length]) <= each)
        parts.append(text[:cut])
        text = text[cut:]
    return parts


@given(LIKELY | GSM_TEXT, LONG)
@settings(max_examples=150, deadline=None)
def test_segments_are_those_of_a_slow_packer(text: str, times: int) -> None:
    assert measure(text * times).segments == len(parts_of(text * times))


@given(LIKELY | GSM_TEXT, LONG, LIKELY)
@settings(max_examples=150, deadline=None)
def test_a_text_that_goes_on_never_takes_fewer_segments(text: str, times: int, more: str) -> None:
    assert measure(text * times).segments <= measure(text * times + more).segments


@given(GSM_TEXT, LONG)
@settings(max_examples=150, deadline=None)
def test_what_is_left_in_a_segment_can_be_used_up_and_no_more(text: str, times: int) -> None:
    size = measure(text * times)
    full = text * times + "a" * size.left_in_segment
    assert measure(full).segments == size.segments
    assert measure(full).left_in_segment == 0
    assert measure(full + "a").segments == size.segments + 1


@given(LIKELY, LIKELY)
@settings(max_examples=150, deadline=None)
def test_two_texts_together_offend_where_each_did(first: str, second: str) -> None:
    shifted = tuple((index + len(first), character) for index, character in measure(second).offending)
    assert measure(first + second).offending == measure(first).offending + shifted


@given(LIKELY, LONG)
@settings(max_examples=200, deadline=None)
def test_straightening_never_takes_more_segments_and_is_done_once(text: str, times: int) -> None:
    once = straighten(text * times)
    assert measure(once).segments <= measure(text * times).segments
    assert straighten(once) == once


@given(GSM_TEXT)
def test_a_straight_text_stays_as_it_is(text: str) -> None:
    assert straighten(text) == text


STRAIGHTENED = [
    ("Don’t", "Don't"),
    ("“Stage 4” – bring ID…", '"Stage 4" - bring ID...'),
    ("Call 06:30", "Call 06:30"),
    ("Call\u00a006:30\u202fam", "Call 06:30 am"),
    ("col\tumn", "col umn"),
    ("• water\u2028• hat", "- water\n- hat"),
    ("+1\u202a626\u202c\u200b", "+1626"),
    ("Señor Muñoz", "Señor Muñoz"),
    ("Zoë’s façade…", "Zoë's façade…"),  # other letters need UCS-2 anyway: three dots would only cost room
    ("🎬 it’s on…", "🎬 it's on…"),
    ("1½ hours", "1½ hours"),
]


@pytest.mark.parametrize(("text", "straight"), STRAIGHTENED)
def test_straightening_changes_what_phones_put_in_and_nothing_else(text: str, straight: str) -> None:
    assert straighten(text) == straight


def test_seventy_ellipses_stay_because_dots_would_take_another_segment() -> None:
    assert straighten("…" * 70) == "…" * 70
    assert straighten("…" * 50) == "." * 150


def test_every_replacement_is_of_the_small_alphabet_and_of_one_character_where_it_is_always_made() -> None:
    for written, straight in (STRAIGHT | STRAIGHT_WHERE_IT_HELPS).items():
        assert not is_gsm_7(written)
        assert all(character in GSM_7 for character in straight)
    assert {len(straight) for straight in STRAIGHT.values()} == {1}
