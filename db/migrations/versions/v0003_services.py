"""The third form: scans, and what the ports that they asked answered."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the column, the table and its index."""
    op.add_column("runs", sa.Column("scan", sa.Text()))
    op.create_table(
        "services",
        sa.Column("run", sa.Integer(), sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("endpoint", RowId, sa.ForeignKey("endpoints.id"), primary_key=True),
        sa.Column("port", sa.Integer(), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("mail", sa.Boolean(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("services_by_place", "services", ["endpoint", "port", "run", "outcome", "mail"])
