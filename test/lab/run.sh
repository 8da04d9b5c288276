#!/bin/sh
# The lab, from the project's folder: npm run test:lab -- [--cuts N] [NAME-OF-A-TEST-FILE...]
set -eu
if [ "${1:-}" = --cuts ]; then
	case "${2:-}" in
	'' | *[!0-9]*)
		echo "Cannot cut power \"${2:-}\" times: a number was expected" >&2
		exit 2
		;;
	esac
	HOMIE_LAB_CUTS=$2
	export HOMIE_LAB_CUTS
	shift 2
	[ $# -gt 0 ] || set -- power-cuts.lab
fi
# What CI runs; docs/lab.md has the rest.
[ $# -gt 0 ] || set -- boot-script.lab guide-script.lab card.lab
# Two boards at once: on two cores one of them is always waiting for its disk or its clock.
exec node_modules/.bin/bun test --max-concurrency 2 --timeout 600000 "$@"
