"""Segments, routes, pages: the small pure parts of the carrier."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rehearsal.browsing import Page, link_in, read_page
from app.rehearsal.routes import OutsideError, local_url, public_host
from app.rehearsal.segments import BASIC, EXTENSION, segments_of

PUBLIC = "https://nightfall.callboard.example"
HERE = "http://127.0.0.1:4711"


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        pytest.param("", 1, id="nothing"),
        pytest.param("x" * 160, 1, id="one full segment"),
        pytest.param("x" * 161, 2, id="one more"),
        pytest.param("x" * 306, 2, id="two full segments"),
        pytest.param("x" * 307, 3, id="one more than two"),
        pytest.param("’" + "x" * 69, 1, id="a curly apostrophe leaves 70"),
        pytest.param("’" + "x" * 70, 2, id="and not 71"),
        pytest.param("’" + "x" * 133, 2, id="two of 67"),
        pytest.param("’" + "x" * 134, 3, id="three of 67"),
        pytest.param("€" * 80, 1, id="an extension character counts twice"),
        pytest.param("€" * 153, 3, id="and is not split: 76 in each"),
        pytest.param("👍" * 35, 1, id="an emoji is two units"),
        pytest.param("👍" * 67, 3, id="and is not split: 33 in each"),
    ],
)
def test_segments_are_counted_as_they_are_billed(text: str, segments: int) -> None:
    assert segments_of(text) == segments


def test_the_alphabet_is_the_standards() -> None:
    assert len(BASIC) == 127  # 128 places, one of them the escape to the extension
    assert len(EXTENSION) == 10
    assert not BASIC & EXTENSION


@settings(max_examples=100)
@given(st.text(max_size=600), st.text(max_size=50))
def test_more_text_never_takes_fewer_segments(text: str, more: str) -> None:
    assert segments_of(text) <= segments_of(text + more)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        (f"{PUBLIC}/m/abc", f"{HERE}/m/abc"),
        (f"{PUBLIC}/hooks/main?r=a%2Fb&x=&y=%20", f"{HERE}/hooks/main?r=a%2Fb&x=&y=%20"),
        (f"{PUBLIC}", f"{HERE}/"),
        (f"{PUBLIC}/m/a%2Fb//c", f"{HERE}/m/a%2Fb//c"),
        ("http://127.0.0.1:99/x", "http://127.0.0.1:99/x"),
        ("http://localhost:99/x", "http://localhost:99/x"),
        ("http://[::1]:99/x", "http://[::1]:99/x"),
        ("http://127.9.9.9/x", "http://127.9.9.9/x"),
    ],
)
def test_public_addresses_lead_to_this_machine(url: str, local: str) -> None:
    assert local_url(url, {PUBLIC: HERE}) == local


@pytest.mark.parametrize(
    "url",
    [
        "https://api.twilio.com/x",
        "https://example.com/m/abc",
        f"{PUBLIC}:8443/m/abc",
        "http://nightfall.callboard.example/m/abc",
        f"{PUBLIC}.evil.example/m/abc",
        "https://127.0.0.1.evil.example/",
        "http://user@10.0.0.1/",
        "http://127.0.0.1@evil.example/",
        "http://192.168.1.10/x",
        "http://0.0.0.0/x",
        "http://2130706433/x",
        "file:///etc/hosts",
        "ftp://127.0.0.1/x",
        "//127.0.0.1/x",
        "nonsense",
        "",
    ],
)
def test_nothing_outside_this_machine_is_ever_contacted(url: str) -> None:
    with pytest.raises(OutsideError):
        local_url(url, {PUBLIC: HERE})


def test_a_route_that_leads_outside_is_refused() -> None:
    with pytest.raises(OutsideError):
        local_url(f"{PUBLIC}/m/abc", {PUBLIC: "http://10.0.0.7:80"})


def test_the_public_name_travels_along() -> None:
    assert public_host(f"{PUBLIC}:8443/m/abc") == "nightfall.callboard.example:8443"


@pytest.mark.parametrize(
    ("text", "link"),
    [
        (f"Moved. {PUBLIC}/m/0123456789abcDEF", f"{PUBLIC}/m/0123456789abcDEF"),
        (f"Moved: {PUBLIC}/m/0123456789abcDEF. Reply STOP to opt out.", f"{PUBLIC}/m/0123456789abcDEF"),
        (f"{PUBLIC}/m/0123456789abcDEFx", None),
        (f"{PUBLIC}/m/short", None),
        (f"{PUBLIC}/x/0123456789abcDEF", None),
        ("Reply 1 to confirm.", None),
    ],
)
def test_the_link_of_a_text_is_found(text: str, link: str | None) -> None:
    assert link_in(text) == link


def test_a_page_is_read_as_a_thumb_sees_it() -> None:
    html = """<!DOCTYPE html><html><body class="call" data-seen="/m/t/seen">
      <form action="/find"><button name="option" value="0">not this one</button></form>
      <button name="option" value="8">outside</button>
      <form method=POST action="answer?x=1&amp;y=2"><input type=hidden name=v value=3>
      <label><input type="radio" name="person" value="17">Ada &amp; co</label><input type=radio name=person value=18>
      <input type="radio" name="colour" value="red"><input name="note">
      <button name=option value=1>Yes</button><button name="other" value="7">x</button>
      <button name="option" value="2">No</button></form></body></html>"""
    assert read_page(f"{PUBLIC}/m/t", html) == Page(
        f"{PUBLIC}/m/t/seen",
        f"{PUBLIC}/m/answer?x=1&y=2",
        ("1", "2"),
        ("17", "18"),
        {"v": "3"},
    )


@pytest.mark.parametrize(
    "html", ["", "<p>Gone", "<form method=post><button name=option value=1>", "<<<>>>&&#x;"]
)
def test_a_page_without_an_answer_form_has_nothing_to_press(html: str) -> None:
    page = read_page(f"{PUBLIC}/m/t", html)
    assert page.seen is None
    assert page.action is None
