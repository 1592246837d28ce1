"""The first form: runs, endpoints, names, shapes, usages, sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Big = sa.BigInteger


def upgrade() -> None:
    """Make the tables."""
    _runs_and_endpoints()
    _shapes()
    op.create_table(
        "usages",
        sa.Column("endpoint", Big(), sa.ForeignKey("endpoints.id"), primary_key=True),
        sa.Column("shape", Big(), sa.ForeignKey("shapes.id"), primary_key=True),
        sa.Column("first_seen", Big(), nullable=False),
        sa.Column("last_seen", Big(), nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.Column("mails", sa.Integer(), nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("id", Big(), primary_key=True, autoincrement=False),
        sa.Column("run", sa.Integer(), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("endpoint", Big(), sa.ForeignKey("endpoints.id"), nullable=False),
        sa.Column("shape", Big(), sa.ForeignKey("shapes.id"), nullable=False),
        sa.Column("first_seen", Big(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
    )
    op.create_index("sessions_by_time", "sessions", ["first_seen"])
    op.create_index("sessions_by_endpoint", "sessions", ["endpoint", "first_seen"])


def _runs_and_endpoints() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("sensor", sa.String(255), nullable=False),
        sa.Column("sources", sa.Text(), nullable=False),
        sa.Column("began", Big(), nullable=False),
        sa.Column("ended", Big()),
        sa.Column("totals", sa.Text()),
    )
    op.create_table(
        "endpoints",
        sa.Column("id", Big(), primary_key=True, autoincrement=False),
        sa.Column("mac", sa.String(17)),
        sa.Column("ip", sa.String(45), nullable=False),
        sa.Column("first_seen", Big(), nullable=False),
        sa.Column("last_seen", Big(), nullable=False),
    )
    op.create_table(
        "names",
        sa.Column("endpoint", Big(), sa.ForeignKey("endpoints.id"), primary_key=True),
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(512), primary_key=True),
    )


def _shapes() -> None:
    op.create_table(
        "shapes",
        sa.Column("id", Big(), primary_key=True, autoincrement=False),
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
    )
