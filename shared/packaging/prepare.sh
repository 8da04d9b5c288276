#!/bin/sh
# Puts on this machine what a build and its tests need, and says in a line what and why. It runs before there is
# a bun, from the project's folder: sh shared/packaging/prepare.sh [build]. With "build" the tests' tools stay away.
# Silent when nothing is missing. With HOMIE_NO_INSTALL=1 it changes nothing, and prints the line to run instead.
# Exit codes: 0 all is there, 1 a step failed, 2 refused.
set -u

# What RAUC's bundles are made and signed with.
packages='rauc squashfs-tools openssl'
# Slot images, boot scripts and U-Boot's environment.
packages="$packages e2fsprogs u-boot-tools libubootenv-tool"
# Archives and what is compressed.
packages="$packages tar xz-utils zstd"
if [ "${1:-test}" != build ]; then
	# RAUC's service on a bus of its own, disks with partitions, extended attributes.
	packages="$packages dbus mount util-linux fdisk dosfstools attr"
	# systemd reads the units that a slot is given; zsh the completion. bsdutils has script, a terminal for tests.
	packages="$packages systemd zsh bsdutils"
	# readelf, which our own reader of programs is held against.
	packages="$packages binutils"
	# The load beside which each test is repeated.
	packages="$packages stress-ng"
	# The order in which what is written comes to the disk.
	packages="$packages strace"
	# What a fetch is measured against.
	packages="$packages curl"
	# The stack as it runs on a board: Docker, docker-compose, a registry, images made of Debian packages, networks.
	packages="$packages docker-compose docker-registry mmdebstrap tini iproute2 iptables"
	# Images of whole cards.
	packages="$packages genimage mtools bmap-tools"
	# An engine from elsewhere is as good, and stays: Debian's would take its place.
	[ -x /usr/bin/dockerd ] || packages="$packages docker.io"
	# The status page as a browser shows it.
	packages="$packages chromium"
	# The emulated board: its machine and U-Boot, disks that forget what was not flushed, and snapshots of it.
	packages="$packages qemu-system-arm qemu-utils u-boot-qemu nbdkit"
	# The server of a fleet is Java; another JDK and Maven are as good as Debian's.
	command -v javac >/dev/null || packages="$packages default-jdk-headless"
	command -v mvn >/dev/null || packages="$packages maven"
	# A signing key in a PKCS#11 token.
	packages="$packages softhsm2 libengine-pkcs11-openssl"
	# What runs the board's arm64 programs as they ship, on any other machine.
	case "$(uname -m)" in
	aarch64) needs_emulator=no ;;
	*)
		needs_emulator=yes
		packages="$packages qemu-user-static binfmt-support arch-test libc6-arm64-cross libstdc++6-arm64-cross"
		;;
	esac
else
	needs_emulator=no
fi

binfmt=/proc/sys/fs/binfmt_misc
arm64_root=/usr/aarch64-linux-gnu
# Where qemu-user-static looks for arm64 libraries.
arm64_link=/etc/qemu-binfmt/aarch64
installed_lock=node_modules/.homie-lock
# Asked before a package starts its service; see invoke-rc.d(8).
policy=/usr/sbin/policy-rc.d
# What Debian would start at once and at every boot; the tests start engines and registries of their own.
services='docker.socket docker.service containerd.service docker-registry.service'
hushed=no
asleep=''

main() {
	if [ ! -f package-lock.json ]; then
		refuse "package-lock.json is not here" "cd into the project's folder first"
	fi
	missing=$(missing_packages)
	npm_gap=$(npm_gap)
	[ -z "$missing" ] && [ -z "$npm_gap" ] && has_emulator && exit 0

	advice=$(steps_by_hand)
	[ "${HOMIE_NO_INSTALL:-}" = 1 ] && refuse "HOMIE_NO_INSTALL is set, and there is no $(what_is_missing)" "$advice"
	if [ -n "$missing" ] && ! is_debian; then
		refuse "this system has no apt-get and dpkg-query" "install these yourself: $missing"
	fi
	if [ -n "$missing" ] || ! has_emulator; then
		as_root=$(way_to_root) || refuse "neither root nor sudo is there to install $(what_is_missing)" "$advice"
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

# One word a package that dpkg does not call installed; all of them where there is no dpkg to ask.
missing_packages() {
	# shellcheck disable=SC2086 # one word a package is what we want
	installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' $packages 2>/dev/null)
	gap=''
	for package in $packages; do
		case "
$installed
" in
		*"
installed $package
"*) ;;
		*) gap="$gap${gap:+ }$package" ;;
		esac
	done
	echo "$gap"
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

# Whether an arm64 program runs: registered here, or by the host of the container that we are in.
has_emulator() {
	[ "$needs_emulator" = no ] && return 0
	[ -e "$arm64_link/lib/ld-linux-aarch64.so.1" ] || return 1
	state=''
	{ read -r state <"$binfmt/qemu-aarch64"; } 2>/dev/null
	[ "$state" = enabled ] || "$arm64_root/lib/ld-linux-aarch64.so.1" --version >/dev/null 2>&1
}

what_is_missing() {
	if [ -n "$missing" ]; then
		echo "$missing"
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
	[ -z "$missing" ] || line="${sudo}apt-get install -y --no-install-recommends $missing"
	has_emulator || line="$line${line:+ && }$(emulator_by_hand)"
	case "$npm_gap" in
	ci) line="$line${line:+ && }npm ci --include=dev --include=optional" ;;
	bun) line="$line${line:+ && }node node_modules/bun/install.js" ;;
	esac
	echo "run: $line"
}

emulator_by_hand() {
	line=''
	if [ ! -e "$binfmt/status" ]; then
		line="${sudo}mount -t binfmt_misc binfmt_misc $binfmt && "
	fi
	line="$line${sudo}update-binfmts --enable qemu-aarch64"
	echo "$line && ${sudo}mkdir -p ${arm64_link%/*} && ${sudo}ln -sfn $arm64_root $arm64_link"
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

install_packages() {
	say "Installing Debian packages to build, sign and try bundles: $missing"
	# Only a machine with no package lists, or with old ones, has to fetch them.
	hush_services
	apt_install || { apt_get update && apt_install; } ||
		fail "install the Debian packages $missing" "$(last_words '^E: ' apt-get)"
	unhush_services
	missing=$(missing_packages)
	[ -z "$missing" ] || fail "install the Debian packages $missing" 'apt-get ended well, yet they are not there'
}

apt_install() {
	# shellcheck disable=SC2086 # one word a package is what we want
	apt_get install --no-install-recommends $missing
}

apt_get() {
	# shellcheck disable=SC2086 # "sudo -n env" is three words
	$as_root DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" >"$work/log" 2>&1 </dev/null
}

# A machine that had no Docker has none running after this either, now or after its next boot.
hush_services() {
	case " $missing " in *' docker'*) ;; *) return ;; esac
	[ -e "$policy" ] && return
	hushed=yes
	for service in $services; do
		systemctl --quiet is-enabled "$service" 2>/dev/null || asleep="$asleep $service"
	done
	# shellcheck disable=SC2086 # "sudo -n env" is three words
	$as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy" ||
		fail "install the Debian packages $missing" "$policy cannot be written"
}

unhush_services() {
	[ "$hushed" = yes ] || return 0
	$as_root rm -f "$policy"
	hushed=no
	command -v systemctl >/dev/null || return 0
	for service in $asleep; do
		$as_root systemctl disable "$service" >/dev/null 2>&1
	done
}

clean_up() {
	unhush_services
	rm -rf "$work"
}

set_up_emulator() {
	say 'Setting up the emulator for arm64 programs, which the tests run as they ship'
	{
		{ [ -e "$binfmt/status" ] || $as_root mount -t binfmt_misc binfmt_misc "$binfmt"; } &&
			{ [ -e "$binfmt/qemu-aarch64" ] || $as_root update-binfmts --enable qemu-aarch64; } &&
			$as_root mkdir -p "${arm64_link%/*}" &&
			$as_root ln -sfn "$arm64_root" "$arm64_link"
	} >"$work/log" 2>&1 </dev/null
	has_emulator || fail 'set up the emulator for arm64 programs' "$(last_words . 'an arm64 program')"
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
