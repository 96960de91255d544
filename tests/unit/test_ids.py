"""Names: unique where they must be, the same where they must be, and easy to say."""

from __future__ import annotations

import itertools
import re
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from app.domain import ids
from app.domain.public_address import PublicAddress

ROOM = 32**4

KEY = b"k" * 32


def test_consecutive_messages_have_codes_of_their_own_that_do_not_look_alike() -> None:
    codes = [ids.message_code(one) for one in range(1, 20_001)]
    assert len(set(codes)) == len(codes)
    for one, other in itertools.pairwise(codes):
        assert sum(left != right for left, right in zip(one, other, strict=True)) >= 2


def test_every_number_has_a_code_of_its_own() -> None:
    """All 32**4 of them, and the next lap's."""
    assert len({ids.message_code(one) for one in range(ROOM)}) == ROOM
    assert not {ids.message_code(one) for one in range(1000)} & {
        ids.message_code(one) for one in range(ROOM, ROOM + 1000)
    }


@given(st.integers(1, 10**7), st.integers(1, 10**7))
def test_two_messages_never_share_a_code(one: int, other: int) -> None:
    assert (ids.message_code(one) == ids.message_code(other)) == (one == other)


@given(st.integers(1, ROOM - 1))
def test_a_code_can_be_said_on_the_phone(number: int) -> None:
    assert re.fullmatch(r"M-[0-9A-HJKMNP-TV-Z]{4}", ids.message_code(number))


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**48 - 1), st.randoms(use_true_random=False))
def test_public_ids_sort_by_time(one: int, other: int, random: Random) -> None:
    first, second = ids.ulid(one, random.randbytes), ids.ulid(other, random.randbytes)
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", first)
    if one != other:
        assert (first < second) == (one < other)


def test_references_are_random_and_safe_in_an_address() -> None:
    random = Random(7)
    references = [ids.attempt_reference(random.randbytes) for _ in range(5_000)]
    assert len(set(references)) == len(references)
    assert all(re.fullmatch(r"[0-9a-hjkmnp-tv-z]{16}", one) for one in references)


@given(st.integers(1, 2**62), st.integers(1, 5))
def test_a_token_renders_the_same_every_time(delivery: int, generation: int) -> None:
    token = ids.link_token(KEY, delivery, generation)
    assert token == ids.link_token(KEY, delivery, generation)
    assert re.fullmatch(r"[0-9A-Za-z]{16}", token)
    assert token != ids.link_token(KEY, delivery + 1, generation)
    assert token != ids.link_token(KEY, delivery, generation + 1)
    assert token != ids.link_token(b"x" * 32, delivery, generation)
    assert ids.token_hash(token) == ids.token_hash(token)
    assert token not in ids.token_hash(token)


@given(st.integers(1, 2**62), st.integers(1, 9))
def test_every_token_has_the_shape_of_one(delivery: int, generation: int) -> None:
    token = ids.link_token(KEY, delivery, generation)
    assert ids.is_link_token(token)
    assert not ids.is_link_token(token + "0")
    assert not ids.is_link_token(token[1:])


def test_delivery_and_generation_are_not_mixed_up() -> None:
    tokens = {
        ids.link_token(KEY, delivery, generation) for delivery in range(1, 60) for generation in range(1, 60)
    }
    assert len(tokens) == 59 * 59


# ------------------------------------------------------------------------------------------ public addresses


def test_without_an_address_nothing_can_reach_us() -> None:
    nowhere = PublicAddress()
    assert nowhere.callback_url("ACCT", "ref") is None
    assert nowhere.link("token") is None
    assert nowhere.candidates("/hooks/ACCT?r=ref") == []


def test_a_link_is_promised_only_where_the_address_will_stay() -> None:
    assert PublicAddress("https://a.example").link("token") is None
    assert PublicAddress("https://a.example", stable=True).link("token") == "https://a.example/m/token"


def test_callbacks_may_be_signed_for_every_recent_address() -> None:
    public = PublicAddress("https://b.example", recent=("https://a.example",))
    assert public.callback_url("ACCT", "ref") == "https://b.example/hooks/ACCT?r=ref"
    assert public.candidates("/hooks/ACCT?r=ref") == [
        "https://b.example/hooks/ACCT?r=ref", "https://a.example/hooks/ACCT?r=ref",
    ]  # fmt: skip
