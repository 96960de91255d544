"""The script of what people do: the same draws, whatever the order, the speed or the machine."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rehearsal.people import (
    ANSWER_SHARE,
    BACK_ON_AIR,
    BY_LINK,
    FATES,
    MACHINE_SHARE,
    MAIL_FATES,
    MAIL_FOLLOWED,
    MAIL_IMAGES,
    MAIL_OPENED,
    NOTHING,
    OPTIONS,
    REACTIONS,
    REPLIES,
    TAKEN,
    WAKING,
    WOKEN,
    Script,
    fate_of_mailbox,
    fate_of_number,
    holder_of,
    mail_act,
    plan,
    reaction,
)

NUMBERS = [f"+1626555{number:04}" for number in range(3000)]
SCRIPT = Script.for_seconds(60)

numbers = st.integers(10**9, 10**10 - 1).map(lambda digits: f"+1{digits}")


@pytest.mark.parametrize(
    "table", [FATES, MAIL_FATES, REACTIONS, WAKING, OPTIONS, REPLIES], ids=lambda table: repr(table[0][1])
)
def test_the_shares_of_every_table_make_one_whole(table: tuple[tuple[float, object], ...]) -> None:
    assert sum(share for share, _ in table) == pytest.approx(1.0)


@settings(max_examples=200)
@given(st.integers(0, 10**6), numbers, st.integers(1, 6), st.floats(1, 600))
def test_everything_happens_within_the_window_or_never(
    seed: int, number: str, nth: int, seconds: float
) -> None:
    script = Script.for_seconds(seconds)
    window = seconds * (0.30 if nth == 1 else 0.20)
    then = plan(seed, number, nth, script)
    assert 0 < then.queued_s < then.sent_s < then.arrives_s <= then.receipt_s <= window
    if then.machine_s is not None:
        assert then.arrives_s < then.machine_s <= window
    if then.act is not None:
        assert then.arrives_s < then.act.at_s
        assert then.act.at_s + then.act.touch_after_s + then.act.answer_after_s <= window


@settings(max_examples=100)
@given(st.integers(0, 10**6), numbers, st.integers(1, 6))
def test_the_same_text_to_the_same_number_has_the_same_future(seed: int, number: str, nth: int) -> None:
    assert plan(seed, number, nth, SCRIPT) == plan(seed, number, nth, SCRIPT)


@settings(max_examples=100)
@given(st.integers(0, 10**6), numbers, st.integers(1, 4), st.floats(1, 50))
def test_another_speed_changes_when_but_not_whether(seed: int, number: str, nth: int, faster: float) -> None:
    slow, fast = plan(seed, number, nth, SCRIPT), plan(seed, number, nth, Script.for_seconds(60 / faster))
    assert (slow.fate, slow.doubled, slow.reordered) == (fast.fate, fast.doubled, fast.reordered)
    assert (slow.machine_s is None) == (fast.machine_s is None)
    assert (slow.act is None) == (fast.act is None)
    if slow.act is not None and fast.act is not None:
        assert (slow.act.how, slow.act.option, slow.act.reply) == (
            fast.act.how,
            fast.act.option,
            fast.act.reply,
        )


def test_two_seeds_make_two_crews() -> None:
    assert [plan(1, number, 1, SCRIPT) for number in NUMBERS[:50]] != [
        plan(2, number, 1, SCRIPT) for number in NUMBERS[:50]
    ]


def test_a_wrong_number_stays_wrong() -> None:
    wrong = [number for number in NUMBERS if fate_of_number(7, number, SCRIPT).undelivered in {30005, 30006}]
    assert wrong
    for number in wrong:
        assert len({plan(7, number, nth, SCRIPT).fate.undelivered for nth in range(1, 6)}) == 1


def test_a_phone_that_was_off_may_be_on_again_later() -> None:
    off = [number for number in NUMBERS if fate_of_number(7, number, SCRIPT).undelivered == 30003]
    assert all(plan(7, number, 1, SCRIPT).fate.undelivered == 30003 for number in off)
    later = [plan(7, number, nth, SCRIPT).fate.undelivered for number in off for nth in range(2, 12)]
    assert later.count(None) / len(later) == pytest.approx(BACK_ON_AIR, abs=0.12)


def test_nobody_acts_on_a_text_that_never_arrived() -> None:
    for number in NUMBERS:
        then = plan(7, number, 1, SCRIPT)
        if then.fate.undelivered is not None or then.fate.refused is not None:
            assert then.act is None
            assert then.machine_s is None


def test_the_crew_behaves_as_the_tables_say() -> None:
    plans = [plan(7, number, 1, SCRIPT) for number in NUMBERS]
    fates = Counter(then.fate for then in plans)
    for share, fate in FATES:
        assert fates[fate] / len(plans) == pytest.approx(share, abs=0.02)
    reached = [then for then in plans if then.fate.undelivered is None and then.fate.refused is None]
    how = Counter(then.act.how if then.act is not None else NOTHING for then in reached)
    for share, kind in REACTIONS:
        assert how[kind] / len(reached) == pytest.approx(share, abs=0.03)
    readers = [then.act for then in reached if then.act is not None and then.act.how == BY_LINK]
    assert sum(act.option is not None for act in readers) / len(readers) == pytest.approx(
        ANSWER_SHARE, abs=0.03
    )
    machines = sum(then.machine_s is not None for then in reached)
    assert machines / len(reached) == pytest.approx(MACHINE_SHARE, abs=0.02)


def test_a_reminder_wakes_most_of_those_who_did_nothing() -> None:
    asleep = [number for number in NUMBERS if reaction(7, number, 1) == NOTHING]
    woken = [number for number in asleep if reaction(7, number, 2) != NOTHING]
    assert len(woken) / len(asleep) == pytest.approx(WOKEN, abs=0.04)


def test_the_silent_script_delivers_everything_and_nobody_does_anything() -> None:
    for number in NUMBERS[:500]:
        then = plan(7, number, 1, Script.silent())
        assert (then.fate.refused, then.fate.undelivered, then.fate.late) == (None, None, False)
        assert (then.act, then.machine_s, then.doubled, then.reordered) == (None, None, False, False)


def test_the_holder_of_a_shared_phone_is_always_the_same() -> None:
    holders = {holder_of(7, number, ["a", "b", "c"]) for number in NUMBERS[:60]}
    assert holders == {"a", "b", "c"}
    assert len({holder_of(7, NUMBERS[0], ["a", "b"]) for _ in range(5)}) == 1
    assert holder_of(7, NUMBERS[0], []) is None


def test_who_has_done_something_once_is_no_longer_asleep() -> None:
    awake = [
        number
        for number in NUMBERS
        if reaction(7, number, 1) != NOTHING and reaction(7, number, 2) == NOTHING
    ]
    third = Counter(reaction(7, number, 3) for number in awake)
    for share, kind in REACTIONS:
        assert third[kind] / len(awake) == pytest.approx(share, abs=0.06)


@settings(max_examples=100)
@given(st.integers(0, 10**6), st.integers(1, 6), st.floats(1, 600))
def test_what_a_reader_of_mail_does_is_always_the_same_and_within_the_window(
    seed: int, nth: int, seconds: float
) -> None:
    script = Script.for_seconds(seconds)
    act = mail_act(seed, "ada@example.com", nth, script)
    assert act == mail_act(seed, "ada@example.com", nth, script)
    if act is not None:
        page = act.page
        assert page.at_s > 0
        assert page.at_s + page.touch_after_s + page.answer_after_s <= script.within_s(nth)


def test_mail_is_opened_seen_and_followed_as_often_as_the_tables_say() -> None:
    mailboxes = [f"{number}@example.com" for number in range(3000)]
    acts = [mail_act(7, one, 1, SCRIPT) for one in mailboxes]
    opened = [one for one in acts if one is not None]
    assert len(opened) / len(acts) == pytest.approx(MAIL_OPENED, abs=0.04)
    assert sum(one.images for one in opened) / len(opened) == pytest.approx(MAIL_IMAGES, abs=0.04)
    assert sum(one.follows for one in opened) / len(opened) == pytest.approx(MAIL_FOLLOWED, abs=0.04)
    fates = Counter(fate_of_mailbox(7, one, SCRIPT) for one in mailboxes)
    for share, fate in MAIL_FATES:
        assert fates[fate] / len(mailboxes) == pytest.approx(share, abs=0.01)


def test_in_a_silent_rehearsal_every_mail_is_taken_and_nobody_opens_one() -> None:
    silent = Script.silent()
    assert {fate_of_mailbox(7, f"{number}@example.com", silent) for number in range(300)} == {TAKEN}
    assert {mail_act(7, f"{number}@example.com", 1, silent) for number in range(300)} == {None}
