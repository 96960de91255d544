"""What Twilio's words and numbers mean for a message: statuses, error codes and estimated prices, as data.

Sources: statuses from Twilio's published API description. Error codes from Twilio's error dictionary
(twilio.com/docs/api/errors); the sentences are ours. A code that is not listed has the default of its family
(:func:`error_for`), so a new one never breaks anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from providers.contract import Fact, ProviderError

STATUS_FACTS: Final[dict[str, Fact]] = {
    # Twilio has it; nothing is known of the phone yet. "sent" is the last word of carriers without receipts.
    "accepted": Fact.ACCEPTED,
    "scheduled": Fact.ACCEPTED,
    "queued": Fact.ACCEPTED,
    "sending": Fact.ACCEPTED,
    "sent": Fact.ACCEPTED,
    "delivered": Fact.DELIVERED,
    # Some segments arrived. The person has a text with our name on it, so it counts; the word stays in the detail.
    "partially_delivered": Fact.DELIVERED,
    # Only channels with read receipts say this (WhatsApp, RCS); a plain SMS never does.
    "read": Fact.READ,
    "undelivered": Fact.FAILED,
    "failed": Fact.FAILED,
    "canceled": Fact.FAILED,
}

INBOUND_STATUSES: Final = frozenset({"receiving", "received"})
"""A message somebody sent to us, not one of ours."""


def fact_for(status: str, error: ProviderError | None = None) -> Fact:
    """The fact a status states. A word we do not know says only that Twilio has the message."""
    fact = STATUS_FACTS.get(status.strip().casefold(), Fact.ACCEPTED)
    if fact is Fact.FAILED and error is not None and error.opted_out:
        return Fact.OPTED_OUT
    return fact


@dataclass(frozen=True, slots=True)
class _Family:
    """The flags that codes of one kind share."""

    retryable: bool = False
    throttled: bool = False
    bad_address: bool = False
    opted_out: bool = False
    config: bool = False


TOO_FAST = _Family(retryable=True, throttled=True)
LATER = _Family(retryable=True)
OPTED_OUT = _Family(opted_out=True)
BAD_ADDRESS = _Family(bad_address=True)
ACCOUNT = _Family(config=True)
THIS_ONE = _Family()
"""This message to this number, for good; the account is fine and so may be the number."""

_CHECK_NUMBER = "Ask the person or their department for the right number."
_OTHER_WAY = "Reach this person another way."
_CONSOLE = "Open the Twilio console and check the account."
_SENDER = "Choose another sender number, or check this one in the Twilio console."

ERRORS: Final[dict[int, tuple[_Family, str, str]]] = {
    # The account and its credentials: every further message would fail the same way.
    20003: (
        ACCOUNT,
        "Twilio does not accept the account SID and auth token.",
        "Enter them again (callboard provider set NAME), then try them: callboard provider test NAME.",
    ),
    20005: (ACCOUNT, "The Twilio account is suspended.", _CONSOLE),
    20404: (
        ACCOUNT,
        "Twilio does not know this account.",
        "Correct its account SID: callboard provider set NAME.",
    ),
    30002: (ACCOUNT, "The Twilio account was suspended while the text was waiting.", _CONSOLE),
    63038: (ACCOUNT, "The Twilio account has reached its number of messages for today.", _CONSOLE),
    # The sender number.
    21212: (ACCOUNT, "The sender number is not written the way Twilio needs it.", _SENDER),
    21603: (ACCOUNT, "The text has no sender number.", _SENDER),
    21606: (ACCOUNT, "The sender number cannot send texts from this account.", _SENDER),
    21620: (ACCOUNT, "The sender number cannot send this kind of message.", _SENDER),
    21659: (ACCOUNT, "The sender number is not one of Twilio's.", _SENDER),
    21660: (ACCOUNT, "The sender number belongs to another Twilio account.", _SENDER),
    30032: (
        ACCOUNT,
        "The toll-free sender number is not verified.",
        "Finish its verification in the Twilio console.",
    ),
    30033: (ACCOUNT, "The registration of the sender number is suspended.", _CONSOLE),
    30034: (
        ACCOUNT,
        "The sender number is not registered with the carriers.",
        "Register it in the Twilio console.",
    ),
    # Too fast: nothing is wrong with the text or the number.
    20429: (TOO_FAST, "Twilio asks us to send more slowly.", "It goes out as soon as Twilio allows."),
    21611: (
        TOO_FAST,
        "The sender number has more texts waiting than Twilio takes.",
        "Use another sender, or wait.",
    ),
    22005: (TOO_FAST, "More is waiting at Twilio than it takes.", "Wait, or use another provider."),
    30001: (TOO_FAST, "The text waited too long in Twilio's queue.", "Send it again, more slowly."),
    63017: (TOO_FAST, "The account sends more per second than Twilio allows.", "It goes out more slowly."),
    63018: (TOO_FAST, "The sender has reached its rate limit.", "It goes out more slowly."),
    # The same number may work in some minutes.
    20500: (LATER, "Twilio had a fault of its own.", "Try again in a minute."),
    20503: (LATER, "Twilio is out of service.", "Try again in a minute, or use another provider."),
    30003: (LATER, "The phone is switched off or has no signal.", "Try again in some minutes, or call."),
    30008: (LATER, "The carrier did not deliver it and gives no reason.", "Try once more, or call."),
    30017: (LATER, "The carrier's network is congested.", "Try again in some minutes."),
    30022: (LATER, "The carrier's limit for this sender was reached.", "Try again in some minutes."),
    63005: (LATER, "The channel had a fault.", "Try again in some minutes."),
    63013: (LATER, "The channel had a fault.", "Try again in some minutes."),
    # The person does not want texts from this number.
    21610: (OPTED_OUT, "This person has opted out of texts from this sender.", _OTHER_WAY),
    # The number itself.
    21211: (BAD_ADDRESS, "This is not a phone number.", _CHECK_NUMBER),
    21217: (BAD_ADDRESS, "This is not a phone number.", _CHECK_NUMBER),
    21401: (BAD_ADDRESS, "This is not a phone number.", _CHECK_NUMBER),
    21614: (
        BAD_ADDRESS,
        "This number cannot receive texts.",
        "Use it for calls, or ask for a mobile number.",
    ),
    21635: (BAD_ADDRESS, "This number is a landline.", "Use it for calls, or ask for a mobile number."),
    30005: (BAD_ADDRESS, "The carrier does not know this number.", _CHECK_NUMBER),
    30006: (BAD_ADDRESS, "This number is a landline or its carrier takes no texts.", _OTHER_WAY),
    63003: (BAD_ADDRESS, "The channel does not know this number.", _CHECK_NUMBER),
    63024: (BAD_ADDRESS, "The channel does not know this number.", _CHECK_NUMBER),
    # This text to this number.
    21408: (
        THIS_ONE,
        "The account may not send texts to this country.",
        "Allow the country in the Twilio console.",
    ),
    21602: (THIS_ONE, "The text is empty.", "Write a text."),
    21604: (THIS_ONE, "The text has no number to go to.", _CHECK_NUMBER),
    21609: (THIS_ONE, "Twilio does not accept our public address for receipts.", "Check the public address."),
    21612: (THIS_ONE, "Twilio has no way from this sender to this number.", "Try another sender number."),
    21617: (THIS_ONE, "The text is longer than 1,600 characters.", "Shorten it."),
    21910: (THIS_ONE, "The sender and the number belong to different channels.", _SENDER),
    21911: (THIS_ONE, "The sender and the number belong to different channels.", _SENDER),
    30004: (THIS_ONE, "The phone or its carrier blocks our texts.", _OTHER_WAY),
    30007: (
        THIS_ONE,
        "The carrier took the text for spam.",
        "Change the wording, or reach this person another way.",
    ),
    30036: (
        THIS_ONE,
        "The text became too old before it could be delivered.",
        "Send it again if it still holds.",
    ),
    63016: (THIS_ONE, "The channel takes only approved wordings to this person now.", _OTHER_WAY),
    63032: (THIS_ONE, "The channel does not let us write to this person.", _OTHER_WAY),
    63033: (THIS_ONE, "The person blocks us on this channel.", _OTHER_WAY),
}

HTTP_CODES: Final = {401: 20003, 403: 20003, 404: 20404, 429: 20429}
"""The code that stands for a refusal whose body names none (a gateway answered in Twilio's place)."""

REFUSED = ProviderError("refused", "Twilio refused the text and gives no reason we know.", _CONSOLE)
UNDELIVERED = ProviderError(
    "undelivered", "The carrier did not deliver the text and gives no reason.", _OTHER_WAY
)
CANCELED = ProviderError(
    "canceled", "The text was cancelled before it left.", "Send it again if it still holds."
)


def error_for(code: int) -> ProviderError:
    """The error a code stands for. Unknown codes never retry by themselves: families 3xxxx and 63xxx happen
    after acceptance and are a failed delivery, everything else is a refusal."""
    known = ERRORS.get(code)
    if known is None:
        late = 30_000 <= code < 40_000 or 63_000 <= code < 64_000
        return replace(UNDELIVERED if late else REFUSED, code=str(code))
    family, sentence, next_step = known
    return ProviderError(
        str(code),
        sentence,
        next_step,
        retryable=family.retryable,
        throttled=family.throttled,
        bad_address=family.bad_address,
        opted_out=family.opted_out,
        config=family.config,
    )


def failure_for(status: str, code: int | None) -> ProviderError | None:
    """The error of a status; None for a status that is no failure."""
    word = status.strip().casefold()
    if STATUS_FACTS.get(word) is not Fact.FAILED:
        return None
    if code is not None:
        return error_for(code)
    return CANCELED if word == "canceled" else UNDELIVERED


PRICES_MICROS: Final[dict[str, int]] = {
    # US dollars in millionths for one segment, by the longest matching prefix. An estimate before sending; the
    # true price of a message is told by Twilio hours later. +1: public list price 0.0083 (2026) plus a usual
    # carrier fee of 0.0035. The others are rounded up from public comparisons and not Twilio's own figures.
    "+1": 11_800,
    "+33": 80_000,
    "+34": 80_000,
    "+353": 80_000,
    "+36": 95_000,
    "+39": 95_000,
    "+420": 70_000,
    "+44": 55_000,
    "+49": 115_000,
    "+52": 75_000,
    "+61": 55_000,
    "+64": 110_000,
}

DEFAULT_PRICE_MICROS: Final = PRICES_MICROS["+1"]
"""A country without a row is shown at the United States' price rather than as free."""

CURRENCY: Final = "USD"


def price_micros(to: str) -> int:
    """The estimated price of one segment to this number, in millionths of :data:`CURRENCY`."""
    for length in range(min(len(to), 5), 1, -1):
        if (price := PRICES_MICROS.get(to[:length])) is not None:
            return price
    return DEFAULT_PRICE_MICROS
