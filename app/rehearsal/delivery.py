"""The way of one text through the network: on air, on the phone, and the receipts about it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

from app.rehearsal import log
from app.rehearsal.log import LoggedMessage, Truth
from app.rehearsal.people import Plan
from app.rehearsal.stage import Stage
from app.rehearsal.twilio_api import Message
from app.rehearsal.twilio_rules import VERSION

EXPIRED: Final = 30036
"""Twilio's code for a text that was still waiting when its validity ended."""

HOP_MS: Final = 20
"""The least time between two things that follow from each other."""


@dataclass(frozen=True, slots=True)
class Times:
    """When things happen to one text, in milliseconds since 1970."""

    queued: int
    sent: int
    arrives: int
    receipt: int
    expires: int | None
    """Set if the sender's queue is so long that the text never leaves it."""


def times(plan: Plan, created_ms: int, on_air: tuple[int, int], valid_for_s: int) -> Times:
    """The plan on the clock. ``on_air`` is when the sender's pace lets the text begin and end: nothing about the
    phone happens before."""
    begins, ends = on_air
    sent = max(created_ms + _ms(plan.sent_s), ends)
    arrives = max(created_ms + _ms(plan.arrives_s), sent + HOP_MS)
    receipt = max(created_ms + _ms(plan.receipt_s), arrives + HOP_MS)
    last = created_ms + valid_for_s * 1000
    return Times(created_ms + _ms(plan.queued_s), sent, arrives, receipt, last if begins > last else None)


class Delivery:
    """One text on its way. ``run`` ends when the last receipt about it has been handed over for delivery."""

    def __init__(
        self, stage: Stage, message: Message, logged: LoggedMessage, plan: Plan, when: Times
    ) -> None:
        self._stage = stage
        self._message = message
        self._logged = logged
        self._plan = plan
        self._when = when

    async def run(self) -> None:
        for at_ms, happens in sorted(self._steps(), key=lambda step: step[0]):
            await self._stage.network_until(at_ms)
            happens()

    def _steps(self) -> list[tuple[int, Callable[[], None]]]:
        when, plan = self._when, self._plan
        queued = (when.queued, lambda: self._tell("queued"))
        if when.expires is not None:
            return [queued, (when.expires, self._expire), (when.expires, lambda: self._tell("failed"))]
        last = "delivered" if plan.fate.undelivered is None else "undelivered"
        told = when.receipt
        # "sent" told after the last word, and the last word told twice: nobody may mind.
        tell_sent = told + HOP_MS if plan.reordered else when.sent
        steps = [
            queued,
            (when.sent, self._send),
            (tell_sent, lambda: self._tell("sent")),
            (when.arrives, self._arrive),
            (told, self._settle_status),
            (told, lambda: self._tell(last)),
        ]
        return [*steps, (told + 2 * HOP_MS, lambda: self._tell(last))] if plan.doubled else steps

    def _send(self) -> None:
        self._becomes("sent")
        self._message.sent_ms = self._stage.clock.now_ms()
        self._happened(log.SENT)

    def _arrive(self) -> None:
        if self._plan.fate.undelivered is None:
            self._happened(log.DELIVERED)

    def _settle_status(self) -> None:
        code = self._plan.fate.undelivered
        if code is None:
            self._becomes("delivered")
        else:
            self._becomes("undelivered", code)
            self._happened(log.UNDELIVERED, code=str(code))

    def _expire(self) -> None:
        self._becomes("failed", EXPIRED)
        self._happened(log.FAILED, code=str(EXPIRED))

    def _becomes(self, status: str, code: int | None = None) -> None:
        self._message.status = status
        self._message.error_code = code
        self._message.updated_ms = self._stage.clock.now_ms()

    def _happened(self, what: str, **detail: str) -> None:
        self._logged.truth.append(Truth(what, self._stage.clock.now_ms(), detail))

    def _tell(self, status: str) -> None:
        """Hand over a status callback, in the vendor's fields."""
        message = self._message
        if message.callback is None:
            return
        fields = {
            "AccountSid": self._stage.account_sid,
            "ApiVersion": VERSION,
            "From": message.sender or message.service or "",
            "MessageSid": message.sid,
            "MessageStatus": status,
            "SmsSid": message.sid,
            "SmsStatus": status,
            "To": message.to,
        }
        if message.service is not None:
            fields["MessagingServiceSid"] = message.service
        if status in {"undelivered", "failed"}:
            fields["ErrorCode"] = str(message.error_code)
        if status in {"delivered", "undelivered"}:
            done = datetime.fromtimestamp(self._stage.clock.now_ms() / 1000, UTC)
            fields["RawDlrDoneDate"] = done.strftime("%y%m%d%H%M")
        callback = self._stage.callbacks.post(message.callback, fields)
        callback.add_done_callback(partial(self._told, status))

    def _told(self, status: str, callback: asyncio.Task[bool]) -> None:
        if not callback.cancelled() and callback.result():
            self._logged.told.append(status)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
