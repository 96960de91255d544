"""One Twilio account, for the tests of its adapter."""

from __future__ import annotations

from app.clock import VirtualClock
from providers.contract import (
    Account,
    Provider,
)
from providers.twilio_sms import TWILIO_SMS
from tests.contract.harness import (
    NUMBER,
    TEXT,
)

ACCOUNT_SID = "AC" + "a1" * 16
TOKEN = "4f0c2d7e9b1a38655c0ffee012345678"
OLD_TOKEN = "00112233445566778899aabbccddeeff"
SID = "SM" + "b2" * 16

QUEUED = {
    "sid": SID,
    "status": "queued",
    "num_segments": "2",
    "price": None,
    "price_unit": "USD",
    "error_code": None,
    "date_created": "Mon, 21 Sep 2026 14:13:20 +0000",
    "body": TEXT,
}


def account(base_url: str, **secrets: str) -> Account:
    return Account("main", "twilio", base_url, {"account_sid": ACCOUNT_SID}, {"auth_token": TOKEN, **secrets})


def build(base_url: str, clock: VirtualClock) -> Provider:
    return TWILIO_SMS.build(account(base_url), clock)


def error(code: int, status: int = 400) -> object:
    return {"code": code, "message": f"No, {NUMBER}.", "more_info": "https://…", "status": status}
