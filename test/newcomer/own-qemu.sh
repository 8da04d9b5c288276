#!/bin/sh
# Runs the compiled arm64 programs by this system's own qemu, from the project's folder. A registration with the kernel is not
# the system's: the one of the machine around a container or a root hides that of the system in it. A user namespace has a
# registry of its own, empty at first (Linux 6.7).
set -eu
exec unshare --user --map-root-user --mount sh -euc '
	mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
	sh shared/packaging/prepare.sh start
	[ -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ]
	exec node_modules/.bin/bun test/run.ts quick compiled/programs
'
