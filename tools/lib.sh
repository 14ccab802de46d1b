# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What the scripts of this folder share: the place of the tree, messages, progress.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034 # used by the scripts that read this file
BUILD=$ROOT/build

say() {
	printf '%s\n' "$*" >&2
}

die() {
	say "${0##*/}: $*"
	exit 1
}

# step WHAT COMMAND...: runs a command that may take long.  Its output goes to
# a log that is shown when it fails; on a terminal the seconds count up.
step() {
	local what=$1 log pid status=0 from=$SECONDS shown=
	shift
	log=$(mktemp "${TMPDIR:-/tmp}/bulkhead-step.XXXXXX")
	[[ -t 2 ]] || say "$what ..."
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	# An interrupted step must not leave its command behind.
	trap 'kill "$pid" 2>/dev/null; rm -f "$log"; exit 130' INT TERM HUP
	if [[ -t 2 ]]; then
		while kill -0 "$pid" 2>/dev/null; do
			if [[ $shown != $((SECONDS - from)) ]]; then
				shown=$((SECONDS - from))
				printf '\r\033[K%s ... %d s' "$what" "$shown" >&2
			fi
			sleep 0.2
		done
		printf '\r\033[K' >&2
	fi
	wait "$pid" || status=$?
	trap - INT TERM HUP
	if [[ $status -ne 0 ]]; then
		tail -n 40 "$log" >&2
		say "$what: failed with status $status after $((SECONDS - from)) s"
	else
		say "$what: done in $((SECONDS - from)) s"
	fi
	rm -f "$log"
	return "$status"
}

# as_root COMMAND...: directly, or through sudo when that is needed.
as_root() {
	if [[ $(id -u) -eq 0 ]]; then
		"$@"
	else
		sudo -- "$@"
	fi
}
