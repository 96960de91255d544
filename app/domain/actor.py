"""Who does something. Every service takes one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The roles of a production office, as they are spoken of there."""

    COORDINATOR = "coordinator"
    ASSISTANT_COORDINATOR = "assistant coordinator"
    UNIT_PRODUCTION_MANAGER = "unit production manager"
    PRODUCER = "producer"
    FIRST_AD = "1st AD"
    SECOND_AD = "2nd AD"
    DEPARTMENT_HEAD = "department head"
    VIEWER = "viewer"


SENDERS = frozenset(Role) - {Role.VIEWER}
"""Roles that may send at all; a viewer reads."""


SET_UP = frozenset(
    {Role.COORDINATOR, Role.ASSISTANT_COORDINATOR, Role.UNIT_PRODUCTION_MANAGER, Role.PRODUCER}
)
"""Roles that may set up productions and provider accounts: those who answer for the money."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A user in a role, acting now."""

    name: str
    role: Role = Role.COORDINATOR

    @property
    def may_send(self) -> bool:
        return self.role in SENDERS

    @property
    def may_set_up(self) -> bool:
        return self.role in SET_UP


ENGINE = Actor("callboard", Role.VIEWER)
