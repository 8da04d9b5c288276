#!/bin/sh
# Puts on this machine what a purpose needs, and says in a line what and why. It runs before there is a bun, from the
# project's folder: sh shared/packaging/prepare.sh [build|start|test|all]. "build" makes bundles, "start" (npm start) tries
# one on an embedded device, "test" (the default) runs npm test, "all" runs every test.
# Silent when nothing is missing. With HOMIE_NO_INSTALL=1 it changes nothing, and prints the line to run instead.
# Exit codes: 0 all is there, but perhaps an emulator that the kernel refuses; 1 a step failed; 2 refused.
set -u
purpose=${1:-test}

installed_lock=node_modules/.homie-lock

parts=${0%/*}/prepare
. "$parts/packages.sh"
. "$parts/emulator.sh"

main() {
	if [ ! -f package-lock.json ]; then
		refuse "package-lock.json is not here" "cd into the project's folder first"
	fi
	case "$purpose" in
	build) needs_emulator=no ;;
	start | test | all) ;;
	*) refuse "\"$purpose\" is no purpose" 'give it one of build, start, test, all' ;;
	esac
	needed=$(packages_for "$purpose")
	missing=$(missing_packages "$needed")
	npm_gap=$(npm_gap)
	[ -z "$missing" ] && [ -z "$npm_gap" ] && has_emulator && exit 0

	[ "${HOMIE_NO_INSTALL:-}" = 1 ] &&
		refuse "HOMIE_NO_INSTALL is set, and there is no $(what_is_missing)" "$(steps_by_hand)"
	if [ -n "$missing" ] && ! is_debian; then
		refuse "this system has no apt-get and dpkg-query" "install these yourself: $(plain $missing)"
	fi
	if ! as_root=$(way_to_root); then
		[ -z "$missing" ] || refuse "neither root nor sudo is there to install $(what_is_missing)" "$(steps_by_hand)"
		as_root=env
	fi

	work=$(mktemp -d) || fail "make a temporary folder" "mktemp failed"
	trap 'clean_up' EXIT
	trap 'exit 1' HUP INT TERM
	[ -z "$missing" ] || install_packages
	has_emulator || set_up_emulator
	case "$npm_gap" in
	ci) install_npm_packages ;;
	bun) finish_bun || install_npm_packages ;;
	esac
}

# "ci" where node_modules is not what package-lock.json says, "bun" where only bun's own program is missing.
npm_gap() {
	if ! is_npm_current; then
		echo ci
	elif ! has_bun; then
		echo bun
	fi
}

is_npm_current() {
	cmp -s package-lock.json "$installed_lock" && return 0
	# npm's own record, when it was run by hand; optional packages are other machines' programs.
	[ -f node_modules/.package-lock.json ] || return 1
	node -e '
		const { readFileSync } = require("node:fs");
		const packagesOf = (path) => JSON.parse(readFileSync(path, "utf8")).packages;
		const there = packagesOf("node_modules/.package-lock.json");
		const isThere = ([path, wanted]) => path === "" || (wanted.optional && !there[path]) ||
			(there[path]?.version === wanted.version && there[path].integrity === wanted.integrity);
		process.exitCode = Object.entries(packagesOf("package-lock.json")).every(isThere) ? 0 : 1;
	' 2>/dev/null || return 1
	[ "${HOMIE_NO_INSTALL:-}" = 1 ] || cp package-lock.json "$installed_lock"
}

what_is_missing() {
	if [ -n "$missing" ]; then
		plain $missing
	elif ! has_emulator; then
		echo 'emulator for arm64 programs'
	else
		echo 'complete node_modules'
	fi
}

# Everything that is missing as one line to paste.
steps_by_hand() {
	line=''
	sudo=$([ "$(id -u)" = 0 ] || echo 'sudo ')
	# shellcheck disable=SC2046,SC2086 # one word a package is what we want
	[ -z "$missing" ] || line="${sudo}apt-get install -y --no-install-recommends $(echo $(names_for $missing))"
	has_emulator || line="$line${line:+ && }$(emulator_by_hand)"
	case "$npm_gap" in
	ci) line="$line${line:+ && }npm ci --include=dev --include=optional" ;;
	bun) line="$line${line:+ && }node node_modules/bun/install.js" ;;
	esac
	echo "run: $line"
}

is_debian() {
	command -v apt-get >/dev/null && command -v dpkg-query >/dev/null
}

# Prints the words to put before a command: none for root. sudo may ask for a password where a person can answer.
way_to_root() {
	if [ "$(id -u)" = 0 ]; then
		echo env
	elif sudo -n true 2>/dev/null; then
		echo sudo -n env
	elif command -v sudo >/dev/null && [ -t 0 ]; then
		echo sudo env
	else
		return 1
	fi
}

clean_up() {
	unhush_services
	rm -rf "$work"
}

install_npm_packages() {
	say 'Installing npm packages, as package-lock.json says'
	# The mark goes first and comes last: a run that is cut short in between is begun again.
	rm -f "$installed_lock"
	# The development packages too, with any NODE_ENV: bun is one of them.
	npm ci --include=dev --include=optional --no-audit --no-fund >"$work/log" 2>&1 </dev/null ||
		fail 'install the npm packages' "$(last_words '^npm (error|ERR!) ' npm)"
	has_bun || finish_bun || fail 'install bun' "$(last_words '^error: ' node_modules/bun/install.js)"
	cp package-lock.json "$installed_lock" || fail 'install the npm packages' "$installed_lock cannot be written"
	# Root in a user's clone.
	[ "$(id -u)" != 0 ] || [ "$(stat -c %u .)" = 0 ] || chown -R --reference=. node_modules
}

# npm with --ignore-scripts, or one that blocks install scripts, leaves a bun that only prints an error.
finish_bun() {
	node node_modules/bun/install.js >"$work/log" 2>&1 </dev/null
	has_bun
}

has_bun() {
	node_modules/.bin/bun --version >/dev/null 2>&1
}

# The first line of the last step's output that looks like its reason, else its last line.
last_words() {
	reason=$(grep -E "$1" "$work/log" | grep -m 1 -vE '^npm (error|ERR!) (code|errno|syscall|path|A complete) ')
	[ -n "$reason" ] || reason=$(grep . "$work/log" | tail -n 1)
	echo "${reason:-$2 ended without a word}"
}

say() {
	echo "$1" >&2
}

fail() {
	echo "Cannot $1: $2" >&2
	exit 1
}

refuse() {
	echo "Cannot prepare this machine: $1; $2" >&2
	exit 2
}

main
