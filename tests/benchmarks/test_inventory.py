"""The inventory that is measured is one that the program would have made."""

import sqlite3
from pathlib import Path

import pytest

from benchmarks import inventory
from db.store import Inventory


def test_a_small_one_holds_what_a_large_one_would(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, size in (("DEVICES", 40), ("SESSIONS", 400), ("ROUTERS", 1)):
        monkeypatch.setattr(inventory, name, size)
    path = tmp_path / "i.db"
    inventory.filled(path)
    with Inventory.open(str(path)) as kept:
        assert len(list(kept.sessions())) == 400
    asked = "SELECT count(DISTINCT mac || ip) FROM endpoints WHERE id IN (SELECT endpoint FROM usages)"
    with sqlite3.connect(path) as database:
        assert database.execute(asked).fetchone() == (40,)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
