"""Crew lists as files: comma-separated text, workbooks, address-book cards. Bytes go in, a table comes out."""

from __future__ import annotations

from app.domain.crew_table import Table
from app.domain.problem import Problem
from app.integrations.crew_files.cards import read_cards
from app.integrations.crew_files.kinds import format_of
from app.integrations.crew_files.text_tables import read_text_table
from app.integrations.crew_files.workbooks import read_workbook

__all__ = ["read_table"]


def read_table(name: str, data: bytes) -> Table | Problem:
    """The rows of a file, or why it cannot be a crew list, with the next step. Raises for no bytes whatever.

    What the file is, is decided by its bytes. Of ``name`` only the ending of a tab-separated list counts, where
    the cells themselves do not tell.
    """
    match format_of(data):
        case Problem() as problem:
            return problem
        case "workbook":
            return read_workbook(data)
        case "cards":
            return read_cards(data)
        case "text":
            return read_text_table(data, tabs=name.casefold().endswith((".tsv", ".tab")))
