"""A database of any form that there was is brought to the newest, with all that is in it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from db import migrations
from db.schema import REVISION
from db.store import Inventory
from scanner.services import ScanPlan
from scanner.totals import Hour, RunTotals
from tests.db.samples import FINE, SEEN, filled, other
from tests.services import whole

SINCE = ("dropped", "unwritten", "down_ns")
"""Totals that runs of the first form lack."""


def of_form(path: Path, form: str, filled_from: Path) -> None:
    """Make a database of a form, with what it can hold of one of the newest."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrations.upgrade(connection, form)
    engine.dispose()
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.execute("ATTACH ? AS new", (str(filled_from),))
        tables = old.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'").fetchall()
        for (table,) in tables:
            if table != "alembic_version":
                names = ", ".join(row[1] for row in old.execute(f"PRAGMA main.table_info({table})"))
                old.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM new.{table}")
        for run, text in old.execute("SELECT id, totals FROM main.runs").fetchall():
            totals = {name: count for name, count in json.loads(text).items() if name not in SINCE}
            old.execute("UPDATE main.runs SET totals = ? WHERE id = ?", (json.dumps(totals), run))


@pytest.mark.parametrize("form", ["0001", "0002", "0003", REVISION])
def test_an_old_inventory_is_brought_forward_with_all_in_it(tmp_path: Path, form: str) -> None:
    filled(tmp_path / "new.db", SEEN, other(client_port=7)).close()
    of_form(tmp_path / "old.db", form, tmp_path / "new.db")
    with Inventory.open(str(tmp_path / "new.db")) as new, Inventory.open(str(tmp_path / "old.db")) as old:
        assert list(old.sessions()) == list(new.sessions()) != []
        assert list(old.hosts(FINE)) == list(new.hosts(FINE)) != []
        assert old.runs() == new.runs()
        assert old.runs()[0].totals == RunTotals(packets=3, unreadable=("x",))
        run = old.begin_run("here", ["eth1"], 5)
        old.update_run(run, RunTotals(dropped=1), 6, [Hour(0, dropped=1)])
        assert old.record(run, [SEEN, other(client_port=8)]) == 1
        scan = old.begin_scan("here", ScanPlan(("10.0.0.0/24",)), 6)
        old.record_services(scan, [(whole(), None)])
        assert list(old.scan_services(scan)) == [whole()]
        assert (old.hours(), old.forget(7)) == ([Hour(0, dropped=1)], 3)


def schema_of(path: Path) -> dict[tuple[str, str], object]:
    """Columns, keys and indexes, by kind and name."""
    with closing(sqlite3.connect(path)) as opened:
        named = "SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"
        return {
            (kind, name): (
                opened.execute(f"PRAGMA {kind}_xinfo({name})").fetchall(),
                opened.execute(f"PRAGMA foreign_key_list({name})").fetchall(),
                [row[1:] for row in opened.execute("PRAGMA table_list") if row[1] == name],
                sorted(row[2:] for row in opened.execute(f"PRAGMA index_list({name})")),
            )
            for kind, name in opened.execute(named).fetchall()
        }


def test_what_is_made_new_has_the_form_that_migrations_lead_to(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'led.db'}")
    with engine.begin() as connection:
        migrations.upgrade(connection, REVISION)
    engine.dispose()
    Inventory.open(str(tmp_path / "made.db")).close()
    assert schema_of(tmp_path / "made.db") == schema_of(tmp_path / "led.db")
