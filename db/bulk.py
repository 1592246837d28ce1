"""Insert and read many rows at once, past what SQLAlchemy does for each: that doubles the speed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, Table, func
from sqlalchemy.dialects import sqlite

Row = tuple[Any, ...]


def read(connection: Connection, asked: Select[Any]) -> list[Row]:
    """All rows as bare tuples; for columns of numbers and text, which drivers give as they are.

    SQLAlchemy's rows cost as much again as reading them, and the garbage collector looks at each.
    """
    with connection.execute(asked) as found:
        return found.cursor.fetchall() if found.cursor else []  # type: ignore[return-value]


def insert(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    rows: Sequence[Row],
    unique: tuple[str, ...],
) -> None:
    """Insert rows; one whose ``unique`` columns are there already is left as it is."""
    _execute(connection, table, columns, rows, unique, None)


def add(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    rows: Sequence[Row],
    unique: tuple[str, ...],
    sums: tuple[str, ...],
) -> None:
    """Insert rows; one that is there already has its ``sums`` added to, and its span, if any, stretched."""
    _execute(connection, table, columns, rows, unique, sums)


def put(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    rows: Sequence[Row],
    unique: tuple[str, ...],
) -> None:
    """Insert rows, no two with the same ``unique`` columns; one that is there already becomes as the new."""
    _execute(connection, table, columns, rows, unique, (), tuple(c for c in columns if c not in unique))


def _execute(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    rows: Sequence[Row],
    unique: tuple[str, ...],
    sums: tuple[str, ...] | None,
    changed: tuple[str, ...] = (),
) -> None:
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_text(table, columns, unique, sums, changed), list(rows))
    else:
        statement = _statement(False, table, unique, sums, changed)
        connection.execute(statement, [dict(zip(columns, row, strict=True)) for row in rows])


@lru_cache(64)
def _text(
    table: Table,
    columns: tuple[str, ...],
    unique: tuple[str, ...],
    sums: tuple[str, ...] | None,
    changed: tuple[str, ...] = (),
) -> str:
    """The statement in SQLite's words; its parameters stand in the order of ``columns``."""
    compiled = _statement(True, table, unique, sums, changed).compile(
        dialect=sqlite.dialect(paramstyle="qmark"), column_keys=list(columns)
    )
    return str(compiled)


def _statement(
    is_sqlite: bool,
    table: Table,
    unique: tuple[str, ...],
    sums: tuple[str, ...] | None,
    changed: tuple[str, ...] = (),
) -> Any:
    make: Any = sqlite.insert
    if not is_sqlite:
        from sqlalchemy.dialects import postgresql  # 3 MB and 20 ms that a file need not pay

        make = postgresql.insert
    statement = make(table)
    if sums is None:
        return statement.on_conflict_do_nothing(index_elements=unique)
    least, most = (func.min, func.max) if is_sqlite else (func.least, func.greatest)
    new = statement.excluded
    changes = {name: table.c[name] + new[name] for name in sums} | {name: new[name] for name in changed}
    if "first_seen" in table.c:
        changes["first_seen"] = least(table.c.first_seen, new.first_seen)
        changes["last_seen"] = most(table.c.last_seen, new.last_seen)
    return statement.on_conflict_do_update(index_elements=unique, set_=changes)
