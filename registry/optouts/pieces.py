"""Queries over many keys, in bounded pieces: no statement is too long, and none is sent a row at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql import ColumnElement

PIECE = 5_000  # SQLite takes 32,766 parameters a statement, PostgreSQL 65,535


def pieces(values: Collection[Any], size: int = PIECE) -> Iterator[list[Any]]:
    """The values, sorted, in lists of at most `size`."""
    ordered = sorted(values)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def select_in(
    session: Session,
    statement: Select[*tuple[Any, ...]],
    column: InstrumentedAttribute[Any] | ColumnElement[Any],
    values: Collection[Any],
) -> Iterator[Any]:
    """Rows of `statement` where `column` is one of `values`; nothing is asked where there are none."""
    for piece in pieces(values):
        yield from session.execute(statement.where(column.in_(piece)))
