#!/bin/sh
# What nothing uses, found by knip: sh test/knip.sh [must]. npm leaves the parser that knip needs out where node is older
# than that asks for, as Debian 12's is: then this says so, and the other checks stand; with "must", as in CI, it fails.
set -eu
if node_modules/.bin/bun --eval 'await import("oxc-parser")' 2>/dev/null; then
	exec node_modules/.bin/bun node_modules/knip/bin/knip-bun.js
fi
node=$(node --version)
case "${1:-}$node" in
v1[0-8].*) echo "Dead code is not looked for: knip's parser asks for node 20.19, this is $node" >&2 ;;
*)
	echo "Cannot look for dead code: knip's parser is not installed; run, with node 20.19 or newer (this is $node): npm ci" >&2
	exit 1
	;;
esac
