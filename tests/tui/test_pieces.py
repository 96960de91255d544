"""The pieces the screens are made of: widths, bars, words, the registry, and a table that keeps its place."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult

from app.tui.actions import CENTER_ACTIONS, COMPOSE_ACTIONS, MESSAGE_ACTIONS, REVIEW_ACTIONS
from app.tui.app import stylesheet
from app.tui.board_rows import MESSAGE_COLUMNS, PEOPLE_COLUMNS
from app.tui.view_models import Pace
from widgets.bars import Bar, bar_text, percent
from widgets.cells import fitted, folded, one_line
from widgets.columns import Column, widths
from widgets.glyphs import ASCII, UNICODE, glyphs_for
from widgets.hold_bar import Hold
from widgets.virtual_table import Row, VirtualTable

TABLES = {
    "center": CENTER_ACTIONS,
    "message": MESSAGE_ACTIONS,
    "compose": COMPOSE_ACTIONS,
    "review": REVIEW_ACTIONS,
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_no_two_actions_of_a_screen_share_an_id_or_a_key(table: tuple) -> None:
    keys = [key for action in table for key in action.keys.split(",")]
    assert len(set(keys)) == len(keys)
    assert len({action.id for action in table}) == len(table)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_action_says_what_it_does_in_a_sentence(table: tuple) -> None:
    assert all(action.tooltip.endswith(".") for action in table)


@given(st.integers(0, 10_000), st.integers(1, 10_000), st.integers(1, 60))
def test_a_bar_is_full_only_when_all_is_done_and_empty_only_when_nothing_is(
    done: int, of: int, width: int
) -> None:
    done = min(done, of)
    bar = bar_text(done, of, width, UNICODE)
    assert len(bar) == width
    assert (UNICODE.full not in bar) == (done == 0)
    if width > 1:
        assert (UNICODE.empty not in bar) == (done == of)
    assert (percent(done, of) == 100) == (done == of)


def test_a_share_of_nobody_is_no_number() -> None:
    assert "%" not in Bar(0, 0).drawn(12, UNICODE).text


@given(st.text(max_size=40), st.integers(0, 30), st.booleans())
def test_a_fitted_text_takes_exactly_its_columns_and_one_line(text: str, width: int, right: bool) -> None:
    found = fitted(text, width, UNICODE, right=right)
    assert cell_len(found) == width
    assert "\n" not in found


@given(st.text(max_size=120), st.integers(1, 30), st.integers(1, 3))
def test_a_folded_text_keeps_to_its_lines_and_columns_and_says_when_it_is_cut(
    text: str, width: int, most: int
) -> None:
    lines = folded(text, width, most, UNICODE)
    assert 1 <= len(lines) <= most
    assert all(cell_len(line) <= width for line in lines)
    whole = " ".join(one_line(text).split())
    assert " ".join(lines) == whole or any(line.endswith(UNICODE.more) for line in lines)


columns = st.lists(
    st.builds(
        Column,
        title=st.just("x"),
        width=st.integers(1, 20),
        grow=st.integers(0, 3),
        drop=st.integers(0, 5),
        most=st.sampled_from([0, 25]),
        least=st.sampled_from([0, 1]),
    ),
    min_size=1,
    max_size=8,
)


@given(columns, st.integers(0, 200))
@example([Column("x", 1, grow=grow) for grow in (1, 1, 1, 3)], 12)
def test_columns_never_take_more_than_there_is_once_those_that_may_go_are_gone(
    some: list[Column], room: int
) -> None:
    found = widths(some, room)
    taken = sum(width + 1 for width in found if width)
    must = sum((column.least or column.width) + 1 for column in some if not column.drop)
    assert taken <= max(room, must)
    for column, width in zip(some, found, strict=True):
        assert width >= (column.least or column.width) or (width == 0 and column.drop)


@pytest.mark.parametrize(
    ("columns", "room"), [(MESSAGE_COLUMNS, 56), (PEOPLE_COLUMNS, 30)], ids=["60", "60 apart"]
)
def test_the_lists_fit_into_the_smallest_terminal(columns: tuple[Column, ...], room: int) -> None:
    found = widths(columns, room)
    assert sum(width + 1 for width in found if width) <= room


def test_where_room_is_short_the_bars_give_way_before_the_subject() -> None:
    found = widths(MESSAGE_COLUMNS, 53)
    by_title = dict(zip((column.title for column in MESSAGE_COLUMNS), found, strict=True))
    assert by_title["Message"] >= 16
    assert (by_title["Delivered"], by_title["Read"]) == (9, 8)


@pytest.mark.parametrize("table", [MESSAGE_COLUMNS, PEOPLE_COLUMNS], ids=["messages", "people"])
def test_the_lists_of_the_center_fit_into_80_columns_without_their_name_going(
    table: tuple[Column, ...],
) -> None:
    found = widths(table, 80 - 3)
    assert sum(width + 1 for width in found if width) <= 77
    assert all(width for column, width in zip(table, found, strict=True) if not column.drop)


@pytest.mark.parametrize(
    ("encoding", "glyphs"),
    [("utf-8", UNICODE), ("ascii", ASCII), ("latin-1", ASCII), (None, ASCII), ("no-such", ASCII)],
)
def test_a_terminal_without_box_glyphs_gets_plain_characters(encoding: str | None, glyphs: object) -> None:
    assert glyphs_for(encoding) == glyphs


def test_plain_characters_are_plain() -> None:
    assert "".join(
        (ASCII.full, ASCII.empty, ASCII.rule, ASCII.cursor, ASCII.mark, ASCII.dot, ASCII.more)
    ).isascii()


@pytest.mark.parametrize(
    ("left_ms", "seconds"), [(3000, 3), (2999, 3), (2001, 3), (2000, 2), (1, 1), (0, 0), (-5, 0)]
)
def test_the_hold_bar_reads_one_until_the_last_moment(left_ms: int, seconds: int) -> None:
    assert Hold("Reminding 37 people", left_ms, 3000).seconds == seconds


def test_the_pace_is_that_of_the_last_five_seconds() -> None:
    pace = Pace()
    for second in range(20):
        pace.note(second * 1000, 0 if second < 10 else (second - 10) * 30)
    assert pace.per_second() == 30


def test_the_pace_is_nothing_while_nothing_is_known() -> None:
    pace = Pace()
    assert pace.per_second() == 0
    pace.note(1000, 5)
    assert pace.per_second() == 0


def test_all_style_sheets_are_found_in_the_package() -> None:
    assert "CenterScreen" in stylesheet()


class TableApp(App[None]):
    def compose(self) -> ComposeResult:
        yield VirtualTable([Column("Name", 10, grow=1)], id="table")


def rows(*names: str) -> list[Row]:
    return [Row(name, (name,), name) for name in names]


async def test_the_cursor_stays_on_its_key_whatever_order_the_rows_come_in() -> None:
    app = TableApp()
    async with app.run_test(size=(40, 6)) as pilot:
        table = app.query_one(VirtualTable)
        table.set_rows(rows(*"abcdefghij"))
        table.focus()
        await pilot.press(*["down"] * 6)
        assert table.cursor_key == "g"
        before = table.scroll_offset.y
        assert before > 0
        table.set_rows(rows("x", "y", *"abcdefghij"))
        await pilot.pause()
        assert table.cursor_key == "g"
        assert table.scroll_offset.y == before + 2
        table.set_rows(rows(*"gabcdefhij"))
        await pilot.pause()
        assert table.cursor_key == "g"
        assert table.scroll_offset.y == 0


async def test_a_row_that_goes_leaves_the_cursor_at_its_place() -> None:
    app = TableApp()
    async with app.run_test(size=(40, 8)) as pilot:
        table = app.query_one(VirtualTable)
        table.set_rows(rows(*"abc"))
        table.move_to("b")
        table.set_rows(rows(*"ac"))
        assert table.cursor_key == "c"
        table.set_rows([])
        assert table.cursor_key is None
        await pilot.pause()


async def test_marks_belong_to_keys_and_go_with_their_rows() -> None:
    app = TableApp()
    async with app.run_test(size=(40, 8)) as pilot:
        table = app.query_one(VirtualTable)
        table.set_rows(rows(*"abc"))
        table.toggle_mark("a")
        table.toggle_mark("b")
        table.set_rows(rows(*"cb"))
        assert table.marks == {"b"}
        await pilot.pause()


async def test_only_lines_that_changed_are_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    app = TableApp()
    async with app.run_test(size=(40, 30)) as pilot:
        table = app.query_one(VirtualTable)
        table.set_rows([Row(key, (f"{key}",), "") for key in range(500)])
        await pilot.pause()
        drawn: list[object] = []
        draw = table._row
        monkeypatch.setattr(table, "_row", lambda row, *rest: drawn.append(row.key) or draw(row, *rest))
        table.set_rows([Row(key, (f"{key}!" if key in (3, 400) else f"{key}",), "") for key in range(500)])
        await pilot.pause()
        assert drawn == [3]
