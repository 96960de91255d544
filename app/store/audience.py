"""Whom a message is for: the words people write, as one condition over the crew list.

``all``, ``dept:Camera``, ``unit:Main``, ``person:Ada Lund`` (or a person's id), each with ``-`` in front to
leave somebody out. Names are compared without regard to case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.problem import Refused
from app.store import tables as t

p = t.people.c

KINDS = {"dept": p.department, "unit": p.unit}
"""Words that name a column of the crew list."""


@dataclass(frozen=True, slots=True)
class Who:
    """One word of an audience."""

    kind: str
    name: str
    excluded: bool

    def __str__(self) -> str:
        word = self.kind if self.kind == "all" else f"{self.kind}:{self.name}"
        return f"-{word}" if self.excluded else word


def parse_who(word: str) -> Who:
    """Read one word. Raises :class:`Refused` for what is no audience."""
    text = word.strip()
    excluded = text.startswith("-")
    text = text.removeprefix("-").strip()
    kind, colon, name = text.partition(":")
    kind, name = kind.strip().lower(), name.strip()
    if kind == "all" and not colon:
        return Who("all", "", excluded)
    if colon and name and kind in (*KINDS, "person"):
        return Who(kind, name, excluded)
    raise Refused(
        f"“{word}” is no audience.",
        "Write all, dept:Camera, unit:Main or person:Ada Lund, with - in front to leave somebody out.",
    )


def _condition(who: Who) -> ColumnElement[bool]:
    if who.kind == "all":
        return true()
    if who.kind == "person":
        return or_(func.lower(p.name) == who.name.lower(), p.public_id == who.name.upper())
    return func.lower(KINDS[who.kind]) == who.name.lower()


def condition(production_id: int, words: Sequence[str]) -> ColumnElement[bool]:
    """The people of this production an audience means. Only words that leave out mean: all but those."""
    parsed = [parse_who(word) for word in words]
    included = [_condition(who) for who in parsed if not who.excluded]
    excluded = [_condition(who) for who in parsed if who.excluded]
    if not parsed:
        return false()
    return and_(
        p.production_id == production_id,
        p.removed_at.is_(None),
        or_(*included) if included else true(),
        *(~one for one in excluded),
    )


async def check(connection: AsyncConnection, production_id: int, words: Sequence[str]) -> list[str]:
    """What is odd about an audience, in sentences. A slip must not go unseen: raises :class:`Refused`, naming
    what there is, where a word means nobody; one that only leaves nobody out is a remark."""
    remarks = []
    for word in words:
        who = parse_who(word)
        if who.kind == "all":
            continue
        found = await connection.execute(
            select(func.count()).where(
                p.production_id == production_id, p.removed_at.is_(None), _condition(who)
            )
        )
        if found.scalar():
            continue
        sentence = f"Nobody in the crew list is meant by “{word}”."
        if not who.excluded:
            raise Refused(sentence, await _there_is(connection, production_id, who))
        remarks.append(f"{sentence} {await _there_is(connection, production_id, who)}")
    return remarks


async def _there_is(connection: AsyncConnection, production_id: int, who: Who) -> str:
    if who.kind not in KINDS:
        return "Look the name up: callboard crew list."
    column: Any = KINDS[who.kind]
    names = await connection.execute(
        select(column)
        .distinct()
        .where(p.production_id == production_id, p.removed_at.is_(None))
        .order_by(column)
    )
    listed = ", ".join(name for name in names.scalars() if name) or "none yet: callboard crew import FILE"
    return f"There is: {listed}."


async def departments(connection: AsyncConnection, production_id: int) -> list[tuple[str, int]]:
    """Every department with its head-count, by name."""
    rows = await connection.execute(
        select(p.department, func.count())
        .where(p.production_id == production_id, p.removed_at.is_(None))
        .group_by(p.department)
        .order_by(p.department)
    )
    return [(name, count) for name, count in rows]


async def head_count(connection: AsyncConnection, production_id: int, words: Sequence[str]) -> int:
    found = await connection.execute(select(func.count()).where(condition(production_id, words)))
    return int(found.scalar() or 0)
