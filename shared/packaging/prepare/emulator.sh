# Sourced by ../prepare.sh: qemu, through which the kernel runs arm64 programs on another machine.

binfmt=/proc/sys/fs/binfmt_misc
arm64_root=/usr/aarch64-linux-gnu
# How Debian describes qemu to systemd-binfmt(8): a line that the kernel takes to register it.
description=/usr/lib/binfmt.d/qemu-aarch64.conf
systemd_binfmt=/usr/lib/systemd/systemd-binfmt

case "$(uname -m)" in
aarch64) needs_emulator=no ;;
*) needs_emulator=yes ;;
esac

# Runs an arm64 program. It needs its own loader, as ours do: QEMU_LD_PREFIX says where qemu finds that.
has_emulator() {
	[ "$needs_emulator" = no ] && return 0
	case "$(run_arm64_program 2>/dev/null </dev/null)" in
	'GNU C Library'*) return 0 ;;
	*) return 1 ;;
	esac
}

# The C library of arm64 is a program as well: it says its version.
run_arm64_program() {
	QEMU_LD_PREFIX=$arm64_root $arm64_root/lib/libc.so.6
}

# The kernel may refuse it (a container): that is said, and what needs no arm64 program goes on.
set_up_emulator() {
	say 'Setting up the emulator for arm64 programs, which the tests run as they ship'
	{
		{ [ -e "$binfmt/status" ] || $as_root mount -t binfmt_misc binfmt_misc "$binfmt"; } && register_emulator &&
			run_arm64_program
	} >"$work/log" 2>&1 </dev/null
	has_emulator && return
	say "Cannot set up the emulator for arm64 programs: $(last_words . 'an arm64 program'); the rest goes on without it"
}

register_emulator() {
	[ -e "$binfmt/qemu-aarch64" ] && return
	if knows_update_binfmts; then
		$as_root update-binfmts --enable qemu-aarch64
	elif [ -x $systemd_binfmt ]; then
		$as_root $systemd_binfmt $description
	else
		$as_root sh -c "cat $description >$binfmt/register"
	fi
}

# Debian 12 has its description, where binfmt-support is installed; Debian 13 has none.
knows_update_binfmts() {
	[ -e /usr/share/binfmts/qemu-aarch64 ] && [ -x /usr/sbin/update-binfmts ]
}

emulator_by_hand() {
	line=''
	if [ ! -e "$binfmt/status" ]; then
		line="${sudo}mount -t binfmt_misc binfmt_misc $binfmt && "
	fi
	if knows_update_binfmts; then
		echo "$line${sudo}update-binfmts --enable qemu-aarch64"
	else
		echo "$line${sudo}$systemd_binfmt $description"
	fi
}
