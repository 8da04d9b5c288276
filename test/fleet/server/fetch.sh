#!/bin/sh
# Fetches hawkBit by Maven into .cache/hawkbit/ and compiles the class it starts from; once, until one of the two
# changes. Where Maven looks is its own configuration. Run from the project's folder.
set -eu

here=test/fleet/server
cache=.cache/hawkbit
wanted=$(cat "$here/pom.xml" "$here/FleetServer.java" | sha256sum | cut -d ' ' -f 1)
[ "$(cat "$cache/complete" 2>/dev/null)" = "$wanted" ] && exit 0

for tool in mvn javac; do
	command -v "$tool" >/dev/null && continue
	echo "Cannot fetch hawkBit: there is no $tool; run sh shared/packaging/prepare.sh" >&2
	exit 1
done
echo 'Fetching hawkBit by Maven, once' >&2
rm -rf "$cache"
mkdir -p "$cache/classes"
tries=0
until mvn -B -q -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$PWD/$cache/lib" >"$cache/log" 2>&1 </dev/null; do
	tries=$((tries + 1))
	[ "$tries" -lt 3 ] && continue
	tail -n 5 "$cache/log" >&2
	exit 1
done
javac -nowarn -Xlint:none --release 8 -cp "$cache/lib/*" -d "$cache/classes" "$here/FleetServer.java" >>"$cache/log" 2>&1 || {
	tail -n 5 "$cache/log" >&2
	exit 1
}
echo "$wanted" >"$cache/complete"
