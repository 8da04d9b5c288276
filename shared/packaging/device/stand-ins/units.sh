# Sourced by the stand-ins: where units are written, and what is known about the running ones.
#   $units/NAME.exec         a service's command line      $units/NAME.oneshot   it has to end before it counts
#   $state/UNIT.exec         a transient unit's            $state/UNIT.collect   forget it even when it failed
#   $state/UNIT.{is,pid,end} active, its main process, the exit code it ended with

units=${HOMIE_RUN_UNITS:?this stand-in runs only on an embedded device}
state=$units/state

log_call() {
  printf '%s %s\n' "$(date -u +%FT%T.%3NZ)" "$*" >> "$HOMIE_DEVICE/systemctl.log"
}

# Faults are files: hang-VERB, or fail-VERB with the words to say.
meet_fault() {
  if [ -e "$units/hang-$1" ]; then exec sleep infinity; fi
  if [ -e "$units/fail-$1" ]; then
    if [ -s "$units/fail-$1" ]; then cat "$units/fail-$1"; else echo "Failed to $1: told to fail"; fi >&2
    exit 1
  fi
}

# Sets $unit to the name with its suffix, and $file to where its command line is written.
name_unit() {
  case $1 in
    *.service | *.timer | *.target | *.socket | *.mount) unit=$1 ;;
    *) unit=$1.service ;;
  esac
  file=$state/$unit.exec
  if [ "${unit%.service}" != "$unit" ] && [ -e "$units/${unit%.service}.exec" ]; then
    file=$units/${unit%.service}.exec
  fi
}

is_loaded() { [ -e "$file" ]; }
is_transient() { [ "$file" = "$state/$unit.exec" ]; }
is_oneshot() { [ -e "$units/${unit%.service}.oneshot" ] && ! is_transient; }

active_state() {
  if [ -e "$state/$unit.is" ]; then cat "$state/$unit.is"; else echo inactive; fi
}

# By rename, so that no reader meets an empty file.
put() {
  printf '%s\n' "$2" > "$1.$$" && mv "$1.$$" "$1"
}

# Like the processes of a control group: all that carry the mark of the unit, in any session.
pids_of_unit() {
  env -u HOMIE_UNIT grep -lszxF "HOMIE_UNIT=$units/$unit" /proc/[0-9]*/environ | while IFS=/ read -r _ _ pid _; do
    if [ "$pid" != "$$" ]; then echo "$pid"; fi
  done
}

# The main process by its number too: just forked, it does not carry the mark yet.
signal_unit() {
  for pid in $(cat "$state/$unit.pid" 2> /dev/null; pids_of_unit); do kill -s "$1" "$pid" 2> /dev/null; done
}

forget_unit() {
  rm -f "$state/$unit.is" "$state/$unit.pid" "$state/$unit.end" "$state/$unit.collect"
  # Last: while it is there, the name is taken.
  if is_transient; then rm -f "$file"; fi
}
