"""A database made to be asked: any statement may be tried in it, and SQLite lets nothing but reading through.

What becomes of a host is computed, so no view on the stored tables could show it: whoever asks fills tables
of another database. Sessions, of which there may be millions, stay where they are, and a view shows them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

from sqlalchemy import Connection, select

from db import bulk
from db.connection import InventoryError
from db.grouping import endpoint_rows, forwarding, groups
from db.schema import details, endpoints, sessions, shapes

MEMORY = ":memory:"
SESSIONS = "v_sessions"
"""The view that is made of the inventory's own tables."""
STEPS = 10_000
"""Of SQLite's machine between two looks whether somebody pressed Ctrl-C: a fraction of a millisecond."""
LONGEST = 50_000_000
"""Bytes of one value, far above any that is stored: ``zeroblob(1e9)`` is a slip."""
_HARMFUL = frozenset({"load_extension", "fts3_tokenizer"})
"""Functions that run foreign code; SQLite has both switched off unless it was built otherwise."""
_LISTS = ("json_each", "json_tree")
"""What makes rows of a list."""
_STORED = (endpoints, shapes, details, sessions)
"""What sessions are read from."""
_OWNERS = "endpoint_of"
"""Which host an endpoint is."""
Values = Mapping[str, Any]


class QuestionError(Exception):
    """The statement is wrong, or wants more than to read; the text says why in one line."""


class Question(NamedTuple):
    """A statement that was found to read nothing but views."""

    statement: str
    values: Values
    """Of its ``:names``."""
    reads: frozenset[str]
    """Those that must be filled, and no more than those that it names."""


class Sandbox:
    """A database of views to be asked: first ``tried``, then filled as far as needed, then ``ask``."""

    def __init__(self, views: Mapping[str, Mapping[str, str]], path: str = MEMORY) -> None:
        """Make the views, empty; each by its columns and their SQL types, ``v_sessions`` among them.

        ``path``: of a new file in which to keep them. Raises ``InventoryError``.
        """
        self._views, self._path = views, path
        self._readable = {*views, *_LISTS, *(table.name for table in _STORED), _OWNERS}
        self._refused = ""
        self._selects = False
        with self._makes():
            self._box = sqlite3.connect(path, isolation_level=None, uri=True)
            self._box.text_factory = lambda raw: raw.decode("utf-8", "replace")
            self._box.set_progress_handler(lambda: 0, STEPS)  # there Python hears of signals
            if path != MEMORY:  # until all is written it is of no use to anybody
                self._box.execute("PRAGMA journal_mode = OFF")
                self._box.execute("PRAGMA synchronous = OFF")
            self._box.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
            for name in _LISTS:  # they are made when first used, which would look like writing
                self._box.execute(f"SELECT * FROM {name}('[]')")
            for view in views:
                self._box.execute(f"CREATE TABLE {view} ({self._columns(view)})")

    def __enter__(self) -> Self:
        """Use as a context."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of it."""
        self._box.close()

    def tried(self, statement: str, values: Values | None = None) -> Question:
        """See what a statement reads, while there is nothing but empty views. Raises ``QuestionError``."""
        self._selects = False
        with self._guarded():
            self._box.execute(f"EXPLAIN {statement}", values or {}).close()
        if not self._selects:
            raise QuestionError("not a SELECT")
        named = statement.lower()  # what is joined by USING alone SQLite does not tell that it reads
        return Question(statement, values or {}, frozenset(view for view in self._views if view in named))

    def fill(self, view: str, rows: Iterable[Sequence[Any]]) -> None:
        """Put rows into a view, in the order of its columns. Raises ``InventoryError``."""
        self._insert(view, len(self._views[view]), rows)

    def lend(self, connection: Connection, file: str | None) -> None:
        """Let ``v_sessions`` show the sessions of an inventory; ``file``: SQLite's, where it is in one.

        Raises ``InventoryError``.
        """
        with self._makes():
            self._take(connection, file)
            self._box.execute(f"DROP TABLE {SESSIONS}")
            self._box.execute(f"CREATE TEMP VIEW {SESSIONS} AS {self._all_sessions()}")

    def copy(self, connection: Connection, file: str | None) -> None:
        """Put the sessions of an inventory into ``v_sessions``, as ``lend`` would show them."""
        with self._makes():
            self._take(connection, file)
            self._box.execute(f"INSERT INTO {SESSIONS} {self._all_sessions()}")
            self._box.execute(f"DROP TABLE {_OWNERS}")
            self._box.execute("DETACH inventory")

    def index(self, view: str, column: str) -> None:
        """Make it fast to find and sort by a column, which one who keeps the file is glad of."""
        with self._makes():
            self._box.execute(f"CREATE INDEX {view}_{column} ON {view} ({column})")

    def ask(self, question: Question) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
        """Names of the answer's columns, and its rows as they are found. Both raise ``QuestionError``."""
        with self._guarded():
            found = self._box.execute(question.statement, question.values)
        return [name for name, *_ in found.description], self._rows(found)

    def _rows(self, found: sqlite3.Cursor) -> Iterator[tuple[Any, ...]]:
        with self._guarded():
            for row in found:  # noqa: UP028  "yield from" would close it, maybe after its database
                yield row

    def _take(self, connection: Connection, file: str | None) -> None:
        """Make what sessions are read from readable, under the name ``inventory``, and who they are of."""
        where = f"{Path(file).absolute().as_uri()}?mode=ro" if file else MEMORY
        self._box.execute("ATTACH ? AS inventory", (where,))
        for table in () if file else _STORED:
            names = ", ".join(
                f"{column.name} INTEGER PRIMARY KEY" if column.primary_key else column.name
                for column in table.c
            )
            self._box.execute(f"CREATE TABLE inventory.{table.name} ({names})")
            self._insert(f"inventory.{table.name}", len(table.c), bulk.read(connection, select(table)))
        self._box.execute(f"CREATE TABLE {_OWNERS} (endpoint INTEGER PRIMARY KEY, host TEXT)")
        hosts = groups(endpoint_rows(connection), forwarding(connection))
        self._insert(_OWNERS, 2, ((member.id, host.name) for host in hosts for member in host.own))

    def _insert(self, table: str, width: int, rows: Iterable[Sequence[Any]]) -> None:
        with self._makes():
            self._box.execute("BEGIN")
            self._box.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * width)})", rows)
            self._box.execute("COMMIT")

    def _columns(self, view: str) -> str:
        return ", ".join(f"{name} {kind}" for name, kind in self._views[view].items())

    def _all_sessions(self) -> str:
        columns = ", ".join(f"{_SESSION[name]} AS {name}" for name in self._views[SESSIONS])
        return f"SELECT {columns} {_JOINED}"

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Let nothing but reading through, and say what is wrong with a statement."""
        self._refused = ""
        self._box.set_authorizer(self._allows)
        try:
            yield
        except (sqlite3.Error, sqlite3.Warning, ValueError) as fault:
            _pass_on_interrupt(fault)
            raise QuestionError(self._refused or str(fault)) from fault

    @contextmanager
    def _makes(self) -> Iterator[None]:
        """Let us write."""
        if hasattr(self, "_box"):
            self._box.set_authorizer(None)
        try:
            yield
        except sqlite3.Error as fault:
            _pass_on_interrupt(fault)
            raise InventoryError(f"{self._path}: {fault}") from fault

    def _allows(self, action: int, one: str | None, two: str | None, *_: str | None) -> int:
        match action:
            case sqlite3.SQLITE_SELECT:
                self._selects = True
                return sqlite3.SQLITE_OK
            case sqlite3.SQLITE_RECURSIVE:
                return sqlite3.SQLITE_OK
            case sqlite3.SQLITE_FUNCTION if two not in _HARMFUL:
                return sqlite3.SQLITE_OK
            case sqlite3.SQLITE_READ if one in self._readable or (two == "" and not _is_catalogue(one)):
                # of what no column is read: a WITH of the statement's own, which need not be a view
                return sqlite3.SQLITE_OK
            case sqlite3.SQLITE_READ | sqlite3.SQLITE_FUNCTION:
                self._refused = self._refused or f"{one or two} is not to be used"
            case _:
                self._refused = self._refused or "it does more than read"
        return sqlite3.SQLITE_DENY


def _is_catalogue(name: str | None) -> bool:
    return name is not None and name.lower().startswith("sqlite_")


def _pass_on_interrupt(fault: Exception) -> None:
    """SQLite ends a statement in whose midst Ctrl-C was pressed, and keeps the exception that said so."""
    if getattr(fault, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
        raise KeyboardInterrupt from fault


def _time(column: str) -> str:
    """RFC 3339 in UTC, to the microsecond, as ``scanner.report.records.timestamp`` writes it."""
    seconds = f"strftime('%Y-%m-%dT%H:%M:%S', sessions.{column} / 1000000000, 'unixepoch')"
    return f"{seconds} || printf('.%06dZ', sessions.{column} / 1000 % 1000000)"


_DETAILS = ("capture", "sensor", "tls_cipher", "ja3", "ja4")
_SHAPES = (
    "server_kind", "server_port", "protocol", "service", "tls_mode", "tls_version", "mechanism", "auth_class",
    "outcome", "basis", "confidence",
)  # fmt: skip
_OWN = ("client_port", "server_ip", "client_name", "username", "mails", "gaps", "evidence")
_ATTEMPT = ", ".join(
    f"'{name}', json_extract(value, '$[{at}]')"
    for at, name in enumerate(("mechanism", "auth_class", "outcome"))
)
_EACH = "FROM json_each(details.record, '$.attempts')"
_SESSION = {
    "host": f"{_OWNERS}.host",
    "first_seen": _time("first_seen"),
    "last_seen": _time("last_seen"),
    "client_ip": "endpoints.ip",
    "client_mac": "nullif(endpoints.mac, '')",
    "server_name": "coalesce(sessions.server_name, shapes.server_name)",
    "attempts": f"(SELECT json_group_array(json_object({_ATTEMPT})) {_EACH})",
    **{name: f"json_extract(details.record, '$.{name}')" for name in _DETAILS},
    **{name: f"shapes.{name}" for name in _SHAPES},
    **{name: f"sessions.{name}" for name in _OWN},
}
"""What each column of ``v_sessions`` is made of."""
_JOINED = f"""FROM inventory.sessions
LEFT JOIN inventory.details ON details.id = sessions.detail
LEFT JOIN inventory.shapes ON shapes.id = details.shape
LEFT JOIN inventory.endpoints ON endpoints.id = sessions.endpoint
LEFT JOIN main.{_OWNERS} ON {_OWNERS}.endpoint = sessions.endpoint"""
"""Joined so that SQLite leaves out what a statement does not ask for."""
