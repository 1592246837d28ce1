"""Open a database so that nobody else can read it, and turn its faults into one line for the user."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    inspect,
    make_url,
    text,
)
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.pool import StaticPool

from db.schema import REVISION, metadata

BUSY_MS = 30_000
"""How long to wait for another writer: its longest transaction is one batch, well under a second."""

CACHE_KB = 8_000
"""Pages that SQLite keeps, a large part of the usages of 20,000 machines, which every batch touches all over:
twice as many make it no faster."""
LOG_PAGES = 4_000
"""Pages in the log before they go to the database, 16 MB: what many batches touch is then copied once."""
WRITERS_LOCK = 0x6D61696C
"""A number for PostgreSQL's lock of this program's writers; any will do ("mail" in ASCII)."""


RETRY_S = 0.01
"""Between two tries to switch on the write-ahead log: whoever holds the lock needs a few milliseconds."""


class InventoryError(Exception):
    """The inventory cannot be used; the text says why in one line."""


class UnavailableError(InventoryError):
    """The database is locked, full, broken or out of reach; what was asked of it may be asked again."""


class ForeignFileError(UnavailableError):
    """The file is no database at all: who begins had better stop, who goes on may see it put right."""


def open_engine(url: str, create: bool, busy_ms: int = BUSY_MS, read_only: bool = False) -> Engine:
    """Connect to a database, and bring it to the newest form. Raises ``InventoryError``.

    ``busy_ms``: how long to wait for another writer; ``read_only``: nothing can be written from then on.
    """
    try:
        target = make_url(url if "://" in url else f"sqlite:///{url}")
        if target.get_backend_name() not in ("sqlite", "postgresql"):
            raise InventoryError(f"{target.get_backend_name()}: the inventory lives in SQLite or PostgreSQL")
        if target.get_backend_name() == "sqlite" and target.database not in (None, "", ":memory:"):
            _prepare_file(Path(str(target.database)), create)
        memory = target.get_backend_name() == "sqlite" and target.database in (None, "", ":memory:")
        engine = create_engine(target, poolclass=StaticPool) if memory else create_engine(target)
    except (ArgumentError, NoSuchModuleError, ImportError) as fault:
        raise InventoryError(f"{url}: {_line(fault)}") from fault
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: _configure(connection, busy_ms))
    event.listen(engine, "begin", lambda connection: _begin(connection, busy_ms))
    with told(engine):
        _migrate(engine)
    if read_only:
        event.listen(engine, "begin", _only_read)
    return engine


_versions = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
"""Where alembic keeps which migration a database is at."""


@contextmanager
def told(engine: Engine) -> Iterator[None]:
    """Let faults of the database leave as ``InventoryError``."""
    try:
        yield
    except SQLAlchemyError as fault:
        kind = UnavailableError if _may_pass(fault) else InventoryError
        if getattr(getattr(fault, "orig", None), "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
            kind = ForeignFileError
        raise kind(f"{engine.url.render_as_string()}: {_line(fault)}") from fault


def _may_pass(fault: SQLAlchemyError) -> bool:
    """Whether it is the database's fault rather than ours; SQLite has no finer kind for a broken file."""
    gone = isinstance(fault, DBAPIError) and fault.connection_invalidated
    return gone or isinstance(fault, OperationalError) or type(fault) is DatabaseError


def file_of(engine: Engine) -> tuple[int, int] | None:
    """What tells a database's file from another that takes its name; None where there is none."""
    path = engine.url.database if engine.dialect.name == "sqlite" else None
    if path in (None, "", ":memory:"):
        return None
    try:
        found = os.stat(str(path))
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _prepare_file(path: Path, create: bool) -> None:
    """Only the owner may read it, from its first byte on; SQLite gives its side files the same mode."""
    try:
        if not path.exists():
            if not create:
                raise InventoryError(f"{path}: there is no inventory yet; 'mailsunset read' makes one")
            _make(path)
        elif path.is_dir() or not os.access(path, os.R_OK):
            raise InventoryError(f"{path}: cannot be read")
    except OSError as fault:
        raise InventoryError(f"{path}: {fault.strerror or fault}") from fault


def _make(path: Path) -> None:
    """Make a file, and the folders it needs; what root makes in somebody's folder, as under sudo, is his.

    SQLite gives its side files the same owner. Nothing is given away that was there, a link's target least.
    """
    missing = [folder for folder in path.parents if not folder.exists()]
    there = next(folder for folder in path.parents if folder not in missing)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        made = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    except FileExistsError:  # a link to what is not there yet, or somebody was quicker
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        return
    try:
        owner = there.stat()
        if owner.st_uid != 0 and getattr(os, "geteuid", lambda: -1)() == 0:
            for folder in missing:
                os.chown(folder, owner.st_uid, owner.st_gid, follow_symlinks=False)
            os.fchown(made, owner.st_uid, owner.st_gid)
    finally:
        os.close(made)


def _configure(connection: Any, busy_ms: int) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {busy_ms}")
    _write_ahead(cursor, busy_ms)
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute(f"PRAGMA cache_size = -{CACHE_KB}")
    cursor.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
    cursor.close()


def _write_ahead(cursor: Any, busy_ms: int) -> None:
    """Let readers and a writer work at once; SQLite does not wait for others to let it, so this does."""
    until = time.monotonic() + busy_ms / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as fault:
            if "locked" not in str(fault) or time.monotonic() > until:
                raise
            time.sleep(RETRY_S)
        else:
            return


def _begin(connection: Connection, busy_ms: int) -> None:
    """Let one writer in at a time, from its first statement on: so none meets another half-way."""
    writes = connection.get_execution_options().get("writes", False)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
    elif writes:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {busy_ms}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS_LOCK})")


def _only_read(connection: Connection) -> None:
    is_sqlite = connection.dialect.name == "sqlite"
    connection.exec_driver_sql("PRAGMA query_only = ON" if is_sqlite else "SET TRANSACTION READ ONLY")


def changed(connection: Connection) -> object:
    """Something that is another after each transaction that wrote.

    Of SQLite one by others, and on this connection only (PRAGMA data_version); of PostgreSQL one on the whole
    server, for its counters by table come up to ten seconds late.
    """
    is_sqlite = connection.dialect.name == "sqlite"
    asked = "PRAGMA data_version" if is_sqlite else "SELECT CAST(pg_current_snapshot() AS text)"
    return connection.exec_driver_sql(asked).scalar()


def _migrate(engine: Engine) -> None:
    """Make what is new as it is now; alembic, a third of a second and 9 MB, is for what is older."""
    with engine.connect() as connection:
        known = inspect(connection).has_table("alembic_version")
        found = (
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar() if known else None
        )
    if found == REVISION:
        return
    if found is not None and found > REVISION:
        raise InventoryError(f"{engine.url.render_as_string()}: written by a newer version of mailsunset")
    with engine.execution_options(writes=True).begin() as connection:
        if not inspect(connection).get_table_names():
            metadata.create_all(connection)
            _versions.create(connection)
            connection.execute(_versions.insert().values(version_num=REVISION))
            return
        from db.migrations import upgrade

        upgrade(connection)


def _line(fault: Exception) -> str:
    return str(getattr(fault, "orig", None) or fault).splitlines()[0]
