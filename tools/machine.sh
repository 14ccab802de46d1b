# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What tools/run and tools/run-bochs share: checks of the settings, the images,
# the terminal.  Both set CONFIG, SMP, MEM, LOG and SERIAL first.

# The terminal's former settings, when raw_terminal() changed them.
TTY_STATE=

check_settings() {
	[[ $SMP =~ ^[1-9][0-9]*$ ]] || die "SMP=$SMP: must be a number of CPUs, such as SMP=2"
	[[ -z ${MEM:-} || $MEM =~ ^[1-9][0-9]*[MmGg]?$ ]] || die "MEM=$MEM: must be a size, such as MEM=2G"
	case "$LOG" in
	error | warn | info | debug) ;;
	*) die "LOG=$LOG: must be error, warn, info or debug" ;;
	esac
	case "$SERIAL" in
	stdio | unix:?*) ;;
	*) die "SERIAL=$SERIAL: must be stdio or unix:PATH" ;;
	esac
	[[ -f $CONFIG ]] || die "CONFIG=$CONFIG: there is no such file"
	[[ -f ${ISO:-$IMAGE} ]] || die "${ISO:-$IMAGE} is missing: run 'make' first"
}

# MiB: what the configuration gives away, and 256 for Bulkhead and the modules.
machine_memory() {
	awk -F= '
		$1 ~ /^[ \t]*memory[ \t]*$/ {
			n = $2 + 0
			unit = $2
			gsub(/[^KMGkmg]/, "", unit)
			unit = toupper(substr(unit, 1, 1))
			sum += unit == "G" ? n * 1024 : unit == "M" ? n : unit == "K" ? n / 1024 : n / 1048576
		}
		END { print (sum > 0 && sum < 1048576) ? int(sum) + 256 : 1024 }
	' "$CONFIG"
}

check_config() {
	[[ ${CHECK:-yes} == yes ]] || return 0
	"$BUILD/bulkhead" check --cpus "$SMP" "$CONFIG" >&2 ||
		die "the configuration $CONFIG cannot be used as it is"
}

# The configuration and the images that it names, one a line, each once.
module_files() {
	echo "$CONFIG"
	"$BUILD/bulkhead" files "$CONFIG" 2>/dev/null || true
}

# The images of the default configuration are made when they are missing.
make_guest_images() {
	local file
	while read -r file; do
		if [[ ! -f $file && $(realpath -m "$file") == "$BUILD/guest/"* ]]; then
			"$ROOT/tools/guest-images"
			return
		fi
	done < <(module_files)
}

# explain_leaving PID_FILE
explain_leaving() {
	say "To leave: Ctrl-E m, then type poweroff.  Ctrl-E ? explains the other keys."
	say "If nothing answers, from another terminal: kill \$(cat $1)"
	case "$SERIAL" in
	unix:*) say "Connect with: socat -,raw,echo=0 unix-connect:${SERIAL#unix:}" ;;
	esac
}

raw_terminal() {
	[[ $SERIAL == stdio && -t 0 ]] || return 0
	TTY_STATE=$(stty -g)
	# An emulator switches output processing on; without onlcr it then changes nothing.
	stty raw -echo -onlcr
}

restore_terminal() {
	[[ -z $TTY_STATE ]] || stty "$TTY_STATE" || true
}
