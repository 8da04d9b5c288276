#!/bin/sh
# Makes a root for containers of Debian packages that were only unpacked, in the current folder.
set -eu

# Three quarters of it, which no container here uses: a compiler for PostgreSQL's JIT, Perl, languages, manuals.
rm -rf usr/lib/*/libLLVM* usr/lib/*/libz3* usr/lib/postgresql/15/lib/bitcode usr/lib/postgresql/15/lib/llvmjit* \
	usr/lib/*/perl* usr/lib/*/libperl* usr/share/perl* usr/bin/*perl* usr/share/i18n usr/share/locale usr/lib/*/gconv \
	usr/share/doc usr/share/man usr/share/zoneinfo/right usr/share/zoneinfo/posix usr/share/postgresql-common \
	var/cache/* var/lib/apt dev/*
# Links to the Perl program that has just gone; the real ones stand in PostgreSQL's own folder.
find usr/bin -xtype l -delete

for tool in $(bin/busybox --list); do
	[ -e "bin/$tool" ] || [ -e "usr/bin/$tool" ] || [ -e "usr/sbin/$tool" ] || ln -s busybox "bin/$tool"
done
ln -s python3 usr/bin/python
# 999 is PostgreSQL in the official image, 1000 owns a board's /data.
printf '%s\n' root:x:0:0::/root:/bin/sh postgres:x:999:999::/var/lib/postgresql:/bin/sh \
	homie:x:1000:1000::/:/bin/sh >etc/passwd
printf '%s\n' root:x:0: postgres:x:999: homie:x:1000: >etc/group
mkdir -p proc sys root data config var/lib/postgresql/data
# Python keeps what it has compiled: each container would do it again.
chroot . python -c 'import alembic.config, http.server, psycopg2, sqlalchemy.dialects.postgresql'
