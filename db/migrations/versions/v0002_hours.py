"""The second form: what was heard and missed in each hour, and when a run that goes on last said so."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table and the column."""
    op.add_column("runs", sa.Column("alive", sa.BigInteger()))
    op.create_table(
        "hours",
        sa.Column("run", sa.Integer(), sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("at", sa.BigInteger(), primary_key=True),
        sa.Column("packets", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("dropped", sa.BigInteger(), nullable=False),
        sa.Column("cut", sa.BigInteger(), nullable=False),
        sa.Column("evicted", sa.BigInteger(), nullable=False),
        sa.Column("sessions", sa.BigInteger(), nullable=False),
        sa.Column("gaps", sa.BigInteger(), nullable=False),
        sa.Column("unwritten", sa.BigInteger(), nullable=False),
        sa.Column("down_ns", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
