from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade():
    op.execute("ALTER TABLE people ADD first_name text, ADD last_name text")
    op.execute("UPDATE people SET first_name = split_part(name, ' ', 1), last_name = split_part(name, ' ', 2)")
    op.execute("ALTER TABLE people DROP name")
