"""The tables of the inventory; ids are hashes of what they name, so that two writers never disagree."""

from __future__ import annotations

import hashlib

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

REVISION = "0001"
"""The newest migration; a database at another one is migrated when it is opened."""

metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sensor", String(255), nullable=False),
    Column("sources", Text, nullable=False),
    Column("began", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("totals", Text),
)
"""What was listened to; ``ended`` is null while a run goes on, and stays so if it was killed. Times in ns."""

endpoints = Table(
    "endpoints",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("mac", String(17)),
    Column("ip", String(45), nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
)
"""A client as it shows on the wire: an address behind a MAC; which are one host is decided on reading."""

names = Table(
    "names",
    metadata,
    Column("endpoint", BigInteger, ForeignKey("endpoints.id"), primary_key=True),
    Column("source", String(64), primary_key=True),
    Column("name", String(512), primary_key=True),
)

shapes = Table(
    "shapes",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("server_name", String(512)),
    Column("server_kind", String(16), nullable=False),
    Column("server_port", Integer, nullable=False),
    Column("protocol", String(16)),
    Column("service", String(32)),
    Column("tls_mode", String(16)),
    Column("tls_version", String(16)),
    Column("mechanism", String(32)),
    Column("auth_class", String(16), nullable=False),
    Column("outcome", String(16)),
    Column("basis", String(16), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("cause", String(64)),
    Column("client_version", String(64)),
)
"""A way to use a service; forty copiers of one model share one."""

usages = Table(
    "usages",
    metadata,
    Column("endpoint", BigInteger, ForeignKey("endpoints.id"), primary_key=True),
    Column("shape", BigInteger, ForeignKey("shapes.id"), primary_key=True),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("sessions", Integer, nullable=False),
    Column("mails", Integer, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("run", Integer, ForeignKey("runs.id"), nullable=False),
    Column("endpoint", BigInteger, ForeignKey("endpoints.id"), nullable=False),
    Column("shape", BigInteger, ForeignKey("shapes.id"), nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("record", Text, nullable=False),
    Index("sessions_by_time", "first_seen"),
    Index("sessions_by_endpoint", "endpoint", "first_seen"),
)
"""One conversation; ``record`` is an ``Observation`` as JSON, by field name."""


def identity(*parts: object) -> int:
    """Hash what names a row to a positive 63-bit id, the same on every machine."""
    text = "\x1f".join("" if part is None else str(part) for part in parts)
    return (
        int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
        >> 1
    )
