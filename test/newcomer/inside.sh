#!/bin/sh
# Runs a command in a root file system as on a machine of its own: inside.sh ROOT FOLDER COMMAND...
# Called in mount and pid namespaces of its own, which take every mount and process with them when they end.
set -eu
root=$1
folder=$2
shift 2

mount --make-rprivate /
# The root of a machine is a mount, whose propagation can be asked for.
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
# Loop devices, and what the tests ask of /dev.
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 run "$root/run"
# The way to the network is this machine's.
for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt; do
	[ -s "$file" ] || continue
	mkdir -p "$root${file%/*}"
	[ -e "$root$file" ] || : >"$root$file"
	mount --bind "$file" "$root$file"
done

# Not chroot: what runs in one may make no user namespace.
cd "$root"
pivot_root . .
umount --lazy .
cd "$folder"
# Not exec: as process 1 this shell adopts the orphaned processes of the tests. In a session of its own, as on a machine:
# a process group from outside is number 0 in here, and a signal to that would end who called us.
setsid "$@" &
wait $!
