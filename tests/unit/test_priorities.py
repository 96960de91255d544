"""The tables of the four priorities, as they were agreed."""

from __future__ import annotations

import pytest

from app.domain.message_types import DEFAULTS, TYPE_OF_PRIORITY, MessageType
from app.domain.priorities import (
    PROFILES,
    Priority,
    Purpose,
    QuietRule,
    StepKind,
    parse_priority,
    undo_window_s,
)
from providers.contract import Channel

SMS, VOICE, PUSH, EMAIL, IN_APP = Channel.SMS, Channel.VOICE, Channel.PUSH, Channel.EMAIL, Channel.IN_APP


@pytest.mark.parametrize(
    ("priority", "channels", "quiet"),
    [
        (Priority.URGENT, {SMS, VOICE, PUSH, EMAIL, IN_APP}, QuietRule.PIERCE),
        (Priority.IMPORTANT, {SMS, PUSH, EMAIL, IN_APP}, QuietRule.HOLD_UNLESS_CALL_IS_SOONER),
        (Priority.INFO, {PUSH, EMAIL, IN_APP}, QuietRule.HOLD),
        (Priority.ROUTINE, {EMAIL, IN_APP}, QuietRule.HOLD),
    ],
)
def test_channels_and_quiet_hours(priority: Priority, channels: set[Channel], quiet: QuietRule) -> None:
    profile = PROFILES[priority]
    assert set(profile.channels) == channels
    assert profile.quiet is quiet


@pytest.mark.parametrize(
    ("kind", "windows_s"),
    [
        (StepKind.FIRST, (5, 30, 60, 60)),
        (StepKind.REMINDER, (3, 10, 10, 10)),
        (StepKind.CALL, (10, 10, 10, 10)),
        (StepKind.CORRECTION, (5, 30, 60, 60)),
        (StepKind.DISREGARD, (5, 30, 60, 60)),
    ],
)
def test_undo_windows(kind: StepKind, windows_s: tuple[int, ...]) -> None:
    assert tuple(undo_window_s(kind, priority) for priority in Priority) == windows_s


def test_urgent_is_claimed_first_and_given_up_first() -> None:
    assert [one.rank for one in Priority] == [0, 1, 2, 3]
    patience = [PROFILES[one].give_up_s for one in Priority]
    assert patience == sorted(patience)
    assert [PROFILES[one].unknown_wait_s for one in Priority] == [20, None, None, None]


@pytest.mark.parametrize(
    ("word", "priority"),
    [
        ("urgent", Priority.URGENT),
        (" URGENT ", Priority.URGENT),
        ("Important", Priority.IMPORTANT),
        ("HIGH", Priority.IMPORTANT),
        ("medium", Priority.INFO),
        ("low", Priority.ROUTINE),
        ("routine", Priority.ROUTINE),
        ("", None),
        ("urgently", None),
    ],
)
def test_priorities_by_any_of_their_names(word: str, priority: Priority | None) -> None:
    assert parse_priority(word) is priority


def test_every_priority_looks_different() -> None:
    assert len({one.symbol for one in Priority}) == len({one.label for one in Priority}) == 4


@pytest.mark.parametrize("kind", list(MessageType))
def test_every_type_has_a_priority_and_a_purpose(kind: MessageType) -> None:
    defaults = DEFAULTS[kind]
    assert (defaults.purpose is Purpose.SAFETY) == (defaults.priority is Priority.URGENT)
    assert kind.label[0].isupper()


@pytest.mark.parametrize("priority", list(Priority))
def test_the_type_of_a_priority_has_that_priority(priority: Priority) -> None:
    assert DEFAULTS[TYPE_OF_PRIORITY[priority]].priority is priority
