"""The tables of the inventory.

What repeats is kept once: a client's address in ``endpoints``, a way to use a service in ``shapes``, what
else many sessions share in ``details``; so that a session is a short row at the end of its table, and writing
it costs the same whether there are none or millions. Times are nanoseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

REVISION = "0004"
"""The newest migration; a database at another one is migrated when it is opened."""

metadata = MetaData()
RowId = BigInteger().with_variant(Integer, "sqlite")
"""A number that the database gives out; SQLite does so for INTEGER only, which there has 64 bits too."""

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sensor", String(255), nullable=False),
    Column("sources", Text, nullable=False),
    Column("began", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("totals", Text),
    Column("forgotten_from", BigInteger),
    Column("forgotten_to", BigInteger),
    Column("forgotten", Boolean, nullable=False),
    Column("alive", BigInteger),
    Column("scan", Text),
)
"""What was listened to, or scanned; ``ended`` is null while a run goes on, and stays so if it was killed;
``alive``: when ``totals`` or ``scan`` were last written of one that goes on.

``scan``: of a scan its plan, how far it is and what it came to, as JSON by field name of
``scanner.services.Scan``; null where this was listening.

``forgotten_from`` to ``forgotten_to``: when the sessions began that were dropped of it, null before that;
``forgotten``: none of them is left; of a scan: services are missing that newer scans found.
"""

hours = Table(
    "hours",
    metadata,
    Column("run", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("packets", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("dropped", BigInteger, nullable=False),
    Column("cut", BigInteger, nullable=False),
    Column("evicted", BigInteger, nullable=False),
    Column("sessions", BigInteger, nullable=False),
    Column("gaps", BigInteger, nullable=False),
    Column("unwritten", BigInteger, nullable=False),
    Column("down_ns", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""What a run heard and missed in an hour, by the fields of ``scanner.totals.Hour``. Rows stay when sessions
are forgotten: a year of one sensor is 9,000 of them, half a megabyte."""

endpoints = Table(
    "endpoints",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column("ip", String(45), nullable=False),
    Column("mac", String(17), nullable=False),
    UniqueConstraint("ip", "mac", name="endpoints_by_address"),
)
"""A machine as it shows on the wire: an address (empty: none yet) behind a MAC (empty: none was heard); which
of them are one host is decided on reading. Rows stay for ever: writers remember the ids."""

labels = Table(
    "labels",
    metadata,
    Column("endpoint", RowId, ForeignKey("endpoints.id"), primary_key=True),
    Column("field", String(64), primary_key=True),
    Column("text", String(512), primary_key=True),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""What was heard of an endpoint: its names, and what tells its kind, from when to when."""

leases = Table(
    "leases",
    metadata,
    Column("endpoint", RowId, ForeignKey("endpoints.id"), primary_key=True),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
)
"""When DHCP had given the endpoint's address to its MAC: an address goes from hand to hand."""

passages = Table(
    "passages",
    metadata,
    Column("client", RowId, ForeignKey("endpoints.id"), primary_key=True),
    Column("server", RowId, ForeignKey("endpoints.id"), primary_key=True),
    Column("protocol", String(16), primary_key=True),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Who hands mail to whom, or fetches it there, beside Exchange Online: the graph of relays."""

shapes = Table(
    "shapes",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", BigInteger, nullable=False),
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
    UniqueConstraint("key", name="shapes_by_key"),
)
"""A way to use a service; forty copiers of one model share one. ``key`` hashes the rest. Rows stay for ever,
as those of ``endpoints`` do."""

usages = Table(
    "usages",
    metadata,
    Column("endpoint", RowId, ForeignKey("endpoints.id"), primary_key=True),
    Column("shape", RowId, ForeignKey("shapes.id"), primary_key=True),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("sessions", Integer, nullable=False),
    Column("mails", Integer, nullable=False),
    Column("logins_same", Integer, nullable=False),
    Column("logins_changed", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""What an endpoint's sessions add up to, kept up to date as they arrive, so that listing counts none.

``logins_same`` and ``logins_changed``: how many logins were as long as earlier ones, and how many were not;
how long is never kept.
"""

details = Table(
    "details",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", BigInteger, nullable=False),
    Column("shape", RowId, ForeignKey("shapes.id"), nullable=False),
    Column("record", Text, nullable=False),
    UniqueConstraint("key", name="details_by_key"),
)
"""What else sessions share, as JSON by field name of ``Observation``; dropped with the last such session."""

sessions = Table(
    "sessions",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("first_seen", BigInteger, nullable=False),
    Column("flow", BigInteger, nullable=False),
    Column("run", Integer, ForeignKey("runs.id"), nullable=False),
    Column("endpoint", RowId, ForeignKey("endpoints.id"), nullable=False),
    Column("detail", RowId, ForeignKey("details.id"), nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("client_port", Integer, nullable=False),
    Column("server_ip", String(45), nullable=False),
    Column("server_name", String(512)),
    Column("server_matched", Text),
    Column("client_name", String(512)),
    Column("username", Text),
    Column("mails", Integer, nullable=False),
    Column("gaps", BigInteger, nullable=False),
    Column("evidence", Text, nullable=False),
    Index("sessions_by_time", "first_seen", "flow", unique=True),
)
"""One conversation. ``flow`` hashes its ends: the same ends at the same nanosecond are the same conversation,
whatever file it was read from.

There is no index by endpoint on purpose: at a million sessions it tripled the cost of writing one, and
finding one machine's among them by looking at all takes a fraction of a second.
"""

services = Table(
    "services",
    metadata,
    Column("run", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("endpoint", RowId, ForeignKey("endpoints.id"), primary_key=True),
    Column("port", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("mail", Boolean, nullable=False),
    Column("record", Text, nullable=False),
    Index("services_by_place", "endpoint", "port", "run", "outcome", "mail"),
    sqlite_with_rowid=False,
)
"""A port that a scan asked. ``mail``: mail, or one of Exchange's paths, is served there; ``record``: the rest
of ``scanner.services.Service``, as JSON by field name. The index is all that listing hosts reads."""

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("username", String(320), nullable=False),
    Column("ip", String(45)),
    Column("protocol", String(16)),
    Column("service", String(32)),
    Column("outcome", String(16)),
    Column("password", Boolean),
    Column("reason", String(512)),
    Column("user_agent", String(512)),
    Index("sign_ins_by_time", "at"),
)
"""A row of a sign-in log, as the last import has it; fields as of ``scanner.tenant.SignIn``."""

mailboxes = Table(
    "mailboxes",
    metadata,
    Column("address", String(320), primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("smtp_auth", String(16)),
    sqlite_with_rowid=False,
)
"""What the tenant said of a mailbox, and when; the latest counts. ``smtp_auth``: null if not told."""

senders = Table(
    "senders",
    metadata,
    Column("address", String(320), primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("auth", String(8), primary_key=True),
    Column("messages", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Rows of the report "SMTP AUTH clients", and when they were so.

``auth``: ``password``, ``token``, or empty.
"""

assets = Table(
    "assets",
    metadata,
    Column("key", String(512), primary_key=True),
    Column("owner", String(512)),
    Column("place", String(512)),
    Column("note", String(512)),
    sqlite_with_rowid=False,
)
"""What the site's own lists say of a MAC, an address or a name (lower case), as the last import has it."""

ties = Table(
    "ties",
    metadata,
    Column("host", String(64), primary_key=True),
    Column("username", String(320), primary_key=True),
    Column("score", Float, nullable=False),
    Column("basis", String(16), nullable=False),
    Column("record", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""A host uses a mailbox. ``record``: how many coincidences speak for it, and some of them, as JSON by field
name of ``scanner.tenant.Tie``."""
