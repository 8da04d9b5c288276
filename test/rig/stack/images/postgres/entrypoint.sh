#!/bin/sh
# What the official image does with the same variables: a cluster at the first start, then PostgreSQL as process 1,
# as the user who owns the volume, or as "postgres" where that is root.
set -eu

if [ "$(stat -c %u "$PGDATA")" = 0 ]; then
	chown postgres:postgres "$PGDATA"
fi
owner=$(stat -c %u "$PGDATA")
group=$(stat -c %g "$PGDATA")
chmod 700 "$PGDATA"
mkdir -p /var/run/postgresql
chown "$owner:$group" /var/run/postgresql

# By its path: a BusyBox shell takes its own for it, which cannot do this.
as_owner() {
	/usr/bin/setpriv --reuid="$owner" --regid="$group" --clear-groups "$@"
}

if [ ! -s "$PGDATA/PG_VERSION" ]; then
	printf '%s\n' "$POSTGRES_PASSWORD" >/tmp/password
	chown "$owner" /tmp/password
	as_owner initdb --username="$POSTGRES_USER" --pwfile=/tmp/password --auth-local=trust \
		--auth-host=scram-sha-256 --encoding=UTF8 --locale=C
	rm /tmp/password
	echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
	echo "CREATE DATABASE \"${POSTGRES_DB:-$POSTGRES_USER}\"" | as_owner postgres --single postgres
fi

exec /usr/bin/setpriv --reuid="$owner" --regid="$group" --clear-groups postgres -c listen_addresses='*' "$@"
