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
fi
[ $# -gt 0 ] || set -- boot-script.lab guide-script.lab card.lab
exec node_modules/.bin/bun test --timeout 600000 "$@"
