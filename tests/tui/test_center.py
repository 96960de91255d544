"""The Center: what is true is shown, and a key does what it said when it went down."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.composition import not_stored
from app.domain.buckets import Bucket
from app.domain.priorities import GUARD_S, Priority
from app.services import chasing, watching
from app.services import crew as crew_service
from app.store import standings
from app.store.board import Summary
from app.tui.actions import CENTER_ACTIONS
from app.tui.ticker import read_center
from app.tui.view_models import CenterView
from providers.contract import Channel, Fact, ProviderError
from tests.tui.conftest import LARGE, SMALL, Sit
from tests.tui.house import COORDINATOR, House, open_house

SIZES = pytest.mark.parametrize("size", [SMALL, LARGE, (200, 50)], ids=["80x24", "120x40", "200x50"])


async def summary(house: House, subject: str) -> Summary:
    center = await watching.center(house.office)
    return next(one for one in center.messages if one.subject == subject)


async def test_without_a_crew_list_it_says_how_to_import_one(sit: Sit) -> None:
    async with sit() as desk:
        desk.line_with("callboard crew import FILE")


async def test_without_a_message_it_names_the_key_that_writes_one(house: House, sit: Sit) -> None:
    await house.hire(3)
    async with sit() as desk:
        desk.line_with("No messages yet: n writes one.")


@SIZES
async def test_delivered_and_read_are_bars_with_numbers_that_move_as_receipts_come(
    house: House, sit: Sit, size: tuple[int, int]
) -> None:
    await house.hire(10)
    await house.give_provider()
    sent = await house.post("Unit move")
    names = list(await house.names(sent.code))
    async with sit(size) as desk:
        assert desk.row_with("Unit move").count("0%") == 2
        await house.tell(sent.code, Fact.DELIVERED, names[:7])
        await house.answer(sent, names[0])
        await desk.settle()
        row = desk.row_with("Unit move")
        assert "70%" in row
        assert "10%" in row
        assert row.index("70%") < row.index("10%")
        desk.line_with("confirmed 1")


async def test_the_list_of_those_who_have_not_read_it_gives_the_reason_and_the_next_step(
    house: House, sit: Sit
) -> None:
    await house.hire(2)
    await house.give_provider()
    sent = await house.post("Unit move")
    names = list(await house.names(sent.code))
    error = ProviderError(
        "30005", "The number does not exist.", "Ask for their new number.", bad_address=True
    )
    await house.tell(sent.code, Fact.FAILED, names[:1], error)
    async with sit(LARGE) as desk:
        await desk.press("tab")
        desk.line_with("The number does not exist. Ask for their new number.")


async def test_a_reason_that_is_too_long_for_a_line_goes_on_in_the_next(house: House, sit: Sit) -> None:
    await house.hire(2)
    await house.give_provider()
    sent = await house.post("Unit move")
    names = list(await house.names(sent.code))
    error = ProviderError(
        "30006",
        "This number is a landline or its carrier takes no texts.",
        "Reach this person another way.",
        bad_address=True,
    )
    await house.tell(sent.code, Fact.FAILED, names[:1], error)
    async with sit() as desk:
        line = desk.line_with("its carrier takes no texts. Reach this person")
        assert "…" not in line
        desk.line_with("another way.")


async def test_the_feed_says_what_happened_with_trouble_in_capitals(house: House, sit: Sit) -> None:
    await house.hire(4)
    await house.give_provider()
    sent = await house.post("Unit move")
    names = list(await house.names(sent.code))
    await house.answer(sent, names[0], 1)
    await house.answer(sent, names[1], 2)
    async with sit() as desk:
        assert names[1] in desk.line_with("NEEDS HELP")
        assert any("confirmed" in line and names[0] in line for line in desk.lines)


SHARED = "Name,Department,Mobile\nAda Lund,Camera,+447700900001\nJon Okafor,Grip,+447700900001\n"


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])
@pytest.mark.parametrize(
    ("number", "words", "told"),
    [
        ("+447700900000", "which gate?", ("WROTE", "Ada Ferreira", "in their own words, read it there")),
        (
            "+447700900000",
            "please don't text me anymore",
            ("OPT OUT?", "Ada Ferreira", "asks to be left alone, ask them"),
        ),
        ("+447700900000", "HELP", ("ASKS HELP", "somebody", "asks what these texts are (HELP)")),
        ("+447700900555", "hello?", ("STRANGER", "unknown number", "had no message; on the crew list?")),
    ],
    ids=["own words", "left alone", "help", "stranger"],
)
async def test_the_feed_says_who_replied_about_what_and_what_to_look_at(
    house: House, sit: Sit, size: tuple[int, int], number: str, words: str, told: tuple[str, str, str]
) -> None:
    await house.hire(2)
    await house.give_provider()
    sent = await house.post("Unit move")
    await house.hear(number, words)
    word, who, look = told
    async with sit(size) as desk:
        line = desk.line_with(word)
        assert who in line
        place = desk.lines.index(line)
        shown = "\n".join(desk.lines[place : place + 2])
        assert look in shown
        assert (f"{sent.code}: {look}" in shown) == (who == "Ada Ferreira")


async def test_in_a_narrow_feed_what_to_look_at_goes_on_in_the_next_line(house: House, sit: Sit) -> None:
    await house.hire(2)
    await house.give_provider()
    sent = await house.post("Unit move")
    await house.hear("+447700900000", "which gate?")
    async with sit((160, 40)) as desk:
        place = desk.lines.index(desk.line_with("WROTE"))
        assert desk.lines[place + 1].rstrip().endswith(f"{sent.code}: in their own words,")
        assert desk.lines[place + 2].rstrip().endswith("    read it there")


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])
async def test_a_reply_from_a_number_two_people_share_is_told_as_nobodys(
    house: House, sit: Sit, size: tuple[int, int]
) -> None:
    await crew_service.import_crew(house.office, COORDINATOR, "crew.csv", SHARED.encode())
    await house.give_provider()
    sent = await house.post("Unit move")
    await house.hear("+447700900001", "1")
    async with sit(size) as desk:
        assert "a shared number" in desk.line_with("WHO WROTE?")
        desk.line_with(f"{sent.code}: two people have it, ask both")


async def test_the_words_of_a_reply_are_read_on_the_screen_of_its_message(house: House, sit: Sit) -> None:
    await house.hire(2)
    await house.give_provider()
    await house.post("Unit move")
    await house.hear("+447700900000", "which gate?")
    async with sit(LARGE) as desk:
        await desk.press("enter", *["down"] * 4)
        desk.line_with("What happened to Ada Ferreira")
        desk.line_with("“which gate?”")


async def test_the_statistics_count_texts_failures_and_replies(house: House, sit: Sit) -> None:
    await house.hire(10)
    await house.give_provider()
    sent = await house.post("Unit move")
    names = list(await house.names(sent.code))
    await house.tell(sent.code, Fact.DELIVERED, names[:6])
    error = ProviderError("30005", "The number does not exist.", "Ask for a new one.", bad_address=True)
    await house.tell(sent.code, Fact.FAILED, names[6:8], error)
    await house.answer(sent, names[0])
    async with sit() as desk:
        line = desk.line_with("Texts today")
        assert "10 planned" in line
        assert "6 delivered (60%)" in line
        assert "2 failed" in line
        assert "Replies · 1" in desk.line_with("Replies")


@SIZES
async def test_r_shows_what_it_will_do_to_how_many_and_u_undoes_it(
    house: House, sit: Sit, size: tuple[int, int]
) -> None:
    await house.hire(10)
    await house.give_provider()
    await house.post("Unit move")
    async with sit(size) as desk:
        assert "r Remind 10" in desk.footer
        await desk.press("r")
        line = desk.line_with("Reminding 10 people")
        assert "in 3 s" in line
        assert "u undo" in line
        house.clock.advance(1)
        await desk.settle()
        assert "in 2 s" in desk.line_with("Reminding 10 people")
        await desk.press("u")
        assert "Reminding" not in desk.text
        assert desk.app.said[-1].startswith("Undone. 10 people are not reminded of")
    assert (await summary(house, "Unit move")).last_reminder_at is None


async def test_the_hold_bar_says_apart_who_cannot_be_reached(house: House, sit: Sit) -> None:
    await house.hire(10)
    await house.give_provider()
    sent = await house.post("Unit move")
    error = ProviderError("30005", "The number does not exist.", "Ask for a new one.", bad_address=True)
    await house.tell(sent.code, Fact.FAILED, list(await house.names(sent.code))[:2], error)
    async with sit() as desk:
        await desk.press("r")
        line = desk.line_with("Reminding 8 people")
        assert f"of {sent.code} in 3 s · 2 cannot be reached · u undo" in line
        assert "━━━━" in line


async def test_texts_in_their_undo_window_are_not_nothing(house: House, sit: Sit) -> None:
    await house.hire(5)
    await house.give_provider()
    await house.write("Unit move")
    async with sit() as desk:
        desk.line_with("5 in their undo window")
        assert "nothing waits" not in desk.text


async def test_the_age_of_a_message_goes_on(house: House, sit: Sit) -> None:
    await house.hire(3)
    await house.give_provider()
    await house.post("Unit move")
    async with sit() as desk:
        assert desk.row_with("Unit move").rstrip().endswith(" 6s")
        house.clock.advance(20)
        await desk.settle()
        assert desk.row_with("Unit move").rstrip().endswith(" 26s")


async def test_the_hold_bar_goes_when_the_window_is_over(house: House, sit: Sit) -> None:
    await house.hire(3)
    await house.give_provider()
    await house.post("Unit move")
    async with sit() as desk:
        await desk.press("r")
        house.clock.advance(4)
        await desk.settle()
        assert "Reminding" not in desk.text
        await desk.press("u")
        assert desk.app.said[-1].startswith("Nothing can be undone")


async def test_a_second_r_says_why_it_is_off_and_how_long(house: House, sit: Sit) -> None:
    await house.hire(3)
    await house.give_provider()
    await house.post("Unit move")
    async with sit() as desk:
        await desk.press("r")
        house.clock.advance(40)
        await desk.press("r")
        assert "A reminder was sent" in desk.app.said[-1]
        assert f"Wait {GUARD_S - 40} s." in desk.app.said[-1]
        assert "(r Remind" in desk.footer


async def test_r_is_off_while_the_message_waits_in_its_own_undo_window(house: House, sit: Sit) -> None:
    await house.hire(3)
    await house.give_provider()
    await house.write("Unit move")
    async with sit() as desk:
        desk.line_with("Sending")
        desk.line_with("not sent yet")
        await desk.press("r")
        assert desk.app.said[-1].startswith("The message has not gone out yet.")
        desk.line_with("Not sent yet.")
        await desk.press("u")
        desk.line_with("Called off: we are after nobody.")
        assert "On its way" not in desk.text
    assert (await summary(house, "Unit move")).status.value == "cancelled"


async def test_r_on_marked_people_reminds_only_those(house: House, sit: Sit) -> None:
    await house.hire(10)
    await house.give_provider()
    await house.post("Unit move")
    async with sit() as desk:
        await desk.press("tab", "space", "space")
        assert "r Remind 2 marked" in desk.footer
        await desk.press("r")
        desk.line_with("Reminding 2 people")
        assert "marked" not in desk.footer


async def test_the_key_the_bar_and_the_step_say_the_same_number(house: House, sit: Sit) -> None:
    """Two are not among them: one number is dead, another wants no more texts."""
    await house.hire(10)
    await house.give_provider()
    sent = await house.post("Unit move")
    names = list(await house.names(sent.code))
    dead = ProviderError("30005", "The number does not exist.", "Ask for the new one.", bad_address=True)
    await house.tell(sent.code, Fact.FAILED, names[:1], dead)
    stop = ProviderError("21610", "They opted out.", "Reach them another way.", opted_out=True)
    await house.tell(sent.code, Fact.OPTED_OUT, names[1:2], stop)
    async with sit() as desk:
        assert "Not read 10" in desk.text
        assert "r Remind 8" in desk.footer
        await desk.press("r")
        assert "8 people" in desk.line_with("Reminding 8 people")
    open_step = (await summary(house, "Unit move")).open_step
    assert open_step is not None
    assert (open_step.people, open_step.unreachable) == (8, 2)


async def test_where_too_many_would_be_looked_at_the_key_says_no_number(
    house: House, sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chasing, "COUNTED_AT_MOST", 9)
    await house.hire(10)
    await house.give_provider()
    await house.post("Unit move")
    async with sit() as desk:
        assert "r Remind" in desk.footer
        assert "Remind 1" not in desk.footer
        await desk.press("r")
        desk.line_with("Reminding 10 people")


async def test_the_list_and_its_message_are_of_one_moment(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody reads it between the reading of the figures and that of the list."""
    await house.hire(10)
    await house.give_provider()
    sent = await house.post("Unit move")
    names = list(await house.names(sent.code))
    look = standings.standings

    async def late(*about: Any, **more: Any) -> Any:
        await house.tell(sent.code, Fact.READ, names[:1])
        return await look(*about, **more)

    view = CenterView()
    with monkeypatch.context() as patch:
        patch.setattr(standings, "standings", late)
        await read_center(house.office, view)
    assert view.message is not None
    assert (view.message.non_readers, len(view.people)) == (10, 10)
    await read_center(house.office, view)
    assert view.message is not None
    assert (view.message.non_readers, len(view.people)) == (9, 9)


async def test_marks_do_not_follow_to_another_message(house: House, sit: Sit) -> None:
    await house.hire(5)
    await house.give_provider()
    await house.post("Parking map")
    await house.post("Unit move")
    async with sit() as desk:
        await desk.press("tab", "space", "shift+tab", "down")
        assert "r Remind 5" in desk.footer


async def test_a_live_re_sort_cannot_retarget_a_key(house: House, sit: Sit) -> None:
    await house.hire(6)
    await house.give_provider()
    await house.post("Parking map")
    house.clock.advance(60)
    await house.post("Unit move")
    async with sit() as desk:
        await desk.press("down")
        place = desk.lines.index(desk.row_with("Parking map"))
        house.clock.advance(60)
        await house.post("Lunch pushed")
        await desk.settle()
        assert desk.lines.index(desk.row_with("Parking map")) == place + 1
        assert desk.row_with("Parking map").startswith("▸")
        await desk.press("r")
    assert (await summary(house, "Parking map")).last_reminder_at is not None
    assert (await summary(house, "Unit move")).last_reminder_at is None
    assert (await summary(house, "Lunch pushed")).last_reminder_at is None


async def test_a_key_acts_on_the_row_under_the_cursor_even_before_its_people_are_read(
    house: House, sit: Sit
) -> None:
    await house.hire(4)
    await house.give_provider()
    await house.post("Parking map")
    house.clock.advance(60)
    await house.post("Unit move")
    async with sit() as desk:
        await desk.pilot.press("down", "r")
        await desk.settle()
    assert (await summary(house, "Parking map")).last_reminder_at is not None
    assert (await summary(house, "Unit move")).last_reminder_at is None


async def test_the_filter_counts_and_survives_new_rows_and_esc_clears_it(house: House, sit: Sit) -> None:
    await house.hire(143)
    await house.give_provider()
    sent = await house.post("Unit move")
    async with sit() as desk:
        cameras = [one.name for one in desk.app.view.people.values() if one.department == "Camera"]
        await desk.press("tab", "slash", "“camera")
        desk.line_with(f"{len(cameras)} of 143")
        await house.answer(sent, cameras[0])
        await desk.settle()
        desk.line_with(f"{len(cameras) - 1} of 142")
        await desk.press("enter")
        await house.answer(sent, cameras[1])
        await desk.settle()
        assert f"Not read {len(cameras) - 2} of 141" in desk.text
        await desk.press("escape")
        assert "Not read 141 " in desk.line_with("Not read 141")


async def test_while_a_filter_is_typed_only_its_own_keys_are_offered(house: House, sit: Sit) -> None:
    await house.hire(30)
    await house.give_provider()
    await house.post("Unit move")
    async with sit() as desk:
        await desk.press("tab", "slash", "“nq")
        assert desk.footer.split() == ["enter", "Keep", "esc", "Clear"]
        assert len(desk.app.screen_stack) == 1
        await desk.pilot.click("#keys", offset=(2, 0))
        await desk.settle()
        assert "q Quit" in desk.footer
        assert "Not read 0 of 30" in desk.text
        await desk.press("slash")
        await desk.pilot.click("#keys", offset=(15, 0))
        await desk.settle()
        assert "Not read 30 " in desk.text


async def test_a_filter_that_fits_nothing_says_so(house: House, sit: Sit) -> None:
    await house.hire(3)
    await house.give_provider()
    await house.post("Unit move")
    async with sit() as desk:
        await desk.press("tab", "slash", "“zz")
        desk.line_with("Nothing fits “zz”. Esc clears the filter.")


async def test_s_sorts_the_list_that_has_the_cursor(house: House, sit: Sit) -> None:
    await house.hire(30)
    await house.give_provider()
    await house.post("Unit move")
    async with sit() as desk:
        await desk.press("tab", "s")
        people = list(desk.app.view.sorted_people())
        assert [one.name for one in people] == sorted((one.name for one in people), key=str.casefold)
        assert "sorted by name" in desk.line_with("Not read 30")


async def test_names_are_never_markup(house: House, sit: Sit) -> None:
    await house.hire(2, first=["Ada [b]Lund[/b]", "[red]Jon"])
    await house.give_provider()
    await house.post("[b]Unit[/b] move [link]")
    async with sit(LARGE) as desk:
        desk.line_with("Ada [b]Lund[/b]")
        desk.line_with("[red]Jon")
        desk.line_with("[b]Unit[/b] move [link]")
        await desk.press("enter", "tab")
        desk.line_with("Ada [b]Lund[/b]")


@pytest.mark.parametrize("size", [(59, 24), (80, 15), (20, 5)], ids=["narrow", "low", "tiny"])
async def test_a_terminal_that_is_too_small_says_so_with_the_number_that_matters(
    house: House, sit: Sit, size: tuple[int, int]
) -> None:
    await house.hire(5)
    await house.give_provider()
    await house.post("Unit move", Priority.URGENT)
    async with sit(size) as desk:
        assert desk.lines[0].startswith("!! 5 unread URGENT")
        assert "needs 60x16" in " ".join("".join(f"{line.strip()} " for line in desk.lines).split())
        assert "Unit move" not in desk.text


@pytest.mark.parametrize("size", [(60, 16), (100, 20), (160, 18)], ids=["60x16", "100x20", "160x18"])
async def test_a_small_terminal_still_shows_who_has_not_read_and_how_many(
    house: House, sit: Sit, size: tuple[int, int]
) -> None:
    await house.hire(20)
    await house.give_provider()
    for number in range(6):
        await house.post(f"Message {number}", Priority.INFO)
    async with sit(size, banner="Another Callboard sends from this database. Use that one.") as desk:
        await desk.press("r")
        desk.line_with("Reminding 20 people")
        desk.line_with("Not read  Age")
        rows = [line for line in desk.lines if "Message " in line and "%" in line]
        assert len(rows) >= 2
        assert all(re.search(r"% +20 +\dm", row) for row in rows)
        assert sum("Ferreira" in line or "Okafor" in line for line in desk.lines) >= 3
        await desk.press("tab", *["down"] * 7)
        assert sum(line.count("▸") for line in desk.lines) == 2, "the cursor is where it can be seen"


async def test_a_terminal_too_small_to_show_what_a_key_does_takes_only_those_that_leave(
    house: House, sit: Sit
) -> None:
    await house.hire(5)
    await house.give_provider()
    await house.post("Unit move")
    async with sit((40, 10)) as desk:
        await desk.press("r", "n")
        assert len(desk.app.screen_stack) == 1
        await desk.pilot.press("q")
        await desk.app.workers.wait_for_complete()
        assert desk.app.leaving
    assert (await summary(house, "Unit move")).last_reminder_at is None


async def test_80x24_shows_five_rows_of_each_list_even_with_a_banner_and_a_hold_bar(
    house: House, sit: Sit
) -> None:
    await house.hire(20)
    await house.give_provider()
    for number in range(6):
        await house.post(f"Message {number}", Priority.INFO)
    banner = (
        "Another Callboard is sending from this database already (serve, process 4242). Use that one; this one "
        "shows everything and sends nothing."
    )
    async with sit(banner=banner) as desk:
        await desk.press("r")
        desk.line_with("Another Callboard")
        desk.line_with("shows everything and sends nothing.")
        desk.line_with("Reminding")
        assert sum("Message " in line and "%" in line for line in desk.lines) >= 5
        assert sum("text" in line and "carrier" in line for line in desk.lines) >= 5


async def test_read_only_says_so_and_sends_nothing(house: House, sit: Sit) -> None:
    await house.hire(3)
    await house.give_provider()
    await house.post("Unit move")
    async with sit(read_only=True) as desk:
        assert "READ-ONLY" in desk.lines[0]
        await desk.press("r", "n")
        assert all(sentence.startswith("This screen is read-only.") for sentence in desk.app.said)
        assert len(desk.app.said) == 2
    assert (await summary(house, "Unit move")).last_reminder_at is None


async def test_the_head_names_production_time_demo_and_who_has_not_read(house: House, sit: Sit) -> None:
    await house.hire(7)
    await house.give_provider(segments_per_second=30)
    await house.post("Unit move")
    async with sit(demo=True) as desk:
        head = desk.lines[0]
        for words in ("NIGHTFALL S2", "22:42", "DEMO", "30 segments/s", "sending", "!! 7 unread URGENT"):
            assert words in head


async def test_it_says_when_nothing_is_sending(tmp_path: Path) -> None:
    from tests.tui.conftest import Desk, ListeningApp
    from tests.tui.house import COORDINATOR

    folder = tmp_path / "idle"
    async with open_house(folder, dispatching=False) as house:
        await house.hire(2)
        await house.give_provider()
        await house.post("Unit move")
        app = ListeningApp(house.office, COORDINATOR)
        async with app.run_test(size=SMALL) as pilot:
            desk = Desk(app, pilot)
            await desk.settle()
            assert "NOTHING IS SENDING" in desk.lines[0]
            await desk.press("r")
            assert "callboard serve" in app.said[-1]


async def test_without_colour_the_cursor_priorities_and_states_are_still_told_apart(
    house: House, sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    await house.hire(3)
    await house.give_provider()
    await house.post("Unit move", Priority.URGENT)
    async with sit() as desk:
        assert desk.app.no_color
        row = desk.row_with("Unit move")
        assert row.startswith("▸")
        assert "!!" in row
        assert "(u Undo)" in desk.footer


async def test_a_database_that_cannot_be_read_is_told_on_a_banner_until_it_can(
    house: House, sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.hire(3)
    async with sit() as desk:

        async def broken(*_: object, **__: object) -> None:
            raise RuntimeError("no disk")

        with monkeypatch.context() as patch:
            patch.setattr(watching, "center", broken)
            await desk.settle()
            desk.line_with("What you see is old.")
        await desk.settle()
        assert "What you see is old." not in desk.text


async def test_a_database_that_takes_no_writes_is_told_on_a_banner_for_as_long_as_it_lasts(
    house: House, sit: Sit
) -> None:
    await house.hire(3)
    since: list[int] = []
    house.office = replace(
        house.office, trouble=lambda: not_stored(since[0], "Europe/London") if since else None
    )
    async with sit(banner="Another Callboard sends from this database. Use that one.") as desk:
        assert "Nothing has been stored" not in desk.text
        since.append(house.clock.now_ms())
        house.clock.advance(180)
        await desk.settle()
        desk.line_with("! Nothing has been stored since 22:42: the disk is full")
        desk.line_with("Make room or end it, and leave Callboard open. (1 more)")
        since.clear()
        await desk.settle()
        assert "Nothing has been stored" not in desk.text
        assert desk.lines[1].strip() == "! Another Callboard sends from this database. Use that one."


async def test_an_action_that_fails_is_a_sentence_and_the_screen_stays(
    house: House, sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.hire(3)
    await house.give_provider()
    await house.post("Unit move")
    async with sit() as desk:

        async def broken(*_: object, **__: object) -> None:
            raise RuntimeError("a bug")

        monkeypatch.setattr("app.services.chasing.remind", broken)
        await desk.press("r")
        assert desk.app.said[-1].startswith("That did not work")
        desk.row_with("Unit move")


async def test_the_palette_offers_what_can_be_done_now_and_does_it(house: House, sit: Sit) -> None:
    await house.hire(3)
    await house.give_provider()
    await house.post("Unit move")
    async with sit() as desk:
        await desk.press("colon")
        desk.line_with("Remind 3")
        assert "Undo  (u)" not in desk.text
        await desk.press("“remind", "enter")
        desk.line_with("Reminding 3 people")


async def test_help_lists_every_action_and_why_one_is_off(sit: Sit) -> None:
    async with sit(LARGE) as desk:
        await desk.press("question_mark")
        for action in CENTER_ACTIONS:
            assert action.shown in desk.line_with(action.tooltip)
        desk.line_with("Off now: There is no message here yet.")
        await desk.press("escape")
        assert "Keys of this screen" not in desk.text


async def test_the_buckets_of_a_message_add_up_to_its_people(house: House, sit: Sit) -> None:
    await house.hire(12)
    await house.give_provider()
    sent = await house.post("Unit move")
    names = list(await house.names(sent.code))
    await house.tell(sent.code, Fact.DELIVERED, names[:9])
    for name in names[:4]:
        await house.answer(sent, name)
    async with sit(LARGE) as desk:
        await desk.press("enter")
        counts = {
            str(row.key): int(row.cells[1].text.replace(",", ""))
            for row in desk.app.screen.query_one("#buckets").rows
        }
        assert counts["non_reader"] == 8
        assert sum(counts[bucket.value] for bucket in Bucket) == 12
        assert counts["confirmed"] == 4


async def test_a_message_names_the_channels_it_really_goes_out_on(house: House, sit: Sit) -> None:
    await house.hire(4)
    await house.give_provider()
    await house.write("Unit move", channels=tuple(Channel))
    async with sit((160, 40)) as desk:
        await desk.press("enter")
        assert " by " not in desk.lines[1]
        house.clock.advance(6)
        await house.let_out()
        await desk.settle()
        assert "· by text ·" in desk.lines[1]


async def test_a_message_shows_who_stands_in_a_bucket_and_what_happened_to_one_of_them(
    house: House, sit: Sit
) -> None:
    await house.hire(4)
    await house.give_provider()
    sent = await house.post("Unit move")
    names = list(await house.names(sent.code))
    await house.tell(sent.code, Fact.DELIVERED, names)
    await house.answer(sent, names[2])
    async with sit(LARGE) as desk:
        await desk.press("enter")
        assert "Not read 3" in desk.text
        await desk.press("down", "down", "down")
        assert "Confirmed 1" in desk.text
        desk.line_with(f"What happened to {names[2]}")
        desk.line_with("answered")
        await desk.press("escape")
        desk.line_with("What happens")
