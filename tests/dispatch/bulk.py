"""Thousands of waiting texts at once, written as routing would have left them."""

from __future__ import annotations

import os
from typing import Any

from app.domain import ids
from app.domain.messages import Composed
from app.domain.priorities import PROFILES, StepKind
from app.domain.routing import AddressKind
from app.store import messages, rollup, steps
from app.store import tables as t
from app.store.crew import FIELD
from tests.house import ZONE, Ledger

UNIT = "Second"
"""These people are in a unit of their own: the audiences of tests do not mean them."""


async def queue_texts(ledger: Ledger, count: int, composed: Composed, *, first: int = 100_000) -> int:
    """A message with one queued text each for so many new people, who get the keys from ``first`` on. Returns its
    own key."""
    now = ledger.now

    async def work(connection: Any) -> int:
        number = await messages.next_number(connection, ledger.production.id)
        message_id, version_id = await messages.create(
            connection,
            composed,
            production_id=ledger.production.id,
            public_id=ids.ulid(now, os.urandom),
            code=ids.message_code(number),
            actor="tests",
            now_ms=now,
        )
        step_id = await steps.add(
            connection,
            public_id=ids.ulid(now, os.urandom),
            message_id=message_id,
            version_id=version_id,
            kind=StepKind.FIRST,
            actor="tests",
            channels=composed.channels,
            now_ms=now,
            not_before=now,
        )
        await connection.execute(
            t.steps.update().where(t.steps.c.id == step_id).values(frozen_at=now, routed_at=now)
        )
        keys = range(first, first + count)
        production = ledger.production.id
        await connection.execute(t.people.insert(), [_person(one, production, now) for one in keys])
        await connection.execute(
            t.contact_points.insert(), [_point(ledger, one, production, now) for one in keys]
        )
        await connection.execute(
            t.recipients.insert(),
            [
                {
                    "id": one,
                    "production_id": production,
                    "message_id": message_id,
                    "person_id": one,
                    "department": "Extras",
                    "bucket": "on_the_way",
                    "channels": '{"sms": "planned"}',
                }
                for one in keys
            ],
        )
        give_up_at = now + PROFILES[composed.priority].give_up_s * 1000
        await connection.execute(
            t.deliveries.insert(),
            [
                {
                    "id": one,
                    "production_id": production,
                    "message_id": message_id,
                    "step_id": step_id,
                    "recipient_id": one,
                    "contact_point_id": one,
                    "channel": "sms",
                    "priority": composed.priority.rank,
                    "work": "queued",
                    "evidence": "none",
                    "evidence_rank": 0,
                    "receipt_possible": True,
                    "attempt": 1,
                    "due_at": now,
                    "give_up_at": give_up_at,
                    "created_at": now,
                }
                for one in keys
            ],
        )
        await rollup.add_to_counters(
            connection,
            {
                (message_id, "all", "", "on_the_way"): count,
                (message_id, "department", "Extras", "on_the_way"): count,
                (message_id, "channel", "sms", "planned"): count,
            },
        )
        return message_id

    return await ledger.do(work)


def _person(key: int, production_id: int, now: int) -> dict[str, Any]:
    return {
        "id": key,
        "public_id": f"P{key:025d}",
        "production_id": production_id,
        "name": f"Extra {key}",
        "department": "Extras",
        "position": "Extra",
        "department_head": False,
        "unit": UNIT,
        "language": "en",
        "time_zone": ZONE,
        "call_offset_min": 0,
        "day_status": "work",
        "created_at": now,
        "updated_at": now,
    }


def _point(ledger: Ledger, key: int, production_id: int, now: int) -> dict[str, Any]:
    phone = f"+4477{key:08d}"
    return {
        "id": key,
        "production_id": production_id,
        "person_id": key,
        "kind": AddressKind.PHONE.value,
        "place": 0,
        "cipher": ledger.vault.encrypt(FIELD[AddressKind.PHONE], phone),
        "lookup": ledger.vault.lookup(phone),
        "tail": phone[-4:],
        "line_type": "mobile",
        "first_text_at": now,
        "created_at": now,
    }
