from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.execute("CREATE TABLE rooms (id serial PRIMARY KEY, name text NOT NULL)")
    op.execute("INSERT INTO rooms (name) VALUES ('kitchen'), ('hall'), ('attic')")
