"""Text messages through Twilio.

The requests are made by the ``twilio`` package over our own HTTP client; answers and callbacks are judged by
pure functions over tables (:mod:`providers.twilio_answers`, :mod:`providers.twilio_callbacks`,
:mod:`providers.twilio_tables`). The package and the HTTP client are imported when an adapter is built, so that a
command that sends nothing does not wait for them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from providers.contract import (
    Accepted,
    Account,
    CallbackBatch,
    CallbackRefused,
    CallbackRequest,
    CannotSay,
    Capabilities,
    Channel,
    CheckResult,
    Clock,
    Field,
    Found,
    Inbound,
    LookUp,
    Money,
    NotFound,
    Outcome,
    Outgoing,
    ProviderError,
    Rejected,
    Text,
)
from providers.exchange import EXCHANGE, Exchange
from providers.twilio_answers import GARBLED, fields_of, found, number_in, outcome_of, refusal
from providers.twilio_callbacks import inbound_of, read_callback
from providers.twilio_tables import CURRENCY, price_micros

if TYPE_CHECKING:
    from providers.twilio_http import TwilioHttp

CAPABILITIES = Capabilities(
    Channel.SMS,
    delivery=True,
    read=False,
    click=False,
    reply=True,
    cost=True,
    look_up=True,
    idempotency=False,
    inbox=True,
)

SCHEMES = {"https": True, "http": False}

VALIDITY_S = (1, 36_000)
"""What Twilio takes as ``ValidityPeriod``: one second to ten hours."""

EARLIER_MS = 5_000
"""Twilio's clock and ours differ a little: a message created this long before we sent it can still be ours."""

LATER_MS = 60_000
"""One call ends after ten seconds: a message made a minute after we sent it is another one, a reminder in the same
words."""

LOOK_UP_LIMIT = 200
LOOK_UP_PAGE = 50
"""One number gets a handful of texts a day; four pages are far more than that and still an end."""

NO_TEXT = ProviderError(
    "content", "This account sends texts only.", "Choose another account for this channel."
)

INBOX_LIMIT = 2_000
"""Texts read of one inbox. A crew of 500 that all answer twice in a night is half of it."""

INBOX_PAGE = 500

ASK_LATER = "Twilio could not be asked what became of the text."


class TwilioSms:
    """One Twilio account, for texts. See :class:`providers.contract.Provider`."""

    kind = "twilio"
    capabilities = CAPABILITIES

    def __init__(self, account: Account, clock: Clock, http: TwilioHttp, client: Any) -> None:
        secrets = account.secrets
        self._name = account.name
        self._account_sid = account.settings["account_sid"]
        self._service_sid = account.settings.get("messaging_service_sid", "")
        self._tokens = [secrets[name] for name in ("auth_token", "second_auth_token") if secrets.get(name)]
        self._clock = clock
        self._http = http
        self._messages = client.api.v2010.account.messages
        self._accounts = client.api.v2010.accounts

    def __repr__(self) -> str:
        return f"<TwilioSms {self._name}>"

    async def send(self, message: Outgoing) -> Outcome:
        """One POST of one text. Times out after 3 s without a connection and after 10 s in all."""
        if not isinstance(message.content, Text):
            return Rejected(NO_TEXT)
        fields: dict[str, Any] = {"to": message.to, "body": message.content.words}
        if message.sender:
            fields["from_"] = message.sender
        if self._service_sid:
            fields["messaging_service_sid"] = self._service_sid
        if message.callback_url is not None:
            fields["status_callback"] = message.callback_url
        if message.valid_for_s is not None:
            shortest, longest = VALIDITY_S
            fields["validity_period"] = min(max(message.valid_for_s, shortest), longest)
        exchange, _ = await _run(lambda: self._messages.create_async(**fields))
        return outcome_of(exchange, self._clock.now_ms())

    async def look_up(self, question: LookUp) -> Found | NotFound | CannotSay:
        """By Twilio's own id where we have one, else by number, sender, day, text and time of creation."""
        if question.provider_id is not None:
            return await self._look_up_by_id(question.provider_id)
        return await self._look_up_by_text(question)

    async def _look_up_by_id(self, sid: str) -> Found | NotFound | CannotSay:
        exchange, _ = await _run(lambda: self._messages(sid).fetch_async())
        if exchange.status == 404 and number_in(fields_of(exchange.text).get("code")) == 20404:
            return NotFound()
        answer = found(fields_of(exchange.text)) if exchange.status == 200 else None
        return answer or _cannot_say(exchange)

    async def _look_up_by_text(self, question: LookUp) -> Found | NotFound | CannotSay:
        earliest_ms = question.sent_at_ms - EARLIER_MS
        day = datetime.fromtimestamp(earliest_ms / 1000, UTC).strftime("%Y-%m-%d")
        fields = {"to": question.to, "date_sent_after": day}
        if question.sender:
            fields["from_"] = question.sender
        exchange, listed = await _run(
            lambda: self._messages.list_async(limit=LOOK_UP_LIMIT, page_size=LOOK_UP_PAGE, **fields)
        )
        if listed is None:
            return _cannot_say(exchange)
        matching = [
            one
            for one in listed
            if question.content == Text(one.body)
            and earliest_ms <= _created_ms(one.date_created) <= question.sent_at_ms + LATER_MS
        ]
        if len(matching) > 1:
            return CannotSay("Twilio has this text to this number more than once.")
        if not matching:
            full = len(listed) >= LOOK_UP_LIMIT
            return CannotSay("Twilio has too many texts to this number to tell.") if full else NotFound()
        one = matching[0]
        answer = found({name: getattr(one, name) for name in _SHOWN})
        return answer or _cannot_say(exchange)

    async def inbox(self, to: str, since_ms: int) -> Sequence[Inbound] | CannotSay:
        """From the list of all texts, which Twilio filters by number and day; the hour is looked at here."""
        fields: dict[str, Any] = {
            "date_sent_after": datetime.fromtimestamp(since_ms / 1000, UTC).strftime("%Y-%m-%d")
        }
        if to:
            fields["to"] = to
        exchange, listed = await _run(
            lambda: self._messages.list_async(limit=INBOX_LIMIT, page_size=INBOX_PAGE, **fields)
        )
        if listed is None:
            return _cannot_say(exchange)
        return [
            inbound_of(one.sid, one.from_, one.to, one.body)
            for one in reversed(listed)
            if one.direction == "inbound" and _created_ms(one.date_created) >= since_ms
        ]

    def parse_callback(self, request: CallbackRequest) -> CallbackBatch | CallbackRefused:
        """A status callback or a message from a person, if one of our auth tokens signed it."""
        return read_callback(request, self._tokens)

    def price(self, message: Outgoing, segments: int) -> Money | None:
        """An estimate from a table of countries; the true price comes with a later look-up."""
        return Money(price_micros(message.to) * segments, CURRENCY)

    async def check(self) -> CheckResult:
        """Ask for the account itself: proves address, credentials and that it is active."""
        exchange, _ = await _run(lambda: self._accounts(self._account_sid).fetch_async())
        body = fields_of(exchange.text)
        if exchange.status == 200 and body.get("sid") == self._account_sid:
            if body.get("status") == "active":
                return CheckResult(True, "Twilio knows the account and it is active.")
            return CheckResult(
                False, "The Twilio account is not active.", "Open the Twilio console and check it."
            )
        if exchange.status is not None and 400 <= exchange.status < 500 and exchange.status != 429:
            error = refusal(exchange.status, number_in(body.get("code")))
            return CheckResult(False, error.sentence, error.next_step)
        outcome = outcome_of(exchange, self._clock.now_ms())
        sentence = GARBLED.sentence if isinstance(outcome, Accepted) else outcome.error.sentence
        return CheckResult(False, sentence, "Check the internet connection, then try again.")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


_SHOWN = ("sid", "status", "error_code", "num_segments", "price", "price_unit")
"""The fields of a message from which its state is read."""


async def _run(call: Callable[[], Awaitable[Any]]) -> tuple[Exchange, Any]:
    """Make one call of the package. Returns what really happened, and what the package made of it or None.

    The package raises for refusals and stumbles over answers that are no JSON; the exchange knows better.
    Anything it raises before a request was made is a bug and passes.
    """
    exchange = Exchange()
    token = EXCHANGE.set(exchange)
    try:
        return exchange, await call()
    except Exception:
        if not exchange.started:
            raise
        return exchange, None
    finally:
        EXCHANGE.reset(token)


def _created_ms(created: object) -> float:
    """When Twilio made the message; before all time if it does not say."""
    if isinstance(created, str):
        try:
            created = parsedate_to_datetime(created)
        except ValueError:
            return float("-inf")
    return created.timestamp() * 1000 if isinstance(created, datetime) else float("-inf")


def _cannot_say(exchange: Exchange) -> CannotSay:
    """No answer, a fault or nonsense: asking again may help. A refusal stays one."""
    status = exchange.status
    refused = status is not None and 400 <= status < 500 and status not in {408, 429}
    return CannotSay(ASK_LATER, retryable=not refused)


class TwilioSmsFactory:
    """How a Twilio account is described, asked for and built."""

    kind = "twilio"
    label = "Twilio"
    capabilities = CAPABILITIES
    default_base_url = "https://api.twilio.com"
    schemes = SCHEMES
    fields = (
        Field("account_sid", "Account SID"),
        Field("auth_token", "Auth token", secret=True),
        Field("second_auth_token", "Second auth token, while changing it", secret=True, required=False),
        Field("messaging_service_sid", "Messaging Service SID", required=False),
    )

    def build(self, account: Account, clock: Clock) -> TwilioSms:
        """The adapter of this account. Opens no connection."""
        from twilio.rest import Client  # noqa: PLC0415 - half a second of start-up

        from providers.twilio_http import TwilioHttp  # noqa: PLC0415

        http = TwilioHttp(clock)
        # An environment of its own: TWILIO_EDGE and TWILIO_REGION would bend the address we were given.
        client = Client(
            account.settings["account_sid"],
            account.secrets["auth_token"],
            http_client=http,
            environment={"CALLBOARD": "its own settings only"},
        )
        client.api.base_url = account.base_url.rstrip("/")
        return TwilioSms(account, clock, http, client)

    def price(self, to: str, segments: int) -> Money:
        """An estimate from a table of countries."""
        return Money(price_micros(to) * segments, CURRENCY)


TWILIO_SMS = TwilioSmsFactory()
