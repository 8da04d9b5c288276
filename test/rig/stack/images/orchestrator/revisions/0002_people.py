from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.execute("CREATE TABLE people (id serial PRIMARY KEY, name text NOT NULL)")
    op.execute("INSERT INTO people (name) VALUES ('Ada Lovelace'), ('Alan Turing')")
