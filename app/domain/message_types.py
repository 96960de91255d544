"""Kinds of messages: which priority and which purpose each has unless the coordinator says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.domain.priorities import Priority, Purpose


class MessageType(StrEnum):
    SAFETY = "safety"
    LOCATION_CHANGE = "location_change"
    CANCELLATION = "cancellation"
    SCHEDULE = "schedule"
    CALL_TIME = "call_time"
    ANNOUNCEMENT = "announcement"
    REMINDER = "reminder"
    DAILY_REPORT = "daily_report"
    CONFIRMATION = "confirmation"
    PROMOTION = "promotion"

    @property
    def label(self) -> str:
        return self.value.replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True)
class TypeDefaults:
    priority: Priority
    purpose: Purpose


DEFAULTS: dict[MessageType, TypeDefaults] = {
    MessageType.SAFETY: TypeDefaults(Priority.URGENT, Purpose.SAFETY),
    MessageType.LOCATION_CHANGE: TypeDefaults(Priority.URGENT, Purpose.SAFETY),
    MessageType.CANCELLATION: TypeDefaults(Priority.URGENT, Purpose.SAFETY),
    MessageType.SCHEDULE: TypeDefaults(Priority.IMPORTANT, Purpose.OPERATIONAL),
    MessageType.CALL_TIME: TypeDefaults(Priority.IMPORTANT, Purpose.OPERATIONAL),
    MessageType.ANNOUNCEMENT: TypeDefaults(Priority.INFO, Purpose.OPERATIONAL),
    MessageType.REMINDER: TypeDefaults(Priority.INFO, Purpose.OPERATIONAL),
    MessageType.DAILY_REPORT: TypeDefaults(Priority.ROUTINE, Purpose.OPERATIONAL),
    MessageType.CONFIRMATION: TypeDefaults(Priority.ROUTINE, Purpose.OPERATIONAL),
    MessageType.PROMOTION: TypeDefaults(Priority.INFO, Purpose.PROMOTIONAL),
}
"""Safety, location change and cancellation are URGENT; schedule and call time IMPORTANT; announcements and
reminders INFO; reports and confirmations ROUTINE."""

TYPE_OF_PRIORITY: dict[Priority, MessageType] = {
    Priority.URGENT: MessageType.SAFETY,
    Priority.IMPORTANT: MessageType.SCHEDULE,
    Priority.INFO: MessageType.ANNOUNCEMENT,
    Priority.ROUTINE: MessageType.DAILY_REPORT,
}
"""The type taken when only a priority is given."""
