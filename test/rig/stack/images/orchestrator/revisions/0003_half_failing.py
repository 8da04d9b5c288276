"""Commits its first step, and fails at the second: no transaction takes the first one back."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade():
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE people RENAME name TO full_name")
    raise RuntimeError("told to fail half-way")
