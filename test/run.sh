#!/bin/sh
# All tests but those that have a command of their own, from the project's folder: npm test, or npm test -- FILE...
# Two runs side by side, for most tests wait more than they compute. The lives of a model, in which little goes by a clock,
# take what the others leave of the processors.
set -u

# In a shell of its own, which it takes the place of: NAME-OF-THE-REPORT NICENESS FILE...
run() {
	report=reports/tests-$1.xml
	niceness=$2
	shift 2
	exec nice -n "$niceness" node_modules/.bin/bun test --timeout 120000 --reporter=junit --reporter-outfile="$report" \
		--path-ignore-patterns '**/*.live.test.ts' --path-ignore-patterns '**/*.lab.test.ts' \
		--path-ignore-patterns '**/*.fleet.test.ts' "$@"
}

rm -rf reports
mkdir reports
[ $# -eq 0 ] || run some 0 "$@"

said=$(mktemp)
run model 5 ./test/model >"$said" 2>&1 &
model=$!
trap 'kill "$model" 2>/dev/null; rm -f "$said"' EXIT
trap 'exit 130' INT TERM
result=0
(run others 0 --path-ignore-patterns 'test/model/**' ./test) || result=$?
tail -n +1 -f --pid="$model" "$said"
wait "$model" || result=$?
exit "$result"
