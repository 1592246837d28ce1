"""Any statement may be asked, and none does more than read what is documented."""

import json
import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.asking import QuestionError, Sandbox
from db.connection import InventoryError
from db.store import Inventory
from scanner.events import Outcome
from scanner.model import Attempt, AuthClass, Observation
from scanner.report.records import session_record
from scanner.report.tables import TABLES
from tests.db.samples import SEEN, filled, other

VIEWS = {name: table.kinds for name, table in TABLES.items()}
TINY = {"v_devices": {"host": "TEXT", "days": "INTEGER"}, "v_sessions": VIEWS["v_sessions"]}
SECOND = other(
    client_ip="2001:db8::1", client_mac=None, client_port=50001, first_seen=1_790_000_000_123_456_789,
    last_seen=1_790_000_001_000_000_000, auth_class=AuthClass.OAUTH, mechanism="XOAUTH2",
    tls_version="TLSv1.3",
    ja3="3", ja4="4", tls_cipher="TLS_AES_256_GCM_SHA384", server_name="front.end", client_name="küche\u202e",
    server_family="*.outlook.office365.com", username=None, gaps=7, capture="caf\udce9.pcap",
    attempts=(
        Attempt("LOGIN", AuthClass.BASIC, Outcome.REFUSED, "basic-disabled"),
        Attempt("XOAUTH2", AuthClass.OAUTH, None),
    ),
)  # fmt: skip
"""A session that has everything."""


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(TINY) as made:
        made.fill("v_devices", [("a", 1), ("b", None)])
        yield made


def answer(box: Sandbox, statement: str, **values: object) -> list[tuple[object, ...]]:
    return list(box.ask(box.tried(statement, values))[1])


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("SELECT host FROM v_devices ORDER BY 1 DESC", [("b",), ("a",)]),
        ("select count(*), max(days) from V_DEVICES", [(2, 1)]),
        ("WITH x AS (SELECT 7 AS y) SELECT count(*), y FROM x", [(1, 7)]),
        ("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3) SELECT n FROM c",
         [(1,), (2,), (3,)]),
        ("VALUES (1), (2)", [(1,), (2,)]),
        ("SELECT value FROM json_each('[1,2]') UNION SELECT value FROM json_tree('[3]') WHERE atom",
         [(1,), (2,), (3,)]),
        ("/* of hosts */ SELECT host, lag(host) OVER (ORDER BY host) FROM v_devices -- all",
         [("a", None), ("b", "a")]),
        ("SELECT a.host FROM v_devices a JOIN (SELECT * FROM v_devices) b ON a.days = b.days", [("a",)]),
        ("SELECT host FROM v_devices WHERE rowid = 1;", [("a",)]),
        ("SELECT count(*) FROM v_sessions", [(0,)]),
        ("SELECT strftime('%Y', 'now') > '2000', upper('x') REGEXP 'X'", None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_reads_is_answered(box: Sandbox, statement: str, found: list[tuple[object, ...]] | None) -> None:
    if found is None:  # wrong, but nothing that is refused
        with pytest.raises(QuestionError, match="no such function: REGEXP"):
            answer(box, statement)
        return
    assert answer(box, statement) == found


def test_names_are_filled_in(box: Sandbox) -> None:
    assert answer(box, "SELECT host FROM v_devices WHERE host = :one", one="b") == [("b",)]


MORE, HIDDEN = "it does more than read", "is not to be used"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DROP TABLE v_devices", MORE),
        ("DELETE FROM v_devices", MORE),
        ("INSERT INTO v_devices VALUES ('c', 1)", MORE),
        ("REPLACE INTO v_devices VALUES ('c', 1)", MORE),
        ("UPDATE v_devices SET days = 1 RETURNING host", MORE),
        ("WITH x AS (SELECT 1) DELETE FROM v_devices", MORE),
        ("CREATE TABLE x (y)", MORE),
        ("CREATE TEMP TABLE x AS SELECT 1", MORE),
        ("CREATE VIEW x AS SELECT 1", MORE),
        ("CREATE TEMP TRIGGER x INSERT ON v_devices BEGIN SELECT 1; END", MORE),
        ("CREATE VIRTUAL TABLE x USING fts5(y)", MORE),
        ("ALTER TABLE v_devices RENAME TO x", MORE),
        ("ATTACH 'FILE' AS x", MORE),
        ("DETACH main", MORE),
        ("PRAGMA user_version", MORE),
        ("PRAGMA writable_schema = 1", MORE),
        ("SELECT * FROM pragma_table_info('v_devices')", MORE),
        ("BEGIN", MORE),
        ("SAVEPOINT x", MORE),
        ("ANALYZE", MORE),
        ("VACUUM", "not a SELECT"),
        ("VACUUM INTO 'FILE'", "not a SELECT"),
        ("REINDEX", "not a SELECT"),
        ("SELECT load_extension('FILE')", "load_extension is not to be used"),
        ("SELECT fts3_tokenizer('simple')", "fts3_tokenizer is not to be used"),
        ("SELECT writefile('FILE', 'x')", "no such function: writefile"),
        ("SELECT readfile('/etc/passwd')", "no such function: readfile"),
        ("SELECT edit('x')", "no such function: edit"),
        ("SELECT * FROM sqlite_master", f"sqlite_master {HIDDEN}"),
        ("SELECT count(*) FROM sqlite_schema", HIDDEN),
        ("SELECT count(*) FROM SQLite_Master", HIDDEN),
        ("SELECT name FROM temp.sqlite_master", HIDDEN),
        ("SELECT host FROM v_devices WHERE EXISTS (SELECT sql FROM sqlite_master)", HIDDEN),
        ("SELECT * FROM sessions", "no such table: sessions"),
        ("SELECT count(*) FROM inventory.sessions", "no such table: inventory.sessions"),
        ("WITH v_sessions AS (SELECT * FROM runs) SELECT * FROM v_sessions", "no such table: runs"),
        ("SELECT 1; SELECT 2", "one statement"),
        ("SELECT 1; DROP TABLE v_devices", "one statement"),
        ("SELECT nowhere FROM v_devices", "no such column: nowhere"),
        ("SELEC host", 'near "SELEC": syntax error'),
        ("EXPLAIN SELECT 1", 'near "EXPLAIN": syntax error'),
        ("", "incomplete input"),
        ("-- nothing", "incomplete input"),
        ("SELECT ?", "inding"),
        ("SELECT :one", "inding"),
        ("SELECT 1\0", "null"),
        ("SELECT '\udce9'", "surrogates"),
        ("SELECT zeroblob(1000000000)", "too big"),
        ("SELECT abs(-9223372036854775808)", "integer overflow"),
        ("SELECT value FROM json_each('[')", "malformed JSON"),
    ],
    ids=lambda value: value.encode("unicode_escape").decode(),
)  # fmt: skip
def test_what_does_not_is_refused_and_said(box: Sandbox, tmp_path: Path, statement: str, said: str) -> None:
    with pytest.raises(QuestionError, match=said) as refused:
        answer(box, statement.replace("FILE", str(tmp_path / "file")))
    assert "\n" not in str(refused.value)
    assert answer(box, "SELECT host, days FROM v_devices") == [("a", 1), ("b", None)]
    assert not list(tmp_path.iterdir())


VERBS = (
    "DROP TABLE", "DROP VIEW", "DELETE FROM", "INSERT INTO", "INSERT OR REPLACE INTO", "UPDATE", "ATTACH",
    "ATTACH DATABASE", "DETACH", "PRAGMA", "VACUUM", "VACUUM main INTO", "REINDEX", "ANALYZE", "CREATE TABLE",
    "CREATE TEMP VIEW", "CREATE UNIQUE INDEX", "ALTER TABLE", "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK",
    "SAVEPOINT",
    "RELEASE",
)  # fmt: skip
OBJECTS = (
    "", "v_devices", "main.v_devices", "v_sessions", "inventory.runs", "sqlite_master", "'file'",
    "'file' AS x",
    "user_version", "writable_schema = 1", "journal_mode = DELETE", "wal_checkpoint(TRUNCATE)",
    "query_only = 0", "i ON v_devices (host)", "x (y)", "x AS SELECT 1", "v_devices SET days = 0",
    "v_devices VALUES ('x', 1)", "v_devices (host) SELECT 'x'", "v_devices DEFAULT VALUES",
    "v_devices WHERE 1",
    "v_devices ADD COLUMN x", "v_devices RENAME TO x", "temp.x (y)", "v_devices RETURNING *",
    "inventory.runs SET began = 0", "inventory.sessions WHERE 1",
)  # fmt: skip
BEFORE = ("", " ", "\n\t", "-- x\n", "/* SELECT */ ", "WITH x AS (SELECT 1) ", "EXPLAIN ", "SELECT 1; ", ";")
AFTER = ("", ";", " -- x", " RETURNING 1", "; SELECT 1", " UNION SELECT 1", " LIMIT 1")


@given(
    st.tuples(*map(st.sampled_from, (BEFORE, VERBS, OBJECTS, AFTER))), st.sampled_from([str.lower, str.upper])
)
def test_no_statement_that_writes_gets_through(parts: tuple[str, ...], case: type[str]) -> None:
    before, verb, what, after = parts
    with Sandbox(TINY) as box:
        box.fill("v_devices", [("a", 1)])
        with pytest.raises(QuestionError):
            answer(box, f"{before}{case(verb)} {what}{after}")
        assert answer(box, "SELECT host, days FROM v_devices") == [("a", 1)]
    assert not Path("file").exists()


@given(st.text() | st.lists(st.sampled_from([*VERBS, *OBJECTS, "SELECT", "*", "FROM", "(", ")", ",", ";"])))
def test_whatever_is_asked_the_inventory_stays_as_it_is(text: str | list[str]) -> None:
    statement = text if isinstance(text, str) else " ".join(text)
    with Inventory.open("sqlite://") as kept, Sandbox(TINY) as box:
        box.fill("v_devices", [("a", 1)])
        try:
            question = box.tried(statement)
            kept.lend_sessions(box)
            list(box.ask(question)[1])
        except QuestionError as fault:
            assert "\n" not in str(fault)
        assert answer(box, "SELECT host, days FROM v_devices") == [("a", 1)]


@pytest.mark.parametrize(
    ("statement", "read"),
    [
        ("SELECT 1", ""),
        ("SELECT host FROM v_devices", "v_devices"),
        ("SELECT count(*) FROM v_sessions", "v_sessions"),
        ("SELECT 1 WHERE 'a' IN (SELECT host FROM v_sessions) OR EXISTS (SELECT 1 FROM v_devices)",
         "v_devices v_sessions"),
        ("SELECT count(*) FROM V_Sessions JOIN [v_devices] USING (host)", "v_devices v_sessions"),
    ],
)  # fmt: skip
def test_a_statement_is_known_by_what_it_reads(box: Sandbox, statement: str, read: str) -> None:
    assert box.tried(statement).reads == set(read.split())


def expected(seen: Observation, host: str) -> dict[str, object]:
    record = session_record(seen) | {"host": host, "attempts": json.dumps(session_record(seen)["attempts"])}
    del record["community_id"]
    return record


@pytest.mark.parametrize("name", ["i.db", "a b;c#d%20é.db", None], ids=["a file", "an odd name", "elsewhere"])
@pytest.mark.parametrize("copy", [False, True], ids=["lent", "copied"])
def test_sessions_are_asked_as_they_are_listed(tmp_path: Path, name: str | None, copy: bool) -> None:
    """``elsewhere``: where SQLite cannot reach them, as in PostgreSQL."""
    seen = [SEEN, SECOND]
    with Inventory.open(str(tmp_path / name) if name else "sqlite://") as kept, Sandbox(VIEWS) as box:
        kept.record(kept.begin_run("here", [], 1), seen)
        question = box.tried("SELECT * FROM v_sessions ORDER BY first_seen")
        kept.lend_sessions(box, copy)
        names, rows = box.ask(question)
        found = [dict(zip(names, row, strict=True)) for row in rows]
    for one in found:
        one["attempts"] = json.dumps(json.loads(str(one["attempts"])))
    wanted = [expected(SEEN, "00:26:73:00:00:01"), expected(SECOND, "2001:db8::1")]
    assert str(found[1].pop("capture")).startswith("caf") and wanted[1].pop("capture")
    assert found == wanted


def test_a_host_s_sessions_are_those_of_all_its_addresses_and_a_router_s_are_not(tmp_path: Path) -> None:
    behind = [
        other(client_ip=f"192.0.2.{n}", client_mac="00:0c:42:00:00:01", client_port=n) for n in range(9)
    ]
    two = [SEEN, other(client_ip="10.0.0.2", client_port=1)]
    with filled(tmp_path / "i.db", *two, *behind) as kept, Sandbox(VIEWS) as box:
        question = box.tried("SELECT host, count(*) FROM v_sessions GROUP BY host ORDER BY host")
        kept.lend_sessions(box)
        assert list(box.ask(question)[1]) == [
            ("00:26:73:00:00:01", 2), *((f"192.0.2.{n}", 1) for n in range(9))
        ]  # fmt: skip


def test_an_inventory_that_is_lent_cannot_be_written(tmp_path: Path) -> None:
    with filled(tmp_path / "i.db", SEEN) as kept, Sandbox(VIEWS) as box:
        kept.lend_sessions(box)
        box._box.set_authorizer(None)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            box._box.execute("DELETE FROM inventory.sessions")
        with pytest.raises(QuestionError, match=MORE):
            answer(box, "DELETE FROM inventory.sessions")


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="unable to open"):
        Sandbox(TINY, str(tmp_path / "missing" / "file"))


def test_ctrl_c_ends_a_statement_that_would_not_end(box: Sandbox) -> None:
    endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"
    pressed = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    pressed.start()
    with pytest.raises(KeyboardInterrupt):
        answer(box, endless)
    pressed.join()
    assert answer(box, "SELECT 1") == [(1,)]
