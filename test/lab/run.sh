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

cuts=
for name; do
	shift
	case "$name" in
	power-cuts*) cuts=$name ;;
	*) set -- "$@" "$name" ;;
	esac
done

# Two boards at once: on two cores one of them is always waiting for its disk or its clock.
lab() {
	exec node_modules/.bin/bun test --max-concurrency 2 --timeout 600000 "$@"
}

[ -n "$cuts" ] || lab "$@"
[ $# -gt 0 ] || lab "$cuts"
# Side by side: the images and the first of the cuts leave a processor without work.
said=$(mktemp)
(lab "$cuts") >"$said" 2>&1 &
cutting=$!
trap 'kill "$cutting" 2>/dev/null || :; rm -f "$said"' EXIT
trap 'exit 130' INT TERM
result=0
(lab "$@") || result=$?
tail -n +1 -f --pid="$cutting" "$said"
wait "$cutting" || result=$?
exit "$result"
