"""E-mail by SMTP against the shared contract, and what is a mail server's own."""

from __future__ import annotations

import asyncio
import logging
import ssl
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from app.clock import VirtualClock, sleep
from providers.contract import (
    Accepted,
    Attachment,
    CallbackRefused,
    CallbackRequest,
    CannotSay,
    InDoubt,
    LookUp,
    Mail,
    NotSent,
    Outcome,
    Outgoing,
    Provider,
    Rejected,
    Text,
)
from providers.smtp import SMTP
from providers.smtp_letters import is_address, letter_of
from providers.smtp_line import CONNECTIONS, IDLE_MS, MAILS_EACH
from providers.smtp_tables import REPLIES, Stage, row_for
from tests.contract.harness import (
    REFERENCE,
    RETRYABLE,
    START_MS,
    assert_nothing_leaks,
    check,
    closed_port_url,
)
from tests.contract.mail_peer import (
    ADDRESS,
    MAIL,
    MESSAGE,
    OPT_OUT,
    PASSWORD,
    SENDER,
    Does,
    MailCase,
    MailPeer,
    Script,
    account,
    attempt,
    build,
    one_mail,
)

TOO_FAST = frozenset({"retryable", "throttled"})
ACCOUNT = frozenset({"config"})
BAD_ADDRESS = frozenset({"bad_address"})
THIS_ONE: frozenset[str] = frozenset()
SIGNS_IN = {"username": "office"}

LINE_CASES = (
    # What a line can do. Until the last dot is written nothing was sent; from then on it may have been.
    MailCase("taken", {}, Accepted, requests=1),
    MailCase("taken in two lines", {"dot": "250-2.0.0 ok\r\n250 done"}, Accepted, requests=1),
    MailCase("hangs before the greeting", {"greeting": Does.HANGS}, NotSent, "unreachable", RETRYABLE,
             takes_ms=3_000),
    MailCase("hangs while it greets", {"EHLO": Does.HANGS}, NotSent, "unreachable", RETRYABLE, takes_ms=3_000),
    MailCase("hangs while one signs in", {"AUTH": Does.HANGS}, NotSent, "no_answer", RETRYABLE, takes_ms=3_000,
             settings=SIGNS_IN),
    MailCase("hangs at the sender", {"MAIL": Does.HANGS}, NotSent, "no_answer", RETRYABLE, takes_ms=10_000),
    MailCase("hangs at the recipient", {"RCPT": Does.HANGS}, NotSent, "no_answer", RETRYABLE, takes_ms=10_000),
    MailCase("hangs before the mail", {"DATA": Does.HANGS}, NotSent, "no_answer", RETRYABLE, takes_ms=10_000),
    MailCase("hangs after the mail", {"dot": Does.HANGS}, InDoubt, "no_answer", RETRYABLE, takes_ms=10_000,
             requests=1),
    MailCase("hangs in the middle of the answer", {"dot": b"250-2.0.0 well"}, InDoubt, "no_answer", RETRYABLE,
             takes_ms=10_000, requests=1),
    MailCase("closes before the greeting", {"greeting": Does.CLOSES}, NotSent, "unreachable", RETRYABLE),
    MailCase("tears before the greeting", {"greeting": Does.RESETS}, NotSent, "unreachable", RETRYABLE),
    MailCase("closes at the sender", {"MAIL": Does.CLOSES}, NotSent, "connection_broke", RETRYABLE),
    MailCase("closes at the recipient", {"RCPT": Does.CLOSES}, NotSent, "connection_broke", RETRYABLE),
    MailCase("tears at the recipient", {"RCPT": Does.RESETS}, NotSent, "connection_broke", RETRYABLE),
    MailCase("closes before the mail", {"DATA": Does.CLOSES}, NotSent, "connection_broke", RETRYABLE),
    MailCase("closes after the mail", {"dot": Does.CLOSES}, InDoubt, "connection_broke", RETRYABLE, requests=1),
    MailCase("tears after the mail", {"dot": Does.RESETS}, InDoubt, "connection_broke", RETRYABLE, requests=1),
    MailCase("speaks HTTP", {"greeting": "HTTP/1.1 400 Bad Request"}, NotSent, "garbled_answer", RETRYABLE),
    MailCase("garbage at the recipient", {"RCPT": "huh?"}, NotSent, "garbled_answer", RETRYABLE),
    MailCase("bytes that are no text at the sender", {"MAIL": b"\xff\xfe\xfa\r\n"}, NotSent, "garbled_answer",
             RETRYABLE),
    MailCase("a yes where the mail should be asked for", {"DATA": "250 ok"}, NotSent, "garbled_answer", RETRYABLE),
    MailCase("garbage after the mail", {"dot": "4711 upstream"}, InDoubt, "garbled_answer", RETRYABLE, requests=1),
    MailCase("no words at all after the mail", {"dot": "<<<"}, InDoubt, "garbled_answer", RETRYABLE, requests=1),
    MailCase("asks for the mail again after the mail", {"dot": "354 more"}, InDoubt, "garbled_answer", RETRYABLE,
             requests=1),
    MailCase("an answer without end", {"RCPT": b"250-" + b"x" * 40_000}, NotSent, "garbled_answer", RETRYABLE),
    MailCase("time-out: no TLS in time", {"greeting": Does.HANGS}, NotSent, "unreachable", RETRYABLE,
             takes_ms=3_000, scheme="smtps"),
    MailCase("speaks no TLS", {}, NotSent, "unreachable", RETRYABLE, scheme="smtps"),
    MailCase("offers no encryption", {}, NotSent, "no_encryption", ACCOUNT, scheme="smtp"),
    MailCase("offers encryption and then does not begin it", {"EHLO": "250-mail\r\n250 STARTTLS",
             "STARTTLS": "220 go ahead\r\nhello"}, NotSent, "unreachable", RETRYABLE, scheme="smtp", takes_ms=3_000),
    MailCase("offers no way to sign in", {"EHLO": "250 mail.example"}, NotSent, "no_sign_in", ACCOUNT,
             settings=SIGNS_IN),
    MailCase("offers only ways we do not know", {"EHLO": "250-mail\r\n250 AUTH KERBEROS"}, NotSent, "no_sign_in",
             ACCOUNT, settings=SIGNS_IN),
)  # fmt: skip

REPLY_CASES = (
    # Written down independently of the adapter's tables.
    MailCase("421 at the greeting", {"greeting": "421 too many connections"}, NotSent, "421", TOO_FAST),
    MailCase("554 at the greeting", {"greeting": "554 5.7.1 no service for you"}, Rejected, "554 5.7.1", ACCOUNT),
    MailCase("502 at EHLO", {"EHLO": "502 what?"}, Rejected, "502", ACCOUNT),
    MailCase("wrong password", {"AUTH": "535 5.7.8 bad credentials"}, Rejected, "535 5.7.8", ACCOUNT,
             settings=SIGNS_IN),
    MailCase("the password cannot be checked now", {"AUTH": "454 4.7.0 later"}, NotSent, "454 4.7.0", RETRYABLE,
             settings=SIGNS_IN),
    MailCase("a password is wanted", {"MAIL": "530 5.7.0 Authentication required"}, Rejected, "530 5.7.0", ACCOUNT),
    MailCase("a sender of others", {"MAIL": "553 5.7.1 not your address"}, Rejected, "553 5.7.1", ACCOUNT),
    MailCase("a sender there is not", {"MAIL": "550 5.1.8 bad sender"}, Rejected, "550 5.1.8", ACCOUNT),
    MailCase("too large as announced", {"MAIL": "552 5.3.4 too big"}, Rejected, "552 5.3.4", THIS_ONE),
    MailCase("too fast at the sender", {"MAIL": "450 4.7.1 rate limited"}, NotSent, "450 4.7.1", TOO_FAST),
    MailCase("421 at the sender", {"MAIL": "421 4.7.0 slow down"}, NotSent, "421 4.7.0", TOO_FAST),
    MailCase("disk full", {"MAIL": "452 4.3.1 no space"}, NotSent, "452 4.3.1", RETRYABLE),
    MailCase("no such mailbox", {"RCPT": "550 5.1.1 no such user"}, Rejected, "550 5.1.1", BAD_ADDRESS),
    MailCase("no such mailbox, in other words", {"RCPT": "550 5.1.10 RecipientNotFound"}, Rejected, "550 5.1.10",
             BAD_ADDRESS),
    MailCase("no such mailbox, without more", {"RCPT": "550 no"}, Rejected, "550", BAD_ADDRESS),
    MailCase("no such mailbox, as Exchange says it", {"RCPT": "550 5.4.1 Access denied"}, Rejected, "550 5.4.1",
             BAD_ADDRESS),
    MailCase("no such domain", {"RCPT": "553 5.1.2 no domain"}, Rejected, "553 5.1.2", BAD_ADDRESS),
    MailCase("mailbox closed", {"RCPT": "550 5.2.1 disabled"}, Rejected, "550 5.2.1", BAD_ADDRESS),
    MailCase("mailbox full for now", {"RCPT": "452 4.2.2 full"}, NotSent, "452 4.2.2", RETRYABLE),
    MailCase("mailbox full", {"RCPT": "552 5.2.2 full"}, Rejected, "552 5.2.2", RETRYABLE),
    MailCase("greylisting", {"RCPT": "450 4.7.1 come back"}, NotSent, "450 4.7.1", RETRYABLE, 300.0),
    MailCase("greylisting without more", {"RCPT": "450 later"}, NotSent, "450", RETRYABLE, 300.0),
    MailCase("greylisting with 451", {"RCPT": "451 4.7.1 later"}, NotSent, "451 4.7.1", RETRYABLE, 300.0),
    MailCase("a fault of the server", {"RCPT": "451 4.3.0 oops"}, NotSent, "451 4.3.0", RETRYABLE),
    MailCase("blocked", {"RCPT": "554 5.7.1 blocked"}, Rejected, "554 5.7.1", THIS_ONE),
    MailCase("421 at the recipient", {"RCPT": "421 4.7.0 bye"}, NotSent, "421 4.7.0", TOO_FAST),
    MailCase("the mail is refused before it comes", {"DATA": "554 5.5.1 no recipients"}, Rejected, "554 5.5.1",
             THIS_ONE),
    MailCase("taken for spam", {"dot": "554 5.7.1 spam"}, Rejected, "554 5.7.1", THIS_ONE, requests=1),
    MailCase("taken for spam, without more", {"dot": "550 no"}, Rejected, "550", THIS_ONE, requests=1),
    MailCase("too large as it came", {"dot": "552 5.3.4 too big"}, Rejected, "552 5.3.4", THIS_ONE, requests=1),
    MailCase("no such mailbox, said late", {"dot": "550 5.1.1 no such user"}, Rejected, "550 5.1.1", BAD_ADDRESS,
             requests=1),
    MailCase("greylisting, said late", {"dot": "451 4.7.1 later"}, NotSent, "451 4.7.1", RETRYABLE, 300.0,
             requests=1),
    MailCase("421 after the mail", {"dot": "421 4.3.2 shutting down"}, NotSent, "421 4.3.2", TOO_FAST, requests=1),
    MailCase("refused in a way we do not know", {"dot": "559 5.9.9 no"}, Rejected, "559 5.9.9", THIS_ONE,
             requests=1),
)  # fmt: skip


@pytest.mark.parametrize("case", [*LINE_CASES, *REPLY_CASES], ids=lambda case: case.name)
def test_every_attempt_keeps_the_contract(case: MailCase, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    result = attempt(case)
    check(case, result)
    assert_nothing_leaks(caplog.text + result.text, ADDRESS, PASSWORD, MAIL.text, MAIL.subject)


def test_a_refused_connection_was_not_sent() -> None:
    clock = VirtualClock(START_MS)
    port = int(closed_port_url().rpartition(":")[2])

    async def run() -> Outcome:
        adapter = build(port, clock)
        outcome = await adapter.send(MESSAGE)
        await adapter.close()
        return outcome

    outcome = clock.run(run())
    assert isinstance(outcome, NotSent)
    assert outcome.error.retryable
    assert clock.now_ms() == START_MS


@given(st.sampled_from(list(REPLIES)), st.integers(400, 599), st.text(max_size=12), st.integers(0, 99))
def test_every_refusal_has_a_meaning_wherever_it_comes(
    stage: Stage, code: int, text: str, subject: int
) -> None:
    for words in (text, f"{code // 100}.{subject}.{subject} {text}"):
        row, named = row_for(stage, code, words)
        assert named.startswith(str(code))
        error = row.error(named)
        assert error.sentence.endswith(".")
        assert error.next_step.endswith(".")
        assert not (error.config and error.retryable)


# ------------------------------------------------------------------------------------------- the mail


def test_the_mail_and_its_envelope() -> None:
    came = one_mail()
    assert (came.sender, came.to) == (f"FROM:<{SENDER}>", f"TO:<{ADDRESS}>")
    assert {name: came.mail[name] for name in ("From", "To", "Subject", "Message-ID", "Date")} == {
        "From": SENDER,
        "To": ADDRESS,
        "Subject": MAIL.subject,
        "Message-ID": f"<{REFERENCE}@nightfall.example>",
        "Date": "Mon, 21 Sep 2026 14:13:20 +0000",
    }
    assert came.mail.get_content_type() == "multipart/alternative"
    words, page = came.mail.iter_parts()
    assert (words.get_content_type(), page.get_content_type()) == ("text/plain", "text/html")
    assert words.get_content().replace("\r\n", "\n") == MAIL.text  # with the line that is only a dot
    assert page.get_content().replace("\r\n", "\n") == MAIL.html


def test_every_line_ends_as_smtp_wants_it() -> None:
    raw = one_mail().raw
    assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r")


def test_what_comes_back_names_the_attempt_where_there_is_a_domain_for_it() -> None:
    came = one_mail(bounce_domain="bounce.nightfall.example")
    assert came.sender == f"FROM:<bounce+{REFERENCE}@bounce.nightfall.example>"
    assert came.mail["From"] == SENDER


def test_a_name_stands_beside_the_senders_address() -> None:
    assert one_mail(from_name="NIGHTFALL S2, Büro").mail["From"].addresses[0].display_name == (
        "NIGHTFALL S2, Büro"
    )


def test_the_way_out_stands_in_the_headers_where_there_is_one() -> None:
    mail = one_mail().mail
    assert mail["List-Unsubscribe"] == f"<{OPT_OUT}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    without = one_mail(replace(MESSAGE, content=replace(MAIL, opt_out_url=None))).mail
    assert without["List-Unsubscribe"] is None
    assert without["List-Unsubscribe-Post"] is None


def test_a_way_out_without_encryption_is_not_offered_as_one_click() -> None:
    plain = replace(MAIL, opt_out_url="http://10.0.0.5:8080/m/0123456789abcdef/stop")
    mail = one_mail(replace(MESSAGE, content=plain)).mail
    assert mail["List-Unsubscribe"] == f"<{plain.opt_out_url}>"
    assert mail["List-Unsubscribe-Post"] is None


def test_a_long_address_of_the_page_stays_as_it_is() -> None:
    url = "https://" + "a-long-name-of-a-production-company." * 6 + "example/m/0123456789abcdef/stop"
    raw = one_mail(replace(MESSAGE, content=replace(MAIL, opt_out_url=url))).raw
    assert f"List-Unsubscribe: <{url}>\r\n".encode() in raw


def test_words_of_many_scripts_arrive_and_travel_in_seven_bits() -> None:
    words = "Ximena’s call: 05:30 ☕ & +1 = “fine”\nSí 日本 👍🏽\n"
    came = one_mail(replace(MESSAGE, content=Mail(words, words, f"<p>{words}</p>\n")))
    assert came.raw.isascii()
    assert came.mail["Subject"] == " ".join(words.split())
    text, page = came.mail.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == words
    assert page.get_content().replace("\r\n", "\n") == f"<p>{words}</p>\n"


def test_files_go_with_the_mail() -> None:
    sheet = Attachment("Call sheet – día 12.pdf", "application/pdf", bytes(range(256)))
    mail = one_mail(replace(MESSAGE, content=replace(MAIL, attachments=(sheet, sheet)))).mail
    assert mail.get_content_type() == "multipart/mixed"
    words, *files = mail.iter_parts()
    assert words.get_content_type() == "multipart/alternative"
    assert [(one.get_filename(), one.get_content_type(), one.get_content()) for one in files] == [
        (sheet.name, sheet.media_type, sheet.data)
    ] * 2


@given(
    st.text(max_size=300),
    st.text(max_size=300),
    st.text(max_size=300),
    st.from_regex(r"[!-~]{1,12}@[!-~]{1,12}", fullmatch=True),
    st.text(max_size=20),
)
def test_whatever_is_written_becomes_one_whole_mail(
    subject: str, text: str, html: str, to: str, name: str
) -> None:
    if not is_address(to):
        return
    mail = Mail(subject, text, html)
    message = replace(MESSAGE, to=to, content=mail)
    letter = letter_of(message, mail, START_MS, from_name=name, bounce_domain="")
    assert letter == letter_of(message, mail, START_MS, from_name=name, bounce_domain="")
    assert letter.data.endswith(b"\r\n.\r\n")
    assert letter.data.count(b"\r\n.\r\n") == 1
    assert letter.data.replace(b"\r\n", b"").count(b"\n") == 0
    assert max(map(len, letter.data.split(b"\r\n"))) <= 998


# ------------------------------------------------------------------------------------- names and doubts


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("250 2.0.0 Ok: queued as 4bXk9c2", "4bXk9c2"),
        ("250 2.0.0 OK 1790000000 gsmtp", f"<{REFERENCE}@nightfall.example>"),
        ("250 queued as " + "x" * 300, f"{'x' * 64}"),
    ],
    ids=["the server's name", "ours, where it has none", "no longer than a name may be"],
)
def test_an_accepted_mail_is_named(said: str, named: str) -> None:
    assert attempt(MailCase("taken", {"dot": said}, Accepted)).outcome == Accepted(named)


def test_a_repeat_is_the_same_mail_to_the_last_byte() -> None:
    assert one_mail().raw == one_mail().raw


def test_nobody_can_be_asked_and_no_callback_is_believed() -> None:
    adapter = build(1, VirtualClock(START_MS))

    async def ask() -> object:
        return await adapter.look_up(LookUp(ADDRESS, SENDER, None, START_MS))

    answer = asyncio.run(ask())
    assert isinstance(answer, CannotSay)
    assert not answer.retryable
    callback = adapter.parse_callback(CallbackRequest("POST", ["https://x.example/hooks/1"], "", {}, b"{}"))
    assert isinstance(callback, CallbackRefused)
    assert callback.status == 403


@pytest.mark.parametrize(
    ("message", "flags"),
    [
        (replace(MESSAGE, content=Text("Moved.")), set()),
        (replace(MESSAGE, to="ada@crew.example\r\nRCPT TO:<x@y.example>"), {"bad_address"}),
        (replace(MESSAGE, to="no address"), {"bad_address"}),
        (replace(MESSAGE, to="zoë@crew.example"), {"bad_address"}),
        (replace(MESSAGE, sender="+15005550006"), {"config"}),
    ],
    ids=[
        "a text",
        "a command in an address",
        "no address",
        "letters no command may hold",
        "a number as sender",
    ],
)
def test_what_cannot_be_a_mail_is_refused_before_anybody_is_called(
    message: Outgoing, flags: set[str]
) -> None:
    clock = VirtualClock(START_MS)

    async def run() -> tuple[Outcome, int]:
        async with MailPeer() as peer:
            adapter = build(peer.port, clock)
            return await adapter.send(message), peer.connections

    outcome, connections = clock.run(run())
    assert isinstance(outcome, Rejected)
    assert connections == 0
    assert {flag for flag in ("bad_address", "config") if getattr(outcome.error, flag)} == flags


# ------------------------------------------------------------------------------------------ connections


async def _send(adapter: Provider, times: int) -> list[type[Outcome]]:
    return [type(await adapter.send(MESSAGE)) for _ in range(times)]


def _with(script: Script, act: object, **settings: str) -> MailPeer:
    """The peer after ``act`` has used an adapter and a clock on it."""
    clock = VirtualClock(START_MS)
    peer = MailPeer(script)

    async def run() -> None:
        async with peer:
            adapter = build(peer.port, clock, **settings)
            await act(adapter, clock)  # type: ignore[operator]
            await adapter.close()

    clock.run(run())
    return peer


def test_one_connection_serves_many_mails_and_one_greeting() -> None:
    async def act(adapter: Provider, clock: VirtualClock) -> None:
        assert await _send(adapter, 5) == [Accepted] * 5

    peer = _with({}, act, username="office")
    assert (len(peer.came), peer.connections) == (5, 1)
    assert [verb for verb in (line.split()[0] for line in peer.said) if verb in ("EHLO", "AUTH", "RSET")] == [
        "EHLO",
        "AUTH",
    ]


def test_a_connection_is_given_back_before_the_server_ends_it() -> None:
    async def act(adapter: Provider, clock: VirtualClock) -> None:
        assert await _send(adapter, MAILS_EACH + 1) == [Accepted] * (MAILS_EACH + 1)

    assert _with({}, act).connections == 2


def test_a_connection_that_rested_too_long_is_not_used_again() -> None:
    async def act(adapter: Provider, clock: VirtualClock) -> None:
        await _send(adapter, 1)
        await sleep(clock, IDLE_MS / 1000)
        await _send(adapter, 1)

    assert _with({}, act).connections == 2


def test_many_mails_at_once_share_a_few_connections() -> None:
    async def act(adapter: Provider, clock: VirtualClock) -> None:
        outcomes = await asyncio.gather(*(adapter.send(MESSAGE) for _ in range(4 * CONNECTIONS)))
        assert {type(one) for one in outcomes} == {Accepted}

    peer = _with({}, act)
    assert peer.connections == CONNECTIONS
    assert len(peer.came) == 4 * CONNECTIONS


def test_who_finds_no_free_connection_in_time_was_not_sent() -> None:
    async def act(adapter: Provider, clock: VirtualClock) -> None:
        outcomes = await asyncio.gather(*(adapter.send(MESSAGE) for _ in range(CONNECTIONS + 1)))
        assert [type(one) for one in outcomes] == [InDoubt] * CONNECTIONS + [NotSent]
        last = outcomes[-1]
        assert isinstance(last, NotSent)
        assert (last.error.code, last.error.throttled) == ("busy", True)

    _with({"dot": Does.HANGS}, act)


def test_after_a_refusal_the_connection_goes_on() -> None:
    async def act(adapter: Provider, clock: VirtualClock) -> None:
        assert await _send(adapter, 3) == [Rejected, Rejected, Accepted]

    peer = _with({"RCPT": ["550 5.1.1 no", "550 5.1.1 no", "250 ok"]}, act)
    assert peer.connections == 1
    assert [line.split()[0] for line in peer.said].count("RSET") == 2


@pytest.mark.parametrize(
    "gives_up", ["421 4.4.2 idle too long", Does.CLOSES, Does.RESETS], ids=["421", "closes", "tears"]
)
def test_a_kept_connection_that_the_server_gives_up_costs_no_attempt(gives_up: str | Does) -> None:
    async def act(adapter: Provider, clock: VirtualClock) -> None:
        assert await _send(adapter, 2) == [Accepted, Accepted]

    peer = _with({"MAIL": ["250 ok", gives_up, "250 ok"]}, act)
    assert (len(peer.came), peer.connections) == (2, 2)


def test_a_kept_connection_that_breaks_later_is_not_tried_again_by_itself() -> None:
    async def act(adapter: Provider, clock: VirtualClock) -> None:
        assert await _send(adapter, 2) == [Accepted, InDoubt]

    peer = _with({"dot": ["250 ok", Does.CLOSES, "250 ok"]}, act)
    assert len(peer.came) == 2


def test_a_server_that_will_not_begin_anew_is_called_again() -> None:
    async def act(adapter: Provider, clock: VirtualClock) -> None:
        assert await _send(adapter, 2) == [Rejected, Accepted]

    peer = _with({"RCPT": ["550 5.1.1 no", "250 ok"], "RSET": "500 what?"}, act)
    assert peer.connections == 2


def test_after_a_time_out_the_answer_that_comes_late_is_nobodys() -> None:
    async def act(adapter: Provider, clock: VirtualClock) -> None:
        assert await _send(adapter, 2) == [InDoubt, Accepted]

    assert _with({"dot": [Does.HANGS, "250 ok"]}, act).connections == 2


def test_somebody_elses_cancellation_passes_through_and_frees_the_connection() -> None:
    async def act(adapter: Provider, clock: VirtualClock) -> None:
        calls = [asyncio.create_task(adapter.send(MESSAGE)) for _ in range(CONNECTIONS)]
        await sleep(clock, 1)
        for call in calls:
            call.cancel()
        assert all(
            isinstance(one, asyncio.CancelledError)
            for one in await asyncio.gather(*calls, return_exceptions=True)
        )
        assert isinstance(await adapter.send(MESSAGE), Accepted)

    _with({"MAIL": [Does.HANGS] * CONNECTIONS + ["250 ok"]}, act)


def test_closing_twice_and_closing_unused_are_harmless() -> None:
    async def act(adapter: Provider, clock: VirtualClock) -> None:
        await adapter.close()

    assert _with({}, act).connections == 0


# ------------------------------------------------------------------------------------------ encryption


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 with its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("certificate") / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


def _encrypted(certificate: Path, scheme: str) -> tuple[Outcome, MailPeer]:
    """What one mail comes to at a server that has this certificate."""
    clock = VirtualClock(START_MS)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    offer: Script = {"EHLO": "250-mail.example\r\n250-AUTH PLAIN\r\n250 STARTTLS"}
    peer = MailPeer(offer, tls=context, encrypted=scheme == "smtps")

    async def run() -> Outcome:
        async with peer:
            adapter = build(peer.port, clock, scheme, username="office")
            outcome = await adapter.send(MESSAGE)
            await adapter.close()
            return outcome

    return clock.run(run()), peer


@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
def test_a_password_is_said_only_when_the_connection_is_protected(
    certificate: Path, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    outcome, peer = _encrypted(certificate, scheme)
    assert isinstance(outcome, Accepted), outcome
    verbs = [line.split()[0] for line in peer.said]
    begins = ["EHLO", "STARTTLS", "EHLO", "AUTH"] if scheme == "smtp" else ["EHLO", "AUTH"]
    assert verbs[: len(begins)] == begins
    assert peer.came[0].mail["Subject"] == MAIL.subject


@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
def test_a_server_that_cannot_prove_who_it_is_gets_neither_password_nor_mail(
    certificate: Path, scheme: str
) -> None:
    outcome, peer = _encrypted(certificate, scheme)
    assert isinstance(outcome, NotSent)
    assert (outcome.error.code, outcome.error.config) == ("certificate", True)
    assert not any(line.startswith(("AUTH", "MAIL")) for line in peer.said)


# ------------------------------------------------------------------------------------------- the account


@pytest.mark.parametrize(
    ("script", "settings", "ok", "said"),
    [
        ({}, {}, True, "answers"),
        ({}, SIGNS_IN, True, "accepts the user name and password"),
        ({"AUTH": "535 5.7.8 no"}, SIGNS_IN, False, "does not accept the user name and password"),
        ({"greeting": "554 no"}, {}, False, "takes no mail from this computer"),
        ({"greeting": Does.HANGS}, {}, False, "cannot be reached"),
        ({"EHLO": "250 mail"}, SIGNS_IN, False, "no way to sign in"),
    ],
    ids=["no password", "a password", "a wrong one", "refused", "silent", "no sign-in"],
)
def test_a_check_connects_and_signs_in_and_sends_nothing(
    script: Script, settings: dict[str, str], ok: bool, said: str
) -> None:
    async def act(adapter: Provider, clock: VirtualClock) -> None:
        result = await adapter.check()
        assert (result.ok, said in result.sentence) == (ok, True), result
        assert bool(result.next_step) is not ok

    peer = _with(script, act, **settings)
    assert not any(line.startswith("MAIL") for line in peer.said)


def test_what_it_can_report_is_said_honestly() -> None:
    assert SMTP.capabilities.names() == ["idempotency"]


def test_an_address_says_how_the_connection_is_protected() -> None:
    assert SMTP.schemes == {"smtps": True, "smtp": True, "smtp-clear": False}


def test_describing_the_account_imports_neither_the_package_nor_what_builds_mails() -> None:
    script = (
        "import sys, providers.smtp\n"
        "print([name for name in ('aiosmtplib', 'email.message', 'asyncio') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_the_secrets_of_an_account_are_asked_for_as_secrets() -> None:
    assert {field.name for field in SMTP.fields if field.secret} == {"password"}
    assert {field.name for field in SMTP.fields if field.required} == {"base_url"}
    assert PASSWORD not in repr(account(25, username="office"))
