#!/bin/sh
# The integration guide's hooks as they were meant, in the one program that RAUC runs: the orchestrator is stopped before
# the slot is written, and nothing starts it again before the next system does. The small application has no containers to
# pull, and migrates its data itself.
case "$1" in
slot-pre-install)
	systemctl stop homie-orchestrator || true
	mkdir -p /data/backups/pre-update
	cp -r /data/config /data/backups/pre-update/
	;;
esac
