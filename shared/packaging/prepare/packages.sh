# Sourced by ../prepare.sh: which Debian packages a purpose needs, which of them are missing, and how they are installed.

# Asked before a package starts its service; see invoke-rc.d(8).
policy=/usr/sbin/policy-rc.d
# Services that Debian starts at once and at every boot; the tests start engines and registries of their own.
services='docker.socket docker.service containerd.service docker-registry.service'
hushed=no
asleep=''

# Prints a word for each package. "a|b": newer releases have b in place of a. Each purpose includes those before it.
packages_for() {
	# To make and sign RAUC's bundles.
	echo rauc squashfs-tools openssl
	# Slot images, boot scripts and U-Boot's environment.
	echo e2fsprogs u-boot-tools libubootenv-tool
	# Archives and what is compressed.
	echo tar xz-utils zstd
	[ "$1" = build ] && return

	# RAUC's service on a bus of its own, disks with partitions.
	echo 'dbus-daemon|dbus' mount util-linux fdisk dosfstools
	# To run the board's arm64 programs on another machine.
	if [ "$needs_emulator" = yes ]; then
		echo 'qemu-user-static|qemu-user-binfmt' libc6-arm64-cross libstdc++6-arm64-cross
	fi
	[ "$1" = start ] && return

	# Extended attributes; a client of the local API, and what a fetch is measured against.
	echo attr curl
	# systemd reads the units that a slot is given; zsh the completion. bsdutils has script, a terminal for tests.
	echo systemd zsh bsdutils
	# readelf, which our own reader of programs is held against.
	echo binutils
	# The order in which what is written comes to the disk.
	echo strace
	# Images of whole cards.
	echo genimage mtools bmap-tools
	# The status page as a browser shows it; another Chromium is as good.
	has_any chromium chromium-browser google-chrome || echo chromium
	# The orchestrator's side of the API, which is FastAPI.
	echo python3-fastapi python3-uvicorn python3-httpx
	# A signing key in a PKCS#11 token.
	echo softhsm2 libengine-pkcs11-openssl
	[ "$1" = test ] && return

	# The load beside which each test is repeated.
	echo stress-ng
	# The stack as it runs on a board: Docker, docker-compose, a registry, images made of Debian packages, networks.
	echo docker-compose docker-registry mmdebstrap arch-test tini iproute2 iptables
	# An engine from elsewhere is as good, and stays: Debian's would take its place.
	[ -x /usr/bin/dockerd ] || echo docker.io
	# The emulated board: its machine and U-Boot, disks that forget what was not flushed, and snapshots of it.
	echo qemu-system-arm qemu-utils u-boot-qemu nbdkit
	# The server of a fleet is Java; another JDK and Maven are as good as Debian's.
	has_any javac || echo default-jdk-headless
	has_any mvn || echo maven
}

has_any() {
	for tool in "$@"; do
		command -v "$tool" >/dev/null && return 0
	done
	return 1
}

# Prints the words for which dpkg has no installed package, by that name or as one that provides it.
missing_packages() {
	installed=" $(dpkg-query -W -f='${db:Status-Status} ${Package} ${Provides}\n' 2>/dev/null |
		sed -n 's/^installed //p' | sed 's/([^)]*)//g' | tr ',\n' '  ') "
	gap=''
	for word in $1; do
		is_installed "$word" || gap="$gap${gap:+ }$word"
	done
	echo "$gap"
}

is_installed() {
	for choice in $(echo "$1" | tr '|' ' '); do
		case "$installed" in *" $choice "*) return 0 ;; esac
	done
	return 1
}

# The words as names that apt-get installs: of "a|b" the first that this release has. A name that other packages only provide
# becomes the first of those: apt-get installs no virtual package that has several providers.
names_for() {
	# shellcheck disable=SC2046 # one word a package is what we want
	policies=$(apt-cache policy $(echo "$@" | tr '|' ' ') 2>/dev/null)
	for word in "$@"; do
		name_for "$word"
	done
}

name_for() {
	for choice in $(echo "$1" | tr '|' ' '); do
		candidate=$(echo "$policies" | sed -n "/^$choice:\$/,/^  Candidate:/s/^  Candidate: //p")
		case "$candidate" in '' | '(none)') ;; *) echo "$choice" && return ;; esac
		provider=$(apt-cache showpkg "$choice" 2>/dev/null | sed -n '/^Reverse Provides:/,$p' | sed -n '2s/ .*//p')
		[ -n "$provider" ] && echo "$provider" && return
	done
	# Not known here, or not yet: apt-get says it in its own words.
	echo "${1%%|*}"
}

install_packages() {
	say "Installing Debian packages to build, sign and try bundles: $(plain $missing)"
	# Only a machine with no package lists, or with old ones, has to fetch them.
	hush_services
	apt_install || { apt_get update && apt_install; } ||
		fail "install the Debian packages $(plain $missing)" "$(last_words '^E: ' apt-get)"
	unhush_services
	missing=$(missing_packages "$needed")
	[ -z "$missing" ] ||
		fail "install the Debian packages $(plain $missing)" 'apt-get ended well, yet they are not there'
}

# For people: of "a|b" the first.
plain() {
	echo "$@" | sed 's/|[^ ]*//g'
}

apt_install() {
	# shellcheck disable=SC2046,SC2086 # one word a package is what we want
	apt_get install --no-install-recommends $(names_for $missing)
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
		fail "install the Debian packages $(plain $missing)" "$policy cannot be written"
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
