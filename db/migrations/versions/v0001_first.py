"""The first form: runs, endpoints, labels, leases, passages, shapes, usages, details, sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Big = sa.BigInteger
RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _runs_and_endpoints()
    _shapes()
    op.create_table(
        "usages",
        sa.Column("endpoint", RowId, sa.ForeignKey("endpoints.id"), primary_key=True),
        sa.Column("shape", RowId, sa.ForeignKey("shapes.id"), primary_key=True),
        sa.Column("first_seen", Big(), nullable=False),
        sa.Column("last_seen", Big(), nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.Column("mails", sa.Integer(), nullable=False),
        sa.Column("logins_same", sa.Integer(), nullable=False),
        sa.Column("logins_changed", sa.Integer(), nullable=False),
        sqlite_with_rowid=False,
    )
    _sessions()


def _runs_and_endpoints() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("sensor", sa.String(255), nullable=False),
        sa.Column("sources", sa.Text(), nullable=False),
        sa.Column("began", Big(), nullable=False),
        sa.Column("ended", Big()),
        sa.Column("totals", sa.Text()),
        sa.Column("forgotten_from", Big()),
        sa.Column("forgotten_to", Big()),
        sa.Column("forgotten", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "endpoints",
        sa.Column("id", RowId, primary_key=True, autoincrement=False),
        sa.Column("ip", sa.String(45), nullable=False),
        sa.Column("mac", sa.String(17), nullable=False),
        sa.UniqueConstraint("ip", "mac", name="endpoints_by_address"),
    )
    _told()


def _told() -> None:
    op.create_table(
        "labels",
        sa.Column("endpoint", RowId, sa.ForeignKey("endpoints.id"), primary_key=True),
        sa.Column("field", sa.String(64), primary_key=True),
        sa.Column("text", sa.String(512), primary_key=True),
        sa.Column("first_seen", Big(), nullable=False),
        sa.Column("last_seen", Big(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "leases",
        sa.Column("endpoint", RowId, sa.ForeignKey("endpoints.id"), primary_key=True),
        sa.Column("first_seen", Big(), nullable=False),
        sa.Column("last_seen", Big(), nullable=False),
    )
    op.create_table(
        "passages",
        sa.Column("client", RowId, sa.ForeignKey("endpoints.id"), primary_key=True),
        sa.Column("server", RowId, sa.ForeignKey("endpoints.id"), primary_key=True),
        sa.Column("protocol", sa.String(16), primary_key=True),
        sa.Column("first_seen", Big(), nullable=False),
        sa.Column("last_seen", Big(), nullable=False),
        sqlite_with_rowid=False,
    )


def _shapes() -> None:
    op.create_table(
        "shapes",
        sa.Column("id", RowId, primary_key=True),
        sa.Column("key", Big(), nullable=False),
        sa.Column("server_name", sa.String(512)),
        sa.Column("server_kind", sa.String(16), nullable=False),
        sa.Column("server_port", sa.Integer(), nullable=False),
        sa.Column("protocol", sa.String(16)),
        sa.Column("service", sa.String(32)),
        sa.Column("tls_mode", sa.String(16)),
        sa.Column("tls_version", sa.String(16)),
        sa.Column("mechanism", sa.String(32)),
        sa.Column("auth_class", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(16)),
        sa.Column("basis", sa.String(16), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("cause", sa.String(64)),
        sa.Column("client_version", sa.String(64)),
        sa.UniqueConstraint("key", name="shapes_by_key"),
    )


def _sessions() -> None:
    op.create_table(
        "details",
        sa.Column("id", RowId, primary_key=True),
        sa.Column("key", Big(), nullable=False),
        sa.Column("shape", RowId, sa.ForeignKey("shapes.id"), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.UniqueConstraint("key", name="details_by_key"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", RowId, primary_key=True),
        sa.Column("first_seen", Big(), nullable=False),
        sa.Column("flow", Big(), nullable=False),
        sa.Column("run", sa.Integer(), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("endpoint", RowId, sa.ForeignKey("endpoints.id"), nullable=False),
        sa.Column("detail", RowId, sa.ForeignKey("details.id"), nullable=False),
        sa.Column("last_seen", Big(), nullable=False),
        sa.Column("client_port", sa.Integer(), nullable=False),
        sa.Column("server_ip", sa.String(45), nullable=False),
        sa.Column("server_name", sa.String(512)),
        sa.Column("server_matched", sa.Text()),
        sa.Column("client_name", sa.String(512)),
        sa.Column("username", sa.Text()),
        sa.Column("mails", sa.Integer(), nullable=False),
        sa.Column("gaps", Big(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
    )
    op.create_index("sessions_by_time", "sessions", ["first_seen", "flow"], unique=True)
