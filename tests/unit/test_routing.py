"""Who is reached by which paths, and why not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.priorities import Priority, Purpose
from app.domain.quiet_hours import Window
from app.domain.routing import (
    ADDRESS_OF_CHANNEL,
    SENTENCES,
    Addressee,
    AddressKind,
    Consent,
    ContactPoint,
    LineType,
    Path,
    Reason,
    Routable,
    left_out,
    route,
)
from providers.contract import Channel

EVENING = 1_795_156_800_000
"""22:40 in Los Angeles."""
ZONE = "America/Los_Angeles"
NIGHT = Window(22 * 60, 6 * 60)
EVERY_CHANNEL = frozenset(Channel)
HOUR_MS = 3_600_000

MOBILE = ContactPoint(1, AddressKind.PHONE, LineType.MOBILE)
MAIL = ContactPoint(2, AddressKind.EMAIL)

points = st.builds(
    ContactPoint,
    id=st.integers(1, 9),
    kind=st.sampled_from(list(AddressKind)),
    line_type=st.sampled_from(list(LineType)),
    problem=st.none() | st.just("wrong number"),
    consents=st.none() | st.dictionaries(st.sampled_from(list(Channel)), st.sampled_from(list(Consent))),
    opted_out=st.frozensets(st.sampled_from(list(Channel)), max_size=2),
)
people = st.builds(
    Addressee,
    person_id=st.just(1),
    time_zone=st.just(ZONE),
    quiet=st.none() | st.just(NIGHT),
    contact_points=st.lists(points, max_size=4, unique_by=lambda point: point.id).map(tuple),
)
messages = st.builds(
    Routable,
    priority=st.sampled_from(list(Priority)),
    purpose=st.sampled_from(list(Purpose)),
    channels=st.lists(st.sampled_from(list(Channel)), unique=True).map(tuple),
    needed_by_ms=st.none() | st.integers(EVENING, EVENING + 24 * HOUR_MS),
)
provided = st.frozensets(st.sampled_from(list(Channel)))


def person(*contact_points: ContactPoint, quiet: Window | None = None) -> Addressee:
    return Addressee(1, ZONE, quiet, contact_points)


def message(
    priority: Priority = Priority.URGENT,
    purpose: Purpose = Purpose.SAFETY,
    channels: tuple[Channel, ...] = (Channel.SMS,),
    needed_by_ms: int | None = None,
) -> Routable:
    return Routable(priority, purpose, channels, needed_by_ms)


# ---------------------------------------------------------------------------------------- what always holds


@given(people, messages, provided)
def test_every_path_is_one_that_may_be_taken(
    who: Addressee, what: Routable, available: frozenset[Channel]
) -> None:
    by_id = {point.id: point for point in who.contact_points}
    for path in route(who, what, available, EVENING).paths:
        point = by_id[path.contact_point_id]
        assert path.channel in what.channels
        assert path.channel in available
        assert point.kind is ADDRESS_OF_CHANNEL[path.channel]
        assert path.channel not in point.opted_out  # whoever opted out is never reached, whatever it is
        assert point.problem is None
        if what.purpose is Purpose.PROMOTIONAL:
            assert point.consent(path.channel) is Consent.YES
        if point.consent(path.channel) is Consent.NO:
            assert (what.purpose, what.priority) == (Purpose.SAFETY, Priority.URGENT)
            assert path.override
        if path.channel is Channel.SMS:
            assert point.line_type is not LineType.LANDLINE


@given(people, messages, provided)
def test_each_channel_is_taken_once_or_left_out_with_a_reason(
    who: Addressee, what: Routable, available: frozenset[Channel]
) -> None:
    decision = route(who, what, available, EVENING)
    taken = [path.channel for path in decision.paths]
    assert len(taken) == len(set(taken))
    missed = {one.channel for one in decision.left_out}
    assert not set(taken) & missed
    planned = {one for one in what.channels if one in available and one in (Channel.SMS, Channel.EMAIL)}
    assert set(taken) | missed == planned
    for one in decision.left_out:
        assert one.why.endswith(".")
        assert one.next.endswith(".")


@given(people, messages, provided)
def test_nothing_is_left_unexplained(who: Addressee, what: Routable, available: frozenset[Channel]) -> None:
    decision = route(who, what, available, EVENING)
    suppression = decision.suppression
    assert (suppression is None) == bool(decision.paths)
    if suppression is not None and decision.left_out:
        order = list(Reason)
        assert order.index(suppression.reason) == min(order.index(one.reason) for one in decision.left_out)


@given(people, messages, provided)
def test_urgent_waits_for_no_quiet_hours_and_others_do_unless_the_call_is_sooner(
    who: Addressee, what: Routable, available: frozenset[Channel]
) -> None:
    for path in route(who, what, available, EVENING).paths:
        if what.purpose is Purpose.PROMOTIONAL:
            assert path.held_until_ms == EVENING + (10 * 60 + 20) * 60_000  # nobody is courted before nine
        elif who.quiet is None:
            assert path.held_until_ms is None
        elif what.priority is Priority.URGENT:
            assert path.held_until_ms is None
            assert "quiet hours" in str(path.override)
        elif what.priority is Priority.IMPORTANT and what.needed_by_ms is not None:
            ends = EVENING + (7 * 60 + 20) * 60_000
            assert path.held_until_ms == (None if what.needed_by_ms <= ends else ends)
        else:
            assert path.held_until_ms == EVENING + (7 * 60 + 20) * 60_000


@given(people, messages)
def test_without_a_provider_nothing_is_planned(who: Addressee, what: Routable) -> None:
    decision = route(who, what, frozenset(), EVENING)
    assert decision.paths == decision.left_out == ()
    assert decision.suppression == left_out(Reason.NO_PROVIDER)


@given(people, messages, st.sampled_from(list(Channel)))
def test_an_opt_out_never_opens_a_path_and_closes_its_own(
    who: Addressee, what: Routable, channel: Channel
) -> None:
    before = route(who, what, EVERY_CHANNEL, EVENING)
    stopped = replace(
        who,
        contact_points=tuple(
            replace(point, opted_out=point.opted_out | {channel}) for point in who.contact_points
        ),
    )
    after = route(stopped, what, EVERY_CHANNEL, EVENING)
    assert {path.channel for path in after.paths} == {path.channel for path in before.paths} - {channel}


# ------------------------------------------------------------------------------------------------- examples


@pytest.mark.parametrize(
    ("point", "reason", "sentence"),
    [
        (replace(MOBILE, opted_out=frozenset({Channel.SMS})), Reason.OPTED_OUT, "Opted out of texts."),
        (
            replace(MOBILE, problem="The carrier does not know it"),
            Reason.BAD_ADDRESS,
            "The phone number does not work: the carrier does not know it.",
        ),
        (
            replace(MOBILE, problem="This is not a phone number. It has 4 digits."),
            Reason.BAD_ADDRESS,
            "The phone number does not work: this is not a phone number.",
        ),
        (
            replace(MOBILE, problem="Vodafone does not know it"),
            Reason.BAD_ADDRESS,
            "The phone number does not work: Vodafone does not know it.",
        ),
        (
            replace(MOBILE, line_type=LineType.LANDLINE),
            Reason.LANDLINE,
            "The number is a landline and cannot take texts.",
        ),
        (MAIL, Reason.NO_ADDRESS, "No phone number in the crew list."),
    ],
)
def test_why_somebody_cannot_be_texted(point: ContactPoint, reason: Reason, sentence: str) -> None:
    suppression = route(person(point), message(), EVERY_CHANNEL, EVENING).suppression
    assert suppression is not None
    assert (suppression.reason, suppression.why) == (reason, sentence)


@pytest.mark.parametrize(
    ("priority", "purpose", "consent", "reached", "override"),
    [
        (Priority.URGENT, Purpose.SAFETY, Consent.NO, True, True),
        (Priority.URGENT, Purpose.OPERATIONAL, Consent.NO, False, False),
        (Priority.IMPORTANT, Purpose.SAFETY, Consent.NO, False, False),
        (Priority.IMPORTANT, Purpose.OPERATIONAL, Consent.UNKNOWN, True, False),
        (Priority.IMPORTANT, Purpose.OPERATIONAL, Consent.YES, True, False),
        (Priority.URGENT, Purpose.PROMOTIONAL, Consent.UNKNOWN, False, False),
        (Priority.INFO, Purpose.PROMOTIONAL, Consent.NO, False, False),
        (Priority.INFO, Purpose.PROMOTIONAL, Consent.YES, True, False),
    ],
)
def test_what_a_consent_allows(
    priority: Priority, purpose: Purpose, consent: Consent, reached: bool, override: bool
) -> None:
    who = person(replace(MOBILE, consents={Channel.SMS: consent}))
    decision = route(who, message(priority, purpose), EVERY_CHANNEL, EVENING)
    assert bool(decision.paths) is reached
    assert bool(decision.paths and decision.paths[0].override) is override
    if not reached:
        assert decision.suppression is not None
        assert decision.suppression.reason is Reason.NO_CONSENT


def test_both_overrides_are_told() -> None:
    who = person(replace(MOBILE, consents={Channel.SMS: Consent.NO}), quiet=NIGHT)
    (path,) = route(who, message(), EVERY_CHANNEL, EVENING).paths
    assert path.held_until_ms is None
    assert path.override == (
        "no consent, sent because it is URGENT and about safety; quiet hours, pierced because it is URGENT"
    )


def test_the_first_number_that_works_is_taken() -> None:
    office = ContactPoint(7, AddressKind.PHONE, LineType.LANDLINE)
    second = ContactPoint(8, AddressKind.PHONE, LineType.MOBILE)
    third = ContactPoint(9, AddressKind.PHONE, LineType.MOBILE)
    decision = route(person(office, second, third), message(), EVERY_CHANNEL, EVENING)
    assert decision.paths == (Path(Channel.SMS, 8),)
    assert decision.left_out == ()


def test_all_text_paths_go_out_at_once_and_calls_are_a_step_of_their_own() -> None:
    what = message(channels=(Channel.SMS, Channel.VOICE, Channel.PUSH, Channel.EMAIL, Channel.IN_APP))
    decision = route(person(MOBILE, MAIL), what, EVERY_CHANNEL, EVENING)
    assert [(path.channel, path.contact_point_id) for path in decision.paths] == [
        (Channel.SMS, 1), (Channel.EMAIL, 2),
    ]  # fmt: skip


@pytest.mark.parametrize("hours_to_call", [2, 7, 8, 12])
def test_an_important_message_is_held_only_if_the_call_comes_after_the_night(hours_to_call: int) -> None:
    what = message(Priority.IMPORTANT, Purpose.OPERATIONAL, needed_by_ms=EVENING + hours_to_call * HOUR_MS)
    (path,) = route(person(MOBILE, quiet=NIGHT), what, EVERY_CHANNEL, EVENING).paths
    assert (path.held_until_ms is None) == (hours_to_call <= 7)


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("channel", [None, *Channel])
def test_every_reason_has_words_for_every_channel(reason: Reason, channel: Channel | None) -> None:
    one = left_out(reason, channel, "wrong number")
    assert reason in SENTENCES
    assert "{" not in one.why + one.next
    assert one.why.endswith(".")
    assert one.next.endswith(".")
