#!/bin/sh
# All tests but those that have a command of their own, from the project's folder: npm test, or npm test -- FILE...
# Two runs side by side, for most tests wait more than they compute: the lives of a model take as long as all the rest.
set -u

run() {
	name=$1
	shift
	node_modules/.bin/bun test --timeout 120000 --reporter=junit --reporter-outfile="reports/tests-$name.xml" \
		--path-ignore-patterns '**/*.live.test.ts' --path-ignore-patterns '**/*.lab.test.ts' \
		--path-ignore-patterns '**/*.fleet.test.ts' "$@"
}

if [ $# -gt 0 ]; then
	run some "$@"
	exit
fi

rm -rf reports
mkdir reports
said=$(mktemp)
run model ./test/model >"$said" 2>&1 &
model=$!
trap 'kill "$model" 2>/dev/null; rm -f "$said"' EXIT
trap 'exit 130' INT TERM
run others --path-ignore-patterns 'test/model/**' ./test
result=$?
tail -n +1 -f --pid="$model" "$said"
wait "$model" || result=$?
exit "$result"
