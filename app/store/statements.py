"""The few statements that the two databases spell differently, and the size of a list in one statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

LIST_ROWS = 500
"""Rows named in one statement: below every limit on parameters, above the point where more stops helping."""

INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

T = TypeVar("T")


def insert(connection: AsyncConnection, table: Table) -> Any:
    """An insert that knows ON CONFLICT, in the dialect of this connection."""
    return INSERT[connection.dialect.name](table)


def chunks(items: Sequence[T], size: int = LIST_ROWS) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
