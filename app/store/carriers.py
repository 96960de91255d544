"""Two people on one number share one text: the delivery of the second is carried by that of the first.

What is known of a delivery that is carried stands with its carrier; its own columns stay as they were planned.
Whoever asks where a delivery is, or what is known of it, asks here.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, case

from app.domain.evidence import PENDING_WORK, Work
from app.store import tables as t

CARRIER = t.deliveries.alias("carrier")

IS_CARRIER = CARRIER.c.id == t.deliveries.c.carried_by

WITH_CARRIER = t.deliveries.outerjoin(CARRIER, IS_CARRIER)
"""Deliveries, each beside the one that carries it, if one does: what :func:`through` is selected from. A query that
has joined deliveries already adds ``CARRIER`` on ``IS_CARRIER``."""

_not_for_them = and_(
    t.deliveries.c.work == Work.CANCELLED.value,
    CARRIER.c.work.in_([Work.HELD.value, *(work.value for work in PENDING_WORK)]),
)
"""Somebody who is carried has answered, or wants nothing more: what their carrier still waits for is not theirs."""


def through(name: str) -> ColumnElement[Any]:
    """A column of the delivery as it holds for its person: that of the carrier, where there is one."""
    own, carried = t.deliveries.c[name], CARRIER.c[name]
    if name == "work":
        return case((t.deliveries.c.carried_by.is_(None), own), (_not_for_them, own), else_=carried).label(
            name
        )
    return case((t.deliveries.c.carried_by.is_(None), own), else_=carried).label(name)
