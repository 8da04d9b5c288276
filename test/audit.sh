#!/bin/sh
# Known holes in what is compiled into the programs, as the registry tells of them. One that is asked and does not answer
# (a mirror, no network) proves nothing: then this says so, and passes.
set -u
said=$(npm audit --omit=dev --audit-level=low 2>&1)
result=$?
if [ "$result" -ne 0 ]; then
	case "$said" in
	*'audit endpoint returned an error'*)
		echo "Known holes are not looked for: the registry $(npm config get registry) does not answer npm audit" >&2
		exit 0
		;;
	esac
fi
printf '%s\n' "$said"
exit "$result"
