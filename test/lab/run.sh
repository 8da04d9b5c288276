#!/bin/sh
# The lab, from the project's folder: npm run test:lab -- [--cuts N [--from NUMBER]] [NAME-OF-A-TEST-FILE...]
set -eu

number() { # OPTION VALUE
	case "$2" in
	'' | 0* | *[!0-9]*)
		echo "Cannot take \"$2\" for $1: a number from 1 on was expected" >&2
		exit 2
		;;
	esac
	echo "$2"
}

if [ "${1:-}" = --cuts ]; then
	HOMIE_LAB_CUTS=$(number --cuts "${2:-}")
	shift 2
	if [ "${1:-}" = --from ]; then
		HOMIE_LAB_FROM=$(number --from "${2:-}")
		export HOMIE_LAB_FROM
		shift 2
	fi
	export HOMIE_LAB_CUTS
	[ $# -gt 0 ] || set -- power-cuts.lab
fi
# What needs no whole board; docs/lab.md has the rest.
[ $# -gt 0 ] || set -- boot-script.lab guide-script.lab card.lab
# Two boards at once: on two cores one of them is always waiting for its disk or its clock.
exec node_modules/.bin/bun test --max-concurrency 2 --timeout 600000 "$@"
