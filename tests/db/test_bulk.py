"""Statements take bare tuples, so their columns must stand in the order that the tuples have."""

import pytest
from sqlalchemy import Table, create_engine, select
from sqlalchemy.dialects import postgresql

from db import bulk
from db.schema import assets, metadata, usages


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: str(table.name))
def test_values_stand_in_the_order_of_the_columns(table: Table) -> None:
    columns = tuple(column.name for column in table.columns)
    statement = bulk._text(table, columns, columns[:1], None).replace('"', "")
    assert statement.startswith(f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES")


def test_sums_add_up_and_spans_stretch() -> None:
    columns = tuple(column.name for column in usages.columns)
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        metadata.create_all(connection)
        for row in ((1, 1, 5, 6, 1, 2, 3, 4), (1, 1, 3, 4, 10, 20, 30, 40), (1, 1, 4, 9, 100, 200, 300, 400)):
            bulk.add(connection, usages, columns, [row], columns[:2], columns[4:])
        bulk.insert(connection, usages, columns, [(1, 1, *[0] * 6)], columns[:2])
        bulk.insert(connection, usages, columns, [], columns[:2])
        assert bulk.read(connection, select(usages)) == [(1, 1, 3, 9, 111, 222, 333, 444)]
    engine.dispose()


def test_postgresql_says_the_same_in_its_words() -> None:
    columns = tuple(column.name for column in usages.columns)
    statement = bulk._statement(False, usages, columns[:2], ("sessions",))
    said = str(statement.compile(dialect=postgresql.dialect()))
    assert "ON CONFLICT (endpoint, shape) DO UPDATE SET" in said
    assert "least(usages.first_seen, excluded.first_seen)" in said


def test_what_is_put_again_becomes_as_the_new() -> None:
    columns, engine = tuple(assets.c.keys()), create_engine("sqlite://")
    with engine.begin() as connection:
        metadata.create_all(connection)
        bulk.put(connection, assets, columns, [("a", "1", "2", "3"), ("b", "4", None, None)], columns[:1])
        bulk.put(connection, assets, columns, [("a", None, "5", "3")], columns[:1])
        assert bulk.read(connection, select(assets)) == [("a", None, "5", "3"), ("b", "4", None, None)]
    engine.dispose()
