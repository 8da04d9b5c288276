#!/bin/sh
# dockerd as the only one in the world: process 1 of a pid namespace, so that with it all containers end, and in a
# mount namespace, so that its mounts end too. Called with dockerd's arguments, inside both.
set -eu
# containerd, its shims and dockerd always write to these folders; at a boot /run is empty as well.
for folder in /run /opt /etc/docker; do
	[ ! -d "$folder" ] || mount -t tmpfs tmpfs "$folder"
done
exec tini -s -- dockerd "$@"
