"""E-mail addresses as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.email_address import EmailProblem, emails_in, parse_email, same_mailbox

READ = [
    ("jane@example.com", "jane@example.com"),
    ("  Jane.Doe@EXAMPLE.Com ", "Jane.Doe@example.com"),
    ("mailto:jane@example.com?subject=call", "jane@example.com"),
    ("Jane Doe <jane@example.com>", "jane@example.com"),
    ("Jane Doe <jane@example.com>,", "jane@example.com"),
    ("<jane@example.com>", "jane@example.com"),
    ("jane@example.com;", "jane@example.com"),
    ("jane@example.com.", "jane@example.com"),
    ("\u200bjane@example.com\u00a0", "jane@example.com"),
    ("jane@set.test", "jane@set.test"),
    ("jane+nightfall@mail.example.org", "jane+nightfall@mail.example.org"),
    ("jane@münchen.example.de", "jane@xn--mnchen-3ya.example.de"),
]


@pytest.mark.parametrize(("written", "address"), READ, ids=[one[0] for one in READ])
def test_an_address_is_read_however_it_is_written(written: str, address: str) -> None:
    assert parse_email(written) == address


REFUSED = [
    ("", "the @ is missing"),
    ("jane", "the @ is missing"),
    ("626 555 0162", "the @ is missing"),
    ("jane@@example.com", "more than one @"),
    ("jane doe@example.com", "a space"),
    ("@example.com", "before the @"),
    ("jane@", "after the @"),
    ("jane@example", "no dot"),
    ("jane@example..com", "two dots"),
    ("josé@example.com", "plain letters"),
    ("jane@exa_mple.com", "mail server"),
    ("x" * 65 + "@example.com", "mail server"),
    ("x" * 600 + "@example.com", "too long"),
]


@pytest.mark.parametrize(("written", "word"), REFUSED, ids=[one[0][:20] for one in REFUSED])
def test_what_is_no_address_is_refused_in_one_sentence(written: str, word: str) -> None:
    problem = parse_email(written)
    assert isinstance(problem, EmailProblem)
    assert word in problem.why


def test_a_cell_may_hold_several_addresses() -> None:
    assert emails_in("a@example.com; b@example.com") == ("a@example.com", "b@example.com")
    good, bad = emails_in("a@example.com, b@@example.com")
    assert good == "a@example.com"
    assert isinstance(bad, EmailProblem)


def test_case_does_not_make_a_second_mailbox() -> None:
    assert same_mailbox("Jane@example.com") == same_mailbox("jane@example.com")


@given(st.text(max_size=80) | st.text("ab@.<>;, mailto:", max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_text_is_an_address_or_a_problem_and_an_address_reads_as_itself(text: str) -> None:
    for one in emails_in(text):
        if isinstance(one, str):
            assert parse_email(one) == one
        else:
            assert one.why.endswith(".")
