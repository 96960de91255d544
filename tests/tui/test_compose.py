"""Compose: what is typed is counted, what is wrong is said in place, and what was reviewed is what is sent."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.widgets import Input, TextArea

from app.domain.priorities import Priority
from app.services import crew as crew_service
from app.services import watching
from app.services.sending import Preflight
from app.tui.drafts import caution_facts, cost_facts
from providers.contract import Channel
from tests.tui.conftest import LARGE, SMALL, Sit
from tests.tui.house import COORDINATOR, House

SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])


@SIZES
async def test_a_message_is_written_reviewed_and_sent(house: House, sit: Sit, size: tuple[int, int]) -> None:
    await house.hire(12)
    await house.give_provider()
    async with sit(size) as desk:
        await desk.press("n", "“Unit move", "tab", "“Gate C.")
        desk.line_with("12 people")
        await desk.press("f5")
        desk.line_with("NIGHTFALL S2: Unit move. Gate C. Reply 1 to confirm")
        desk.line_with("12 by text")
        desk.line_with("12 segments")
        assert not (await watching.center(house.office)).messages
        await desk.press("f9")
        assert desk.row_with("Unit move").startswith("▸")
        desk.line_with("to 12 people in 30 s")
        assert desk.app.draft.subject == ""
    messages = (await watching.center(house.office)).messages
    assert [one.subject for one in messages] == ["Unit move"]


async def test_bare_keys_type_in_compose(house: House, sit: Sit) -> None:
    await house.hire(2)
    async with sit() as desk:
        await desk.press("n", "“qrnu?:/")
        assert desk.app.draft.subject == "qrnu?:/"


async def test_esc_keeps_what_was_written(house: House, sit: Sit) -> None:
    await house.hire(2)
    async with sit() as desk:
        await desk.press("n", "“Lunch", "tab", "“At two", "escape", "n")
        assert desk.app.screen.query_one("#subject", Input).value == "Lunch"
        assert desk.app.screen.query_one("#body", TextArea).text == "At two"


async def test_a_curly_apostrophe_is_named_and_one_key_straightens_it(house: House, sit: Sit) -> None:
    await house.hire(2)
    await house.give_provider()
    async with sit() as desk:
        await desk.press("n", "tab")
        desk.app.screen.query_one("#body", TextArea).text = "We’re at Gate C"
        await desk.settle()
        line = desk.line_with("halves the room")
        assert "’" in line
        assert "UCS-2" in line
        await desk.press("f4")
        assert desk.app.draft.body == "We're at Gate C"
        desk.line_with("GSM-7")


async def test_the_audience_is_counted_while_it_is_typed(house: House, sit: Sit) -> None:
    await house.hire(16)
    async with sit() as desk:
        await desk.press("n", "shift+tab")
        field = desk.app.screen.query_one("#to", Input)
        for words, count in (("dept:Camera", "2 people"), ("all, -dept:Camera", "14 people")):
            field.value = words
            await desk.settle()
            desk.line_with(count)
        field.value = "dept:Camra"
        await desk.settle()
        desk.line_with("Nobody is meant by this.")
        field.value = "camera"
        await desk.settle()
        desk.line_with("is no audience.")


async def test_a_department_begun_is_completed(house: House, sit: Sit) -> None:
    await house.hire(16)
    async with sit() as desk:
        await desk.press("n", "shift+tab", "end", "“, -dept:Cam", "right")
        assert desk.app.draft.to == "all, -dept:Camera"


async def test_what_is_refused_is_said_in_place_and_nothing_is_sent(house: House, sit: Sit) -> None:
    await house.hire(2)
    await house.give_provider()
    async with sit() as desk:
        await desk.press("n", "f5")
        desk.line_with("The message is empty. Write what people must know.")
        await desk.press("“Unit move", "shift+tab")
        desk.app.screen.query_one("#to", Input).value = "dept:Camra"
        await desk.press("f5")
        desk.line_with("Nobody in the crew list is meant by “dept:Camra”.")
    assert not (await watching.center(house.office)).messages


async def test_the_review_shows_who_is_not_reached_why_and_what_to_do(house: House, sit: Sit) -> None:
    await house.hire(3)
    async with sit(LARGE) as desk:
        await desk.press("n", "“Unit move", "f5")
        assert "Not reached 3" in desk.text
        await desk.press("f9")
        desk.line_with("Nobody can be reached by the channels of this message.")
    assert not (await watching.center(house.office)).messages


async def test_another_kind_brings_its_priority_and_that_its_channels(house: House, sit: Sit) -> None:
    await house.hire(2)
    await house.give_provider()
    async with sit() as desk:
        await desk.press("n", *["shift+tab"] * 4, "left", "left")
        desk.line_with("< Cancellation >")
        desk.line_with("(o) !! URGENT")
        assert "[x] text" in desk.line_with("By")
        await desk.press("tab", "right", "right")
        desk.line_with("(o) i Info")
        assert "[ ] text" in desk.line_with("By")


@SIZES
async def test_a_channel_without_a_provider_is_off_says_why_and_stays_off(
    house: House, sit: Sit, size: tuple[int, int]
) -> None:
    await house.hire(5)
    await house.give_provider()
    async with sit(size) as desk:
        await desk.press("n", "“Unit move", *["shift+tab"] * 2)
        line = "[x] text  no provider: [ ] call  [ ] push  [ ] e-mail  [ ] in-app"
        assert line in desk.line_with("By")
        await desk.press("right", "space")
        assert desk.app.said[-1].startswith("No provider is set up for calls.")
        assert line in desk.line_with("By")
        await desk.press("f5")
        desk.line_with("5 people · 5 by text · nobody is left out")
        await desk.press("f9")
    (sent,) = (await watching.center(house.office)).messages
    assert sent.channels == (Channel.SMS,)


async def test_a_message_that_no_available_channel_is_on_for_says_which_to_switch_on(
    house: House, sit: Sit
) -> None:
    await house.hire(5)
    await house.give_provider()
    async with sit() as desk:
        await desk.press("n", "“Lunch at two", *["shift+tab"] * 3, "right")
        desk.line_with("(o) i Info")
        desk.line_with("It goes out by nothing. Switch on text in the line By, with space.")
        await desk.press("f5")
        desk.line_with("! It goes out by nothing.")
        await desk.press("tab", "space")
        desk.line_with("1 segment")
        await desk.press("f5")
        desk.line_with("5 by text")


async def test_a_provider_that_is_set_up_meanwhile_switches_its_channel_on(house: House, sit: Sit) -> None:
    await house.hire(2)
    async with sit() as desk:
        await desk.press("n", "“Unit move")
        assert "no provider: [ ] text" in desk.line_with("By")
        desk.line_with("Nothing can be sent: no provider is set up. Add one: callboard provider add.")
        await house.give_provider()
        await desk.settle()
        assert "[x] text  no provider: [ ] call" in desk.line_with("By")
        desk.line_with("1 segment")


async def test_the_keys_of_compose_are_those_of_its_fields(house: House, sit: Sit) -> None:
    async with sit() as desk:
        await desk.press("n", "f1")
        desk.line_with("Go to the next field; shift+tab to the one before.")
        assert "j and k" not in desk.text
        place = desk.lines.index(desk.line_with("Choose in the lines Kind"))
        beginning = desk.lines[place].index("Choose")
        assert desk.lines[place + 1][:beginning].strip(" │") == ""
        assert desk.lines[place + 1][beginning] != " "


async def test_a_text_that_no_phone_takes_is_named_while_it_is_typed(house: House, sit: Sit) -> None:
    await house.hire(2)
    await house.give_provider()
    async with sit(LARGE) as desk:
        await desk.press("n", "tab")
        desk.app.screen.query_one("#body", TextArea).text = "Gate C. " * 1_000
        await desk.settle()
        desk.line_with("no carrier takes more than 1600")


async def test_a_tall_terminal_shows_the_text_as_a_phone_will(house: House, sit: Sit) -> None:
    await house.hire(2)
    await house.give_provider()
    async with sit(LARGE) as desk:
        await desk.press("n", "“Unit [b]move", "tab", "“Gate C.")
        desk.line_with("─ The text")
        desk.line_with("NIGHTFALL S2: Unit [b]move. Gate C. Reply 1 to confirm")
        await desk.pilot.resize_terminal(*SMALL)
        await desk.settle()
        assert "─ The text" not in desk.text


async def test_in_a_narrow_terminal_the_chosen_option_is_seen(house: House, sit: Sit) -> None:
    await house.hire(2)
    await house.give_provider()
    async with sit((60, 16)) as desk:
        await desk.press("n", *["shift+tab"] * 3, "right", "right")
        desk.line_with("(o) . Routine")
        await desk.press("left", "left", "left")
        desk.line_with("(o) !! URGENT")


async def test_the_review_says_all_of_why_somebody_is_not_reached(house: House, sit: Sit) -> None:
    crew = "Name,Department,Mobile\nAda Lund,Camera,+447700900001\nJon Okafor,Grip,\n"
    await crew_service.import_crew(house.office, COORDINATOR, "crew.csv", crew.encode())
    await house.give_provider()
    async with sit() as desk:
        await desk.press("n", "“Unit move", "f5")
        desk.line_with("1 segment ·")
        desk.line_with("No phone number in the crew list. Add one to the crew list and import it")
        assert "again." in desk.text


async def test_esc_in_the_filter_of_the_review_clears_it_and_only_the_next_goes_back(
    house: House, sit: Sit
) -> None:
    await house.hire(3)
    async with sit() as desk:
        await desk.press("n", "“Unit move", "f5", "slash", "“ada")
        assert "Not reached 1 of 3" in desk.text
        await desk.press("escape")
        assert "Not reached 3" in desk.text
        await desk.press("slash", "“ada", "enter", "escape")
        assert "Not reached 3" in desk.text
        await desk.press("escape")
        desk.line_with("New message")


def test_what_is_held_and_what_is_shared_is_said_in_numbers_that_agree() -> None:
    sheet = Preflight(10, (), {Channel.SMS: 10}, 9, "", 4, 0, 1, None, 39)
    assert [fact.text for fact in cost_facts(sheet, Priority.IMPORTANT)][-1] == "rest sent in about 39s"
    assert [fact.text for fact in caution_facts(sheet)] == [
        "4 held for quiet hours",
        "1 shares a phone with somebody: one text for both",
    ]
    none_held = replace(sheet, held=0, shared=2)
    assert [fact.text for fact in cost_facts(none_held, Priority.IMPORTANT)][-1] == "all sent in about 39s"
    assert [fact.text for fact in caution_facts(none_held)] == [
        "2 share a phone with somebody: one text for both"
    ]


async def test_f9_pressed_twice_sends_once(house: House, sit: Sit) -> None:
    await house.hire(2)
    await house.give_provider()
    async with sit() as desk:
        await desk.press("n", "“Unit move", "f5")
        await desk.pilot.press("f9", "f9")
        await desk.settle()
    assert len((await watching.center(house.office)).messages) == 1
