"""The log tells where Callboard listens, and nobody's number or address."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import logs


def logged(value: str) -> str:
    """What of a value stands in the log."""
    return str(logs.redacted(None, "info", {"event": "e", "value": value})["value"])


words = st.text(st.characters(categories=["Lu", "Ll", "Zs"], include_characters=",:;!?'\"/="), max_size=20)
hosts = st.ip_addresses(v=4).map(str)
ports = st.integers(1, 65535)
digits = st.text("0123456789", min_size=8, max_size=15)
marks = st.sampled_from(["", " ", ".", "-", " (", ") "])


@st.composite
def phones(draw: Any) -> str:
    """A number in groups, with the marks that people put between them."""
    number, written = draw(digits), draw(st.sampled_from(["", "+"]))
    while number:
        size = draw(st.integers(1, 4))
        written += number[:size] + (draw(marks) if number[size:] else "")
        number = number[size:]
    return written


@given(words, phones(), words)
def test_no_phone_number_is_in_the_log_however_it_is_written(before: str, phone: str, after: str) -> None:
    # Behind "://" stands a machine, and a number before a colon and digits is one too.
    before, after = before.replace("://", " "), after.removeprefix(":")
    told = logged(f"{before}{phone}{after}")
    assert not re.search(r"\d", told)


@given(words, st.emails(), words)
def test_no_mail_address_is_in_the_log(before: str, address: str, after: str) -> None:
    told = logged(f"{before} {address} {after}")
    assert address not in told
    assert address.partition("@")[2] not in told.replace(before, "").replace(after, "")


@given(words, st.sampled_from(["http", "https"]), hosts, ports, st.sampled_from(["", "/", "/hooks/A1"]))
def test_a_web_address_with_its_port_stands_in_the_log_as_it_is(
    before: str, scheme: str, host: str, port: int, path: str
) -> None:
    value = f"{before} {scheme}://{host}:{port}{path}"
    assert logged(value) == value


@given(hosts, ports)
def test_a_machine_and_its_port_stand_in_the_log_as_they_are(host: str, port: int) -> None:
    assert logged(f"{host}:{port}") == f"{host}:{port}"
    assert logged(f"cannot bind {host}:{port}") == f"cannot bind {host}:{port}"


@given(hosts, ports, phones())
def test_a_phone_number_beside_a_web_address_is_taken_out(host: str, port: int, phone: str) -> None:
    assert logged(f"http://{host}:{port} {phone}") == f"http://{host}:{port} …"
    assert logged(f"http://{host}:{port}/to/{phone}") == f"http://{host}:{port}/to/…"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("20.12.34.56", "…"),
        ("+20.12.34.56:8085", "…:8085"),
        ("call 310.555.0111", "call …"),
        ("http://127.0.0.1:8085", "http://127.0.0.1:8085"),
        ("('127.0.0.1', 8085): address already in use", "('127.0.0.1', 8085): address already in use"),
        ("postgresql://ada:secret@10.0.0.5/callboard", "…@…"),
    ],
)
def test_what_is_told_of_a_value(value: str, told: str) -> None:
    assert logged(value) == told
