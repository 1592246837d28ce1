"""The fourth form: what the tenant's logs and lists say, and whose mailbox a host uses."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables and the index."""
    _add_logs()
    _add_lists()


def _add_logs() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("username", sa.String(320), nullable=False),
        sa.Column("ip", sa.String(45)),
        sa.Column("protocol", sa.String(16)),
        sa.Column("service", sa.String(32)),
        sa.Column("outcome", sa.String(16)),
        sa.Column("password", sa.Boolean()),
        sa.Column("reason", sa.String(512)),
        sa.Column("user_agent", sa.String(512)),
    )
    op.create_index("sign_ins_by_time", "sign_ins", ["at"])


def _add_lists() -> None:
    op.create_table(
        "mailboxes",
        sa.Column("address", sa.String(320), primary_key=True),
        sa.Column("at", sa.BigInteger(), primary_key=True),
        sa.Column("smtp_auth", sa.String(16)),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "senders",
        sa.Column("address", sa.String(320), primary_key=True),
        sa.Column("at", sa.BigInteger(), primary_key=True),
        sa.Column("auth", sa.String(8), primary_key=True),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "assets",
        sa.Column("key", sa.String(512), primary_key=True),
        sa.Column("owner", sa.String(512)),
        sa.Column("place", sa.String(512)),
        sa.Column("note", sa.String(512)),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ties",
        sa.Column("host", sa.String(64), primary_key=True),
        sa.Column("username", sa.String(320), primary_key=True),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("basis", sa.String(16), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sqlite_with_rowid=False,
    )
