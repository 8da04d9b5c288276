#!/bin/sh
# Runs a command in a root file system as on a machine of its own: inside.sh ROOT FOLDER root|user|container COMMAND...
# "container" is root as Docker has it by default: few capabilities, no loop devices, /proc/sys and /sys read-only.
# Called in mount and pid namespaces of its own, which take every mount and process with them when they end.
set -eu
root=$1
folder=$2
as=$3
shift 3

mount --make-rprivate /
# The root of a machine is a mount, whose propagation can be asked for.
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
if [ "$as" = container ]; then
	mount -t tmpfs -o mode=755 dev "$root/dev"
	for device in null zero full random urandom tty; do
		: >"$root/dev/$device"
		mount --bind "/dev/$device" "$root/dev/$device"
	done
	mkdir "$root/dev/shm" "$root/dev/pts"
	mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
	mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
	ln -s pts/ptmx "$root/dev/ptmx"
	ln -s /proc/self/fd "$root/dev/fd"
	mount -o bind,remount,ro "$root/sys"
	mount --bind "$root/proc/sys" "$root/proc/sys"
	mount -o bind,remount,ro "$root/proc/sys"
else
	# Loop devices, and what the tests ask of /dev.
	mount --rbind /dev "$root/dev"
fi
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
case "$as" in
user) set -- setpriv --reuid=1000 --regid=1000 --init-groups "$@" ;;
container)
	few=+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+net_raw
	few=$few,+sys_chroot,+mknod,+audit_write,+setfcap
	set -- setpriv --inh-caps=-all --bounding-set="-all,$few" "$@"
	;;
esac
# Not exec: as process 1 this shell adopts the processes that the tests leave behind. In a session of its own, as on a machine:
# a process group from outside is number 0 in here, and a signal to that would end our caller.
setsid "$@" &
wait $!
