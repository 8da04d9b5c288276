import { fullAttempts } from './bootloader.ts';

/**
 * RAUC as a script, on the environment of the reference bootloader: what it does to BOOT_ORDER and the counters, and
 * in which order it calls the hooks (RAUC's `install.c` and `bootchooser.c`, as observed with 1.8).
 */

const common = `read_env() { . ./boot.env; booted=$(cat booted); if [ "$booted" = A ]; then other=B; else other=A; fi; }
write_env() { printf "ORDER='%s'\\nLEFT_A=%s\\nLEFT_B=%s\\n" "$ORDER" "$LEFT_A" "$LEFT_B" > boot.env.new; mv boot.env.new boot.env; }
without() { rest=; for one in $ORDER; do [ "$one" = "$1" ] || rest="$rest $one"; done; rest=\${rest# }; }
set_left() { if [ "$1" = A ]; then LEFT_A=$2; else LEFT_B=$2; fi; }
left_of() { if [ "$1" = A ]; then echo "$LEFT_A"; else echo "$LEFT_B"; fi; }
mark_active() { without "$1"; ORDER="$1\${rest:+ $rest}"; set_left "$1" ${fullAttempts}; write_env; }
mark_bad() { without "$1"; ORDER=$rest; set_left "$1" 0; write_env; }
slot_json() {
  case " $ORDER " in *" $1 "*) is_in=1 ;; *) is_in=0 ;; esac
  good=bad; if [ $is_in = 1 ] && [ "$(left_of $1)" -gt 0 ]; then good=good; fi
  state=inactive; if [ "$1" = "$booted" ]; then state=booted; fi
  printf '{"%s":{"class":"rootfs","device":"/dev/null","type":"ext4","bootname":"%s","state":"%s","parent":null,' "$2" "$1" $state
  printf '"mountpoint":null,"boot_status":"%s","slot_status":{"bundle":{"compatible":null,"version":null}}}}' $good
}
primary_name() {
  for one in $ORDER; do if [ "$(left_of $one)" -gt 0 ]; then [ $one = A ] && echo '"rootfs.0"' || echo '"rootfs.1"'; return; fi; done
  echo null
}
`;

export const rauc = `${common}read_env
case "$1 $2" in
  "status --detailed")
    if [ -e installing ]; then echo "already processing a different method" >&2; exit 1; fi
    printf '{"compatible":"jetson-nano-homie","variant":"","booted":"%s","boot_primary":%s,"slots":[' "$booted" "$(primary_name)"
    slot_json B rootfs.1; printf ,; slot_json A rootfs.0; echo ']}' ;;
  "status mark-good") set_left "$booted" ${fullAttempts}; write_env ;;
  "status mark-active") if [ "$3" = other ]; then mark_active $other; else mark_active $booted; fi ;;
  "info "*) cat rauc-info.json ;;
  "install "*) . ./rauc-install.sh ;;
esac`;

export const fwPrintenv = `${common}read_env; name=\${2#BOOT_}; name=\${name%_LEFT}; left_of "$name"`;

export const fwSetenv = `${common}read_env
name=\${1#BOOT_}; name=\${name%_LEFT}; set_left "$name" "$2"; write_env`;

/** What RAUC's service does with a bundle. The hooks take their words, and their faults, from the environment. */
export const install = `hook="$PWD/programs/hook"
touch installing
trap 'rm -f installing' EXIT
export HOMIE_CLOCK=paused RAUC_SYSTEM_COMPATIBLE=jetson-nano-homie RAUC_BUNDLE_MOUNT_POINT="$PWD/bundle" RAUC_MOUNT_PREFIX="$PWD"
# Half-way through, as the scripts of the stack have it.
within() { if [ "\${HOMIE_STOPS:-}" = 1 ] && [ -n "\${HOMIE_STEPS:-}" ]; then echo "$$ within $*" >> "$HOMIE_STEPS"; kill -STOP $$; fi; }
give_up() { echo "LastError: $1" >&2; exit 1; }
HOMIE_FAULT=$FAULT_INSTALL_CHECK HOMIE_STEPS=$STEPS_INSTALL_CHECK "$hook" install-check || give_up "Bundle rejected"
export RAUC_SLOT_NAME=$([ $other = A ] && echo rootfs.0 || echo rootfs.1) RAUC_SLOT_BOOTNAME=$other
export RAUC_SLOT_MOUNT_POINT="$PWD/slots/$other"
mark_bad $other
within rauc, before pre-install
[ "$POWER_FAILS" != before-pre-install ] || kill -9 $$
HOMIE_FAULT=$FAULT_PRE_INSTALL HOMIE_STEPS=$STEPS_PRE_INSTALL "$hook" slot-pre-install || give_up "pre-install hook failed"
rm -rf "slots/$other"
mkdir -p "slots/$other"
within rauc, in the write
[ "$POWER_FAILS" != in-write ] || kill -9 $$
cp -al next-slot/. "slots/$other/"
HOMIE_FAULT=$FAULT_POST_INSTALL HOMIE_STEPS=$STEPS_POST_INSTALL "$hook" slot-post-install || give_up "post-install hook failed"
within rauc, before it activates
[ "$POWER_FAILS" != before-activate ] || kill -9 $$
read_env; mark_active $other
within rauc, after it activates
[ "$POWER_FAILS" != after-activate ] || kill -9 $$
exit 0
`;
