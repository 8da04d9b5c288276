#!/bin/sh
# What nothing uses, found by knip. npm leaves the parser that knip needs out where node is older than that asks for, as
# Debian 12's is: then this says so, and the other checks stand. CI's node is new enough.
set -eu
if node_modules/.bin/bun --eval 'await import("oxc-parser")' 2>/dev/null; then
	exec node_modules/.bin/bun node_modules/knip/bin/knip-bun.js
fi
case "$(node --version)" in
v1[0-8].*) echo "Dead code is not looked for: knip's parser asks for node 20.19, this is $(node --version)" >&2 ;;
*)
	echo "Cannot look for dead code: knip's parser is not installed; run: npm ci" >&2
	exit 1
	;;
esac
